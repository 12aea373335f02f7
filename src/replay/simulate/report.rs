//! What came of a simulation.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{ComponentId, FactId, ModeId, Span, Time};
use crate::replay::simulate::compare::{Change, Deed, Difference};
use crate::replay::simulate::course::Part;
use crate::replay::simulate::inject::Struck;
use crate::replay::simulate::ledger::Ledger;
use crate::replay::simulate::odds::Rate;
use crate::replay::simulate::twin::Twin;
use crate::replay::{Contradiction, Holes};

/// What came of a simulation, and how sure that is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Rehearsal {
    /// The first and the last tick that count.
    pub span: Option<(Time, Time)>,
    /// How many ticks count.
    pub ticks: u64,
    /// Ticks whose readings have expired.
    pub expired: u64,
    /// Ticks whose readings are there, and that were not played: they lie behind some that have expired, or under rules
    /// that cannot be read, before the next state that is kept.
    pub behind: u64,
    /// How often each act was done, before and after.
    pub actions: Vec<ActionCount>,
    /// The time in each mode, before and after.
    pub modes: Vec<ModeTime>,
    /// The time components were critical, before and after.
    pub critical: Vec<SickTime>,
    /// Requests for approval, before and after.
    pub approvals: (u64, u64),
    /// Every act that differs.
    pub changes: Vec<Differing>,
    /// How much of each component's future is told by the record.
    pub certain: Vec<Certainty>,
    /// The recorded success rates that modelled acts went by.
    pub rates: Vec<(ComponentId, String, Rate)>,
    /// The first tick of which the record says something else than its own inputs give under its own rules. It is looked
    /// for as long as rules that were active follow the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contradiction: Option<Contradiction>,
    /// What is missing in the record and has not expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holes: Option<Holes>,
    /// The faults that were injected, and how often each struck.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Struck>,
    /// Every act of the simulated run.
    pub deeds: Vec<Deed>,
}

/// How often an act was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table that people see")]
pub struct ActionCount {
    pub component: ComponentId,
    pub action: String,
    pub before: u64,
    pub after: u64,
    pub added: u64,
    pub gone: u64,
    pub moved: u64,
}

/// The time in a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table that people see")]
pub struct ModeTime {
    pub mode: ModeId,
    pub before_ms: Span,
    pub after_ms: Span,
    pub entered_before: u64,
    pub entered_after: u64,
}

/// The time a component was critical.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table that people see")]
pub struct SickTime {
    pub component: ComponentId,
    pub before_ms: Span,
    pub after_ms: Span,
    pub incidents_before: u64,
    pub incidents_after: u64,
}

/// An act that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The act.
    #[serde(flatten)]
    pub difference: Difference,
    /// It follows from a future that is modelled or unknown, not from the record itself.
    pub modelled: bool,
}

/// How much of a component's future is told by the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certainty {
    /// Which component.
    pub component: ComponentId,
    /// The share of its time that is exact.
    pub exact: f64,
    /// The share that goes by recorded success rates.
    pub modelled: f64,
    /// The share that nothing tells.
    pub unknown: f64,
    /// The tick from which it is not exact any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parted_tick: Option<u64>,
    /// Its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parted_at: Option<Time>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What its rules ask for and the record leaves out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unrecorded: Vec<FactId>,
}

impl Rehearsal {
    /// Is everything as it was: acts, words, modes and their times, requests for approval, how long components were critical?
    #[must_use]
    pub fn is_same(&self) -> bool {
        let (before, after) = self.approvals;
        self.changes.is_empty()
            && before == after
            && self.modes.iter().all(|mode| mode.before_ms == mode.after_ms)
            && self
                .critical
                .iter()
                .all(|sick| (sick.before_ms, sick.incidents_before) == (sick.after_ms, sick.incidents_after))
    }

