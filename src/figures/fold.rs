//! The fold: entries of the journal in their order become amounts of time, and things that are over.
//!
//! It can be written down between any two entries and gone on from, and comes to the same. What it makes is handed out
//! in portions: a bucket at the end of each hour (and wherever a window begins or ends), and what is over at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::figures::closed::{Closed, Life, Move, Review, Stepped, Stretch};
use crate::figures::course::{Course, Courses, Trying};
use crate::figures::seen::{Seen, Terms};
use crate::figures::spent::Spent;
use crate::figures::totals::Totals;
use crate::model::{Act, ActId, By, ComponentId, ModeId, Record, Span, Status, Time};

/// The length of a bucket.
pub const HOUR: Span = Span::minutes(60);

/// Ticks so many grids apart were not seen to: nobody knows how it was between them.
const GRIDS: i64 = 4;

/// What was added up from when to when, at most an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// It begins here.
    pub from: Time,
    /// And ends here.
    pub to: Time,
    /// So much of it Grace looked.
    pub observed: Span,
    /// Each component that was declared.
    pub components: BTreeMap<ComponentId, Spent>,
    /// How long it was which mode.
    pub modes: BTreeMap<ModeId, Span>,
}

/// The end of an hour: its bucket, and the fold to go on from.
pub type Hour = (Bucket, Fold);

/// The fold under way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Fold {
    /// Where the bucket begins.
    from: Time,
    /// Its end, where it ends before the hour does.
    #[serde(skip)]
    cuts: BTreeSet<Time>,
    /// The first tick of all.
    first: Option<Time>,
    /// The last tick.
    now: Option<Time>,
    /// The last that was the first in its slot of the grid.
    grid_tick: Option<Time>,
    grid: Option<Span>,
    /// The one under which the next tick was waited for, where files brought another since.
    waited: Option<Span>,
    /// Grace was stopped since the last tick, or started anew.
    stopped: bool,
    /// From here on the modes' and Grace's own time is not added up yet.
    since: Time,
    observed: Span,
    unobserved: Span,
    mode: Option<ModeId>,
    modes: BTreeMap<ModeId, Span>,
    all_modes: BTreeMap<ModeId, Span>,
    moves: BTreeMap<ModeId, BTreeMap<ModeId, u64>>,
    /// Moves of a start: they belong to its first tick.
    waiting: Vec<Move>,
    /// Until when, where all is held.
    hold_of_all: Option<Time>,
    holds: BTreeMap<ComponentId, Time>,
    courses: Courses,
    /// What components that are gone left in this bucket.
    left: BTreeMap<ComponentId, Spent>,
    tries: BTreeMap<ActId, Trying>,
    #[serde(skip)]
    closed: Vec<Closed>,
    #[serde(skip)]
    hours: Vec<Hour>,
    #[serde(skip)]
    buckets: Vec<Bucket>,
}

impl Fold {
    /// The kinds of entries that figures look at.
    pub const KINDS: [&str; 14] = [
        "started",
        "stopped",
        "generation",
        "tick",
        "incident_begun",
        "incident_ended",
        "intent",
        "end",
        "relapsed",
        "mode_changed",
        "held",
        "hold_ended",
        "clock_stepped",
        "reviewed",
    ];

    /// A bucket shall also end at these times.
    pub fn cut(&mut self, at: impl IntoIterator<Item = Time>) {
        let (from, now) = (self.from, self.now);
        self.cuts.extend(at.into_iter().filter(|at| now.is_none() || *at > from));
    }

    /// A generation is active from here on.
    pub fn terms(&mut self, terms: &Terms) {
        self.waited = self.waited.max(self.grid.replace(terms.grid));
        if self.mode.is_none() {
            self.mode.clone_from(&terms.lowest);
        }
    }

