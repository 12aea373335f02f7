//! Approvals: what waits, giving one, refusing one.

use axum::Json as Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, reason};
use crate::api::holds::approvals;
use crate::api::problem::{Problem, Problems, code};
use crate::api::shapes::{ApprovalLine, Approving, Reply};
use crate::model::{ApprovalId, Request};

/// `GET /api/approvals`
#[utoipa::path(
    get,
    path = "/api/approvals",
    tag = "approvals",
    responses((status = 200, description = "What waits for approval", body = Vec<ApprovalLine>), Problems)
)]
pub(super) async fn list(State(api): State<Api>) -> Body<Vec<ApprovalLine>> {
    Body(approvals(&api.handle.published().state.governed))
}

/// `POST /api/approvals/{id}/approve`
#[utoipa::path(
    post,
    path = "/api/approvals/{id}/approve",
    tag = "approvals",
    params(("id" = u64, Path, description = "Its number")),
    request_body = Approving,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply), Problems)
)]
pub(super) async fn approve(
    State(api): State<Api>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Json(asked): Json<Approving>,
) -> Result<Response, Problem> {
    let approval = number(&id)?;
    let reason = reason(Some(asked.reason), "")?;
    let request = Request::Approve { approval, break_glass: asked.break_glass };
    let answered = api.ask(actor, reason, request).await;
    answered.map_err(|problem| own(&api, approval, problem))
}

/// `POST /api/approvals/{id}/deny`
#[utoipa::path(
    post,
    path = "/api/approvals/{id}/deny",
    tag = "approvals",
    params(("id" = u64, Path, description = "Its number")),
    request_body = Approving,
    responses((status = 200, description = "It is refused", body = Reply), Problems)
)]
pub(super) async fn deny(
    State(api): State<Api>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Json(asked): Json<Approving>,
) -> Result<Response, Problem> {
    if asked.break_glass {
        return Err(Problem::invalid("`break_glass` is only for approving"));
    }
    let (approval, reason) = (number(&id)?, reason(Some(asked.reason), "")?);
    api.ask(actor, reason, Request::Deny { approval }).await
}

fn number(id: &str) -> Result<ApprovalId, Problem> {
    id.parse().map(ApprovalId).map_err(|_| Problem::not_found(format!("`{id}` is no number of an approval")))
}

/// An approval that is there and could not be given was the caller's own: that is a refusal, not a gap.
fn own(api: &Api, approval: ApprovalId, problem: Problem) -> Problem {
    let waits = api.handle.published().state.governed.approvals.contains_key(&approval);
    if problem.code == code::NOT_FOUND && waits {
        return Problem::new(StatusCode::FORBIDDEN, code::REFUSED, problem.detail);
    }
    problem
}
