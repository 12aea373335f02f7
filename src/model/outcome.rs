//! What the hands report, and what became of the try.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{ActId, Span};

/// What became of one try. Success is what a later reading says, never that a call returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The act was done and the next readings say it is well.
    Healed,
    /// It is well, but the act was not what healed it.
    HealedByItself,
    /// The act was done and nothing changed.
    NoEffect,
    /// The act was done and it is worse than before.
    Worse,
    /// Healed, and there again soon after.
    Relapsed,
    /// The act itself failed.
    Failed,
    /// The act did not end in its time.
    TimedOut,
    /// Nobody can tell, because Grace stopped while it ran, no reading came, or nobody looked in time.
    Unknown,
}

impl Outcome {
    /// What a try can end as. `Relapsed` is not among them: a later entry says it of a try that ended as healed.
    pub const ENDS: [Self; 7] = [
        Self::Healed,
        Self::HealedByItself,
        Self::NoEffect,
        Self::Worse,
        Self::Failed,
        Self::TimedOut,
        Self::Unknown,
    ];

    /// Did the component get well?
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Healed | Self::HealedByItself)
    }

    /// Does it say something of the act? What healed by itself was not its doing, and of an unknown end nobody can say.
    #[must_use]
    pub fn counts(self) -> bool {
        !matches!(self, Self::HealedByItself | Self::Unknown)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Healed => "healed",
            Self::HealedByItself => "healed_by_itself",
            Self::NoEffect => "no_effect",
            Self::Worse => "worse",
            Self::Relapsed => "relapsed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What the seed's table says of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealResult {
    /// The component is well.
    Success,
    /// It is not.
    Failed,
}

/// How a whole healing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealingResult {
    /// A try was verified.
    Success,
    /// Every try failed.
    Failed,
    /// The reason to heal is gone, and no try can claim it: neither success nor failure.
    Over,
}

impl HealingResult {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Over => "over",
        }
    }
}

impl fmt::Display for HealingResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How an act ended, as the hands saw it. It says nothing about the patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Every step returned.
    Done,
    /// A step failed.
    Failed {
        /// Why.
        why: String,
    },
    /// A step did not return in time.
    TimedOut,
    /// STOP was found right before a step: the steps that were done before it are listed, the rest was not
    /// begun.
    Withheld {
        /// Why.
        why: String,
    },
    /// Grace stopped while it ran: nobody knows how far it came.
    Interrupted,
}

/// One step of an act, as it went: `stop`, `start`, `scale`, `send`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDone {
    /// The step.
    pub step: String,
    /// Did it return well?
    pub ok: bool,
    /// How long it took.
    pub took: Span,
    /// What it said.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

/// What the hands report of one act. The engine learns it as input of its next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performed {
    /// Which act.
    pub act: ActId,
    /// How it ended.
    #[serde(flatten)]
    pub effect: Effect,
    /// Its steps, in order.
    #[serde(default)]
    pub steps: Vec<StepDone>,
}
