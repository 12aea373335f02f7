//! `grace hold`, `grace silence`, `grace unblock` and `grace do`

use serde::Serialize;

use crate::api::shapes::{HoldLine, Holding, Lifting, Reply};
use crate::cli::asking::answer::{post, tell};
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::terminal::columns::{columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::cli::terminal::times::duration;
use crate::record::Clock;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A hold stops every restart and scaling, a person's too. It ends by itself after an hour, or after \
                  `--for`.\n\n\
                  Examples:\n  grace hold                                     list holds\n  \
                  grace hold database --reason 'moving disks' --for 2h\n  \
                  grace hold all --reason 'game day' --for ever\n  grace hold database --end\n  \
                  grace hold all --reason 'game day' --dry-run"
)]
pub(in crate::cli) struct Args {
    /// Which component, or `all`
    component: Option<String>,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
    /// For how long, such as `2h`, or `ever`
    #[arg(long = "for", value_name = "DURATION", value_parser = length, conflicts_with = "end")]
    lasts: Option<String>,
    /// End it
    #[arg(long)]
    end: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace unblock task_executor --reason 'it was a bad deploy'\n  \
                  grace unblock task_executor --dry-run")]
pub(in crate::cli) struct UnblockArgs {
    /// Which component
    component: String,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct Ending {
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "While something is silenced nobody is notified about it; everything else goes on. A silence ends by itself \
                  after an hour, or after `--for`; what still fires or waits then is told then.\n\n\
                  Examples:\n  grace silence                                  list silences\n  \
                  grace silence database --reason 'known, being mended' --for 2h\n  \
                  grace silence all --reason 'game day'\n  grace silence database --end --dry-run"
)]
pub(in crate::cli) struct SilenceArgs {
    #[command(flatten)]
    args: Args,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Does by hand what the rule would do when it fires, all of it or nothing: also where one of several acts has to \
                  be approved first, which is asked for alone. It meets the policies as your act, obeys modes and holds, and \
                  spends no budget.\n\n\
                  Examples:\n  grace do restart/task_executor --reason 'it looks odd'\n  \
                  grace do restart/task_executor --dry-run"
)]
pub(in crate::cli) struct DoArgs {
    /// Which rule of which component: `rule/component`
    rule: String,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

pub(in crate::cli) fn by_hand(args: &DoArgs, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let Some((rule, component)) = args.rule.split_once('/') else {
        return Err(Failure::Usage("name the rule with its component: `grace do restart/web`".into()));
    };
    let body = Lifting { reason: args.reason.clone() };
    post(&args.how, (shared, out), &["api", "rules", rule, component, "run"], &body)
}

pub(in crate::cli) fn silence(args: SilenceArgs, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    ask(&SILENCE, args.args, shared, out)
}

fn length(text: &str) -> Result<String, String> {
    if text == "ever" { Ok(text.into()) } else { duration(text).map_err(|help| help + ", or `ever`") }
}

/// What a hold and a silence have in common, and what tells them apart.
struct Stop {
    path: &'static str,
    /// What it is called in sentences.
    verb: &'static str,
    head: &'static str,
    none: &'static str,
}

const HOLD: Stop = Stop { path: "holds", verb: "hold", head: "HELD", none: "nothing is held" };
const SILENCE: Stop =
    Stop { path: "silences", verb: "silence", head: "SILENCED", none: "nothing is silenced" };

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    ask(&HOLD, args, shared, out)
}

fn ask(stop: &Stop, args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let (component, reason, how) = (args.component, args.reason, args.how);
    if args.end {
        let component = component.unwrap_or_else(|| "all".into());
        let path = stop.path;
        let reply = asking(shared, out, |client, _| async move {
            client.asking(&how).delete::<Reply>(&["api", path, &component], &Ending { reason }).await
        })?;
        return tell(out, &reply);
    }
    match (component, reason) {
        (None, None) => {
            how.tries_nothing("name a component, or `all`")?;
            list(stop, shared, out)
        }
        (Some(component), Some(reason)) => {
            let body = Holding { component: Some(component), reason, lasts: args.lasts };
            post(&how, (shared, out), &["api", stop.path], &body)
        }
        (None, Some(_)) => Err(Failure::Usage(format!("say what to {}: a component, or `all`", stop.verb))),
        (Some(_), None) => Err(Failure::Usage("say why with `--reason`; the journal keeps it".into())),
    }
}

pub(in crate::cli) fn unblock(args: UnblockArgs, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    post(
        &args.how,
        (shared, out),
        &["api", "blocks", &args.component, "lift"],
        &Lifting { reason: args.reason },
    )
}

fn list(stop: &Stop, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", stop.path];
    let holds = asking(shared, out, |client, _| async move { client.get::<Vec<HoldLine>>(path).await })?;
    if out.is_json() {
        out.json(&holds)?;
        return Ok(Exit::Clean);
    }
    if holds.is_empty() {
        out.line(stop.none)?;
        return Ok(Exit::Clean);
    }
    let now = Clock::start(None).now();
    let mut rows = vec![head(&[stop.head, "BY", "SINCE", "ENDS", "REASON"])];
    rows.extend(holds.iter().map(|hold| {
        let until = hold.until.as_ref().map_or("never".into(), |until| times::relative(until, now));
        plain(&[&hold.component, &hold.by, &times::both(&hold.since, now), &until, &hold.reason])
    }));
    for line in columns(out, &rows) {
        out.line(line)?;
    }
    Ok(Exit::Clean)
}
