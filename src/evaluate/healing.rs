//! A rule's whole effort for one incident, as one exhaustive transition function.
//!
//! ```text
//! inactive -> wanting -> trying -> wanting the next try -> ... -> success or over (inactive again)
//!                                                         \-> failed -> slow tries until it is well
//! ```
//!
//! A try during which Grace was away is not the last: where she was not there to see it fail, no healing has failed.
//!
//! A healing begins with its first try and ends once: slow tries are made behind its end, and belong to the incident.

use serde::{Deserialize, Serialize};

use crate::model::ActId;

/// What a healing is at. None at all is inactive, or pending while the condition has not held often enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "healing", rename_all = "snake_case")]
pub enum Healing {
    /// It wants this try; gates and brakes may make it wait.
    Wanting {
        /// Which try, from 1.
        attempt: u32,
    },
    /// This try is in flight or being verified.
    Trying {
        /// Which try, from 1.
        attempt: u32,
        /// The act.
        act: ActId,
    },
    /// All tries failed; it wants a slow one.
    Failed {
        /// So many tries were made.
        attempts: u32,
    },
    /// A slow try is in flight or being verified.
    SlowTrying {
        /// So many tries were made, this one included.
        attempts: u32,
        /// The act.
        act: ActId,
    },
}

/// What can happen to a healing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// The rule fires.
    Fired,
    /// The rule's condition is false.
    Ceased,
    /// Governance permitted the try.
    Permitted(ActId),
    /// The try ended, well or not; `firing` says whether the rule still fires.
    Ended { well: bool, firing: bool },
    /// The try was not begun: STOP was found right before.
    NotBegun,
}

/// What a transition means to everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    Nothing,
    /// The healing succeeded after so many tries.
    Success(u32),
    /// The condition became false between two tries, or the component got well without the last one: the healing is over
    /// after so many, none of which can claim it.
    OverBetween(u32),
    /// The condition became false during a try that did not make the component well: the healing is over as well.
    OverDuring(u32),
    /// The last try failed.
    Failure(u32),
    /// The last try may have failed: nobody could see.
    Unknown(u32),
    /// Failed long ago, and a slow try made it well.
    Late(u32),
    /// The rule was changed during a try, and what it says now does not fire: the healing is over as well.
    Edited(u32),
    /// After so many tries the rule is a shadow, and makes no further one.
    Shadowed(u32),
}

/// The next state of a healing, and what the change means. Every pair is listed; an event that cannot happen
/// to a state leaves it as it is.
pub(super) fn next(healing: Option<Healing>, happened: Happened, attempts: u32) -> (Option<Healing>, Means) {
    use Happened::{Ceased, Ended, Fired, NotBegun, Permitted};
    use Healing::{Failed, SlowTrying, Trying, Wanting};
    match (healing, happened) {
        (None, Fired) => (Some(Wanting { attempt: 1 }), Means::Nothing),
        (Some(Wanting { attempt }), Permitted(act)) => (Some(Trying { attempt, act }), Means::Nothing),
        (Some(Failed { attempts }), Permitted(act)) => {
            (Some(SlowTrying { attempts: attempts + 1, act }), Means::Nothing)
        }
        (Some(Wanting { attempt: 1 } | Failed { .. }), Ceased)
        | (Some(SlowTrying { .. }), Ended { well: false, firing: false }) => (None, Means::Nothing),
        (Some(Wanting { attempt }), Ceased) => (None, Means::OverBetween(attempt - 1)),
        (Some(Trying { attempt, .. }), Ended { well: true, .. }) => (None, Means::Success(attempt)),
        (Some(SlowTrying { attempts, .. }), Ended { well: true, .. }) => (None, Means::Late(attempts)),
        (Some(Trying { attempt, .. }), Ended { well: false, firing: false }) => {
            (None, Means::OverDuring(attempt))
        }
        (Some(Trying { attempt, .. }), Ended { well: false, firing: true }) if attempt >= attempts => {
            (Some(Failed { attempts: attempt }), Means::Failure(attempt))
        }
        (Some(Trying { attempt, .. }), Ended { well: false, firing: true }) => {
            (Some(Wanting { attempt: attempt + 1 }), Means::Nothing)
        }
        (Some(SlowTrying { attempts, .. }), Ended { well: false, firing: true }) => {
            (Some(Failed { attempts }), Means::Nothing)
        }
        (Some(Trying { attempt, .. }), NotBegun) => (Some(Wanting { attempt }), Means::Nothing),
        (Some(SlowTrying { attempts, .. }), NotBegun) => {
            (Some(Failed { attempts: attempts.saturating_sub(1) }), Means::Nothing)
        }
        // While a try is under way its end decides, not the condition.
        (Some(Trying { .. } | SlowTrying { .. }), Fired | Ceased | Permitted(_))
        | (Some(Wanting { .. } | Failed { .. }), Fired | Ended { .. } | NotBegun)
        | (None, Ceased | Permitted(_) | Ended { .. } | NotBegun) => (healing, Means::Nothing),
    }
}