    /// Takes the next entry.
    pub fn take(&mut self, seq: i64, record: &Record) {
        let now = self.now.unwrap_or_default();
        match record {
            Record::Started { .. } | Record::Stopped { .. } => self.stopped = true,
            Record::Tick { now, grid, statuses, failures, .. } => {
                self.tick(seq, Seen { now: *now, grid: *grid, statuses, failures });
            }
            Record::ModeChanged { from, to, .. } => self.moved(seq, from, to),
            Record::Held { component, until, .. } => self.hold(component.as_ref(), *until),
            Record::HoldEnded { component, .. } => self.release(component.as_ref()),
            Record::ClockStepped { by_ms } => {
                self.closed.push(Closed::Clock(Stepped { seq, at: now, by: Span(*by_ms) }));
            }
            Record::Reviewed { component, verdict, accepted, .. } => {
                let (component, verdict, accepted) = (component.clone(), *verdict, *accepted);
                self.closed.push(Closed::Review(Review { seq, at: now, component, verdict, accepted }));
            }
            _ => self.heal(now, record),
        }
    }

    /// Takes the next tick.
    pub fn tick(&mut self, seq: i64, seen: Seen<'_>) {
        // Grace's own time never goes back, whatever is written.
        let now = self.now.map_or(seen.now, |last| last.max(seen.now));
        let grid = seen.grid.or(self.grid).unwrap_or(Span::seconds(30));
        let (slot, waited) = (
            now.slot(grid),
            self.waited.take().filter(|_| seen.grid.is_none()).map_or(grid, |waited| waited.max(grid)),
        );
        match self.now {
            None => self.begin(now),
            Some(last) if self.stopped || now - last > Span(waited.0.saturating_mul(GRIDS)) => {
                self.gap(seq, last, now);
            }
            Some(_) => self.advance(now),
        }
        self.stopped = false;
        self.see(seq, now, slot, &seen);
        if self.now.is_none_or(|last| last.slot(grid) != slot) {
            self.grid_tick = Some(now);
        }
        self.now = Some(now);
    }

    fn begin(&mut self, now: Time) {
        self.first = Some(now);
        self.from = now.slot(HOUR);
        self.since = now;
        self.cuts.retain(|cut| *cut > now);
    }

    /// The time since the last tick was as that saw it.
    fn advance(&mut self, now: Time) {
        while self.end() <= now {
            self.close(self.end());
        }
    }

    /// Where the bucket ends.
    fn end(&self) -> Time {
        let hour = self.from.slot(HOUR) + HOUR;
        self.cuts.first().copied().filter(|cut| *cut < hour).unwrap_or(hour)
    }

    /// Nobody looked since the last tick.
    fn gap(&mut self, seq: i64, last: Time, now: Time) {
        self.until(last);
        if self.end() <= now {
            self.shut(self.end());
        }
        // Hours in which nobody looked have no bucket.
        let cut = self.cuts.range(..=now).next_back().copied();
        self.cuts.retain(|cut| *cut > now);
        self.from = self.from.max(now.slot(HOUR)).max(cut.unwrap_or(self.from));
        self.since = now;
        self.grid_tick = None;
        self.unobserved.0 = self.unobserved.0.saturating_add((now - last).0);
        self.courses.values_mut().for_each(|own| own.skip(now));
        self.closed.push(Closed::Gap(Stretch { seq, began: last, ended: now }));
        let waiting = std::mem::take(&mut self.waiting);
        self.closed.extend(waiting.into_iter().map(|moved| Closed::Mode(Move { at: now, ..moved })));
    }

    /// Adds up until here.
    fn until(&mut self, to: Time) {
        self.courses.values_mut().for_each(|own| own.until(to));
        self.mode_until(to);
    }

    fn mode_until(&mut self, to: Time) {
        let length = to - self.since;
        if length <= Span::ZERO {
            return;
        }
        self.observed.0 += length.0;
        if let Some(mode) = &self.mode {
            for modes in [&mut self.modes, &mut self.all_modes] {
                modes.entry(mode.clone()).or_default().0 += length.0;
            }
        }
        self.since = to;
    }

