//! Faults that can be injected, so that people and tests see real failures heal.
//!
//! A fault goes where the real failure would be: workers are really aborted, the router really ends, a call
//! to the database really takes longer. Faults end with a restart of the component; those of the database
//! end when it "recovers" (`clear`), because no restart of Grace's brings back a lost connection.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{ComponentId, Span};

/// How long each call to a slowed database takes where nothing else is said: more than a ping may.
const SLOW: Span = Span(1_500);

/// One way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// It goes on living and does nothing, as if for `age` already.
    Hang {
        /// How long it seems to hang already.
        #[serde(default)]
        age: Span,
    },
    /// Its loop ends.
    Stop,
    /// All workers die.
    KillWorkers,
    /// The connection is lost.
    Down,
    /// Each call takes longer.
    Slow {
        /// By how much.
        #[serde(default = "slow")]
        by: Span,
    },
    /// Reads work, writes fail.
    FailWrites,
    /// Events are silently lost.
    Drop,
    /// The fault is over.
    Clear,
}

fn slow() -> Span {
    SLOW
}

impl Fault {
    /// The words people use for the faults.
    pub const WORDS: [&'static str; 8] =
        ["hang", "stop", "kill-workers", "down", "slow", "fail-writes", "drop", "clear"];

    /// The fault of this word; `age` is taken by `hang`, `by` by `slow`.
    ///
    /// # Errors
    /// [`FaultError::NoSuchFault`] for any other word.
    pub fn parse(word: &str, age: Option<Span>, by: Option<Span>) -> Result<Self, FaultError> {
        Ok(match word {
            "hang" => Self::Hang { age: age.unwrap_or_default() },
            "stop" => Self::Stop,
            "kill-workers" => Self::KillWorkers,
            "down" => Self::Down,
            "slow" => Self::Slow { by: by.unwrap_or(SLOW) },
            "fail-writes" => Self::FailWrites,
            "drop" => Self::Drop,
            "clear" => Self::Clear,
            other => return Err(FaultError::NoSuchFault { word: other.chars().take(40).collect() }),
        })
    }

    /// Its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Hang { .. } => "hang",
            Self::Stop => "stop",
            Self::KillWorkers => "kill-workers",
            Self::Down => "down",
            Self::Slow { .. } => "slow",
            Self::FailWrites => "fail-writes",
            Self::Drop => "drop",
            Self::Clear => "clear",
        }
    }
}

/// Why a fault was not injected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// There is no such fault.
    #[error("no fault is called {word:?}; there are {}", Fault::WORDS.join(", "))]
    NoSuchFault {
        /// What was written.
        word: String,
    },
    /// There is no such component.
    #[error("no component of Grace's own is called {component}")]
    NoSuchComponent {
        /// What was asked for.
        component: ComponentId,
    },
    /// This component cannot fail in that way.
    #[error("{component} cannot fail by {fault}; it knows {}", known.join(", "))]
    NotKnown {
        /// The component.
        component: ComponentId,
        /// The fault.
        fault: &'static str,
        /// The faults it knows.
        known: &'static [&'static str],
    },
    /// There is nothing there that could fail.
    #[error("{component} is not running")]
    NotRunning {
        /// The component.
        component: ComponentId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_a_fault_and_is_its_tag_in_json() {
        for word in Fault::WORDS {
            let fault = Fault::parse(word, None, None).expect(word);
            assert_eq!(fault.word(), word);
            let json = serde_json::to_value(fault).expect("serialises");
            assert_eq!(json["fault"], word);
            let bare = serde_json::json!({ "fault": word });
            assert_eq!(serde_json::from_value::<Fault>(bare).expect("parses"), fault);
        }
    }

    #[test]
    fn a_misspelt_fault_names_those_that_there_are() {
        let error = Fault::parse("hangs", None, None).expect_err("refused").to_string();
        assert!(error.contains("hangs") && error.contains("kill-workers"), "{error}");
    }

    #[test]
    fn lengths_go_where_they_belong() {
        let age = Some(Span::minutes(3));
        assert_eq!(Fault::parse("hang", age, None), Ok(Fault::Hang { age: Span::minutes(3) }));
        assert_eq!(Fault::parse("slow", age, Some(Span(9))), Ok(Fault::Slow { by: Span(9) }));
    }
}
