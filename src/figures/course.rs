//! One component under way: how it is, since when, and what is open on it.
//!
//! Time is added up when something changes and at the end of a bucket, not at every tick: a tick in which a component
//! stays as it was costs a comparison.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figures::closed::{Incident, Try};
use crate::figures::spent::Spent;
use crate::figures::totals::Total;
use crate::model::{ActId, ComponentId, IncidentId, Outcome, Record, RuleId, Span, Status, Time};

/// So many tries that healed are remembered: more do not end in the time in which one can relapse.
const HEALED: usize = 64;

/// One component under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) status: Status,
    pub(super) held: bool,
    /// From here on nothing is added up yet.
    since: Time,
    /// The first tick with it.
    pub(super) life: Time,
    pub(super) failures: u32,
    /// The slot of the grid whose failure was counted, where ticks do not say how many there are.
    counted: Option<Time>,
    /// Since when it works.
    well_from: Option<Time>,
    /// The last tick of the grid that saw it well before it was not.
    last_well: Option<Time>,
    held_since: Option<Time>,
    pub(super) incident: Option<Open>,
    /// The last tries that healed, for relapses: which of them does the journal says.
    healed: Vec<Try>,
    /// So long it was critical or unknown, ever.
    bad: Span,
    pub(super) spent: Spent,
    pub(super) total: Total,
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) id: IncidentId,
    pub(super) began: Time,
    well: Option<Time>,
    planned: Span,
    /// The first act, and how much was planned until then.
    act: Option<(Time, Span)>,
    heal: Option<Span>,
}

/// A try that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trying {
    pub(super) component: ComponentId,
    rule: Option<RuleId>,
    action: String,
    began: Time,
    before: Status,
    bad: Span,
}

impl Course {
    pub(super) fn new(status: Status, held: bool, now: Time) -> Self {
        Self {
            status,
            held,
            since: now,
            life: now,
            failures: 0,
            counted: None,
            well_from: status.works().then_some(now),
            last_well: None,
            held_since: held.then_some(now),
            incident: None,
            healed: Vec::new(),
            bad: Span::ZERO,
            spent: Spent::default(),
            total: Total::default(),
        }
    }

    /// What was seen holds until here.
    pub(super) fn until(&mut self, to: Time) {
        let length = to - self.since;
        if length <= Span::ZERO {
            return;
        }
        self.spent.add(self.status, self.held, length);
        self.total.spent.add(self.status, self.held, length);
        if !self.status.works() {
            self.bad.0 = self.bad.0.saturating_add(length.0);
        }
        self.since = to;
    }

    /// Nobody looked until now.
    pub(super) fn skip(&mut self, now: Time) {
        self.since = now;
        // When it stopped to be well in the meantime nobody can say.
        (self.well_from, self.last_well) = (None, None);
    }

    /// Its totals, as of a time until which it stayed as it is.
    pub(super) fn total_until(&self, now: Time) -> Total {
        let mut total = self.total;
        total.spent.add(self.status, self.held, Span((now - self.since).0.max(0)));
        total
    }

    /// Hands out what was added up, and begins anew.
    pub(super) fn close(&mut self) -> Spent {
        let next = Spent { worst: self.failures, ..Spent::default() };
        std::mem::replace(&mut self.spent, next)
    }

    /// A tick saw it so. `grid` is the last tick of the grid before.
    pub(super) fn see(&mut self, status: Status, now: Time, grid: Option<Time>) {
        if status == self.status {
            return;
        }
        self.until(now);
        match (self.status.works(), status.works()) {
            (true, false) => self.last_well = self.well_from.take().max(grid),
            (false, true) => self.well_from = Some(now),
            _ => {}
        }
        self.status = status;
    }

    /// So often it failed in a row. Old journals do not say: there a slot of the grid counts once.
    pub(super) fn fail(&mut self, said: Option<u32>, slot: Time) {
        self.failures = match (said, self.status) {
            (Some(said), _) => said,
            (None, Status::Ok | Status::Warn) => 0,
            (None, Status::Critical) if self.counted != Some(slot) => self.failures.saturating_add(1),
            (None, Status::Critical | Status::Unknown) => self.failures,
        };
        self.counted = Some(slot);
        self.spent.worst = self.spent.worst.max(self.failures);
    }

    /// A person holds it from now on, or no longer; nobody may have been there when the hold was `over`.
    pub(super) fn hold(&mut self, held: bool, (now, over): (Time, Time)) {
        if held == self.held {
            return;
        }
        self.until(now);
        self.held = held;
        let since = self.held_since.take();
        if held {
            self.held_since = Some(now);
        } else if let (Some(since), Some(open)) = (since, &mut self.incident) {
            open.planned.0 += (over - since.max(open.began)).0.max(0);
        }
    }

