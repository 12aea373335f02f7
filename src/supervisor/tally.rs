//! What is counted from the start on, for whoever measures Grace. Counting is done while things happen, so that
//! telling costs no look into the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Bundle;
use crate::model::{ComponentId, Outcome, Record, Time};

/// What was counted since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// The last tick that stands in the journal.
    pub last_tick: Option<LastTick>,
    /// What became of saved files.
    pub reloads: Reloads,
    /// The entry of the journal that made the active generation active.
    pub activated: i64,
    /// The tries that ended, and those that had ended well and did not last.
    pub tries: Arc<BTreeMap<ComponentId, Tries>>,
}

/// One tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTick {
    /// When it was written into the journal, on the wall clock: that is the one which others compare with theirs.
    pub at: Time,
    /// How long it took until it stood there, waiting for probes included.
    pub took: Duration,
}

/// What became of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reloads {
    /// So many sets were accepted.
    pub accepted: u64,
    /// So many were refused.
    pub rejected: u64,
    /// When files were accepted last, at the start or later, on the wall clock.
    pub last_success: Option<Time>,
}

/// What became of the tries on one component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tries {
    /// How many ended so.
    pub ended: BTreeMap<Outcome, u64>,
    /// How many were healed, and failed again soon after.
    pub relapsed: u64,
}

/// One thing that a step brings to be counted.
pub(super) enum Count {
    Ended(ComponentId, Outcome),
    Relapsed(ComponentId),
}

/// What is to be counted of one step once it is durable.
pub(super) fn counts(records: &[Record]) -> Vec<Count> {
    let count = |record: &Record| match record {
        Record::End { component: Some(component), outcome: Some(outcome), .. } => {
            Some(Count::Ended(component.clone(), *outcome))
        }
        Record::Relapsed { component, .. } => Some(Count::Relapsed(component.clone())),
        _ => None,
    };
    records.iter().filter_map(count).collect()
}

impl Tally {
    pub(super) fn add(&mut self, counts: Vec<Count>) {
        // Most ticks bring nothing, and then nothing is copied.
        for count in counts {
            let tries = Arc::make_mut(&mut self.tries);
            match count {
                Count::Ended(component, outcome) => {
                    *tries.entry(component).or_default().ended.entry(outcome).or_default() += 1;
                }
                Count::Relapsed(component) => tries.entry(component).or_default().relapsed += 1,
            }
        }
    }

    /// Files were accepted. Components that are gone are forgotten, so that there are never more than declared.
    pub(super) fn accepted(&mut self, wall: Time, bundle: &Bundle) {
        self.reloads.accepted += 1;
        self.reloads.last_success = Some(wall);
        if self.tries.keys().any(|id| !bundle.components.contains_key(id)) {
            Arc::make_mut(&mut self.tries).retain(|id, _| bundle.components.contains_key(id));
        }
    }
}

/// The entry of the generation, where these records end with this entry.
pub(super) fn activated(last: i64, records: &[Record]) -> i64 {
    let behind =
        records.iter().rev().take_while(|record| !matches!(record, Record::Generation { .. })).count();
    last.saturating_sub(i64::try_from(behind).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActId, HealResult};

    fn end(component: Option<&str>, outcome: Option<Outcome>) -> Record {
        Record::End {
            act: ActId(1),
            component: component.map(ComponentId::from),
            outcome,
            result: HealResult::Success,
            detail: String::new(),
            steps: Vec::new(),
        }
    }

    #[test]
    fn tries_are_counted_and_notifications_are_not() {
        let mut tally = Tally::default();
        let relapsed = Record::Relapsed { act: ActId(1), component: "web".into() };
        let healed = end(Some("web"), Some(Outcome::Healed));
        tally.add(counts(&[healed.clone(), end(None, None), end(Some("web"), None), relapsed]));
        tally.add(counts(&[healed, end(Some("db"), Some(Outcome::Worse))]));
        let web = Tries { ended: BTreeMap::from([(Outcome::Healed, 2)]), relapsed: 1 };
        let db = Tries { ended: BTreeMap::from([(Outcome::Worse, 1)]), relapsed: 0 };
        assert_eq!(*tally.tries, BTreeMap::from([("db".into(), db), ("web".into(), web)]));
    }

    #[test]
    fn a_generation_is_known_by_its_own_entry() {
        let generation = Record::Generation {
            generation: "g".into(),
            files: BTreeMap::new(),
            kept: Vec::new(),
            reset: Vec::new(),
            dropped: Vec::new(),
            state: None,
        };
        let other = Record::DiskFull { acts: false };
        assert_eq!(activated(9, &[other.clone(), generation.clone(), other.clone()]), 8);
        assert_eq!(activated(9, &[generation]), 9);
    }
}
