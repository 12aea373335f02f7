//! What is counted from the start on, for whoever measures Grace. Counting is done while things happen, so that
//! telling costs no look into the journal.

use std::time::Duration;

use crate::model::{Record, Time};

/// What was counted since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// The last tick that stands in the journal.
    pub last_tick: Option<LastTick>,
    /// What became of saved files.
    pub reloads: Reloads,
    /// The entry of the journal that made the active generation active.
    pub activated: i64,
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

impl Tally {
    /// Files were accepted.
    pub(super) fn accepted(&mut self, wall: Time) {
        self.reloads.accepted += 1;
        self.reloads.last_success = Some(wall);
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
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_generation_is_known_by_its_own_entry() {
        let generation = Record::Generation {
            generation: "g".into(),
            files: BTreeMap::new(),
            kept: Vec::new(),
            reset: Vec::new(),
            dropped: Vec::new(),
            state: None,
            meaning: None,
        };
        let other = Record::DiskFull { acts: false };
        assert_eq!(activated(9, &[other.clone(), generation.clone(), other.clone()]), 8);
        assert_eq!(activated(9, &[generation]), 9);
    }
}