    pub(super) fn begin(&mut self, id: IncidentId, now: Time) {
        self.total.incidents += 1;
        self.incident =
            Some(Open { id, began: now, well: self.last_well, planned: Span::ZERO, act: None, heal: None });
    }

    /// The incident ended, or was left open because its component is gone.
    pub(super) fn end(&mut self, component: &ComponentId, now: Time, left: bool) -> Option<Incident> {
        let open = self.incident.take()?;
        let ended = Incident {
            incident: open.id,
            component: component.clone(),
            began: open.began,
            ended: now,
            planned: open.planned_until(self.held_since, now),
            detect: open.well.map(|well| open.began - well),
            act: open.act.and_then(|(act, planned)| unplanned(act - open.began, planned)),
            heal: open.heal,
            left,
        };
        if let Some(length) = ended.recovery() {
            self.total.recovered(length);
        }
        Some(ended)
    }

    /// A try begins.
    pub(super) fn attempt(
        &mut self,
        component: &ComponentId,
        (rule, action): (Option<&RuleId>, String),
        now: Time,
    ) -> Trying {
        if let Some(open) = &mut self.incident {
            open.act.get_or_insert((now, open.planned_until(self.held_since, now)));
        }
        let (rule, bad) = (rule.cloned(), self.bad_until(now));
        Trying { component: component.clone(), rule, action, began: now, before: self.status, bad }
    }

    /// A try ended.
    pub(super) fn tried(&mut self, act: ActId, open: Trying, outcome: Outcome, took: Span, now: Time) -> Try {
        // A component that was gone for a while began to count anew.
        let bad = Span((self.bad_until(now).0 - open.bad.0).max(0));
        let caused = if open.before.works() { bad.max(took) } else { Span::ZERO };
        let mut relieved = Span::ZERO;
        if let Some(incident) = self.incident.as_mut().filter(|_| outcome == Outcome::Healed) {
            incident.heal = Some(now - open.began);
            relieved = Span((now - incident.began).0 - incident.planned_until(self.held_since, now).0);
        }
        let Trying { component, rule, action, began, .. } = open;
        let ended = Try { act, component, rule, action, began, ended: now, outcome, caused, relieved };
        self.total.tried(&ended);
        // Behind it others may end that did not heal: which one relapses the journal says.
        if outcome == Outcome::Healed {
            self.healed.push(ended.clone());
            self.healed.drain(..self.healed.len().saturating_sub(HEALED));
        }
        ended
    }

    /// What that act had healed did not last.
    pub(super) fn relapse(&mut self, act: ActId) -> Option<Try> {
        self.total.relapsed += 1;
        let at = self.healed.iter().position(|healed| healed.act == act)?;
        Some(Try { outcome: Outcome::Relapsed, ..self.healed.remove(at) })
    }

    fn bad_until(&self, now: Time) -> Span {
        let running = if self.status.works() { 0 } else { (now - self.since).0.max(0) };
        Span(self.bad.0.saturating_add(running))
    }
}

impl Trying {
    /// A try that ended behind its component: what it cost and brought nobody knows.
    pub(super) fn left(open: &mut BTreeMap<ActId, Self>, record: &Record, now: Time) -> Option<Try> {
        let Record::End { act, outcome, .. } = record else { return None };
        let Self { component, rule, action, began, .. } = open.remove(act)?;
        // What was not begun after all has no outcome.
        let (act, outcome, ended, nothing) = (*act, (*outcome)?, now, Span::ZERO);
        let (caused, relieved) = (nothing, nothing);
        Some(Try { act, component, rule, action, began, ended, outcome, caused, relieved })
    }
}

impl Open {
    /// So much of it was planned until then.
    fn planned_until(&self, held_since: Option<Time>, now: Time) -> Span {
        Span(self.planned.0 + held_since.map_or(0, |since| (now - since.max(self.began)).0))
    }
}

impl Incident {
    /// How long it took until it was well again, without what a person held. One that was held all along has none, and
    /// neither has one that did not end.
    #[must_use]
    pub fn recovery(&self) -> Option<Span> {
        unplanned(self.ended - self.began, self.planned).filter(|_| !self.left)
    }
}

/// A length without what was planned of it; none where all of it was.
fn unplanned(whole: Span, planned: Span) -> Option<Span> {
    (planned < whole || planned == Span::ZERO).then(|| Span(whole.0 - planned.0))
}

/// The courses by name.
pub(super) type Courses = BTreeMap<ComponentId, Course>;
