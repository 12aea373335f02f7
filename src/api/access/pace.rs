//! How fast one caller may ask for changes, so that none crowds out the others.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::api::problem::{Problem, code};

/// Changes in a second, for each caller.
const A_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// And so many at once.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// With so many callers remembered those that asked nothing for a while are forgotten.
const REMEMBERED: usize = 1_000;

/// The pace of every caller.
pub(in crate::api) struct Pace(DefaultKeyedRateLimiter<String>);

impl Pace {
    pub(in crate::api) fn new() -> Self {
        Self(RateLimiter::keyed(Quota::per_second(A_SECOND).allow_burst(AT_ONCE)))
    }

    /// Counts one change.
    ///
    /// # Errors
    /// The caller asks too fast.
    pub(super) fn count(&self, caller: &str) -> Result<(), Problem> {
        if self.0.len() > REMEMBERED {
            self.0.retain_recent();
        }
        self.0.check_key(&caller.to_owned()).map_err(|_| {
            let detail = format!("{caller} may ask for {A_SECOND} changes in a second; try again later");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code::TOO_FAST, detail)
        })
    }
}