    /// Does the record contradict itself, or has it holes, so that no result that was made from it can be trusted?
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.holes.is_some() || self.contradiction.as_ref().is_some_and(Contradiction::is_finding)
    }

    /// What makes everything else doubtful, or shows nothing, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let holes = self.holes.as_ref().map(Holes::says);
        let idle = self.faults.iter().filter(|fault| fault.times == 0 && self.ticks > 0).map(|fault| {
            format!("the fault `{}` did not strike in this time: nothing of it was rehearsed", fault.fault)
        });
        holes.into_iter().chain(self.contradiction.as_ref().map(Contradiction::says)).chain(idle).collect()
    }

    /// What somebody who has a line to read should know.
    #[must_use]
    pub fn headline(&self) -> Vec<String> {
        let length = self.span.map_or(Span::ZERO, |(from, to)| to - from);
        let whole = if length < Span::minutes(60) { 1_000 } else { 60_000 };
        let length = Span(length.0 - length.0.rem_euclid(whole)).to_string();
        let mut lines = Vec::new();
        // Modes have their own words below.
        for count in self.actions.iter().filter(|count| !count.action.starts_with("mode ")) {
            let (what, of) = (&count.action, &count.component);
            let (more, less) =
                (count.after.saturating_sub(count.before), count.before.saturating_sub(count.after));
            match (more, less) {
                (0, 0) => lines.extend(self.otherwise(count)),
                (0, less) => lines.push(format!("-{less} {what} of {of} in {length}")),
                (more, _) => lines.push(format!("+{more} {what} of {of} in {length}")),
            }
        }
        for mode in &self.modes {
            let (before, after) = (mode.entered_before, mode.entered_after);
            if after > before {
                lines.push(format!("{} extra {}", after - before, mode.mode));
            } else if before > after {
                lines.push(format!("{} fewer {}", before - after, mode.mode));
            }
        }
        let (before, after) = self.approvals;
        if before != after {
            lines.push(format!("{after} approvals asked instead of {before}"));
        }
        if lines.is_empty() {
            let words = if self.is_same() { "nothing differs" } else { "no act differs, but times do," };
            lines.push(format!("{words} in {length}"));
        }
        lines
    }

    /// What is done as often as before, and not in the same way.
    fn otherwise(&self, count: &ActionCount) -> Vec<String> {
        let (what, of) = (&count.action, &count.component);
        let (mut words, mut rules) = (0, 0);
        let mut gone: Vec<&Deed> = self.of(count, Change::Gone).collect();
        for is in self.of(count, Change::Added) {
            let Some(place) = gone.iter().position(|was| was.at == is.at) else { continue };
            let was = gone.remove(place);
            *(if was.by == is.by { &mut words } else { &mut rules }) += 1;
        }
        let times = (count.added + count.moved).saturating_sub(words + rules);
        let ways = [(times, "at other times"), (words, "with other words"), (rules, "by another rule")];
        let some = ways.into_iter().filter(|(so_many, _)| *so_many > 0);
        some.map(|(so_many, way)| format!("{so_many} {what} of {of} {way}")).collect()
    }

    /// Those of an act that are new, or missing.
    fn of<'r>(&'r self, count: &'r ActionCount, change: Change) -> impl Iterator<Item = &'r Deed> {
        let all = self.changes.iter().filter(move |one| one.difference.change == change);
        let deeds = all.filter_map(|one| one.difference.deed());
        deeds.filter(|deed| (&deed.component, &deed.action) == (&count.component, &count.action))
    }

    /// The share of all components' time that is exact, modelled and unknown.
    #[must_use]
    pub fn certainty(&self) -> (f64, f64, f64) {
        let of = |share: fn(&Certainty) -> f64| {
            let sum: f64 = self.certain.iter().map(share).sum();
            let count = u32::try_from(self.certain.len()).unwrap_or(u32::MAX).max(1);
            sum / f64::from(count)
        };
        (of(|one| one.exact), of(|one| one.modelled), of(|one| one.unknown))
    }
}

/// What a report is made from.
pub(super) struct Sum<'s, 'b> {
    pub(super) span: (Time, Time),
    pub(super) ticks: u64,
    pub(super) expired: u64,
    pub(super) behind: u64,
    pub(super) before: &'s Ledger,
    /// The candidate, and what it is compared with where that is no record.
    pub(super) twins: Vec<&'s Twin<'b>>,
    pub(super) changes: Vec<Difference>,
    pub(super) rates: Vec<(ComponentId, String, Rate)>,
    pub(super) contradiction: Option<Contradiction>,
    pub(super) holes: Option<Holes>,
}

