//! `/livez` and `/readyz`: for whoever watches Grace.

use axum::extract::State;

use crate::api::Api;
use crate::api::problem::{Problem, Problems, code};
use crate::model::Span;
use crate::supervisor::Published;

/// A loop that has made no step for so many slots of the grid is stuck.
const SLOTS: i64 = 4;

/// But not before this: a short grid on a busy machine is no reason to restart Grace.
const AT_LEAST: Span = Span::seconds(30);

/// So long the first look at each component may take.
const FIRST_LOOKS: Span = Span::seconds(5);

/// `GET /livez`: does the loop go round? A full disk is no reason to restart Grace.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "probes",
    responses((status = 200, description = "The loop goes round", body = String), Problems)
)]
pub(super) async fn live(State(api): State<Api>) -> Result<&'static str, Problem> {
    let not = |detail: String| Problem::unavailable(code::NOT_READY, detail);
    if api.handle.watch().has_changed().is_err() {
        return Err(not("the supervisor has ended".into()));
    }
    let known = api.handle.published();
    let last = known.state.now.max(known.started);
    let silent = api.handle.clock().now() - last;
    let patience = AT_LEAST.max(Span(known.bundle.system.interval.0.saturating_mul(SLOTS)));
    if known.unwritten.is_none() && silent > patience {
        return Err(not(format!("the supervisor has made no step for {}", Span(silent.0 / 1000 * 1000))));
    }
    Ok("ok\n")
}

/// `GET /readyz`: has she looked at everything once, and can she write down what she does?
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "probes",
    responses((status = 200, description = "She has looked at everything once, and can write", body = String), Problems)
)]
pub(super) async fn ready(State(api): State<Api>) -> Result<&'static str, Problem> {
    match unready(&api.handle.published()) {
        Some(detail) => Err(Problem::unavailable(code::NOT_READY, detail)),
        None => Ok("ok\n"),
    }
}

fn unready(known: &Published) -> Option<String> {
    if let Some(why) = &known.unwritten {
        return Some(why.clone());
    }
    if known.state.now < known.started {
        return Some("the first tick is not done yet".into());
    }
    // A probe that takes longer delays nobody; and who is ready is not unready again for a component that is new.
    if known.state.now - known.started >= FIRST_LOOKS {
        return None;
    }
    let seen = |id| {
        let own = known.state.health.components.get(id);
        own.is_some_and(|own| own.last.taken_at >= known.started)
    };
    let missing = known.bundle.components.keys().find(|id| !seen(*id));
    missing.map(|id| format!("{id} was not looked at yet"))
}
