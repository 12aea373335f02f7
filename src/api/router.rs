//! Every route, and what lies around all of them: who asks, time-outs, panics, headers.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::problem::{Problem, code};
use crate::api::{
    Api, approvals, events, faults, health, holds, metrics, modes, peer, probes, shadow, tasks,
};

/// Any answer has begun within this time; the longest wait for an act is shorter.
const WITHIN: Duration = Duration::from_secs(75);

const STATUS: &str = "/api/health/status";
const RESTART: &str = "/api/health/restart";
const MODE: &str = "/api/health/mode";
const RELEASE: &str = "/api/health/mode/release";
const SCALE: &str = "/api/components/{id}/scale";
const APPROVALS: &str = "/api/approvals";
const APPROVE: &str = "/api/approvals/{id}/approve";
const DENY: &str = "/api/approvals/{id}/deny";
const HOLDS: &str = "/api/holds";
const HOLD: &str = "/api/holds/{component}";
const LIFT: &str = "/api/blocks/{component}/lift";
const SHADOW: &str = "/api/shadow";
const PROMOTE: &str = "/api/shadow/promote";
const TASKS: &str = "/api/tasks";
const FAULTS: &str = "/api/faults";
const EVENTS: &str = "/api/events";
const METRICS: &str = "/metrics";
const LIVE: &str = "/livez";
const READY: &str = "/readyz";

/// All of them, to find the one that was meant.
const ALL: [&str; 19] = [
    STATUS, RESTART, MODE, RELEASE, SCALE, APPROVALS, APPROVE, DENY, HOLDS, HOLD, LIFT, SHADOW, PROMOTE,
    TASKS, FAULTS, EVENTS, METRICS, LIVE, READY,
];

/// The one router of socket and TCP.
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route(STATUS, get(health::status))
        .route(RESTART, post(health::restart))
        .route(MODE, get(modes::show).post(modes::set))
        .route(RELEASE, post(modes::release))
        .route(SCALE, post(health::scale))
        .route(APPROVALS, get(approvals::list))
        .route(APPROVE, post(approvals::approve))
        .route(DENY, post(approvals::deny))
        .route(HOLDS, get(holds::list).post(holds::hold))
        .route(HOLD, delete(holds::end))
        .route(LIFT, post(holds::lift))
        .route(SHADOW, get(shadow::show).post(shadow::set).delete(shadow::end))
        .route(PROMOTE, post(shadow::promote))
        .route(TASKS, get(tasks::list).post(tasks::add))
        .route(FAULTS, post(faults::inject))
        .route(EVENTS, get(events::events))
        .route(METRICS, get(metrics::show))
        .route(LIVE, get(probes::live))
        .route(READY, get(probes::ready))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn(peer::guard))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(dressed))
        .with_state(api)
}

async fn unknown_route(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::not_found(format!("there is nothing at `{path}`; {}", crate::say::suggest(&path, ALL)))
}

async fn unknown_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}; the header Allow says what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, code::INVALID, detail)
}

async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(WITHIN, next.run(request)).await.unwrap_or_else(|_| {
        let detail = "the answer took too long; the journal knows what became of it";
        Problem::new(StatusCode::GATEWAY_TIMEOUT, code::TIMED_OUT, detail).into_response()
    })
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request met a mistake in Grace");
    let detail = "this is a mistake in Grace, and nothing of her is lost; the log says more";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, detail).into_response()
}

/// What every answer says of itself: of this moment, and exactly what it claims to be.
async fn dressed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(HeaderName::from_static("x-content-type-options"), nosniff);
    response
}