pub(super) fn report(sum: Sum) -> Rehearsal {
    let nothing = Ledger::default();
    let after = sum.twins.first().map_or(&nothing, |twin| &twin.ledger);
    let actions = actions(&sum.changes);
    let parts = || sum.twins.iter().flat_map(|twin| &twin.parts);
    // The first act that differs follows from the record alone. What comes later may follow from it, also for another
    // component: by the mode, by what it depends on, by what is in flight.
    let first = parts().filter_map(|(_, part)| part.parted.as_ref()).map(|parted| parted.at).min();
    let modelled = |one: &Difference| first.zip(one.at()).is_some_and(|(first, at)| first < at);
    let differ = sum.changes.into_iter().filter(|one| one.change != Change::Same);
    let changes = differ.map(|difference| Differing { modelled: modelled(&difference), difference });
    Rehearsal {
        span: Some(sum.span),
        ticks: sum.ticks,
        expired: sum.expired,
        behind: sum.behind,
        actions,
        modes: modes(sum.before, after),
        critical: critical(sum.before, after),
        approvals: (sum.before.approvals(), after.approvals()),
        changes: changes.collect(),
        certain: certain(parts()),
        rates: sum.rates,
        contradiction: sum.contradiction,
        holes: sum.holes,
        faults: sum.twins.first().map(|twin| twin.struck()).unwrap_or_default(),
        deeds: after.deeds().to_vec(),
    }
}

fn actions(all: &[Difference]) -> Vec<ActionCount> {
    let mut counts: BTreeMap<(&ComponentId, &str), ActionCount> = BTreeMap::new();
    for one in all {
        let Some(deed) = one.deed() else { continue };
        let count = counts.entry((&deed.component, &deed.action)).or_insert_with(|| ActionCount {
            component: deed.component.clone(),
            action: deed.action.clone(),
            before: 0,
            after: 0,
            added: 0,
            gone: 0,
            moved: 0,
        });
        count.before += u64::from(one.before.is_some());
        count.after += u64::from(one.after.is_some());
        count.added += u64::from(one.change == Change::Added);
        count.gone += u64::from(one.change == Change::Gone);
        count.moved += u64::from(one.change == Change::Moved);
    }
    counts.into_values().collect()
}

fn modes(before: &Ledger, after: &Ledger) -> Vec<ModeTime> {
    let names: std::collections::BTreeSet<&ModeId> =
        before.modes().keys().chain(after.modes().keys()).collect();
    let of = |ledger: &Ledger, mode: &ModeId| ledger.modes().get(mode).copied().unwrap_or_default();
    let time = |mode: &ModeId| {
        let (before, after) = (of(before, mode), of(after, mode));
        ModeTime {
            mode: mode.clone(),
            before_ms: before.time,
            after_ms: after.time,
            entered_before: before.entered,
            entered_after: after.entered,
        }
    };
    names.into_iter().map(time).collect()
}

fn critical(before: &Ledger, after: &Ledger) -> Vec<SickTime> {
    let names: std::collections::BTreeSet<&ComponentId> =
        before.sick().keys().chain(after.sick().keys()).collect();
    let of = |ledger: &Ledger, id: &ComponentId| ledger.sick().get(id).copied().unwrap_or_default();
    let time = |id: &ComponentId| {
        let (before, after) = (of(before, id), of(after, id));
        SickTime {
            component: id.clone(),
            before_ms: before.time,
            after_ms: after.time,
            incidents_before: before.incidents,
            incidents_after: after.incidents,
        }
    };
    names.into_iter().map(time).collect()
}

/// Of each component the less certain of its futures.
fn certain<'p>(parts: impl Iterator<Item = (&'p ComponentId, &'p Part)>) -> Vec<Certainty> {
    let mut all: BTreeMap<&ComponentId, Certainty> = BTreeMap::new();
    for (id, part) in parts {
        let one = certainty(id, part);
        if all.get(id).is_none_or(|other| one.exact < other.exact) {
            all.insert(id, one);
        }
    }
    all.into_values().collect()
}

fn certainty(id: &ComponentId, part: &Part) -> Certainty {
    let (exact, modelled, unknown) = (part.shares.exact, part.shares.modelled, part.shares.unknown);
    let sum = Span(exact.0 + modelled.0 + unknown.0);
    let share = |span: Span| if sum.0 > 0 { span.as_seconds() / sum.as_seconds() } else { 0.0 };
    // Of a component that the record never looked at nothing is told.
    let nothing = if part.seen { 0.0 } else { 1.0 };
    // In a history of one moment all is as it was then.
    let moment = if part.seen && sum.0 == 0 { 1.0 } else { 0.0 };
    Certainty {
        component: id.clone(),
        exact: share(exact) + moment,
        modelled: share(modelled),
        unknown: share(unknown) + nothing,
        parted_tick: part.parted.as_ref().map(|parted| parted.tick),
        parted_at: part.parted.as_ref().map(|parted| parted.at),
        why: part.parted.as_ref().map(|parted| parted.why.clone()),
        unrecorded: part.unrecorded.clone(),
    }
}
