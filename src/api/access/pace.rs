//! How fast one caller may ask, so that none crowds out the others: changes at a pace that people and programs never meet, and
//! reads as fast as `policies/access.toml` says.

use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::api::access::Principal;
use crate::api::problem::{Problem, code};
use crate::model::TokenId;

/// Changes in a second, for each caller.
const A_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// And so many at once.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// With so many callers remembered those that asked nothing for a while are forgotten.
const REMEMBERED: usize = 1_000;

/// Whoever reads. All who are unknown are one: nobody knows how many they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Reader {
    Unknown,
    User(u32),
    Token(TokenId),
}

/// The pace of every caller.
pub(in crate::api) struct Pace {
    changes: DefaultKeyedRateLimiter<String>,
    /// With how many in a second it was made for: a reload may say another number.
    reads: RwLock<(NonZeroU32, DefaultKeyedRateLimiter<Reader>)>,
}

impl Pace {
    pub(in crate::api) fn new() -> Self {
        let changes = RateLimiter::keyed(Quota::per_second(A_SECOND).allow_burst(AT_ONCE));
        Self { changes, reads: RwLock::new(reads(NonZeroU32::MIN)) }
    }

    /// Counts one change.
    ///
    /// # Errors
    /// The caller asks too fast.
    pub(super) fn count(&self, caller: &str) -> Result<(), Problem> {
        if self.changes.len() > REMEMBERED {
            self.changes.retain_recent();
        }
        self.changes.check_key(&caller.to_owned()).map_err(|_| {
            let detail = format!("{caller} may ask for {A_SECOND} changes in a second; try again later");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code::TOO_FAST, detail)
        })
    }

    /// Counts one request that only reads, of so many in a second.
    ///
    /// # Errors
    /// The caller asks too fast.
    pub(super) fn count_read(&self, caller: &Principal, a_second: u32) -> Result<(), Problem> {
        let a_second = NonZeroU32::new(a_second).unwrap_or(NonZeroU32::MIN);
        let reader = match caller {
            Principal::User(user) => Reader::User(user.uid),
            Principal::Token(id, _) => Reader::Token(id.clone()),
            Principal::Anonymous | Principal::Stranger => Reader::Unknown,
        };
        if self.reads.read().unwrap_or_else(PoisonError::into_inner).0 != a_second {
            *self.reads.write().unwrap_or_else(PoisonError::into_inner) = reads(a_second);
        }
        let known = self.reads.read().unwrap_or_else(PoisonError::into_inner);
        if known.1.len() > REMEMBERED {
            known.1.retain_recent();
        }
        known.1.check_key(&reader).map_err(|_| {
            let who = caller.actor().map_or_else(|| "whoever is unknown".to_owned(), |actor| actor.to_string());
            let detail = format!(
                "{who} may read {a_second} times in a second (`reads_a_second` in policies/access.toml); try again later"
            );
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code::TOO_FAST, detail)
        })
    }
}

fn reads(a_second: NonZeroU32) -> (NonZeroU32, DefaultKeyedRateLimiter<Reader>) {
    (a_second, RateLimiter::keyed(Quota::per_second(a_second)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::govern::LocalUser;

    #[test]
    fn reads_have_a_pace_of_their_own_for_each_caller_and_a_reload_may_change_it() {
        let pace = Pace::new();
        let user = |uid| {
            Principal::User(LocalUser {
                uid,
                owner: false,
                name: None,
                groups: std::collections::BTreeSet::new(),
            })
        };
        let passed = |caller: &Principal, a_second| {
            (0..50).filter(|_| pace.count_read(caller, a_second).is_ok()).count()
        };
        assert_eq!(passed(&user(1), 10), 10);
        assert_eq!(passed(&user(2), 10), 10, "somebody else has a pace of their own");
        let said = pace.count_read(&user(1), 10).expect_err("too fast");
        assert!(said.status == 429 && said.detail.contains("reads_a_second"), "{said:?}");
        assert_eq!(passed(&Principal::Anonymous, 50_000), 50, "the files say another number now");
        assert_eq!((0..200).filter(|_| pace.count("uid:1").is_ok()).count(), 200, "changes are not reads");
    }
}
