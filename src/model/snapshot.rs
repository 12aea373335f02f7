//! What one tick saw of the world: the only thing rules know of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Facts, Occasion, Time};

/// The readings of one component, taken together.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Readings {
    /// When they were taken.
    pub taken_at: Time,
    /// Why they were taken.
    pub occasion: Occasion,
    /// Each fact of each probe.
    pub facts: Facts,
}

impl Clone for Readings {
    fn clone(&self) -> Self {
        Self { taken_at: self.taken_at, occasion: self.occasion, facts: self.facts.clone() }
    }

    fn clone_from(&mut self, fresh: &Self) {
        let Self { taken_at, occasion, facts } = fresh;
        (self.taken_at, self.occasion) = (*taken_at, *occasion);
        self.facts.clone_from(facts);
    }
}

/// The fresh readings of one tick. A component that was not probed is absent; its last readings stand.
pub type Snapshot = BTreeMap<ComponentId, Readings>;
