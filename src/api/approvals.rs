//! Approvals: what waits, giving one, refusing one.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Segment, reason};
use crate::api::problem::{Problem, Problems, code};
use crate::api::shapes::{ApprovalLine, ApprovalShown, Approving, Reply};
use crate::api::waiting;
use crate::model::{ApprovalId, Request};

/// `GET /api/approvals`
#[utoipa::path(
    get,
    path = "/api/approvals",
    tag = "approvals",
    responses((status = 200, description = "What waits for approval", body = Vec<ApprovalLine>), Problems)
)]
pub(super) async fn list(State(api): State<Api>) -> Body<Vec<ApprovalLine>> {
    Body(waiting::approvals(&api.handle.published(), api.handle.stop().0))
}

/// `GET /api/approvals/{id}`
#[utoipa::path(
    get,
    path = "/api/approvals/{id}",
    tag = "approvals",
    params(("id" = u64, Path, description = "Its number")),
    responses((status = 200, description = "What was asked and what became of it", body = ApprovalShown), Problems)
)]
pub(super) async fn one(
    State(api): State<Api>,
    Segment(id): Segment<u64>,
) -> Result<Body<ApprovalShown>, Problem> {
    let read = api.journal.read(move |journal| Ok((journal.approval(id)?, journal.approval_act(id)?)));
    let (found, act) = read.await?;
    let mut recorded = found.ok_or_else(|| Problem::not_found(format!("there is no approval {id}")))?;
    let waiting = waiting::approval(&api.handle.published(), api.handle.stop().0, ApprovalId(id));
    if waiting.is_some() {
        // One of several people may have approved already.
        recorded.answer = "waiting".into();
    }
    if let Some(act) = &act {
        // What was decided, and not only its kind: for how long, for whom, of which claim.
        recorded.action = act.words();
    }
    Ok(Body(ApprovalShown { recorded, act, waiting }))
}

/// `POST /api/approvals/{id}/approve`
#[utoipa::path(
    post,
    path = "/api/approvals/{id}/approve",
    tag = "approvals",
    params(("id" = u64, Path, description = "Its number"),
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS` or `respond-async`: how long to wait for the end of an act")),
    request_body = Approving,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn approve(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<u64>,
    Json(asked): Json<Approving>,
) -> Result<Response, Problem> {
    let approval = ApprovalId(id);
    let reason = reason(Some(asked.reason), "")?;
    let request = Request::Approve { approval, break_glass: asked.break_glass, act_hash: asked.act_hash };
    match api.ask(caller, reason, request).await {
        Err(problem) if problem.code == code::NOT_FOUND => Err(why_not(&api, approval, problem).await),
        answered => answered,
    }
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
    if asked.act_hash.is_some() {
        return Err(Problem::invalid("`act_hash` is only for approving"));
    }
    let (approval, reason) = (ApprovalId(id), reason(Some(asked.reason), "")?);
    match api.ask(caller, reason, Request::Deny { approval }).await {
        Err(problem) if problem.code == code::NOT_FOUND => Err(why_not(&api, approval, problem).await),
        answered => answered,
    }
}

/// An approval that is there and could not be given was the caller's own: that is a refusal, not a gap. One that was
/// there is over, and the journal knows why.
async fn why_not(api: &Api, approval: ApprovalId, problem: Problem) -> Problem {
    let id = approval.0;
    if waiting::approval(&api.handle.published(), api.handle.stop().0, approval).is_some() {
        return Problem::new(StatusCode::FORBIDDEN, code::REFUSED, problem.detail);
    }
    let unused = api.handle.published().state.governed.approvals.contains_key(&approval);
    let over = api.journal.read(move |journal| Ok((journal.approval_end(id)?, journal.approval(id)?))).await;
    let says = match over {
        Err(error) => return error,
        Ok((Some(why), _)) => format!("approval {id} is void: {why}"),
        Ok((None, Some(known))) => {
            let by = known.answered_by.unwrap_or_default();
            let then = if unused { "the rule acts if it still wants to" } else { "is spent" };
            format!("approval {id} was given already by {by}, and {then}")
        }
        Ok((None, None)) => return problem,
    };
    Problem::new(StatusCode::CONFLICT, code::OVER, says)
}
