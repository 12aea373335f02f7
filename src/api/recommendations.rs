//! What the meta-loop recommends, and what people say to it.

use axum::Json as Body;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Params, Segment, reason, span};
use crate::api::problem::{Problem, Problems};
use crate::api::rehearsal::rehearse;
use crate::api::shapes::{HitsLine, Minding, RecommendationShown, Recommendations, Reply};
use crate::model::{AdviceDeed, RecommendationId, Request};
use crate::record::Recommendation;

/// So many of the newest are listed.
const NEWEST: usize = 200;

/// `GET /api/recommendations`
#[utoipa::path(get, path = "/api/recommendations", tag = "recommendations",
    responses((status = 200, description = "What rules recommend, newest first", body = Recommendations), Problems))]
pub(super) async fn list(State(api): State<Api>) -> Result<Body<Recommendations>, Problem> {
    let found = api.journal.read(|journal| journal.recommendations(NEWEST)).await?;
    let recommendations = found.into_iter().map(|one| so_far(&api, one)).collect();
    let hits = api.handle.published().state.recommendations.hits;
    Ok(Body(Recommendations { recommendations, hits: HitsLine::from(hits) }))
}

/// `GET /api/recommendations/{id}`
#[utoipa::path(get, path = "/api/recommendations/{id}", tag = "recommendations",
    params(("id" = u64, Path, description = "Its number"), Looking),
    responses((status = 200, description = "One recommendation, and what came of it", body = RecommendationShown), Problems))]
pub(super) async fn one(
    State(api): State<Api>,
    Segment(id): Segment<u64>,
    Params(looking): Params<Looking>,
) -> Result<Body<RecommendationShown>, Problem> {
    let since = looking.rehearse.map(|text| span("rehearse", &text)).transpose()?;
    let found = api.journal.read(move |journal| journal.recommendation(id)).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no recommendation {id}")))?;
    let recommendation = so_far(&api, found);
    let mut shown = RecommendationShown { recommendation, rehearsal: None, not_rehearsed: None };
    if let Some(since) = since {
        match rehearse(&api, &shown.recommendation, since).await {
            Ok(rehearsed) => shown.rehearsal = Some(rehearsed),
            Err(why) => shown.not_rehearsed = Some(why),
        }
    }
    Ok(Body(shown))
}

/// The query of `GET /api/recommendations/{id}`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Looking {
    /// Say what its change would have done in the last so long, `30d`: one at a time, and for half a minute at the most.
    rehearse: Option<String>,
}

/// How the tries ended since, of one that is not reviewed yet.
fn so_far(api: &Api, mut one: Recommendation) -> Recommendation {
    let known = api.handle.published();
    let open = one.recommendation.and_then(|id| known.state.recommendations.open.get(&RecommendationId(id)));
    if let Some(open) = open.filter(|open| open.advice.is_some()) {
        one.closed_after = Some(open.after.closed.into());
        one.healed_after = Some(open.after.healed.into());
        one.rule_changed = open.changed;
    }
    one
}

/// `POST /api/recommendations/{id}/accept`
#[utoipa::path(
    post,
    path = "/api/recommendations/{id}/accept",
    tag = "recommendations",
    params(("id" = u64, Path, description = "Its number")),
    request_body = Minding,
    responses((status = 200, description = "It is accepted; the change itself is an edit of the files", body = Reply), Problems)
)]
pub(super) async fn accept(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<u64>,
    Json(asked): Json<Minding>,
) -> Result<Response, Problem> {
    answer(api, caller, id, (AdviceDeed::Accept, reason(asked.reason, "it was accepted")?)).await
}

/// `POST /api/recommendations/{id}/decline`
#[utoipa::path(
    post,
    path = "/api/recommendations/{id}/decline",
    tag = "recommendations",
    params(("id" = u64, Path, description = "Its number")),
    request_body = Minding,
    responses((status = 200, description = "It is declined, and will not be reviewed", body = Reply), Problems)
)]
pub(super) async fn decline(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<u64>,
    Json(asked): Json<Minding>,
) -> Result<Response, Problem> {
    answer(api, caller, id, (AdviceDeed::Decline, reason(asked.reason, "")?)).await
}

async fn answer(
    api: Api,
    caller: Caller,
    id: u64,
    (what, reason): (AdviceDeed, String),
) -> Result<Response, Problem> {
    api.ask(caller, reason, Request::Recommendation { recommendation: RecommendationId(id), what }).await
}
