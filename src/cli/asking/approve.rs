//! `grace approve` and `grace deny`

use crate::api::shapes::{ApprovalLine, ApprovalShown, Approving, Status};
use crate::cli::asking::answer::post;
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::asking::pending;
use crate::cli::terminal::columns::{columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::model::{Time, act_of};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Who asked for something cannot approve it. `--break-glass` lets a lone person do so, loudly.\n\n\
                  Examples:\n  grace approve --list\n  grace approve 3\n  grace approve 3 --reason 'agreed on the phone'\n  \
                  grace approve 3 --reason 'nobody else is awake' --break-glass\n  grace approve 3 --reason 'agreed' --dry-run"
)]
pub(in crate::cli) struct Args {
    /// The number of what waits
    #[arg(required_unless_present = "list")]
    id: Option<u64>,
    /// Why; the journal keeps it. Without it the request is only shown
    #[arg(long)]
    reason: Option<String>,
    /// Approve what you asked for yourself
    #[arg(long, requires = "reason")]
    break_glass: bool,
    /// Only if it still is this act, as it was shown
    #[arg(long, requires = "reason", value_name = "HASH")]
    act_hash: Option<String>,
    /// List what waits for approval
    #[arg(long, conflicts_with_all = ["id", "reason", "break_glass", "act_hash"])]
    list: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace deny 3 --reason 'not during business hours'\n  \
                  grace deny 3 --reason 'not now' --dry-run")]
pub(in crate::cli) struct DenyArgs {
    /// The number of what waits
    id: u64,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    how: How,
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let Some(id) = args.id else {
        args.how.tries_nothing("name what you would approve")?;
        return list(shared, out);
    };
    let Some(reason) = args.reason else {
        args.how.tries_nothing("say why with `--reason`")?;
        return show(id, shared, out);
    };
    let body = Approving { reason, break_glass: args.break_glass, act_hash: args.act_hash };
    post(&args.how, (shared, out), &["api", "approvals", &id.to_string(), "approve"], &body)
}

pub(in crate::cli) fn deny(args: DenyArgs, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let body = Approving { reason: args.reason, break_glass: false, act_hash: None };
    post(&args.how, (shared, out), &["api", "approvals", &args.id.to_string(), "deny"], &body)
}

fn list(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "health", "status"];
    let status = asking(shared, out, |client, _| async move { client.get::<Status>(path).await })?;
    if out.is_json() {
        out.json(&status.approvals)?;
        return Ok(Exit::Clean);
    }
    let now = times::parse(&status.clock.now).unwrap_or_default();
    if status.approvals.is_empty() {
        out.line("nothing waits for approval")?;
        return Ok(Exit::Clean);
    }
    for line in lines(out, &status.approvals, now) {
        out.line(line)?;
    }
    for line in status.approvals.iter().flat_map(|line| pending::lines(line, now)) {
        out.line(line)?;
    }
    Ok(Exit::Clean)
}

/// Shows one, whether or not it still waits.
fn show(id: u64, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "approvals", &id.to_string()];
    let shown = asking(shared, out, |client, _| async move { client.get::<ApprovalShown>(path).await })?;
    if out.is_json() {
        out.json(&shown)?;
        return Ok(Exit::Clean);
    }
    let path = &["api", "health", "status"];
    let status = asking(shared, out, |client, _| async move { client.get::<Status>(path).await })?;
    let now = times::parse(&status.clock.now).unwrap_or_default();
    let lines = match &shown.waiting {
        Some(line) => pending::lines(line, now),
        None => vec![pending::over(&shown.recorded, now)],
    };
    lines.into_iter().try_for_each(|line| out.line(line))?;
    Ok(Exit::Clean)
}

/// What waits, as a table.
pub(super) fn lines(out: Out, approvals: &[ApprovalLine], now: Time) -> Vec<String> {
    let mut rows = vec![head(&["APPROVAL", "WHAT", "ASKED BY", "EXPIRES", "GIVEN", "REASON"])];
    rows.extend(approvals.iter().map(|line| {
        let what = act_of(&line.action, line.component.as_deref());
        let given = format!("{} of {}", line.given.len(), line.needs);
        let expires = times::relative(&line.expires, now);
        plain(&[&line.approval.to_string(), &what, &line.asked_by, &expires, &given, &line.reason])
    }));
    columns(out, &rows)
}
