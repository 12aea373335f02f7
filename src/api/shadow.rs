//! The candidate generation that runs beside the live one, and the rules that only tell.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Large, Params, reason};
use crate::api::problem::{Problem, Problems, code};
use crate::api::reply::said;
use crate::api::shapes::{CandidateLine, Lifting, Reply, SettingCandidate, ShadowNow, Word};
use crate::supervisor::{Published, ShadowError, Shadowing};

/// `GET /api/shadow`
#[utoipa::path(
    get,
    path = "/api/shadow",
    tag = "shadow",
    responses((status = 200, description = "The candidate beside the live generation", body = ShadowNow), Problems)
)]
pub(super) async fn show(State(api): State<Api>) -> Body<ShadowNow> {
    Body(now(&api.handle.published()))
}

fn now(known: &Published) -> ShadowNow {
    let components = known.bundle.components.values();
    let rules = components.flat_map(|component| {
        let shadows = component.rules.iter().filter(|rule| rule.shadow);
        shadows.map(|rule| format!("{}/{}", rule.id, component.id)).collect::<Vec<_>>()
    });
    ShadowNow {
        live: known.bundle.generation.to_string(),
        rules: rules.collect(),
        candidate: known.shadow.as_ref().map(line),
        rejected: known.rejected.as_ref().map(|rejected| rejected.problems.clone()).unwrap_or_default(),
    }
}

fn line(shadow: &Shadowing) -> CandidateLine {
    CandidateLine {
        generation: shadow.generation.to_string(),
        since: shadow.since.to_string(),
        by: shadow.actor.to_string(),
        reason: shadow.reason.clone(),
        mode: shadow.mode.clone(),
        unprobed: shadow.unprobed.clone(),
        other_probes: shadow.other_probes.clone(),
        counted_since: shadow.counted.to_string(),
        only_candidate: shadow.only.0,
        only_live: shadow.only.1,
        took_us: u64::try_from(shadow.took.as_micros()).unwrap_or(u64::MAX),
    }
}

/// `POST /api/shadow`
#[utoipa::path(
    post,
    path = "/api/shadow",
    tag = "shadow",
    request_body = SettingCandidate,
    responses((status = 200, description = "The candidate runs beside the live generation", body = Reply), Problems)
)]
pub(super) async fn set(
    State(api): State<Api>,
    Caller { actor, dry_run, .. }: Caller,
    Large(asked): Large<SettingCandidate>,
) -> Result<Response, Problem> {
    let reason = reason(Some(asked.reason), "")?;
    if dry_run {
        return would(api.handle.would_set_candidate(asked.files).await);
    }
    told(api.handle.set_candidate(actor, reason, asked.files).await)
}

/// The query of `DELETE /api/shadow`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ending {
    /// Why.
    reason: Option<String>,
}

/// `DELETE /api/shadow`
#[utoipa::path(
    delete,
    path = "/api/shadow",
    tag = "shadow",
    params(Ending),
    responses((status = 200, description = "The candidate is one no more", body = Reply), Problems)
)]
pub(super) async fn end(
    State(api): State<Api>,
    Caller { actor, dry_run, .. }: Caller,
    Params(asked): Params<Ending>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the end of the candidate was asked for")?;
    if dry_run {
        return would(api.handle.would_end_candidate().await);
    }
    told(api.handle.end_candidate(actor, reason).await)
}

/// `POST /api/shadow/promote`: may it become live now? Its files are then put in the live ones' place.
#[utoipa::path(
    post,
    path = "/api/shadow/promote",
    tag = "shadow",
    request_body = Lifting,
    responses((status = 200, description = "The candidate may become live", body = Reply), Problems)
)]
pub(super) async fn promote(
    State(api): State<Api>,
    Caller { actor, dry_run, shown, .. }: Caller,
    Json(asked): Json<Lifting>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the candidate was promoted")?;
    if dry_run {
        return would(there(&api, "the candidate would become live, where it can take over the state"));
    }
    told(api.handle.may_promote((actor, shown.person), reason).await)
}

fn there(api: &Api, says: &str) -> Result<String, ShadowError> {
    api.handle.published().shadow.as_ref().map(|_| says.to_owned()).ok_or(ShadowError::Nothing)
}

fn would(answer: Result<String, ShadowError>) -> Result<Response, Problem> {
    let reply = |says| Reply { dry_run: true, ..Reply::new(Word::Success, says) };
    answer.map(|says| said(StatusCode::OK, &reply(says))).map_err(Problem::from)
}

fn told(answer: Result<String, ShadowError>) -> Result<Response, Problem> {
    answer.map(|says| said(StatusCode::OK, &Reply::new(Word::Success, says))).map_err(Problem::from)
}

impl From<ShadowError> for Problem {
    fn from(error: ShadowError) -> Self {
        let says = error.to_string();
        match error {
            ShadowError::Invalid(_) => Self::invalid(says),
            ShadowError::Half(_) => Self::new(StatusCode::CONFLICT, code::REFUSED, says),
            ShadowError::Nothing => Self::not_found(says),
            ShadowError::Closed => Self::unavailable(code::STOPPING, says),
            ShadowError::NotWritten => Self::unavailable(code::JOURNAL, says),
        }
    }
}