impl Healing {
    /// The try that is under way.
    #[must_use]
    pub fn act(self) -> Option<ActId> {
        match self {
            Self::Trying { act, .. } | Self::SlowTrying { act, .. } => Some(act),
            Self::Wanting { .. } | Self::Failed { .. } => None,
        }
    }

    /// The try it wants: its number, and whether it is a slow one.
    #[must_use]
    pub fn wants(self) -> Option<(u32, bool)> {
        match self {
            Self::Wanting { attempt } => Some((attempt, false)),
            Self::Failed { attempts } => Some((attempts + 1, true)),
            Self::Trying { .. } | Self::SlowTrying { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACT: ActId = ActId(7);

    fn run(events: &[Happened]) -> (Option<Healing>, Vec<Means>) {
        let mut healing = None;
        let mut meant = Vec::new();
        for event in events {
            let (then, said) = next(healing, *event, 2);
            healing = then;
            if said != Means::Nothing {
                meant.push(said);
            }
        }
        (healing, meant)
    }

    #[test]
    fn a_healing_goes_its_ways() {
        let bad = Happened::Ended { well: false, firing: true };
        let gone = Happened::Ended { well: false, firing: false };
        let good = Happened::Ended { well: true, firing: true };
        let go = Happened::Permitted(ACT);
        let fire = Happened::Fired;
        for (name, events, healing, meant) in [
            ("first try heals", vec![fire, go, good], None, vec![Means::Success(1)]),
            ("second try heals", vec![fire, go, bad, go, good], None, vec![Means::Success(2)]),
            (
                "all tries fail",
                vec![fire, go, bad, go, bad],
                Some(Healing::Failed { attempts: 2 }),
                vec![Means::Failure(2)],
            ),
            (
                "a slow try heals",
                vec![fire, go, bad, go, bad, go, good],
                None,
                vec![Means::Failure(2), Means::Late(3)],
            ),
            (
                "a slow try fails and another is wanted",
                vec![fire, go, bad, go, bad, go, bad],
                Some(Healing::Failed { attempts: 3 }),
                vec![Means::Failure(2)],
            ),
            ("well before the first try", vec![fire, Happened::Ceased], None, vec![]),
            (
                "over between two tries",
                vec![fire, go, bad, Happened::Ceased],
                None,
                vec![Means::OverBetween(1)],
            ),
            ("over during a try", vec![fire, go, Happened::Ceased, gone], None, vec![Means::OverDuring(1)]),
            ("over during a slow try", vec![fire, go, bad, go, bad, go, gone], None, vec![Means::Failure(2)]),
            (
                "well during a try",
                vec![fire, go, Happened::Ceased],
                Some(Healing::Trying { attempt: 1, act: ACT }),
                vec![],
            ),
            ("not begun", vec![fire, go, Happened::NotBegun], Some(Healing::Wanting { attempt: 1 }), vec![]),
        ] {
            assert_eq!(run(&events), (healing, meant), "{name}");
        }
    }
}
