//! `POST /api/faults`: injecting a fault, where Grace was started so that this is allowed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, span};
use crate::api::problem::{Problem, Problems, code};
use crate::api::reply::said;
use crate::api::shapes::{Faulting, Reply, Word};
use crate::components::{Components, Fault, FaultError};

/// `POST /api/faults`
#[utoipa::path(
    post,
    path = "/api/faults",
    tag = "faults",
    request_body = Faulting,
    responses((status = 200, description = "The fault is there", body = Reply), Problems)
)]
pub(super) async fn inject(
    State(api): State<Api>,
    Caller { actor, dry_run, .. }: Caller,
    Json(asked): Json<Faulting>,
) -> Result<Response, Problem> {
    if !api.handle.allows_faults() {
        let detail = "faults can only be injected when Grace was started with `--allow-faults`";
        return Err(Problem::new(StatusCode::FORBIDDEN, code::FAULTS_NOT_ALLOWED, detail));
    }
    let age = asked.age.map(|text| span("age", &text)).transpose()?;
    let by = asked.by.map(|text| span("by", &text)).transpose()?;
    let fault = Fault::parse(&asked.fault, age, by).map_err(|error| refused(&error))?;
    api.known_component(&asked.component)?;
    let component = asked.component.into();
    Components::could_fail(&component, &fault).map_err(|error| refused(&error))?;
    if dry_run {
        let detail = format!("`{}` could be injected", fault.word());
        return Ok(said(StatusCode::OK, &Reply { dry_run, ..Reply::new(Word::Success, detail) }));
    }
    tracing::warn!(%actor, %component, fault = fault.word(), "a person injects a fault");
    let says = api.handle.components().inject(&component, &fault).await.map_err(|error| refused(&error))?;
    Ok(said(StatusCode::OK, &Reply::new(Word::Success, says)))
}

fn refused(error: &FaultError) -> Problem {
    match error {
        FaultError::NoSuchComponent { .. } => Problem::not_found(error.to_string()),
        FaultError::NoSuchFault { .. } | FaultError::NotKnown { .. } => Problem::invalid(error.to_string()),
        FaultError::NotRunning { .. } => Problem::new(StatusCode::CONFLICT, code::REFUSED, error.to_string()),
    }
}