    fn close(&mut self, end: Time) {
        self.until(end);
        self.shut(end);
    }

    /// Hands the bucket out and begins the next.
    fn shut(&mut self, end: Time) {
        let mut components = std::mem::take(&mut self.left);
        for (id, own) in &mut self.courses {
            let spent = own.close();
            components.entry(id.clone()).or_default().join(&spent);
        }
        components.retain(|_, spent| *spent != Spent::default());
        let bucket = Bucket {
            from: self.from,
            to: end,
            observed: std::mem::take(&mut self.observed),
            components,
            modes: std::mem::take(&mut self.modes),
        };
        self.from = end;
        self.cuts.remove(&end);
        if bucket.observed == Span::ZERO {
            return;
        }
        self.buckets.push(bucket.clone());
        if end == end.slot(HOUR) {
            let fold = Self { hours: Vec::new(), buckets: Vec::new(), closed: Vec::new(), ..self.clone() };
            self.hours.push((bucket, fold));
        }
    }

    /// Every component as a tick saw it.
    fn see(&mut self, seq: i64, now: Time, slot: Time, seen: &Seen<'_>) {
        if self.courses.len() != seen.statuses.len()
            || !self.courses.keys().zip(seen.statuses.keys()).all(|(known, seen)| known == seen)
        {
            self.declare(seq, now, seen.statuses);
        }
        let grid = self.grid_tick;
        for ((id, own), status) in self.courses.iter_mut().zip(seen.statuses.values()) {
            own.see(*status, now, grid);
            if own.failures > 0 || *status == Status::Critical {
                own.fail(seen.failures.get(id).copied(), slot);
            }
        }
    }

    /// Other components than before are declared.
    fn declare(&mut self, seq: i64, now: Time, statuses: &BTreeMap<ComponentId, Status>) {
        let gone: Vec<ComponentId> =
            self.courses.keys().filter(|id| !statuses.contains_key(*id)).cloned().collect();
        for id in gone {
            let Some(mut own) = self.courses.remove(&id) else { continue };
            own.until(now);
            self.closed.extend(own.end(&id, now, true).map(Closed::Incident));
            self.closed.push(Closed::Life(Life { seq, component: id.clone(), began: own.life, ended: now }));
            let spent = own.close();
            self.left.entry(id).or_default().join(&spent);
        }
        for (id, status) in statuses {
            let held = self.hold_of_all.is_some() || self.holds.contains_key(id);
            self.courses.entry(id.clone()).or_insert_with(|| Course::new(*status, held, now));
        }
    }

    fn moved(&mut self, seq: i64, from: &ModeId, to: &ModeId) {
        if let Some(at) = self.now {
            self.mode_until(at);
            *self.moves.entry(from.clone()).or_default().entry(to.clone()).or_default() += 1;
            let moved = Move { seq, at, from: from.clone(), to: to.clone() };
            if self.stopped {
                self.waiting.push(moved);
            } else {
                self.closed.push(Closed::Mode(moved));
            }
        }
        self.mode = Some(to.clone());
    }

    fn hold(&mut self, component: Option<&ComponentId>, until: Option<Time>) {
        let until = until.unwrap_or(Time::NEVER);
        match component {
            None => self.hold_of_all = Some(until),
            Some(id) => drop(self.holds.insert(id.clone(), until)),
        }
        self.holds_now(until);
    }

    fn release(&mut self, component: Option<&ComponentId>) {
        let until = match component {
            None => self.hold_of_all.take(),
            Some(id) => self.holds.remove(id),
        };
        self.holds_now(until.unwrap_or(Time::NEVER));
    }

    fn holds_now(&mut self, until: Time) {
        let now = self.now.unwrap_or_default();
        for (id, own) in &mut self.courses {
            own.hold(self.hold_of_all.is_some() || self.holds.contains_key(id), (now, until.min(now)));
        }
    }

