//! What the meta-loop says of a healing: a recommendation with its evidence, and whether it helped.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{RuleId, Time};

/// What is known of a healing that does not do what it should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The healing rule that it is about.
    pub rule: RuleId,
    /// What that rule does.
    pub action: String,
    /// How its last tries ended.
    pub before: Tally,
    /// The share that is expected of its tries once the change is made.
    pub expects: f64,
    /// When before and after are compared.
    pub review: Time,
    /// The change, where it can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// Tries that ended and count, and how many of them healed.
///
/// What healed by itself is not the act's doing, and of an unknown end nobody can say: neither is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// So many.
    pub closed: u32,
    /// Of those, so many healed and lasted.
    pub healed: u32,
}

impl Tally {
    /// Did none end?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The share that healed; of none there is none.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        (self.closed > 0).then(|| f64::from(self.healed) / f64::from(self.closed))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.healed, self.closed)
    }
}

/// A change of a rule that can be made without asking what was meant, and so be rehearsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Act so many readings later.
    After {
        /// So many more.
        by: u32,
    },
    /// Another threshold.
    Threshold {
        /// Its name.
        name: String,
        /// So many times what it is.
        factor: f64,
    },
    /// Do not heal by this rule any more.
    NoHealing,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After { by } => write!(f, "after + {by}"),
            Self::Threshold { name, factor } => write!(f, "threshold.{name} * {factor}"),
            Self::NoHealing => f.write_str("no healing"),
        }
    }
}

/// What a person says to a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceDeed {
    /// It is taken: what comes from now on is held against what was before.
    Accept,
    /// It is not taken.
    Decline,
}

impl AdviceDeed {
    /// The word for what was done.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Decline => "declined",
        }
    }
}

/// What came of a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effectiveness {
    /// More tries heal than before, beyond what chance explains.
    Helped,
    /// Nothing is better that chance would not explain.
    DidNotHelp,
    /// Fewer tries heal than before, beyond what chance explains.
    MadeItWorse,
    /// Too few tries ended to say.
    NotEnoughData,
}

impl Effectiveness {
    /// As people read it.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::DidNotHelp => "did not help",
            Self::MadeItWorse => "made it worse",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// What became of those recommendations that were accepted and reviewed: the recommender's own record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hits {
    /// So many helped.
    pub helped: u32,
    /// So many did not.
    pub did_not_help: u32,
    /// So many made it worse.
    pub made_it_worse: u32,
    /// Of so many nobody can say.
    pub not_enough_data: u32,
}

impl Hits {
    /// Adds a verdict.
    pub fn add(&mut self, verdict: Effectiveness) {
        let count = match verdict {
            Effectiveness::Helped => &mut self.helped,
            Effectiveness::DidNotHelp => &mut self.did_not_help,
            Effectiveness::MadeItWorse => &mut self.made_it_worse,
            Effectiveness::NotEnoughData => &mut self.not_enough_data,
        };
        *count = count.saturating_add(1);
    }

    /// The share that helped, of those of which it can be said.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        let judged = self.helped.saturating_add(self.did_not_help).saturating_add(self.made_it_worse);
        (judged > 0).then(|| f64::from(self.helped) / f64::from(judged))
    }

    /// Was there none yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
