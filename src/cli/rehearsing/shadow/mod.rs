//! `grace shadow`: a candidate generation beside the live one. It is set and ended over the socket, compared from the
//! journal, and made live by its files.

mod promote;
mod report;

use std::path::Path;

use serde::Serialize;

use crate::api::shapes::{CandidateLine, Reply, SettingCandidate, ShadowNow};
use crate::cli::asking::answer::{post, tell};
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::checking::validate;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out, Output};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::config::Folder;
use crate::record::Clock;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A candidate sees what the live rules see, and its acts are written down and never made. `report` plays the \
                  recorded history since it was set through it, and counts what was written down; `promote` says what would \
                  change in --config, and with --write puts the candidate's files there, where the running Grace takes them \
                  over as one generation.\n\n\
                  Exit codes: 0 done, or nothing differs; 1 there are differences; 2 refused or not readable; 3 Grace does \
                  not run; 4 half of a promotion lies in her folder, so that its candidate has to stay.\n\n\
                  Examples:\n  grace shadow /srv/new --reason 'restart sooner?'\n  grace shadow\n  \
                  grace shadow report --since 7d --output markdown\n  \
                  grace shadow promote --write --reason 'a week without a difference'\n  grace shadow end --dry-run\n  grace shadow end"
)]
pub(in crate::cli) struct Args {
    /// A directory with the candidate's `rules/` and `policies/`; or `end`, `report`, `promote`; without it what runs
    #[arg(value_name = "DIR|end|report|promote")]
    what: Option<String>,
    /// Why; the journal keeps it
    #[arg(long, requires = "what")]
    reason: Option<String>,
    /// For `report`: only the last so long
    #[arg(long, value_name = "DURATION", value_parser = times::duration, requires = "what")]
    since: Option<String>,
    /// For `promote`: put the candidate's files into --config
    #[arg(long, requires = "what")]
    write: bool,
    #[command(flatten)]
    how: How,
}

/// The forms of its report.
pub(in crate::cli) const CAN: [Output; 4] = super::simulate::CAN;

#[derive(Serialize)]
struct Ending {
    reason: Option<String>,
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let what = args.what.as_deref();
    let stray = match what {
        _ if args.since.is_some() && what != Some("report") => Some("--since"),
        _ if args.write && what != Some("promote") => Some("--write"),
        Some("report") if args.reason.is_some() => Some("--reason"),
        None | Some("report") if args.how.dry_run => Some("--dry-run"),
        _ => None,
    };
    if let Some(stray) = stray {
        return Err(Failure::Usage(format!("`{stray}` says nothing here; see `grace shadow --help`")));
    }
    match what {
        None => show(shared, out),
        Some("report") => report::run(args.since.as_deref(), shared, out),
        Some("promote") => promote::run(args.reason, args.write && !args.how.dry_run, shared, out),
        Some("end") => {
            let ending = Ending { reason: args.reason };
            let reply = asking(shared, out, |client, _| async move {
                client.asking(&args.how).delete::<Reply>(&["api", "shadow"], &ending).await
            })?;
            tell(out, &reply)
        }
        Some(dir) => set((dir, &args.how), args.reason, shared, out),
    }
}

fn set((dir, how): (&str, &How), reason: Option<String>, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let Some(reason) = reason else {
        return Err(Failure::Usage("say why with `--reason`; the journal keeps it".into()));
    };
    if !Path::new(dir).is_dir() {
        return Err(Failure::Usage(format!(
            "there is no folder `{dir}`, and it is none of end, report, promote"
        )));
    }
    // Only here can be seen whose files they are: what is sent are their texts. A reload would refuse them as well.
    let folder = Folder::read(Path::new(dir));
    let unfit = folder.unfit();
    let files = folder.into_files();
    if files.is_empty() {
        return Err(Failure::Usage(format!("`{dir}` holds no rules and no policies")));
    }
    if let Some(report) = unfit {
        validate::show(out, &report)?;
        return Ok(Exit::Usage);
    }
    post(how, (shared, out), &["api", "shadow"], &SettingCandidate { files, reason })
}

fn now(shared: &Shared, out: Out) -> Result<ShadowNow, Failure> {
    asking(shared, out, |client, _| async move { client.get::<ShadowNow>(&["api", "shadow"]).await })
}

fn show(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let known = now(shared, out)?;
    if out.is_json() {
        out.json(&known)?;
        return Ok(Exit::Clean);
    }
    match &known.candidate {
        Some(line) => candidate(out, line)?,
        None => out.line("no candidate runs beside the live generation")?,
    }
    if !known.rules.is_empty() {
        out.line(format_args!("rules that only tell: {}", known.rules.join(", ")))?;
    }
    Ok(Exit::Clean)
}

fn candidate(out: Out, line: &CandidateLine) -> Result<(), Failure> {
    let id: String = line.generation.chars().take(12).collect();
    let since = times::both(&line.since, Clock::start(None).now());
    let head = format!("candidate {id} runs beside the live generation since {since}");
    out.line(out.paint(Look::Head, &head))?;
    out.line(format_args!("  by {}: {}", line.by, line.reason))?;
    out.line(format_args!(
        "  it would be in {}; acts only it would have made: {}, acts only the live one made: {}",
        line.mode, line.only_candidate, line.only_live
    ))?;
    if line.counted_since != line.since {
        let counted = times::both(&line.counted_since, Clock::start(None).now());
        out.line(format_args!(
            "  counted since {counted}: Grace started, and it began anew with the live state"
        ))?;
    }
    if !line.unprobed.is_empty() {
        out.line(format_args!("  nobody probes: {}", line.unprobed.join(", ")))?;
    }
    if !line.other_probes.is_empty() {
        let all = line.other_probes.join("; ");
        out.line(format_args!("  it gets the live readings, and its own probes would read others: {all}"))?;
    }
    Ok(())
}
