//! Modes are claims: whoever needs a stricter mode claims it, and the highest-ranked claim is the mode.

use serde::{Deserialize, Serialize};

use std::fmt;
use std::sync::Arc;

use crate::model::{By, ComponentId, ModeId, RuleId, Spot, Time};

/// Whose claim: `restart/reflection_service`, or `person` (one for all people).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimKey(Arc<str>);

impl ClaimKey {
    /// The claim of a rule for a component.
    #[must_use]
    pub fn rule(rule: &RuleId, component: &ComponentId) -> Self {
        Self(format!("{rule}/{component}").into())
    }

    /// The claim of people.
    #[must_use]
    pub fn person() -> Self {
        Self("person".into())
    }

    /// A key as a person wrote it.
    #[must_use]
    pub fn written(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One demand for a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The mode it demands.
    pub mode: ModeId,
    /// Who demands it.
    #[serde(flatten)]
    pub by: By,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// The rule's action whose `until` ends it.
    pub spot: Option<Spot>,
    /// When it ends by itself.
    pub expires: Option<Time>,
    /// It has ended, but the mode may not fall without a person: it stands until one ends it.
    pub over: bool,
}

/// What happens to a write while a mode is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writes {
    /// It is done.
    Allow,
    /// It waits in the journal, in order.
    Queue,
    /// It is refused.
    Reject,
}
