//! How components are, `/api/health/restart`, and scaling.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Segment, reason};
use crate::api::problem::{Problem, Problems};
use crate::api::shapes::{HealthCheck, Reply, Restarting, RuleLine, Scaling};
use crate::evaluate::{Component, ComponentHealth};
use crate::model::{Request, Time};
use crate::services::{Controls, MOST_WORKERS};
use crate::supervisor::Published;

/// How each component is, by their names.
pub(super) fn checks(known: &Published) -> Vec<HealthCheck> {
    let unseen = ComponentHealth::default();
    let health = &known.state.health.components;
    let components = known.bundle.components.values();
    components.map(|component| check(component, health.get(&component.id).unwrap_or(&unseen))).collect()
}

pub(super) fn check(component: &Component, own: &ComponentHealth) -> HealthCheck {
    let facts = own.last.facts.iter();
    HealthCheck {
        component: component.id.to_string(),
        status: own.status,
        failures: own.failures,
        since: seen(own.since),
        checked_at: seen(own.last.taken_at),
        facts: facts.map(|(fact, reading)| (fact.to_string(), reading.clone())).collect::<BTreeMap<_, _>>(),
        tier: component.tier,
        incident: own.incident.map(|incident| incident.id.0),
    }
}

/// The beginning of time means never.
fn seen(at: Time) -> Option<String> {
    (at > Time::default()).then(|| at.to_string())
}

/// What every rule is at.
pub(super) fn lines(known: &Published) -> Vec<RuleLine> {
    let lines = known.why.iter().flat_map(|(component, rules)| {
        let declared = known.bundle.components.get(component);
        rules.iter().map(move |(id, at)| {
            let rule = declared.and_then(|declared| declared.rule(id));
            RuleLine {
                component: component.to_string(),
                rule: id.to_string(),
                at: at.clone(),
                says: at.to_string(),
                shadow: rule.is_some_and(|rule| rule.shadow),
                why: rule.and_then(|rule| rule.why.clone()),
            }
        })
    });
    lines.collect()
}

/// `POST /api/health/restart`
#[utoipa::path(
    post,
    path = "/api/health/restart",
    tag = "health",
    params(("Prefer" = Option<String>, Header, description = "`wait=SECONDS` or `respond-async`: how long to wait for the end of an act")),
    request_body = Restarting,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn restart(
    State(api): State<Api>,
    caller: Caller,
    Json(asked): Json<Restarting>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "a restart was asked for")?;
    api.ask(caller, reason, Request::Restart { component: asked.component.into() }).await
}

/// `POST /api/components/{id}/scale`
#[utoipa::path(
    post,
    path = "/api/components/{id}/scale",
    tag = "components",
    params(("id" = String, Path, description = "Which component"),
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS` or `respond-async`: how long to wait for the end of an act")),
    request_body = Scaling,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems)
)]
pub(super) async fn scale(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<String>,
    Json(asked): Json<Scaling>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "another number of workers was asked for")?;
    can_have(&api, &id, asked.workers)?;
    api.ask(caller, reason, Request::Scale { component: id.into(), workers: asked.workers }).await
}

/// Can the component have so many workers? What it is told otherwise would fail, or a dry run promise what cannot be.
fn can_have(api: &Api, id: &str, workers: u32) -> Result<(), Problem> {
    api.known_component(id)?;
    let known = api.handle.published();
    let part = api.handle.components().control(&id.into()).and_then(|part| part.most_workers());
    let declared =
        || known.bundle.components.get(id)?.control.as_ref().filter(|control| control.has_workers());
    let Some(most) = part.or_else(|| declared().map(|_| MOST_WORKERS)) else {
        return Err(Problem::invalid(format!("`{id}` has no workers that could be more or fewer")));
    };
    if (1..=most).contains(&workers) {
        return Ok(());
    }
    Err(Problem::invalid(format!("`workers` is {workers}: `{id}` takes 1 to {most}")))
}
