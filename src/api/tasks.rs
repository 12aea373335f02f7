//! Tasks for people: what rules ask of them and what they ask of each other.

use std::time::Duration;

use axum::Json as Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::api::Api;
use crate::api::access::{Caller, owner, repeated};
use crate::api::body::{Json, Segment, plain, reason};
use crate::api::problem::{Problem, Problems, code};
use crate::api::reply::said;
use crate::api::shapes::{Assigning, Minding, NewTask, Reply, TaskLine, Tasks, Word};
use crate::components::{GateError, Receipt};
use crate::govern::{Admitted, Deed};
use crate::model::{Request, TaskDeed, TaskId, Write};

/// So many of the newest tasks of each kind are listed, and besides those that nobody closed.
const NEWEST: u16 = 200;

/// What the names of tasks begin with that people asked.
const PERSONS: char = 'p';

/// The name of whoever a task is given to has so many characters at the most.
const LONGEST_NAME: usize = 100;

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
            id: task.task.map(|id| id.to_string()),
            from: "rule".into(),
            seq: task.seq,
            at: task.at,
            text: task.text,
            component: Some(task.component),
            by: task.by,
            state: task.state,
            assigned_to: task.assigned_to,
            changed_at: task.changed_at,
            changed_by: task.changed_by,
            change_reason: task.change_reason,
        })
        .collect();
    tasks.extend(people.unwrap_or_default().into_iter().map(|task| TaskLine {
        id: Some(format!("{PERSONS}{}", task.seq)),
        from: "person".into(),
        seq: task.seq,
        at: task.at.to_string(),
        text: task.text,
        component: None,
        by: task.by,
        state: task.state,
        assigned_to: task.assigned_to,
        changed_at: task.changed_at.map(|at| at.to_string()),
        changed_by: task.changed_by,
        change_reason: task.change_reason,
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
    Caller { actor, shown, dry_run, .. }: Caller,
    headers: HeaderMap,
    Json(asked): Json<NewTask>,
) -> Result<Response, Problem> {
    let text = plain("text", &asked.text)?;
    if text.is_empty() {
        return Err(Problem::invalid("`text` is empty: say what is to be done"));
    }
    if dry_run {
        return would(&api);
    }
    // The key of a task lies beside it, and holds over restarts.
    let key = asked.key.map(|key| plain("key", &key)).transpose()?;
    let key = key.or(repeated(&headers)?.map(|key| format!("{} {key}", owner(&actor, &shown))));
    let write = Write::Task { text, by: actor.to_string(), at: api.handle.clock().wall() };
    written(&api, key, write, (StatusCode::CREATED, "the task is noted")).await
}

/// `POST /api/tasks/{id}/acknowledge`
#[utoipa::path(
    post,
    path = "/api/tasks/{id}/acknowledge",
    tag = "tasks",
    params(("id" = String, Path, description = "Which task: `12`, or `p7` for what a person asked")),
    request_body = Minding,
    responses((status = 200, description = "It is acknowledged", body = Reply), (status = 202, description = "It waits for the database", body = Reply), Problems)
)]
pub(super) async fn acknowledge(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<String>,
    Json(asked): Json<Minding>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "it was seen")?;
    change(api, caller, &id, (TaskDeed::Acknowledge, reason)).await
}

/// `POST /api/tasks/{id}/assign`
#[utoipa::path(
    post,
    path = "/api/tasks/{id}/assign",
    tag = "tasks",
    params(("id" = String, Path, description = "Which task: `12`, or `p7` for what a person asked")),
    request_body = Assigning,
    responses((status = 200, description = "It is assigned", body = Reply), (status = 202, description = "It waits for the database", body = Reply), Problems)
)]
pub(super) async fn assign(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<String>,
    Json(asked): Json<Assigning>,
) -> Result<Response, Problem> {
    let to = asked.to.trim().to_owned();
    if to.is_empty() || to.chars().count() > LONGEST_NAME || to.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("`to` names somebody, with at most {LONGEST_NAME} characters")));
    }
    let reason = reason(asked.reason, "it was given to somebody")?;
    change(api, caller, &id, (TaskDeed::Assign { to }, reason)).await
}

/// `POST /api/tasks/{id}/close`
#[utoipa::path(
    post,
    path = "/api/tasks/{id}/close",
    tag = "tasks",
    params(("id" = String, Path, description = "Which task: `12`, or `p7` for what a person asked")),
    request_body = Minding,
    responses((status = 200, description = "It is closed", body = Reply), (status = 202, description = "It waits for the database", body = Reply), Problems)
)]
pub(super) async fn close(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<String>,
    Json(asked): Json<Minding>,
) -> Result<Response, Problem> {
    change(api, caller, &id, (TaskDeed::Close, reason(asked.reason, "")?)).await
}

/// What rules ask is a matter of the engine, and what people ask one of the working database.
async fn change(
    api: Api,
    caller: Caller,
    id: &str,
    (what, reason): (TaskDeed, String),
) -> Result<Response, Problem> {
    let number =
        |text: &str| text.parse::<i64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let wrong =
        || Problem::invalid(format!("`{id}` is no task: write `12`, or `p7` for what a person asked"));
    let Some(seq) = id.strip_prefix(PERSONS) else {
        let task = TaskId(number(id).ok_or_else(wrong)?.unsigned_abs());
        return api.ask(caller, reason, Request::Task { task, what }).await;
    };
    let seq = number(seq).ok_or_else(wrong)?;
    // Where the database does not answer, it finds out later; a task that is not there is then left as it is.
    match api.handle.components().task_state(seq, DATABASE).await {
        Ok(None) => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                code::NOT_FOUND,
                format!("there is no task {id}"),
            ));
        }
        Ok(Some(state)) if state == TaskDeed::Close.done() => {
            return Err(Problem::new(StatusCode::NOT_FOUND, code::NOT_FOUND, format!("task {id} is closed")));
        }
        Ok(Some(_)) | Err(_) => {}
    }
    if caller.dry_run {
        return would(&api);
    }
    let says = format!("task {id} is {}", what.done());
    let write =
        Write::TaskChanged { seq, what, by: caller.actor.to_string(), reason, at: api.handle.clock().wall() };
    written(&api, None, write, (StatusCode::OK, &says)).await
}

/// Writes, and says what became of it.
async fn written(
    api: &Api,
    key: Option<String>,
    write: Write,
    (status, says): (StatusCode, &str),
) -> Result<Response, Problem> {
    match api.handle.components().gate().write(key, write).await {
        Ok(Receipt::Done) => Ok(said(status, &Reply::new(Word::Success, says))),
        Ok(Receipt::Deferred { seq }) => {
            let detail = format!("{says} (entry {seq}), once the database takes it");
            Ok(said(StatusCode::ACCEPTED, &Reply { seq: Some(seq), ..Reply::new(Word::Deferred, detail) }))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// What the gate would say to a write.
fn would(api: &Api) -> Result<Response, Problem> {
    let says =
        |word, detail: &str| said(StatusCode::OK, &Reply { dry_run: true, ..Reply::new(word, detail) });
    match api.handle.published().admission.may(Deed::Write, None) {
        Admitted::Deny(why) => Err(refused(&GateError::Refused { why })),
        Admitted::Allow if api.handle.components().gate().flows() => {
            Ok(says(Word::Success, "it would be noted"))
        }
        Admitted::Allow | Admitted::Later(..) => {
            Ok(says(Word::Deferred, "it would be noted, and wait for the database"))
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
