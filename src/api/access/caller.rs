//! Who asks for a change, and how they want to be answered.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};

use crate::api::access::Principal;
use crate::api::problem::{Problem, code};
use crate::model::{Actor, Permission, Shown};

/// Whoever starts an act waits so long for its end, where they do not say otherwise.
const WAIT: Duration = Duration::from_mins(1);

/// The person or program that asks; somebody unknown never gets so far.
#[derive(Debug, Clone)]
pub(in crate::api) struct Caller {
    /// Who.
    pub(in crate::api) actor: Actor,
    /// What else they have shown.
    pub(in crate::api) shown: Shown,
    /// Only say what would become of it.
    pub(in crate::api) dry_run: bool,
    /// How long to wait for the end of an act.
    pub(in crate::api) wait: Duration,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal: Option<&Principal> = parts.extensions.get();
        let actor = principal.and_then(Principal::actor);
        let actor = actor.ok_or_else(|| Principal::Stranger.refusal(Permission::Operate))?;
        let shown = parts.extensions.get::<Shown>().cloned().unwrap_or_default();
        Ok(Self { actor, shown, dry_run: dry_run(&parts.uri)?, wait: wait(&parts.headers) })
    }
}

/// `dry_run=true` in the query.
pub(super) fn dry_run(uri: &Uri) -> Result<bool, Problem> {
    let words = uri.query().unwrap_or_default().split('&');
    let mut given = words.filter_map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name == "dry_run").then_some(value)
    });
    match (given.next(), given.next()) {
        (None, _) | (Some("false"), None) => Ok(false),
        (Some("true"), None) => Ok(true),
        // Whoever wants to try must never act by a slip.
        _ => {
            let detail = "`dry_run` is `true` or `false`, once";
            Err(Problem::new(StatusCode::BAD_REQUEST, code::INVALID, detail))
        }
    }
}

/// `Prefer: wait=SECONDS` or `Prefer: respond-async` (RFC 7240). A preference that is not understood is none.
fn wait(headers: &HeaderMap) -> Duration {
    let given = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut wait = WAIT;
    for preference in given.flat_map(|value| value.split([',', ';'])).map(str::trim) {
        if preference.eq_ignore_ascii_case("respond-async") {
            wait = Duration::ZERO;
        } else if let Some(seconds) = preference.strip_prefix("wait=").and_then(|text| text.parse().ok()) {
            wait = Duration::from_secs(seconds).min(WAIT);
        }
    }
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_dry_run_never_acts() {
        let of = |query: &str| dry_run(&format!("/x?{query}").parse().expect("a path"));
        assert_eq!(of("a=b"), Ok(false));
        assert_eq!(of("dry_run=false"), Ok(false));
        assert_eq!(of("a=b&dry_run=true"), Ok(true));
        for slip in ["dry_run", "dry_run=", "dry_run=yes", "dry_run=True", "dry_run=true&dry_run=false"] {
            assert!(of(slip).is_err(), "{slip}");
        }
    }

    #[test]
    fn a_preference_for_waiting_is_heeded_up_to_a_minute() {
        for (given, seconds) in
            [("wait=5", 5), ("respond-async", 0), ("wait=500", 60), ("wait=soon", 60), ("x", 60)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", given.parse().expect("a header"));
            assert_eq!(wait(&headers), Duration::from_secs(seconds), "{given}");
        }
    }
}
