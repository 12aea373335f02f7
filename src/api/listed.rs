//! Lists from the journal: tries of healings, incidents, generations, entries.

use std::convert::Infallible;

use axum::Json as Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::Peer;
use crate::api::body::{Params, Segment};
use crate::api::paging::{Page, Which, entry, limit, one_more};
use crate::api::problem::{Problem, Problems, code};
use crate::record::rows::HealingAction;
use crate::record::{Activation, Entry, Incident};

/// An export reads so many entries at a time.
const BATCH: usize = 500;

/// What asks for an export.
const LINES: &str = "application/x-ndjson";

/// `GET /api/actions`
#[utoipa::path(get, path = "/api/actions", tag = "actions", params(Which),
    responses((status = 200, description = "Tries of healings; `is` is `success` or `failed`", body = Page<HealingAction>),
        Problems))]
pub(super) async fn actions(
    State(api): State<Api>,
    Params(which): Params<Which>,
) -> Result<Body<Page<HealingAction>>, Problem> {
    let (page, is) = which.page(&["success", "failed"])?;
    let (limit, more) = (page.limit, one_more(&page));
    let found = api.journal.read(move |journal| journal.actions(&more, (is.as_deref(), None))).await?;
    Ok(Body(Page::of(found, limit, |action| action.seq)))
}

/// `GET /api/actions/{act}`
#[utoipa::path(get, path = "/api/actions/{act}", tag = "actions",
    params(("act" = u64, Path, description = "Its number")),
    responses((status = 200, description = "One try; without `result` it still runs", body = HealingAction), Problems))]
pub(super) async fn action(
    State(api): State<Api>,
    Segment(act): Segment<u64>,
) -> Result<Body<HealingAction>, Problem> {
    let found = api.journal.read(move |journal| journal.action(act)).await?;
    found.map(Body).ok_or_else(|| Problem::not_found(format!("there is no act {act} on a component")))
}

/// `GET /api/incidents`
#[utoipa::path(get, path = "/api/incidents", tag = "incidents", params(Which),
    responses((status = 200, description = "Incidents; `is` is `open` or `over`", body = Page<Incident>), Problems))]
pub(super) async fn incidents(
    State(api): State<Api>,
    Params(which): Params<Which>,
) -> Result<Body<Page<Incident>>, Problem> {
    let (page, is) = which.page(&["open", "over"])?;
    let (limit, more, open) = (page.limit, one_more(&page), is.map(|word| word == "open"));
    let found = api.journal.read(move |journal| journal.incidents(&more, open)).await?;
    Ok(Body(Page::of(found, limit, |incident| incident.seq)))
}

/// `GET /api/generations`
#[utoipa::path(get, path = "/api/generations", tag = "generations", params(Which),
    responses((status = 200, description = "Files that became active, and those that were refused",
        body = Page<Activation>), Problems))]
pub(super) async fn generations(
    State(api): State<Api>,
    Params(which): Params<Which>,
) -> Result<Body<Page<Activation>>, Problem> {
    let (page, _) = which.page(&[])?;
    let (limit, more) = (page.limit, one_more(&page));
    let found = api.journal.read(move |journal| journal.activations(&more)).await?;
    Ok(Body(Page::of(found, limit, |activation| activation.seq)))
}

/// The query of `GET /api/journal`.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Entries {
    /// Only those behind this entry.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// So many at the most.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only records of this kind: `intent`, `mode_changed`.
    kind: Option<String>,
    /// Only those about this component.
    component: Option<String>,
}

/// `GET /api/journal`
#[utoipa::path(get, path = "/api/journal", tag = "journal", params(Entries),
    responses((status = 200, description = "Entries in order; with `Accept: application/x-ndjson` all that follow, a line each",
        content((Vec<Entry> = "application/json"), (String = "application/x-ndjson"))), Problems))]
pub(super) async fn journal(
    State(api): State<Api>,
    peer: Peer,
    Params(asked): Params<Entries>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    entry("after", asked.after)?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(LINES) {
        let full = || Problem::unavailable(code::BUSY, "as many export the journal as may; try again");
        let place = api.exports.place(&peer).ok_or_else(full)?;
        return Ok(export(api, asked, place));
    }
    let (after, limit) = (asked.after.unwrap_or(0), limit(asked.limit)?);
    let found = read(&api, after, limit, asked).await?;
    Ok(Body(found).into_response())
}

async fn read(api: &Api, after: i64, limit: usize, asked: Entries) -> Result<Vec<Entry>, Problem> {
    let Entries { kind, component, .. } = asked;
    let which = move |journal: &crate::record::Reader| {
        journal.entries(after, limit, (kind.as_deref(), component.as_deref()))
    };
    api.journal.read(which).await
}

/// Everything that follows, a batch at a time: it is read as fast as it is taken.
fn export(api: Api, asked: Entries, place: OwnedSemaphorePermit) -> Response {
    let left = asked.limit.unwrap_or(usize::MAX);
    let begin = (api, asked.after.unwrap_or(0), left, (asked, place));
    let lines = unfold(begin, |(api, after, left, (asked, place))| async move {
        let found = read(&api, after, BATCH.min(left), asked.clone()).await.ok()?;
        let last = found.last()?.seq;
        let left = left - found.len();
        let text: String =
            found.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default() + "\n").collect();
        Some((Ok::<_, Infallible>(text), (api, last, left, (asked, place))))
    });
    ([(header::CONTENT_TYPE, LINES)], axum::body::Body::from_stream(lines)).into_response()
}
