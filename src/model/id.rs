//! Names of things. Each is a newtype, so that a rule's name can never stand where a component's is meant.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Declares a name: cheap to clone, ordered, written as a plain string.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as it stands in files and answers.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Is it the other one itself, and not only the same text?
            #[must_use]
            pub fn is(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0)
            }
        }

        /// By the text; a name held against itself needs no look at it.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if self.is(other) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

impl GenerationId {
    /// So much of it that people tell it from others.
    #[must_use]
    pub fn short(&self) -> String {
        self.as_str().chars().take(12).collect()
    }
}

name! {
    /// A component: the name of its file in `rules/`.
    ComponentId
}
name! {
    /// A rule, unique for its component: the name of its table.
    RuleId
}
name! {
    /// A mode: the name of its table in `policies/modes.toml`.
    ModeId
}
name! {
    /// A policy: the name of its table in `policies/governance.toml`.
    PolicyId
}
name! {
    /// A receiver of notifications: the name of its table in `policies/notify.toml`.
    ReceiverId
}
name! {
    /// One fact of one probe, as conditions write it: `ping.latency_ms`.
    FactId
}
name! {
    /// A generation of rule and policy files: the SHA-256 of their names and texts, in hex.
    GenerationId
}
name! {
    /// Who asks, as the socket or a token names them: `uid:1000`, `token:deploy`.
    Actor
}
name! {
    /// A bearer token: the name that whoever made it gave it.
    TokenId
}

impl TokenId {
    /// What the names of actors that are tokens begin with.
    const MARK: &str = "token:";

    /// Whoever asks with this token.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::from(format!("{}{self}", Self::MARK))
    }

    /// The name of the token that an actor asked with.
    #[must_use]
    pub fn behind(actor: &Actor) -> Option<&str> {
        actor.as_str().strip_prefix(Self::MARK)
    }
}

impl Actor {
    /// What the names of users of this machine begin with.
    const NUMBER: &str = "uid:";

    /// The user of this number.
    #[must_use]
    pub fn of_user(uid: u32) -> Self {
        Self::from(format!("{}{uid}", Self::NUMBER))
    }

    /// The number of the user.
    #[must_use]
    pub fn user(&self) -> Option<u32> {
        self.as_str().strip_prefix(Self::NUMBER)?.parse().ok()
    }

    /// The same person in the one spelling that people are told apart by: `UID:0`, `00`, `user:Root` are `uid:0`, and `AnnP`
    /// is `annp`. Which number a name has, only a machine knows.
    #[must_use]
    pub fn plain(&self) -> Self {
        let text = self.as_str().to_ascii_lowercase();
        let name = text.trim_start_matches("user:");
        let number = name.strip_prefix(Self::NUMBER).unwrap_or(name).parse().ok();
        let number = number.or_else(|| (name == "root").then_some(0));
        let plain = number.map_or_else(|| Self::from(name), Self::of_user);
        if plain == *self { self.clone() } else { plain }
    }
}

impl FactId {
    /// The fact `fact` of the probe `probe`.
    #[must_use]
    pub fn new(probe: &str, fact: &str) -> Self {
        Self::from(format!("{probe}.{fact}"))
    }
}

impl ComponentId {
    /// The name as a sentence wants it: `task_executor` is "task executor".
    #[must_use]
    pub fn spaced(&self) -> String {
        self.0.replace('_', " ")
    }
}

/// Declares a number that the engine counts up and never gives twice.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number! {
    /// One governed act: a try of a healing, a notification, a person's restart.
    ActId
}
number! {
    /// One request for approval.
    ApprovalId
}
number! {
    /// One task that a rule gave to people.
    TaskId
}
number! {
    /// One recommendation of a rule.
    RecommendationId
}
number! {
    /// One incident of one component.
    IncidentId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_spelling() {
        for (text, plain) in [
            ("uid:0", "uid:0"),
            ("UID:0", "uid:0"),
            ("0", "uid:0"),
            ("+00", "uid:0"),
            ("uid:01001", "uid:1001"),
            ("Root", "uid:0"),
            ("user:root", "uid:0"),
            ("USER:user:uid:7", "uid:7"),
            ("AnnP", "annp"),
            ("user:AnnP", "annp"),
            ("uid:ann", "uid:ann"),
            ("4294967296", "4294967296"),
            ("token:deploy", "token:deploy"),
        ] {
            assert_eq!(Actor::from(text).plain().as_str(), plain, "{text}");
            assert_eq!(Actor::from(plain).plain().as_str(), plain, "{text}");
        }
        assert_eq!((Actor::of_user(7).user(), Actor::from("ann").user()), (Some(7), None));
    }
}
