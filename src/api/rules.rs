//! Components and their rules: what there is, how it is, and why a rule did what it did.

use axum::Json as Body;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Json, Pair, Params, Segment, reason};
use crate::api::health::{check, lines};
use crate::api::problem::{Problem, Problems};
use crate::api::shapes::{HealthCheck, Lifting, Reply, RuleLine};
use crate::evaluate::ComponentHealth;
use crate::model::Request;
use crate::record::Reader;
use crate::replay::History;
use crate::replay::explain::{
    At, Explanation, FindError, Question, explain, idle, last_of, rule_named, tick_at,
};

/// One component: how it is, and what is declared of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ComponentLine {
    /// How it is.
    #[serde(flatten)]
    check: HealthCheck,
    /// Its name for people.
    label: String,
    /// What it is not healed for the faults of.
    depends_on: Vec<String>,
    /// The ids of its rules.
    rules: Vec<String>,
}

/// `GET /api/components`
#[utoipa::path(get, path = "/api/components", tag = "components",
    responses((status = 200, description = "Every component", body = Vec<ComponentLine>), Problems))]
pub(super) async fn components(State(api): State<Api>) -> Body<Vec<ComponentLine>> {
    let known = api.handle.published();
    Body(known.bundle.components.keys().filter_map(|id| line(&known, id.as_str())).collect())
}

/// `GET /api/components/{id}`
#[utoipa::path(get, path = "/api/components/{id}", tag = "components",
    params(("id" = String, Path, description = "Which component")),
    responses((status = 200, description = "One component", body = ComponentLine), Problems))]
pub(super) async fn component(
    State(api): State<Api>,
    Segment(id): Segment<String>,
) -> Result<Body<ComponentLine>, Problem> {
    api.known_component(&id)?;
    let found = line(&api.handle.published(), &id);
    found.map(Body).ok_or_else(|| Problem::not_found(format!("there is no component `{id}`")))
}

fn line(known: &crate::supervisor::Published, id: &str) -> Option<ComponentLine> {
    let component = known.bundle.components.get(id)?;
    let unseen = ComponentHealth::default();
    Some(ComponentLine {
        check: check(component, known.state.health.components.get(id).unwrap_or(&unseen)),
        label: component.label.clone(),
        depends_on: component.depends_on.iter().map(ToString::to_string).collect(),
        rules: component.rules.iter().map(|rule| rule.id.to_string()).collect(),
    })
}

/// `GET /api/rules`
#[utoipa::path(get, path = "/api/rules", tag = "rules",
    responses((status = 200, description = "What every rule is at", body = Vec<RuleLine>), Problems))]
pub(super) async fn list(State(api): State<Api>) -> Body<Vec<RuleLine>> {
    Body(lines(&api.handle.published()))
}

/// The query of an explanation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct When {
    /// When: RFC 3339, a time of day in UTC, or so long before the newest tick (`5m ago`); else the newest tick.
    at: Option<String>,
}

/// `GET /api/rules/{rule}/{component}`
#[utoipa::path(get, path = "/api/rules/{rule}/{component}", tag = "rules",
    params(("rule" = String, Path, description = "Which rule"), ("component" = String, Path, description = "Of which component"), When),
    responses((status = 200, description = "Why it acted or did not, with every part of its condition and every gate",
        body = Explanation), Problems))]
pub(super) async fn explained(
    State(api): State<Api>,
    Pair(rule, component): Pair,
    Params(when): Params<When>,
) -> Result<Body<Explanation>, Problem> {
    let at = when.at.as_deref().map(str::parse::<At>).transpose();
    let at = at.map_err(|why| Problem::invalid(format!("`at`: {why}")))?;
    let word = format!("{rule}/{component}");
    rule_named(&api.handle.published().bundle, &word).map_err(|why| Problem::not_found(why.to_string()))?;
    let data = api.handle.data().to_owned();
    let read =
        api.journal.read(move |_| Ok(told(&History::Journal(Reader::open(&data)?), &word, at))).await?;
    read.map(Body)
}

/// `POST /api/rules/{rule}/{component}/run`
#[utoipa::path(post, path = "/api/rules/{rule}/{component}/run", tag = "rules",
    params(("rule" = String, Path, description = "Which rule"), ("component" = String, Path, description = "Of which component"),
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS` or `respond-async`: how long to wait for the end of an act")),
    request_body = Lifting,
    responses((status = 200, description = "What became of it", body = Reply), (status = 202, description = "It waits for approval, or still runs", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems))]
pub(super) async fn run(
    State(api): State<Api>,
    caller: Caller,
    Pair(rule, component): Pair,
    Json(asked): Json<Lifting>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the rule was run by hand")?;
    api.ask(caller, reason, Request::Run { rule: rule.into(), component: component.into() }).await
}

fn told(history: &History, word: &str, at: Option<At>) -> Result<Explanation, Problem> {
    let unfound = |why: FindError| Problem::not_found(why.to_string());
    let last = last_of(history).map_err(unfound)?;
    let within = at.map_or((last, last), |at| at.within(last));
    let tick = tick_at(history, within, |_| true).map_err(unfound)?;
    let unknown = |why: crate::replay::explain::NameError| Problem::not_found(why.to_string());
    let (rule, component) = rule_named(&tick.bundle, word).map_err(unknown)?;
    let idle = idle(history, &tick, within).map_err(unfound)?;
    Ok(explain(&tick, &Question::Rule(rule, component)).map_err(unknown)?.with_idle(idle))
}
