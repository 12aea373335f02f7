//! Lets through who may what a route declares.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::user::with_names;
use crate::api::access::{Peer, Principal};
use crate::api::problem::Problem;
use crate::model::Permission;

/// Asks who it is, whether they may, and whether they do not ask too fast.
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
    if !Permission::READS.contains(&permission)
        && !request.method().is_safe()
        && let Some(actor) = principal.actor()
    {
        api.pace.count(actor.as_str())?;
    }
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}
