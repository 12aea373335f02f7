//! Lets through who may what a route declares.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::repeat::{self, Given};
use crate::api::access::user::with_names;
use crate::api::access::{Peer, Principal, digest};
use crate::api::body::LARGEST_BODY;
use crate::api::problem::{Problem, code};
use crate::model::Permission;

/// An answer to a change is short.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Asks who it is, whether they may, whether they do not ask too fast, and whether they asked the same before.
pub(in crate::api) async fn guard(
    State((api, permission)): State<(Api, Permission)>,
    peer: Peer,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let known = api.handle.published();
    let now = api.handle.clock().now();
    let principal = Principal::of((peer, request.headers()), &known.state.governed, now)?;
    let principal = match principal {
        Principal::User(user) if known.bundle.access.asks_for_names() => {
            Principal::User(with_names(user).await)
        }
        other => other,
    };
    if !principal.may(permission, &known.bundle.access) {
        return Err(principal.refusal(permission));
    }
    // Whoever only asks may do so by any method, and as fast as it gets answers.
    let changes = !Permission::READS.contains(&permission) && !request.method().is_safe();
    let actor = principal.actor().filter(|_| changes);
    request.extensions_mut().insert(principal);
    let Some(actor) = actor else { return Ok(next.run(request).await) };
    api.pace.count(actor.as_str())?;
    match repeat::key(request.headers())? {
        Some(key) => once(&api, (actor.to_string(), key), request, next).await,
        None => Ok(next.run(request).await),
    }
}

/// Makes a change that has a key of its own, unless it was made before.
async fn once(api: &Api, key: (String, String), request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|_| {
        let detail = format!("with an Idempotency-Key a body may have {LARGEST_BODY} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::INVALID, detail)
    })?;
    let asked = digest(format!("{} {} {}", parts.method, parts.uri, digest(&bytes)));
    if let Some(given) = api.repeats.begin(&key, &asked)? {
        return Ok(response(given));
    }
    // In a task of its own: a caller who goes away in the middle still gets the answer with the next try.
    let api = api.clone();
    let work = async move {
        let answered = next.run(Request::from_parts(parts, Body::from(bytes))).await;
        let (head, body) = answered.into_parts();
        let body = to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default();
        let given = Given { status: head.status, headers: head.headers, body };
        // What failed may be tried again.
        api.repeats.end(&key, (!given.status.is_server_error()).then(|| given.clone()));
        given
    };
    let given = tokio::spawn(work).await;
    given.map(response).map_err(|_| Problem::unavailable(code::STOPPING, "Grace is stopping"))
}

fn response(given: Given) -> Response {
    let mut response = Response::new(Body::from(given.body));
    *response.status_mut() = given.status;
    *response.headers_mut() = given.headers;
    response
}
