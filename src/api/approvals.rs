//! Approvals: what waits, giving one, refusing one.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Segment, reason};
use crate::api::holds::approvals;
use crate::api::problem::{Problem, Problems, code};
use crate::api::shapes::{ApprovalLine, Approving, Reply};
use crate::model::{ApprovalId, Request};
use crate::record::rows::Approval;

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

/// `GET /api/approvals/{id}`
#[utoipa::path(
    get,
    path = "/api/approvals/{id}",
    tag = "approvals",
    params(("id" = u64, Path, description = "Its number")),
    responses((status = 200, description = "What was asked and what became of it", body = Approval), Problems)
)]
pub(super) async fn one(
    State(api): State<Api>,
    Segment(id): Segment<u64>,
) -> Result<Body<Approval>, Problem> {
    let found = api.journal.read(move |journal| journal.approval(id)).await?;
    found.map(Body).ok_or_else(|| Problem::not_found(format!("there is no approval {id}")))
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
    caller: Caller,
    Segment(id): Segment<u64>,
    Json(asked): Json<Approving>,
) -> Result<Response, Problem> {
    let approval = ApprovalId(id);
    let reason = reason(Some(asked.reason), "")?;
    let request = Request::Approve { approval, break_glass: asked.break_glass };
    let answered = api.ask(caller, reason, request).await;
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
    caller: Caller,
    Segment(id): Segment<u64>,
    Json(asked): Json<Approving>,
) -> Result<Response, Problem> {
    if asked.break_glass {
        return Err(Problem::invalid("`break_glass` is only for approving"));
    }
    let (approval, reason) = (ApprovalId(id), reason(Some(asked.reason), "")?);
    api.ask(caller, reason, Request::Deny { approval }).await
}

/// An approval that is there and could not be given was the caller's own: that is a refusal, not a gap.
fn own(api: &Api, approval: ApprovalId, problem: Problem) -> Problem {
    let waits = api.handle.published().state.governed.approvals.contains_key(&approval);
    if problem.code == code::NOT_FOUND && waits {
        return Problem::new(StatusCode::FORBIDDEN, code::REFUSED, problem.detail);
    }
    problem
}
