//! Holds, silences and blocks: listing them, setting, ending.

use axum::Json as Body;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Params, Segment, reason, span};
use crate::api::problem::{Problem, Problems};
use crate::api::shapes::{BlockLine, HoldLine, Holding, Lifting, Reply};
use crate::govern::{Governed, Hold};
use crate::model::{ComponentId, Request, Span};

/// The word for everything.
const ALL: &str = "all";

/// The word for a hold that only a person ends.
const EVER: &str = "ever";

/// A hold that nobody thought about further ends by itself after this.
const USUALLY: Span = Span::minutes(60);

/// Every block.
pub(super) fn blocks(governed: &Governed) -> Vec<BlockLine> {
    let lines = governed.blocks.iter().map(|(component, block)| BlockLine {
        component: component.to_string(),
        since: block.since.to_string(),
        by: block.by.to_string(),
        reason: block.reason.clone(),
    });
    lines.collect()
}

/// Every hold.
pub(super) fn holds(governed: &Governed) -> Vec<HoldLine> {
    governed.holds.iter().map(line).collect()
}

fn line(hold: &Hold) -> HoldLine {
    HoldLine {
        component: hold.component.as_ref().map_or(ALL, ComponentId::as_str).to_owned(),
        by: hold.actor.to_string(),
        reason: hold.reason.clone(),
        since: hold.since.to_string(),
        until: hold.until.map(|until| until.to_string()),
    }
}

/// For how long; an hour where nothing is said.
fn lasts(given: Option<&str>) -> Result<Option<Span>, Problem> {
    match given {
        None => Ok(Some(USUALLY)),
        Some(EVER) => Ok(None),
        Some(text) => span("for", text).map(Some),
    }
}

fn target(word: Option<String>) -> Option<ComponentId> {
    word.filter(|word| word != ALL).map(ComponentId::from)
}

/// Every silence.
pub(super) fn silences(governed: &Governed) -> Vec<HoldLine> {
    governed.silences.iter().map(line).collect()
}

/// `GET /api/silences`
#[utoipa::path(
    get,
    path = "/api/silences",
    tag = "silences",
    responses((status = 200, description = "What nobody is notified about", body = Vec<HoldLine>), Problems)
)]
pub(super) async fn silent(State(api): State<Api>) -> Body<Vec<HoldLine>> {
    Body(silences(&api.handle.published().state.governed))
}

/// `POST /api/silences`
#[utoipa::path(
    post,
    path = "/api/silences",
    tag = "silences",
    request_body = Holding,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn silence(
    State(api): State<Api>,
    caller: Caller,
    Json(asked): Json<Holding>,
) -> Result<Response, Problem> {
    let reason = reason(Some(asked.reason), "")?;
    let lasts = lasts(asked.lasts.as_deref())?;
    api.ask(caller, reason, Request::Silence { component: target(asked.component), lasts }).await
}

/// `DELETE /api/silences/{component}`, where `all` is the silence about everything.
#[utoipa::path(
    delete,
    path = "/api/silences/{component}",
    tag = "silences",
    params(("component" = String, Path, description = "Which component, or `all`"), Ending),
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn end_silence(
    State(api): State<Api>,
    caller: Caller,
    Segment(component): Segment<String>,
    Params(asked): Params<Ending>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the end of the silence was asked for")?;
    api.ask(caller, reason, Request::EndSilence { component: target(Some(component)) }).await
}

/// `GET /api/blocks`
#[utoipa::path(
    get,
    path = "/api/blocks",
    tag = "blocks",
    responses((status = 200, description = "Components without automatic healing", body = Vec<BlockLine>), Problems)
)]
pub(super) async fn blocked(State(api): State<Api>) -> Body<Vec<BlockLine>> {
    Body(blocks(&api.handle.published().state.governed))
}

/// `GET /api/holds`
#[utoipa::path(
    get,
    path = "/api/holds",
    tag = "holds",
    responses((status = 200, description = "What people hold", body = Vec<HoldLine>), Problems)
)]
pub(super) async fn list(State(api): State<Api>) -> Body<Vec<HoldLine>> {
    Body(holds(&api.handle.published().state.governed))
}

/// `POST /api/holds`
#[utoipa::path(
    post,
    path = "/api/holds",
    tag = "holds",
    request_body = Holding,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn hold(
    State(api): State<Api>,
    caller: Caller,
    Json(asked): Json<Holding>,
) -> Result<Response, Problem> {
    let reason = reason(Some(asked.reason), "")?;
    let lasts = lasts(asked.lasts.as_deref())?;
    api.ask(caller, reason, Request::Hold { component: target(asked.component), lasts }).await
}

/// The query of `DELETE /api/holds/{component}`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ending {
    /// Why.
    reason: Option<String>,
}

/// `DELETE /api/holds/{component}`, where `all` is the hold on everything.
#[utoipa::path(
    delete,
    path = "/api/holds/{component}",
    tag = "holds",
    params(("component" = String, Path, description = "Which component, or `all`"), Ending),
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn end(
    State(api): State<Api>,
    caller: Caller,
    Segment(component): Segment<String>,
    Params(asked): Params<Ending>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the end of the hold was asked for")?;
    api.ask(caller, reason, Request::EndHold { component: target(Some(component)) }).await
}

/// `POST /api/blocks/{component}/lift`
#[utoipa::path(
    post,
    path = "/api/blocks/{component}/lift",
    tag = "blocks",
    params(("component" = String, Path, description = "Which component")),
    request_body = Lifting,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn lift(
    State(api): State<Api>,
    caller: Caller,
    Segment(component): Segment<String>,
    Json(asked): Json<Lifting>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "a person has looked")?;
    api.ask(caller, reason, Request::Unblock { component: component.into() }).await
}
