//! `GET /api/health/status`: the whole picture, or the part of it that is asked for, a page at a time.

use axum::extract::State;
use axum::{Extension, Json as Body};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::Principal;
use crate::api::body::Params;
use crate::api::health::{checks, lines};
use crate::api::holds::{blocks, holds, silences};
use crate::api::journal::NEWEST;
use crate::api::modes::{claims, mode};
use crate::api::paging::{entry, limit, one_more, word};
use crate::api::problem::{Problem, Problems};
use crate::api::shapes::{Clock, HealthCheck, Rejection, RuleLine, Status, WriteGate};
use crate::api::waiting::approvals;
use crate::model::{Permission, Status as Is};
use crate::record::Paging;
use crate::record::rows::HealingAction;
use crate::supervisor::Published;

/// What of the picture is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only this component: its check, its rules, its tries.
    component: Option<String>,
    /// Only checks of components that are so: `ok`, `warn`, `critical`, `unknown`.
    status: Option<String>,
    /// Only tries of this kind: `restart`, `scale`.
    kind: Option<String>,
    /// Only tries that ended so: `success`, `failed`.
    is: Option<String>,
    /// Only tries before this one: `next_action` of the page before.
    #[param(minimum = 0)]
    before: Option<i64>,
    /// Only checks behind this component: `next_check` of the page before.
    after: Option<String>,
    /// So many checks and so many tries at the most; where nothing is said, all checks and 20 tries.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A part of a list, and where the next part begins.
type Part<T, N> = (Vec<T>, Option<N>);

/// `GET /api/health/status`
#[utoipa::path(
    get,
    path = "/api/health/status",
    tag = "health",
    params(Wanted),
    responses((status = 200, description = "The whole picture as of the last step", body = Status), Problems)
)]
pub(super) async fn show(
    State(api): State<Api>,
    Extension(principal): Extension<Principal>,
    Params(wanted): Params<Wanted>,
) -> Result<Body<Status>, Problem> {
    let wanted = wanted.checked(&api)?;
    let (healing_actions, next_action) = wanted.tries(&api).await?;
    let published = api.handle.published();
    let (known, governed) = (published.as_ref(), &published.state.governed);
    let now = mode(known);
    let gate = api.handle.components().gate();
    let (stop, _) = api.handle.stop();
    let (health_checks, next_check) = wanted.checks(known);
    // What has a route of its own that somebody unknown may not read is not read here either.
    let reads = principal.may(Permission::Read, &known.bundle.access);
    Ok(Body(Status {
        system_mode: now.mode,
        mode_reason: now.reason,
        mode_changed_at: now.changed_at,
        permitted: now.permits,
        writes: now.writes,
        health_checks,
        next_check,
        healing_actions,
        next_action,
        claims: claims(governed),
        blocks: blocks(governed),
        holds: if reads { holds(governed) } else { Vec::new() },
        silences: if reads { silences(governed) } else { Vec::new() },
        approvals: if reads { approvals(known, stop) } else { Vec::new() },
        rules: wanted.rules(known),
        rejected: known
            .rejected
            .as_ref()
            .map(|rejected| Rejection { at: rejected.at.to_string(), problems: rejected.problems.clone() }),
        unwritten: known.unwritten.clone(),
        stop,
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

impl Wanted {
    /// The same, where each word is one that there is.
    fn checked(self, api: &Api) -> Result<Self, Problem> {
        if let Some(component) = &self.component {
            api.known_component(component)?;
        }
        word("status", self.status.as_deref(), &Is::ALL.map(Is::word))?;
        word("kind", self.kind.as_deref(), &["restart", "scale"])?;
        word("is", self.is.as_deref(), &["success", "failed"])?;
        limit(self.limit)?;
        entry("before", self.before)?;
        Ok(self)
    }

    /// The tries. The newest of all are at hand; whoever wants others asks the journal.
    async fn tries(&self, api: &Api) -> Result<Part<HealingAction, i64>, Problem> {
        let Self { component, kind, is, before, .. } = self;
        let all = component.is_none() && kind.is_none() && is.is_none() && before.is_none();
        if all && self.limit.is_none() {
            return Ok(cut(api.journal.newest_tries().await?.to_vec(), NEWEST, |action| action.seq));
        }
        let limit = self.limit.unwrap_or(NEWEST);
        let page = one_more(&Paging { before: *before, limit, component: component.clone() });
        let (is, kind) = (is.clone(), kind.clone());
        let found = api.journal.read(move |journal| journal.actions(&page, (is.as_deref(), kind.as_deref())));
        Ok(cut(found.await?, limit, |action| action.seq))
    }

    /// The checks, by the components' names.
    fn checks(&self, known: &Published) -> Part<HealthCheck, String> {
        let mut found = checks(known);
        found.retain(|check| {
            self.component.as_ref().is_none_or(|component| check.component == *component)
                && self.status.as_deref().is_none_or(|status| check.status.word() == status)
                && self.after.as_ref().is_none_or(|after| check.component > *after)
        });
        cut(found, self.limit.unwrap_or(usize::MAX), |check| check.component.clone())
    }

    fn rules(&self, known: &Published) -> Vec<RuleLine> {
        let mut found = lines(known);
        found.retain(|line| self.component.as_ref().is_none_or(|component| line.component == *component));
        found
    }
}

/// The first so many; the next part begins behind the last of them, where there are more.
fn cut<T, N>(mut items: Vec<T>, limit: usize, name: impl Fn(&T) -> N) -> Part<T, N> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(name);
    (items, next)
}
