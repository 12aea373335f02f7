//! Who is told when a person should know.

use serde::{Deserialize, Serialize};

/// One receiver of notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Receiver {
    /// A line in the daemon's log.
    Log,
}

impl Receiver {
    /// The words files use for the kinds.
    pub const WORDS: [&'static str; 1] = ["log"];
}
