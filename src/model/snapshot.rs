//! What one tick saw of the world: the only thing rules know of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Facts, Occasion, Time};

/// The readings of one component, taken together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Readings {
    /// When they were taken.
    pub taken_at: Time,
    /// Why they were taken.
    pub occasion: Occasion,
    /// Each fact of each probe.
    pub facts: Facts,
}

/// The fresh readings of one tick. A component that was not probed is absent; its last readings stand.
pub type Snapshot = BTreeMap<ComponentId, Readings>;
