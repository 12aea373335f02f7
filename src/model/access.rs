//! Who may ask what of Grace: permissions, the roles that hold them, and tokens.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Actor, Span, Time, TokenId};

/// What a route of the API asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// How the components are.
    Health,
    /// The mode, and whether something may happen now.
    Mode,
    /// The figures for Prometheus.
    Metrics,
    /// Everything else there is to read: events, journal, approvals, tasks, rules.
    Read,
    /// Restarts, modes, holds, blocks, silences, tasks.
    Operate,
    /// Approving and denying.
    Decide,
    /// Tokens, faults, candidates.
    Administer,
}

impl Permission {
    /// All of them, the weakest first.
    pub const ALL: [Self; 7] =
        [Self::Health, Self::Mode, Self::Metrics, Self::Read, Self::Operate, Self::Decide, Self::Administer];

    /// Those that change nothing: all that may be given to somebody unknown.
    pub const READS: [Self; 4] = [Self::Health, Self::Mode, Self::Metrics, Self::Read];

    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Mode => "mode",
            Self::Metrics => "metrics",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Decide => "decide",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a person or a token is to Grace. What each may is fixed here; `policies/access.toml` says who has which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Reads, and does what operating needs.
    Operator,
    /// Reads, and approves or denies what waits.
    Approver,
    /// May everything.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// Does the role hold this permission?
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Health | Permission::Mode | Permission::Metrics | Permission::Read => true,
            Permission::Operate => matches!(self, Self::Operator | Self::Admin),
            Permission::Decide => matches!(self, Self::Approver | Self::Admin),
            Permission::Administer => self == Self::Admin,
        }
    }

    /// The word that files and commands use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A bearer token, without its secret: of that only the digest is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it may.
    pub role: Role,
    /// SHA-256 of the secret, in hex. A secret of 256 random bits cannot be found from it.
    pub digest: String,
    /// Whose acts these are: nobody approves the own request with another token.
    pub person: Actor,
    /// Who made it.
    pub by: Actor,
    /// When.
    pub since: Time,
    /// When it ends by itself; none means when a person revokes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// A token that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// Its name.
    pub token: TokenId,
    /// What it may.
    pub role: Role,
    /// SHA-256 of its secret.
    pub digest: String,
    /// Whose acts those with it are; whoever asks, where nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Actor>,
    /// For how long.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_role_may_read_and_only_an_admin_may_everything() {
        for role in Role::ALL {
            assert!(Permission::READS.into_iter().all(|permission| role.may(permission)), "{role}");
            let all = Permission::ALL.into_iter().all(|permission| role.may(permission));
            assert_eq!(all, role == Role::Admin, "{role}");
            assert_eq!(Role::named(role.word()), Some(role));
        }
        assert!(!Role::Operator.may(Permission::Decide), "who asks does not decide");
        assert!(!Role::Approver.may(Permission::Operate));
    }
}
