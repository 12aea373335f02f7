//! Asking the supervisor, and telling what became of it once that is known.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::api::Api;
use crate::api::problem::Problem;
use crate::api::shapes::{Reply, Word};
use crate::model::{ActId, Actor, Answer, Request};
use crate::record::rows::HealingAction;

/// Whoever starts an act waits so long for its end; later the answer is that it still runs.
const WAIT: Duration = Duration::from_mins(1);

/// Among so many of the newest tries one that has just begun is found.
const AMONG: usize = 64;

impl Api {
    /// Asks in somebody's name, and answers once the step that decided is durable. An act that was started is
    /// waited for.
    pub(super) async fn ask(
        &self,
        actor: Actor,
        reason: String,
        request: Request,
    ) -> Result<Response, Problem> {
        match self.handle.ask(actor, reason, request).await? {
            Answer::Done { says } => Ok(said(StatusCode::OK, &Reply::new(Word::Success, says))),
            Answer::Started { act } => Ok(self.end_of(act).await),
            Answer::Waiting { approval, gate } => {
                let mut reply = Reply::new(Word::WaitingForApproval, gate.to_string());
                reply.approval = Some(approval.0);
                Ok(said(StatusCode::ACCEPTED, &reply))
            }
            Answer::Refused { verdict, gate } => Err(Problem::refused(verdict, &gate)),
            Answer::Unknown { says } => Err(Problem::not_found(says)),
        }
    }

    /// Waits until the act has ended, and tells how.
    async fn end_of(&self, act: ActId) -> Response {
        let mut closing = self.closing.clone();
        let ended = tokio::select! {
            ended = tokio::time::timeout(WAIT, self.ended(act)) => ended.ok().flatten(),
            _ = closing.wait_for(|closing| *closing) => None,
        };
        let Some(action) = ended else {
            let mut reply = Reply::new(Word::Running, format!("act {act} has begun and still runs"));
            reply.act = Some(act.0);
            return said(StatusCode::ACCEPTED, &reply);
        };
        said(StatusCode::OK, &told(act, action))
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
