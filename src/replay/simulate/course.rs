//! Which readings a component gives once its future is not the recorded one.

use crate::evaluate::{Component, ComponentHealth};
use crate::model::{FactId, Facts, Reading, Readings, Span, Status, Time};
use crate::replay::simulate::share::{Known, Shares};
use crate::replay::stage::well;

/// Where a component's readings come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Course {
    /// They are the recorded ones.
    #[default]
    Recorded,
    /// It was healed, and is well until its recorded illness is over; the next one is another.
    Well,
    /// It is ill though the record says it is well: what healed it there was not done here, or a fault was injected.
    Ill {
        /// What it reads.
        facts: Facts,
        /// It gets well by itself.
        until: Option<Time>,
    },
}

/// One component's part of a simulated world.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) course: Course,
    pub(super) shares: Shares,
    /// Why it is not exact any more, and since when.
    pub(super) parted: Option<Parted>,
    /// What the rules ask for and the record leaves out.
    pub(super) unrecorded: Vec<FactId>,
    /// What it last read when it was well.
    pub(super) well: Option<Facts>,
    /// What it last read when it was ill.
    pub(super) ill: Option<Facts>,
    /// What the record last said, while that is not what it reads.
    pub(super) fresh: Option<Facts>,
    /// Was it ever read?
    pub(super) seen: bool,
    /// What is done to it is done by another control than in the record.
    pub(super) other_hand: bool,
    /// It may be looked at at other times than in the record: a recorded tick is the one that was due until so long
    /// after it.
    pub(super) late: Option<Span>,
}

/// Where a component's future parts from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parted {
    pub(super) tick: u64,
    pub(super) at: Time,
    pub(super) why: String,
}

impl Part {
    /// From here on its future is not the recorded one.
    pub(super) fn part(&mut self, (tick, at): (u64, Time), known: Known, why: impl FnOnce() -> String) {
        if self.parted.is_none() {
            self.parted = Some(Parted { tick, at, why: why() });
        }
        // What could not be told for once is not known better later.
        if self.shares.known() != Known::Unknown {
            self.shares.turn(known, at);
        }
    }

    /// Has its future parted from the record?
    pub(super) fn is_apart(&self) -> bool {
        self.parted.is_some()
    }

    /// Notes what facts go with a status, when the status changes, or where a run begins with it.
    pub(super) fn note(&mut self, own: &ComponentHealth) {
        let facts = Some(own.last.facts.clone()).filter(|facts| !facts.is_empty());
        self.seen |= facts.is_some();
        match own.status {
            status if status.works() => self.well = facts,
            Status::Critical => self.ill = facts,
            _ => {}
        }
    }

    /// An act helped.
    pub(super) fn heal(&mut self) {
        self.course = Course::Well;
    }

    /// The readings that go into a tick, where the record has `fresh` ones.
    pub(super) fn read(&mut self, now: Time, component: &Component, fresh: &Readings) -> Readings {
        if let Course::Ill { until: Some(until), .. } = &self.course
            && *until <= now
        {
            self.course = Course::Recorded;
        }
        let facts = match &self.course {
            Course::Recorded => None,
            // What is critical in the record is the illness that was healed here.
            Course::Well if is_critical(component, &fresh.facts) => {
                Some(self.well.clone().unwrap_or_else(|| well(component)))
            }
            Course::Well => {
                self.course = Course::Recorded;
                None
            }
            Course::Ill { .. } if is_critical(component, &fresh.facts) => None,
            Course::Ill { facts, .. } => Some(facts.clone()),
        };
        Readings {
            taken_at: fresh.taken_at,
            occasion: fresh.occasion,
            facts: facts.unwrap_or_else(|| fresh.facts.clone()),
        }
    }
}

/// What this component would read in a failure: what it read in its last one, or what follows from its facts.
pub(super) fn failure(component: &Component, seen: Option<&Facts>) -> Option<Facts> {
    let made = [failed(component, false), failed(component, true)];
    seen.into_iter().chain(&made).find(|facts| is_critical(component, facts)).cloned()
}

fn is_critical(component: &Component, facts: &Facts) -> bool {
    component.judge(facts) == Status::Critical
}

/// Facts of a component that fails: it answers no more, and, where that says nothing, its measures are out of all
/// bounds.
fn failed(component: &Component, measures: bool) -> Facts {
    use crate::model::Value;
    let worse = |value: &Value| match value {
        Value::Bool(healthy) => Value::Bool(!healthy),
        Value::Int(_) if !measures => Value::Int(0),
        Value::Int(_) => Value::Int(1_000_000),
        Value::Float(_) if measures => Value::Float(1e9),
        other => other.clone(),
    };
    let facts = well(component);
    let fail = |reading: Reading| match &reading {
        Reading::Value(value) => Reading::Value(worse(value)),
        _ => reading,
    };
    facts.into_iter().map(|(fact, reading)| (fact, fail(reading))).collect()
}