    /// Incidents and tries.
    fn heal(&mut self, now: Time, record: &Record) {
        let Some(id) = record.component() else { return };
        let Some(own) = self.courses.get_mut(id) else {
            return self.closed.extend(Trying::left(&mut self.tries, record, now).map(Closed::Try));
        };
        match record {
            Record::IncidentBegun { incident, .. } => own.begin(*incident, now),
            Record::IncidentEnded { .. } => {
                self.closed.extend(own.end(id, now, false).map(Closed::Incident));
            }
            Record::Intent { act, proposal, .. } if matches!(proposal.act, Act::Heal { .. }) => {
                let rule = if let By::Rule { rule, .. } = &proposal.by { Some(rule) } else { None };
                let Act::Heal { steps, .. } = &proposal.act else { return };
                let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
                self.tries.insert(*act, own.attempt(id, (rule, steps.join(", ")), now));
            }
            Record::End { act, outcome, steps, .. } => {
                // What was not begun after all has no outcome.
                let (Some(open), Some(outcome)) = (self.tries.remove(act), outcome) else { return };
                let took = Span(steps.iter().map(|step| step.took.0).sum());
                self.closed.push(Closed::Try(own.tried(*act, open, *outcome, took, now)));
            }
            Record::Relapsed { act, .. } => self.closed.extend(own.relapse(*act).map(Closed::Try)),
            _ => {}
        }
    }

    /// What is over since it was last asked.
    pub fn closed(&mut self) -> Vec<Closed> {
        std::mem::take(&mut self.closed)
    }

    /// The hours that ended since it was last asked.
    pub fn hours(&mut self) -> Vec<Hour> {
        self.buckets.clear();
        std::mem::take(&mut self.hours)
    }

    /// Is something there that has to be kept?
    #[must_use]
    pub fn has_hours(&self) -> bool {
        !self.hours.is_empty()
    }

    /// The buckets that ended since it was last asked, hours and parts of hours.
    pub fn buckets(&mut self) -> Vec<Bucket> {
        self.hours.clear();
        std::mem::take(&mut self.buckets)
    }

    /// The bucket under way, as of the last tick.
    #[must_use]
    pub fn rest(&self) -> Option<Bucket> {
        let now = self.now?;
        let mut rest = Self { hours: Vec::new(), buckets: Vec::new(), closed: Vec::new(), ..self.clone() };
        rest.close(now);
        rest.buckets.pop()
    }

    /// The first tick of all.
    #[must_use]
    pub fn first(&self) -> Option<Time> {
        self.first
    }

    /// The components that are declared, and since when.
    pub(super) fn lives(&self) -> impl Iterator<Item = (&ComponentId, Time)> {
        self.courses.iter().map(|(id, own)| (id, own.life))
    }

    pub(super) fn life(&self, id: &ComponentId) -> Option<Time> {
        self.courses.get(id).map(|own| own.life)
    }

    /// When the incident began that is open on it.
    pub(super) fn open(&self, id: &ComponentId) -> Option<Time> {
        self.courses.get(id)?.incident.as_ref().map(|open| open.began)
    }

    pub(super) fn failures(&self, id: &ComponentId) -> Option<u32> {
        self.courses.get(id).map(|own| own.failures)
    }

    /// The last tick.
    #[must_use]
    pub fn now(&self) -> Option<Time> {
        self.now
    }

    /// Everything that only grows, as of the last tick.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let now = self.now.unwrap_or_default();
        let of = |(id, own): (&ComponentId, &Course)| (id.clone(), (own.total_until(now), own.failures));
        let mut modes = self.all_modes.clone();
        if let Some(mode) = &self.mode {
            modes.entry(mode.clone()).or_default().0 += (now - self.since).0.max(0);
        }
        Totals {
            now,
            components: self.courses.iter().map(of).collect(),
            modes,
            moves: self.moves.clone(),
            unobserved: self.unobserved,
        }
    }
}
