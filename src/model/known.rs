//! What was known of a component at a moment, frozen into the entry of what followed from it.

use serde::{Deserialize, Serialize};

use crate::model::{Facts, Status};

/// What was known of a component when something was announced about it, or when it was blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// How it was.
    pub status: Status,
    /// Its last readings.
    pub facts: Facts,
    /// Its incidents that began in the day before.
    pub incidents: i64,
    /// The kinds of signals of an attack in the day before, about it or about Grace herself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<String>,
}
