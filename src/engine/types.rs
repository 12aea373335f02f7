//! What goes into a step and what comes out of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::govern::Permit;
use crate::model::{Answered, Asked, ComponentId, Performed, Record, RuleId, Snapshot, Status, Time, Why};

/// Everything one step learns of the world. "Now" is a part of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Input {
    /// The number of the tick, one more than that of the last.
    pub tick: u64,
    /// The time of the tick on Grace's own time line.
    pub now: Time,
    /// The fresh readings.
    pub snapshot: Snapshot,
    /// What the hands report since the last tick.
    pub performed: Vec<Performed>,
    /// What people ask since the last tick.
    pub asked: Vec<Asked>,
    /// A file named STOP lies in the data directory.
    pub stop: bool,
}

/// Everything the engine remembers from one step to the next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// The last tick.
    pub tick: u64,
}

impl State {
    /// How each component is.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<ComponentId, Status> {
        BTreeMap::new()
    }
}

/// What follows from one input. The caller commits it before anything else looks at it.
#[derive(Debug)]
pub struct Step {
    /// The next state: durable together with the records, in one transaction.
    pub state: State,
    /// What the journal must hold before any permit is performed.
    pub records: Vec<Record>,
    /// What the hands may do once the records are durable.
    pub permits: Vec<Permit>,
    /// Answers for people, to be given once the records are durable.
    pub answers: Vec<Answered>,
    /// What each rule is at, and so why it did not act.
    pub why: BTreeMap<ComponentId, BTreeMap<RuleId, Why>>,
}
