//! Tells what became of a request, and how the verb ends.

use serde::Serialize;

use crate::api::shapes::{Reply, Word};
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;

/// Posts a request and tells what became of it, or of a dry run what would.
pub(in crate::cli) fn post(
    how: &How,
    (shared, out): (&Shared, Out),
    path: &[&str],
    body: &impl Serialize,
) -> Result<Exit, Failure> {
    let reply =
        asking(shared, out, |client, _| async move { client.asking(how).post::<Reply>(path, body).await })?;
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
        let tried = if reply.dry_run { "dry run: " } else { "" };
        out.line(format_args!("{tried}{}: {}", out.paint(look, word), reply.detail))?;
    }
    if let (Word::WaitingForApproval, Some(id)) = (reply.result, reply.approval) {
        out.talk(format_args!("  help: somebody else says `grace approve {id} --reason ...`"));
    }
    Ok(exit_of(reply))
}

/// What a script goes by.
pub(super) fn exit_of(reply: &Reply) -> Exit {
    match reply.result {
        Word::Success | Word::Deferred => Exit::Clean,
        Word::Failed => Exit::Findings,
        Word::Running => Exit::TimedOut,
        Word::WaitingForApproval => Exit::Waiting,
    }
}
