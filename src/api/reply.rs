//! Asking the supervisor, and telling what became of it once that is known.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::problem::{Problem, code};
use crate::api::shapes::{Reply, Word};
use crate::model::{ActId, Answer, ApprovalId, Asked, Gate, Request};
use crate::record::rows::HealingAction;

/// Among so many of the newest tries one that has just begun is found.
const AMONG: usize = 64;

impl Api {
    /// Asks in somebody's name, and answers once the step that decided is durable. An act that was started is
    /// waited for.
    pub(super) async fn ask(
        &self,
        caller: Caller,
        reason: String,
        request: Request,
    ) -> Result<Response, Problem> {
        match self.answer(&caller, reason, request).await? {
            Answer::Done { says } => {
                let reply = Reply { dry_run: caller.dry_run, ..Reply::new(Word::Success, says) };
                Ok(said(StatusCode::OK, &reply))
            }
            Answer::Started { act, besides } if caller.dry_run => {
                let detail = format!("act {act} would begin now{}", after(&besides));
                Ok(said(StatusCode::OK, &Reply { dry_run: true, ..Reply::new(Word::Success, detail) }))
            }
            Answer::Started { act, besides } => Ok(self.end_of(act, caller.wait, &after(&besides)).await),
            Answer::Waiting { approval, gate } => Ok(waiting(approval, &gate, caller.dry_run)),
            Answer::Refused { verdict, gate } => Err(Problem::refused(verdict, &gate)),
            Answer::InParts { verdict, says } => Err(Problem::withheld(verdict, says)),
            Answer::Stale { says } => Err(stale(says)),
            Answer::Unknown { says } => Err(Problem::not_found(says)),
        }
    }

    /// What becomes of a request; of a dry run what would.
    pub(super) async fn answer(
        &self,
        caller: &Caller,
        reason: String,
        request: Request,
    ) -> Result<Answer, Problem> {
        let asked = Asked { shown: caller.shown.clone(), ..Asked::by(caller.actor.clone(), reason, request) };
        if !caller.dry_run {
            return Ok(self.handle.ask(asked).await?);
        }
        let nothing = || Problem::unavailable(code::STOPPING, "Grace is stopping");
        self.handle.would(asked).ok_or_else(nothing)
    }

    /// Waits until the act has ended, and tells how.
    async fn end_of(&self, act: ActId, wait: Duration, besides: &str) -> Response {
        let mut closing = self.closing.clone();
        let ended = tokio::select! {
            ended = tokio::time::timeout(wait, self.ended(act)) => ended.ok().flatten(),
            _ = closing.wait_for(|closing| *closing) => None,
        };
        let Some(action) = ended else {
            let mut reply = Reply::new(Word::Running, format!("act {act} has begun and still runs{besides}"));
            reply.act = Some(act.0);
            return elsewhere(said(StatusCode::ACCEPTED, &reply), &format!("/api/actions/{act}"));
        };
        let mut reply = told(act, action);
        reply.detail.push_str(besides);
        said(StatusCode::OK, &reply)
    }

    /// The act's row, once it has an end. None when Grace ends before it.
    async fn ended(&self, act: ActId) -> Option<HealingAction> {
        let mut steps = self.handle.watch();
        loop {
            steps.borrow_and_update();
            let row = self.journal.read(|journal| journal.healing_actions(AMONG)).await;
            let row = row.ok().and_then(|rows| rows.into_iter().find(|row| row.act == act.0));
            if let Some(row) = row.filter(|row| row.result.is_some()) {
                return Some(row);
            }
            steps.changed().await.ok()?;
        }
    }

    /// Is this kind of thing declared? Else what there is instead.
    pub(super) fn known_component(&self, id: &str) -> Result<(), Problem> {
        let published = self.handle.published();
        let components = &published.bundle.components;
        if components.contains_key(id) {
            return Ok(());
        }
        let help = crate::say::suggest(id, components.keys().map(crate::model::ComponentId::as_str));
        Err(Problem::not_found(format!("there is no component `{id}`; {help}")))
    }
}

/// What was read has changed meanwhile.
pub(super) fn stale(says: String) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, code::STALE, says)
}

/// What was done besides the act.
fn after(besides: &str) -> String {
    if besides.is_empty() { String::new() } else { format!("; besides, {besides}") }
}

/// Somebody has to approve it first, of a dry run would have to.
fn waiting(approval: ApprovalId, gate: &Gate, dry_run: bool) -> Response {
    let mut reply = Reply { dry_run, ..Reply::new(Word::WaitingForApproval, gate.to_string()) };
    if dry_run {
        return said(StatusCode::OK, &reply);
    }
    reply.approval = Some(approval.0);
    elsewhere(said(StatusCode::ACCEPTED, &reply), &format!("/api/approvals/{approval}"))
}

/// The same, with the place where it goes on.
pub(super) fn elsewhere(mut response: Response, place: &str) -> Response {
    response.headers_mut().extend(HeaderValue::from_str(place).ok().map(|place| (header::LOCATION, place)));
    response
}

fn told(act: ActId, action: HealingAction) -> Reply {
    let result = if action.result.as_deref() == Some("success") { Word::Success } else { Word::Failed };
    let outcome = action.outcome.clone();
    let detail = format!(
        "{} of {}: {}{}",
        action.action,
        action.component,
        outcome.as_deref().unwrap_or("ended"),
        action
            .detail
            .as_deref()
            .filter(|detail| !detail.is_empty())
            .map(|d| format!(" ({d})"))
            .unwrap_or_default(),
    );
    Reply { outcome, act: Some(act.0), action: Some(action), ..Reply::new(result, detail) }
}

pub(super) fn said(status: StatusCode, reply: &Reply) -> Response {
    (status, Json(reply)).into_response()
}
