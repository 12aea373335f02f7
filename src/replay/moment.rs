//! What one tick of a test came to.

use std::collections::BTreeMap;

use crate::engine::State;
use crate::model::{ComponentId, Record, RuleId, Time, Why, Writes};

/// One tick of a test.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) now: Time,
    pub(super) state: State,
    pub(super) records: Vec<Record>,
    pub(super) why: BTreeMap<ComponentId, BTreeMap<RuleId, Why>>,
    /// What becomes of writes.
    pub(super) writes: Writes,
}

impl Moment {
    /// The second it lies in: tests are exact to the second.
    pub(super) fn second(&self) -> Time {
        self.now.slot(crate::model::Span::seconds(1))
    }
}
