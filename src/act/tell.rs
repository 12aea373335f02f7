//! Telling: a text for a receiver, as a line of the log, as a signed POST, or on a program's standard input.

use std::time::SystemTime;

use serde::Serialize;

use crate::act::{Hands, Steps, stop, webhook};
use crate::model::{
    Act, ActId, ApprovalId, ComponentId, Effect, Launch, Proposal, Receiver, ReceiverId, Span,
};
use crate::services::{self, Ran};

/// So much of what a command says is kept.
const TOLD: usize = 300;

pub(super) async fn run(
    hands: &Hands,
    (act, proposal): (ActId, &Proposal),
    to: &ReceiverId,
    steps: &mut Steps,
) -> Effect {
    let letter = Letter::of(act, proposal, to);
    match hands.receivers.get(to) {
        Some(Receiver::Webhook(hook)) => webhook::run(hands, hook, &letter.body(), steps).await,
        other => {
            if let Some(withheld) = stop::withholds(hands, "send").await {
                return withheld;
            }
            steps.begin("send");
            let told = match other {
                Some(Receiver::Command { launch, within }) => command(launch, *within, &letter).await,
                Some(_) => {
                    let text = letter.data.text;
                    tracing::warn!(target: "grace::notify", receiver = to.as_str(), text, "notification");
                    Ok("written to the log".to_owned())
                }
                None => Err(format!("there is no receiver called {to}")),
            };
            let (Ok(said) | Err(said)) = &told;
            steps.end(told.is_ok(), said);
            told.map_or_else(|why| Effect::Failed { why }, |_| Effect::Done)
        }
    }
}

async fn command(launch: &Launch, within: Span, letter: &Letter<'_>) -> Result<String, String> {
    let component = letter.data.component;
    let ran = services::tell(component, launch, letter.body() + "\n", within.to_std()).await?;
    let said = said(&ran);
    match ran.code {
        Some(0) => Ok(format!("exit code 0{said}")),
        Some(code) => Err(format!("exit code {code}{said}")),
        None => Err(format!("did not end within {within}{said}")),
    }
}

/// The first it said and complained of; secrets are hidden in it.
fn said(ran: &Ran) -> String {
    let said = [&ran.output, &ran.errors].map(|text| text.trim()).join(" ");
    let said: String = said.trim().chars().take(TOLD).collect();
    if said.is_empty() { said } else { format!(": {said}") }
}

/// What a receiver outside is told, in the shape of Standard Webhooks.
#[derive(Serialize)]
struct Letter<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    /// The act in the journal.
    act: ActId,
    receiver: &'a ReceiverId,
    text: &'a str,
    component: Option<&'a ComponentId>,
    by: String,
    reason: &'a str,
    /// The request for approval that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalId>,
}

impl<'a> Letter<'a> {
    fn of(act: ActId, proposal: &'a Proposal, receiver: &'a ReceiverId) -> Self {
        let (text, approval) = match &proposal.act {
            Act::Notify { text, approval, .. } => (text.as_str(), *approval),
            _ => ("", None),
        };
        Self {
            kind: if approval.is_some() { "grace.approval" } else { "grace.notification" },
            timestamp: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            data: Data {
                act,
                receiver,
                text,
                component: proposal.component.as_ref(),
                by: proposal.by.to_string(),
                reason: &proposal.reason,
                approval,
            },
        }
    }

    fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
