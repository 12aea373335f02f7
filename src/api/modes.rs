//! The mode: what it is and why, setting it, ending claims.

use axum::Json as Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, reason, span};
use crate::api::problem::{Problem, Problems};
use crate::api::shapes::{ClaimLine, ModeNow, Releasing, Reply, SettingMode};
use crate::govern::{Changed, Governed};
use crate::model::{By, ClaimKey, Meaning, Request, Writes};
use crate::supervisor::Published;

/// `GET /api/health/mode`
#[utoipa::path(
    get,
    path = "/api/health/mode",
    tag = "health",
    responses((status = 200, description = "The mode and every claim on it", body = ModeNow,
        headers(("ETag" = String, description = "The revision, for `If-Match`"))), Problems)
)]
pub(super) async fn show(State(api): State<Api>) -> ([(HeaderName, String); 1], Body<ModeNow>) {
    let now = mode(&api.handle.published());
    ([(header::ETAG, format!("\"{}\"", now.revision))], Body(now))
}

/// The revision in `If-Match`, where it is there. `*` is any.
fn expected(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let given = given.to_str().unwrap_or_default().trim();
    let tag = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match tag {
        None if given == "*" => Ok(None),
        Some(revision) if !revision.contains('"') => Ok(Some(revision.to_owned())),
        _ => Err(Problem::invalid("`If-Match` is the ETag of `GET /api/health/mode`, or `*`")),
    }
}

/// The mode as of the last step.
pub(super) fn mode(known: &Published) -> ModeNow {
    let governed = &known.state.governed;
    let permitted = known.bundle.permitted(&known.state);
    let Changed { at, by, reason } = governed.why_so();
    ModeNow {
        mode: governed.mode.to_string(),
        reason,
        revision: governed.revision(Meaning::default()),
        changed_at: at.to_string(),
        changed_by: by.as_ref().map(By::to_string),
        permits: permitted.words().into_iter().map(str::to_owned).collect(),
        writes: writes(permitted.writes).into(),
        claims: claims(governed),
    }
}

fn writes(writes: Writes) -> &'static str {
    match writes {
        Writes::Allow => "allow",
        Writes::Queue => "queue",
        Writes::Reject => "reject",
    }
}

/// Every claim.
pub(super) fn claims(governed: &Governed) -> Vec<ClaimLine> {
    let lines = governed.claims.iter().map(|(key, claim)| ClaimLine {
        claim: key.to_string(),
        mode: claim.mode.to_string(),
        by: claim.by.to_string(),
        reason: claim.reason.clone(),
        since: claim.since.to_string(),
        expires: claim.expires.map(|at| at.to_string()),
        ends_by_itself: claim.spot.is_some() && !claim.over,
        over: claim.over,
    });
    lines.collect()
}

/// `POST /api/health/mode`
#[utoipa::path(
    post,
    path = "/api/health/mode",
    tag = "health",
    params(("If-Match" = Option<String>, Header, description = "Only while the mode and its claims are still of this ETag")),
    request_body = SettingMode,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn set(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Json(asked): Json<SettingMode>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "another mode was asked for")?;
    let revision = expected(&headers)?;
    let lasts = asked.lasts.map(|text| span("for", &text)).transpose()?;
    api.ask(caller, reason, Request::SetMode { mode: asked.mode.into(), lasts, revision }).await
}

/// `POST /api/health/mode/release`
#[utoipa::path(
    post,
    path = "/api/health/mode/release",
    tag = "health",
    params(("If-Match" = Option<String>, Header, description = "Only while the mode and its claims are still of this ETag")),
    request_body = Releasing,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn release(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Json(asked): Json<Releasing>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the end of the claim was asked for")?;
    let revision = expected(&headers)?;
    api.ask(caller, reason, Request::Release { key: ClaimKey::written(&asked.claim), revision }).await
}
