//! What the journal keeps of one tick.

use std::collections::BTreeSet;

use crate::engine::{Input, Step};
use crate::model::Record;
use crate::record::{JournalError, chain, decisions_digest};

/// One tick on its way into the journal.
#[derive(Debug)]
pub(super) struct Tick {
    /// The entry; it names its readings by their digest.
    pub record: Record,
    /// The readings, which expire.
    pub readings: String,
}

impl Tick {
    /// What the journal keeps of it, with the text of the state that came of it.
    pub(super) fn of(input: &Input, step: &Step, state: &str) -> Result<Self, serde_json::Error> {
        // Taken apart by name: a new field of the input has to find its place in the journal, or no replay
        // would see it.
        let Input { tick, now, snapshot, performed, asked, stop, grid, meaning } = input;
        let readings = serde_json::to_string(snapshot)?;
        let record = Record::Tick {
            tick: *tick,
            now: *now,
            statuses: step.state.statuses(),
            failures: step.state.failures(),
            performed: performed.clone(),
            asked: asked.clone(),
            stop: *stop,
            grid: *grid,
            meaning: *meaning,
            readings: chain::digest(readings.as_bytes()),
            decisions: decisions_digest(step),
            state: Some(chain::digest(state.as_bytes())),
        };
        Ok(Self { record, readings })
    }
}

/// No permit leaves the journal whose intent is not in it.
pub(super) fn intended(step: &Step) -> Result<(), JournalError> {
    let intents: BTreeSet<_> = step
        .records
        .iter()
        .filter_map(|record| if let Record::Intent { act, .. } = record { Some(*act) } else { None })
        .collect();
    match step.permits.iter().find(|permit| !intents.contains(&permit.act())) {
        Some(permit) => Err(JournalError::NoIntent { act: permit.act() }),
        None => Ok(()),
    }
}
