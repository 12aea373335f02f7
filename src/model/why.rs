//! Why something happened, and why something did not: every answer has a named reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{ActId, Actor, ApprovalId, ComponentId, FactId, ModeId, PolicyId, Span, Time};

/// What governance said of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// A person has to approve it first.
    Review,
    /// It may not be done.
    Deny,
    /// It may be done, but not now.
    Wait,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Deny => "deny",
            Self::Wait => "wait",
        })
    }
}

/// The gate that stopped a proposal, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gate", rename_all = "snake_case")]
pub enum Gate {
    /// A file named STOP lies in the data directory.
    Stop,
    /// A person holds the component, or everything.
    Held {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// Until when.
        until: Option<Time>,
    },
    /// A person wants no notifications about the component, or about anything.
    Silenced {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// Until when.
        until: Option<Time>,
    },
    /// Nobody can tell whether the rule's condition still holds: these facts could not be read.
    Unread {
        /// The facts.
        missing: Vec<FactId>,
    },
    /// A hunter's rule blocked automatic healing.
    Blocked {
        /// Since when.
        since: Time,
    },
    /// Nothing may block this component: its file says so, or there is no automatic healing to be stopped.
    Protected,
    /// As many components are blocked by rules as may be.
    Blocks {
        /// So many.
        most: u32,
    },
    /// What it depends on is critical.
    WaitingFor {
        /// The failed component.
        on: ComponentId,
    },
    /// A claimed mode does not permit it.
    Mode {
        /// The mode.
        mode: ModeId,
        /// What it does not permit.
        lacks: String,
    },
    /// The mode machine has no such move.
    Edge {
        /// From.
        from: ModeId,
        /// To.
        to: ModeId,
    },
    /// A policy denies it; none means that no policy allows it.
    Policy {
        /// The policy.
        policy: Option<PolicyId>,
    },
    /// A person has to approve it.
    Approval {
        /// The request.
        approval: ApprovalId,
        /// Which policy asks.
        policy: PolicyId,
        /// Until when.
        expires: Time,
    },
    /// An approval was refused or ran out.
    NotApproved {
        /// The request.
        approval: ApprovalId,
        /// Why.
        why: String,
    },
    /// Another act on the component runs.
    InFlight {
        /// That act.
        act: ActId,
    },
    /// As many acts run as may run at once.
    Crowded {
        /// So many.
        running: u32,
    },
    /// The last try was too short a time ago.
    Backoff {
        /// Until when.
        until: Time,
    },
    /// As many tries were made as may be made in that time.
    Budget {
        /// So many.
        max: u32,
        /// In this time.
        within: Span,
        /// When the next one may be made.
        until: Time,
    },
    /// The healing failed; the next slow try comes then.
    SlowTry {
        /// When.
        until: Time,
    },
}

impl Gate {
    /// Is it a brake, or something else that time lifts by itself?
    #[must_use]
    pub fn until(&self) -> Option<Time> {
        match self {
            Self::Backoff { until } | Self::Budget { until, .. } | Self::SlowTry { until } => Some(*until),
            Self::Held { until, .. } | Self::Silenced { until, .. } => *until,
            _ => None,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => f.write_str("a file named STOP lies in the data directory"),
            Self::Held { by, reason, until: Some(until) } => {
                write!(f, "held by {by} until {}: {reason}", until.clock())
            }
            Self::Held { by, reason, until: None } => write!(f, "held by {by}: {reason}"),
            Self::Silenced { by, reason, until: Some(until) } => {
                write!(f, "silenced by {by} until {}: {reason}", until.clock())
            }
            Self::Silenced { by, reason, until: None } => write!(f, "silenced by {by}: {reason}"),
            Self::Unread { missing } => {
                f.write_str("nothing is tried while the rule's condition is unknown")?;
                let names: Vec<_> = missing.iter().map(FactId::as_str).collect();
                if names.is_empty() { Ok(()) } else { write!(f, " without {}", names.join(", ")) }
            }
            Self::Blocked { since } => {
                write!(f, "blocked since {}; `grace unblock` lifts it", since.clock())
            }
            Self::WaitingFor { on } => write!(f, "waiting for {}", on.spaced()),
            Self::Mode { mode, lacks } => write!(f, "mode {mode} does not permit `{lacks}`"),
            Self::Edge { from, to } => write!(f, "the mode machine has no edge from {from} to {to}"),
            Self::Policy { policy: Some(policy) } => write!(f, "policy {policy} denies it"),
            Self::Policy { policy: None } => f.write_str("no policy allows it"),
            Self::Approval { approval, policy, expires } => write!(
                f,
                "policy {policy} asks for approval {approval}, which expires at {}",
                expires.clock()
            ),
            Self::NotApproved { approval, why } => write!(f, "approval {approval} was not given: {why}"),
            Self::InFlight { act } => write!(f, "act {act} on this component is in flight"),
            Self::Protected => f.write_str("nothing may block it"),
            Self::Blocks { most } => {
                write!(f, "{most} components are blocked by rules already, as many as may be")
            }
            Self::Crowded { running } => write!(f, "{running} acts are in flight, as many as may be"),
            Self::Backoff { until } => write!(f, "cooling down until {}", until.clock()),
            Self::Budget { max, within, until } => {
                write!(f, "budget of {max} in {within} is spent; next try at {}", until.clock())
            }
            Self::SlowTry { until } => {
                write!(f, "the healing failed; the next slow try is at {}", until.clock())
            }
        }
    }
}

/// What a rule is at after a step, and so why it did not act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// Its condition is false.
    Inactive,
    /// Its condition cannot be told, because these facts could not be read.
    Unknown {
        /// The facts.
        missing: Vec<FactId>,
    },
    /// Its condition holds, but not yet often enough.
    Pending {
        /// So many readings.
        have: u32,
        /// Of so many.
        need: u32,
    },
    /// It fires, and everything it does once in a firing is done.
    Fired {
        /// Since when.
        since: Time,
    },
    /// It acted in this step.
    Acted {
        /// The act.
        act: ActId,
    },
    /// It wants to act and may not, or not yet.
    Withheld {
        /// What stops it.
        gate: Gate,
    },
    /// Its act runs.
    Trying {
        /// The act.
        act: ActId,
        /// Which try.
        attempt: u32,
    },
    /// Its act is done; readings have to tell whether it helped.
    Verifying {
        /// The act.
        act: ActId,
        /// Until when.
        until: Time,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive => f.write_str("its condition is false"),
            Self::Unknown { missing } if missing.is_empty() => {
                f.write_str("its condition could not be evaluated")
            }
            Self::Unknown { missing } => {
                let names: Vec<_> = missing.iter().map(FactId::as_str).collect();
                write!(f, "its condition is unknown without {}", names.join(", "))
            }
            Self::Pending { have, need } => write!(f, "pending {have} of {need}"),
            Self::Fired { since } => write!(f, "fired at {}, done for this firing", since.clock()),
            Self::Acted { act } => write!(f, "acted: act {act}"),
            Self::Withheld { gate } => write!(f, "{gate}"),
            Self::Trying { act, attempt } => write!(f, "try {attempt} is in flight (act {act})"),
            Self::Verifying { act, until } => {
                write!(f, "verifying act {act} until {}", until.clock())
            }
        }
    }
}
