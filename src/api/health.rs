//! `/api/health/status` and `/api/health/restart`, and scaling.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json as Body};

use crate::api::Api;
use crate::api::access::{Caller, Principal};
use crate::api::body::{Json, Segment, reason};
use crate::api::holds::{blocks, holds, silences};
use crate::api::modes::{claims, mode};
use crate::api::problem::{Problem, Problems};
use crate::api::shapes::{
    Clock, HealthCheck, Rejection, Reply, Restarting, RuleLine, Scaling, Status, WriteGate,
};
use crate::api::waiting::approvals;
use crate::evaluate::{Component, ComponentHealth};
use crate::model::{Permission, Request, Time};
use crate::supervisor::Published;

/// `GET /api/health/status`
#[utoipa::path(
    get,
    path = "/api/health/status",
    tag = "health",
    responses((status = 200, description = "The whole picture as of the last step", body = Status), Problems)
)]
pub(super) async fn status(
    State(api): State<Api>,
    Extension(principal): Extension<Principal>,
) -> Result<Body<Status>, Problem> {
    let healing_actions = api.journal.newest_tries().await?;
    let published = api.handle.published();
    let (known, governed) = (published.as_ref(), &published.state.governed);
    let now = mode(known);
    let gate = api.handle.components().gate();
    // What has a route of its own that somebody unknown may not read is not read here either.
    let reads = principal.may(Permission::Read, &known.bundle.access);
    Ok(Body(Status {
        system_mode: now.mode,
        mode_reason: now.reason,
        mode_changed_at: now.changed_at,
        permitted: now.permits,
        writes: now.writes,
        health_checks: checks(known),
        healing_actions: healing_actions.to_vec(),
        claims: claims(governed),
        blocks: blocks(governed),
        holds: if reads { holds(governed) } else { Vec::new() },
        silences: if reads { silences(governed) } else { Vec::new() },
        approvals: if reads { approvals(known) } else { Vec::new() },
        rules: lines(known),
        rejected: known
            .rejected
            .as_ref()
            .map(|rejected| Rejection { at: rejected.at.to_string(), problems: rejected.problems.clone() }),
        unwritten: known.unwritten.clone(),
        stop: known.stop,
        write_gate: WriteGate { flows: gate.flows(), queued: gate.queued() },
        subscribers: api.handle.components().subscriptions(),
        generation: known.bundle.generation.to_string(),
        interval_ms: known.bundle.system.interval,
        tick: known.state.tick,
        overruns: known.overruns,
        started_at: known.started.to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        clock: Clock { now: api.handle.clock().now().to_string(), wall_ahead_ms: known.wall_ahead_ms },
    }))
}

fn checks(known: &Published) -> Vec<HealthCheck> {
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
    request_body = Restarting,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply), Problems)
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
    params(("id" = String, Path, description = "Which component")),
    request_body = Scaling,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply), Problems)
)]
pub(super) async fn scale(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<String>,
    Json(asked): Json<Scaling>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "another number of workers was asked for")?;
    api.ask(caller, reason, Request::Scale { component: id.into(), workers: asked.workers }).await
}
