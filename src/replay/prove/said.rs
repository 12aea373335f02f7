//! What the journal says of one tick, held against what comes out.

use crate::engine::{State, Step};
use crate::model::{Record, Time};
use crate::record::{StateDigests, decisions_digest};
use crate::replay::alike::Alike;
use crate::replay::prove::differ;

/// A state is weighed at every tick of so many, whatever happened.
const SELDOM: u64 = 64;

/// The state of so many components is soon written down.
const FEW: u64 = 16;

/// What the journal says of one tick.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) seq: i64,
    pub(super) tick: u64,
    pub(super) now: Time,
    pub(super) decisions: String,
    pub(super) records: Vec<Record>,
    pub(super) state: Option<String>,
    pub(super) statuses: Option<Box<str>>,
    pub(super) failures: Option<Box<str>>,
}

impl Said {
    /// The number of its last entry.
    pub(super) fn last(&self) -> i64 {
        self.seq.saturating_add(i64::try_from(self.records.len()).unwrap_or(i64::MAX))
    }

    /// The first field that differs. Statuses that are still alike are not written down anew.
    pub(super) fn differs(
        &self,
        derived: &Step,
        alike: &Alike,
        digests: &mut StateDigests,
    ) -> Option<differ::Found> {
        if let Some(found) = differ::records(&self.records, &derived.records) {
            return Some(found);
        }
        let digest = |field: &str, recorded: &str, derived: String| differ::Found {
            by: None,
            field: field.to_owned(),
            recorded: recorded.to_owned(),
            derived,
        };
        let decisions = decisions_digest(derived);
        if decisions != self.decisions {
            return Some(digest("permits or answers (digest)", &self.decisions, decisions));
        }
        let statuses = self.statuses.as_deref().filter(|said| !alike.still(said, derived));
        if let Some(found) = statuses.and_then(|said| differ::statuses(said, &derived.state)) {
            return Some(found);
        }
        if let Some(found) = self.failures.as_deref().and_then(|said| differ::failures(said, &derived.state))
        {
            return Some(found);
        }
        if self.is_weighed(&derived.state) { self.weighs(&derived.state, digests) } else { None }
    }

    /// Is the state that came of it held against the recorded one at once?
    pub(super) fn is_weighed(&self, state: &State) -> bool {
        let few = u64::try_from(state.health.components.len()).unwrap_or(u64::MAX) / FEW;
        let says = !self.records.is_empty() && self.tick.is_multiple_of(few.clamp(1, SELDOM));
        // Few components make a short state: then every tick is weighed, also one in which nothing was decided.
        few <= 1 || says || self.tick.is_multiple_of(SELDOM)
    }

    /// The difference of a state from the one that was recorded.
    pub(super) fn weighs(&self, state: &State, digests: &mut StateDigests) -> Option<differ::Found> {
        let said = self.state.as_deref()?;
        differ::digests(said, digests.like(said, state))
    }
}
