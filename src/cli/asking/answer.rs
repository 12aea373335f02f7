//! Tells what became of a request, and how the verb ends.

use serde::Serialize;

use crate::api::shapes::{Reply, Word};
use crate::cli::asking::client::asking;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;

/// Posts a request and tells what became of it.
pub(in crate::cli) fn post(
    shared: &Shared,
    out: Out,
    path: &[&str],
    body: &impl Serialize,
) -> Result<Exit, Failure> {
    let reply = asking(shared, out, |client, _| async move { client.post::<Reply>(path, body).await })?;
    tell(out, &reply)
}

/// Tells what became of a request.
pub(in crate::cli) fn tell(out: Out, reply: &Reply) -> Result<Exit, Failure> {
    if out.is_json() {
        out.json(reply)?;
    } else {
        let (look, word) = match reply.result {
            Word::Success => (Look::Good, "success"),
            Word::Failed => (Look::Bad, "failed"),
            Word::Running => (Look::Odd, "running"),
            Word::WaitingForApproval => (Look::Odd, "waiting for approval"),
            Word::Deferred => (Look::Odd, "deferred"),
        };
        out.line(format_args!("{}: {}", out.paint(look, word), reply.detail))?;
    }
    if let (Word::WaitingForApproval, Some(id)) = (reply.result, reply.approval) {
        out.talk(format_args!("  help: somebody else says `grace approve {id} --reason ...`"));
    }
    Ok(match reply.result {
        Word::Success | Word::Deferred => Exit::Clean,
        Word::Failed => Exit::Findings,
        Word::Running => Exit::TimedOut,
        Word::WaitingForApproval => Exit::Waiting,
    })
}
