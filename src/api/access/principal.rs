//! Who asks.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::api::access::{Peer, SECRET_MARK};
use crate::api::problem::{Problem, code};
use crate::govern::{Access, Governed, LocalUser};
use crate::model::{Actor, Permission, Time, Token, TokenId};

/// No secret is longer.
const LONGEST: usize = 128;

/// Who asks.
#[derive(Debug, Clone)]
pub(in crate::api) enum Principal {
    /// A user of this machine.
    User(LocalUser),
    /// Whoever holds this token.
    Token(TokenId, Token),
    /// Somebody unknown on loopback.
    Anonymous,
    /// Somebody unknown from elsewhere.
    Stranger,
}

impl Principal {
    /// Who asks, by what they show or by where they come from.
    ///
    /// # Errors
    /// They show a token that is none, or none any more. Where it is `foreign` whose requests are asked about, only what looks
    /// like a token of ours is one.
    pub(super) fn of(
        (peer, headers, foreign): (Peer, &HeaderMap, bool),
        governed: &Governed,
        now: Time,
    ) -> Result<Self, Problem> {
        let shown = headers.get(header::AUTHORIZATION);
        let is_ours = |shown: &&HeaderValue| {
            shown.to_str().ok().and_then(bearer).is_some_and(|secret| secret.starts_with(SECRET_MARK))
        };
        if let Some(shown) = shown.filter(|shown| !foreign || is_ours(shown)) {
            let secret = shown.to_str().ok().and_then(bearer).ok_or_else(|| {
                unknown("the header Authorization is `Bearer` and a token; see `grace token create`")
            })?;
            return Self::shown(secret, governed, now);
        }
        Ok(match peer {
            Peer::Socket(user) => Self::User(user),
            Peer::Loopback => Self::Anonymous,
            Peer::Remote => Self::Stranger,
        })
    }

    fn shown(secret: &str, governed: &Governed, now: Time) -> Result<Self, Problem> {
        let digest = digest(secret);
        let found = governed.tokens.iter().find(|(_, token)| token.digest == digest);
        match found {
            Some((id, token)) if token.expires.is_none_or(|expires| expires > now) => {
                Ok(Self::Token(id.clone(), token.clone()))
            }
            Some((id, _)) => Err(unknown(&format!("the time of the token `{id}` is over"))),
            None => Err(unknown("there is no such token, or it was revoked")),
        }
    }

    /// Is the token, if it is one, still what it was when they were let in?
    pub(in crate::api) fn still_stands(&self, governed: &Governed, now: Time) -> Result<(), Problem> {
        let Self::Token(id, token) = self else { return Ok(()) };
        let is_it = |known: &&Token| known.digest == token.digest && known.expires.is_none_or(|at| at > now);
        let known = governed.tokens.get(id).filter(is_it);
        known.map(|_| ()).ok_or_else(|| unknown(&format!("the token `{id}` has ended meanwhile")))
    }

    /// The name under which they ask; there is none for somebody unknown.
    pub(in crate::api) fn actor(&self) -> Option<Actor> {
        match self {
            Self::User(user) => Some(Actor::of_user(user.uid)),
            Self::Token(id, _) => Some(id.actor()),
            Self::Anonymous | Self::Stranger => None,
        }
    }

    /// May they?
    pub(in crate::api) fn may(&self, permission: Permission, access: &Access) -> bool {
        match self {
            Self::User(user) => access.roles(user).into_iter().any(|role| role.may(permission)),
            Self::Token(_, token) => token.role.may(permission),
            Self::Anonymous => access.anonymous.contains(&permission),
            Self::Stranger => false,
        }
    }

    /// Why they may not, and what would help.
    pub(super) fn refusal(&self, permission: Permission) -> Problem {
        let forbidden = |detail| Problem::new(StatusCode::FORBIDDEN, code::FORBIDDEN, detail);
        match self {
            Self::User(user) => forbidden(format!(
                "uid:{} has no role that may `{permission}`; `policies/access.toml` says who has which",
                user.uid
            )),
            Self::Token(id, token) => {
                forbidden(format!("the token `{id}` is for {}, which may not `{permission}`", token.role))
            }
            Self::Anonymous | Self::Stranger => unknown(
                "whoever asks for this must be known: use the `grace` command, `curl --unix-socket \
                 DATA/grace.sock`, or a token (`grace token create`)",
            ),
        }
    }
}

fn unknown(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code::UNKNOWN_CALLER, detail)
}

/// The secret in `Bearer SECRET`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    let fits = (1..=LONGEST).contains(&secret.len());
    (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(secret.trim())
}

/// What Grace keeps of a secret.
pub(in crate::api) fn digest(secret: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    #[test]
    fn a_token_that_was_made_anew_under_the_same_name_is_another() {
        let token = |digest: &str| Token {
            role: Role::Viewer,
            digest: digest.into(),
            person: Actor::from("ann"),
            by: Actor::from("uid:0"),
            since: Time(1),
            expires: Some(Time(9)),
        };
        let (mut governed, id) = (Governed::default(), TokenId::from("view"));
        let one = Principal::Token(id.clone(), token("one"));
        assert!(one.still_stands(&governed, Time(2)).is_err());
        governed.tokens.insert(id.clone(), token("one"));
        assert!(
            one.still_stands(&governed, Time(2)).is_ok() && one.still_stands(&governed, Time(9)).is_err()
        );
        governed.tokens.insert(id, token("two"));
        assert!(one.still_stands(&governed, Time(2)).is_err());
    }

    #[test]
    fn only_a_bearers_secret_is_taken() {
        assert_eq!(bearer("Bearer grace_x"), Some("grace_x"));
        assert_eq!(bearer("bearer grace_x"), Some("grace_x"));
        for header in ["", "grace_x", "Basic grace_x", "Bearer", "Bearer "] {
            assert_eq!(bearer(header), None, "{header}");
        }
        assert_eq!(bearer(&format!("Bearer {}", "x".repeat(LONGEST + 1))), None);
    }
}
