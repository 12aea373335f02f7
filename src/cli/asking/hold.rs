//! `grace hold` and `grace unblock`

use serde::Serialize;

use crate::api::shapes::{HoldLine, Holding, Lifting, Reply};
use crate::cli::asking::answer::{post, tell};
use crate::cli::asking::client::asking;
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
                  grace hold all --reason 'game day' --for ever\n  grace hold database --end"
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
    /// End the hold
    #[arg(long)]
    end: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grace unblock task_executor --reason 'it was a bad deploy'")]
pub(in crate::cli) struct UnblockArgs {
    /// Which component
    component: String,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Ending {
    reason: Option<String>,
}

fn length(text: &str) -> Result<String, String> {
    if text == "ever" { Ok(text.into()) } else { duration(text).map_err(|help| help + ", or `ever`") }
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let (component, reason) = (args.component, args.reason);
    if args.end {
        let component = component.unwrap_or_else(|| "all".into());
        let reply = asking(shared, out, |client, _| async move {
            client.delete::<Reply>(&["api", "holds", &component], &Ending { reason }).await
        })?;
        return tell(out, &reply);
    }
    match (component, reason) {
        (None, None) => list(shared, out),
        (Some(component), Some(reason)) => {
            let body = Holding { component: Some(component), reason, lasts: args.lasts };
            post(shared, out, &["api", "holds"], &body)
        }
        (None, Some(_)) => Err(Failure::Usage("say what to hold: a component, or `all`".into())),
        (Some(_), None) => Err(Failure::Usage("say why with `--reason`; the journal keeps it".into())),
    }
}

pub(in crate::cli) fn unblock(args: UnblockArgs, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    post(shared, out, &["api", "blocks", &args.component, "lift"], &Lifting { reason: args.reason })
}

fn list(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "holds"];
    let holds = asking(shared, out, |client, _| async move { client.get::<Vec<HoldLine>>(path).await })?;
    if out.is_json() {
        out.json(&holds)?;
        return Ok(Exit::Clean);
    }
    if holds.is_empty() {
        out.line("nothing is held")?;
        return Ok(Exit::Clean);
    }
    let now = Clock::start(None).now();
    let mut rows = vec![head(&["HELD", "BY", "SINCE", "ENDS", "REASON"])];
    rows.extend(holds.iter().map(|hold| {
        let until = hold.until.as_ref().map_or("never".into(), |until| times::relative(until, now));
        plain(&[&hold.component, &hold.by, &times::both(&hold.since, now), &until, &hold.reason])
    }));
    for line in columns(out, &rows) {
        out.line(line)?;
    }
    Ok(Exit::Clean)
}
