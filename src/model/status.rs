//! How a component is, and why it was looked at.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a component is. No data is never healthy and never a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Operating normally.
    Ok,
    /// Degraded.
    Warn,
    /// Failed.
    Critical,
    /// Nobody could tell.
    #[default]
    Unknown,
}

impl Status {
    /// All of them, in the order people know.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Critical, Self::Unknown];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// Does it work, well or not so well?
    #[must_use]
    pub fn works(self) -> bool {
        matches!(self, Self::Ok | Self::Warn)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Why a component was probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// It was time: every 30 seconds, or the answer of a slow probe came in late.
    #[default]
    Grid,
    /// A try wants to be verified.
    Verification,
    /// The component reported its own failure.
    SelfReport,
    /// Its process ended.
    Exit,
}

impl Occasion {
    /// Is the occasion itself a proof, so that its reading counts even twice in one slot of the grid?
    #[must_use]
    pub fn always_counts(self) -> bool {
        matches!(self, Self::SelfReport | Self::Exit)
    }
}
