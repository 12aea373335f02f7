//! Tasks for people: what rules ask of them and what they ask of each other.

use std::time::Duration;

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::Json;
use crate::api::problem::{Problem, Problems, code};
use crate::api::reply::said;
use crate::api::shapes::{NewTask, Reply, TaskLine, Tasks, Word};
use crate::components::{GateError, Receipt};
use crate::govern::{Admitted, Deed};
use crate::model::Write;

/// So many of the newest tasks of each kind are listed.
const NEWEST: u16 = 200;

/// The working database may take so long, as for a ping.
const DATABASE: Duration = Duration::from_secs(2);

/// `GET /api/tasks`
#[utoipa::path(
    get,
    path = "/api/tasks",
    tag = "tasks",
    responses((status = 200, description = "Tasks for people, newest first", body = Tasks), Problems)
)]
pub(super) async fn list(State(api): State<Api>) -> Result<Body<Tasks>, Problem> {
    let rules = api.journal.read(|journal| journal.tasks(usize::from(NEWEST))).await?;
    let people = api.handle.components().tasks(u32::from(NEWEST), DATABASE).await;
    let missing = people.as_ref().err().map(|error| format!("the working database does not answer: {error}"));
    let mut tasks: Vec<TaskLine> = rules
        .into_iter()
        .map(|task| TaskLine {
            from: "rule".into(),
            seq: task.seq,
            at: task.at,
            text: task.text,
            component: Some(task.component),
            by: task.by,
        })
        .collect();
    tasks.extend(people.unwrap_or_default().into_iter().map(|task| TaskLine {
        from: "person".into(),
        seq: task.seq,
        at: task.at.to_string(),
        text: task.text,
        component: None,
        by: task.by,
    }));
    tasks.sort_by(|a, b| b.at.cmp(&a.at));
    Ok(Body(Tasks { tasks, waiting: api.handle.components().gate().queued(), missing }))
}

/// `POST /api/tasks`
#[utoipa::path(
    post,
    path = "/api/tasks",
    tag = "tasks",
    request_body = NewTask,
    responses(
        (status = 200, description = "What would become of a dry run", body = Reply),(status = 201, description = "The task is noted", body = Reply), (status = 202, description = "The task is noted, and waits for the database", body = Reply), Problems)
)]
pub(super) async fn add(
    State(api): State<Api>,
    Caller { actor, dry_run, .. }: Caller,
    Json(asked): Json<NewTask>,
) -> Result<Response, Problem> {
    let text = asked.text.trim().to_owned();
    if text.is_empty() {
        return Err(Problem::invalid("`text` is empty: say what is to be done"));
    }
    if dry_run {
        return would(&api);
    }
    let write = Write::Task { text, by: actor.to_string(), at: api.handle.clock().wall() };
    match api.handle.components().gate().write(asked.key, write).await {
        Ok(Receipt::Done) => Ok(said(StatusCode::CREATED, &Reply::new(Word::Success, "the task is noted"))),
        Ok(Receipt::Deferred { seq }) => {
            let detail = format!("the task is noted (entry {seq}) and waits for the database");
            Ok(said(StatusCode::ACCEPTED, &Reply { seq: Some(seq), ..Reply::new(Word::Deferred, detail) }))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// What the gate would say.
fn would(api: &Api) -> Result<Response, Problem> {
    let says =
        |word, detail: &str| said(StatusCode::OK, &Reply { dry_run: true, ..Reply::new(word, detail) });
    match api.handle.published().admission.may(Deed::Write, None) {
        Admitted::Deny(why) => Err(refused(&GateError::Refused { why })),
        Admitted::Allow if api.handle.components().gate().flows() => {
            Ok(says(Word::Success, "the task would be noted"))
        }
        Admitted::Allow | Admitted::Later(..) => {
            Ok(says(Word::Deferred, "the task would be noted, and wait for the database"))
        }
    }
}

fn refused(error: &GateError) -> Problem {
    let (status, code) = match error {
        GateError::Refused { .. } => (StatusCode::SERVICE_UNAVAILABLE, code::REFUSED_BY_MODE),
        GateError::Journal(_) => (StatusCode::SERVICE_UNAVAILABLE, code::JOURNAL),
        GateError::TooLong { .. } => (StatusCode::UNPROCESSABLE_ENTITY, code::INVALID),
        GateError::Busy => (StatusCode::SERVICE_UNAVAILABLE, code::BUSY),
        GateError::Closed => (StatusCode::SERVICE_UNAVAILABLE, code::STOPPING),
    };
    Problem::new(status, code, error.to_string())
}
