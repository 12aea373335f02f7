//! `grace mode`

use crate::api::shapes::{ClaimLine, ModeNow, Releasing, SettingMode};
use crate::cli::asking::answer::post;
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::cli::terminal::times::duration;
use crate::model::Time;
use crate::record::Clock;

#[derive(Debug, clap::Args)]
#[command(after_help = "A looser mode may need approval; then the exit code is 5.\n\n\
                  Examples:\n  grace mode\n  grace mode read_only --reason maintenance --for 2h\n  \
                  grace mode normal --reason done\n  grace mode release read_only/database --reason 'it is well'\n  \
                  grace mode normal --reason done --dry-run\n  \
                  grace mode normal --reason done --if-revision 1f0c6f2a9b3d4e57")]
pub(in crate::cli) struct Args {
    /// The mode to set, or `release`; without it the mode is shown
    mode: Option<String>,
    /// The claim to release, as `grace mode` shows it
    claim: Option<String>,
    /// Why; the journal keeps it
    #[arg(long, requires = "mode")]
    reason: Option<String>,
    /// For how long, such as `2h`; else until somebody ends it
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, requires = "mode")]
    lasts: Option<String>,
    /// Only while the mode and its claims are still of this revision, as `grace mode` shows it
    #[arg(long, value_name = "REVISION", requires = "mode")]
    if_revision: Option<String>,
    #[command(flatten)]
    how: How,
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    let how = How { revision: args.if_revision, ..args.how };
    match (args.mode.as_deref(), args.claim) {
        (None, _) => {
            how.tries_nothing("name a mode")?;
            show(shared, out)
        }
        (Some("release"), Some(_)) if args.lasts.is_some() => usage("a release has no duration"),
        (Some("release"), Some(claim)) => {
            let body = Releasing { claim, reason: args.reason };
            post(&how, (shared, out), &["api", "health", "mode", "release"], &body)
        }
        (Some("release"), None) => {
            usage("say which claim: `grace mode release CLAIM`; `grace mode` lists them")
        }
        (Some(_), Some(_)) => usage("only `release` takes a claim"),
        (Some(_), None) if args.reason.is_none() => usage("say why with `--reason`; the journal keeps it"),
        (Some(mode), None) => {
            let body = SettingMode { mode: mode.to_owned(), reason: args.reason, lasts: args.lasts };
            post(&how, (shared, out), &["api", "health", "mode"], &body)
        }
    }
}

fn show(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "health", "mode"];
    let mode = asking(shared, out, |client, _| async move { client.get::<ModeNow>(path).await })?;
    if out.is_json() {
        out.json(&mode)?;
        return Ok(Exit::Clean);
    }
    let now = Clock::start(None).now();
    out.line(format_args!(
        "{} since {}",
        out.paint(Look::Head, &mode.mode),
        times::both(&mode.changed_at, now)
    ))?;
    let by = mode.changed_by.as_deref().unwrap_or("nobody yet");
    let reason = if mode.reason.is_empty() { "the initial mode" } else { &mode.reason };
    out.line(format_args!("  by {by}: {reason}"))?;
    out.line(format_args!("  permits {}; writes: {}", words(&mode.permits), mode.writes))?;
    for claim in &mode.claims {
        out.line(format_args!("  {}", claim_line(claim, now)))?;
    }
    out.line(format_args!("  revision {}", mode.revision))?;
    Ok(Exit::Clean)
}

/// The words, or that there is none.
pub(super) fn words(permits: &[String]) -> String {
    if permits.is_empty() { "nothing".into() } else { permits.join(", ") }
}

/// One claim as a sentence.
pub(super) fn claim_line(claim: &ClaimLine, now: Time) -> String {
    let end = match (&claim.expires, claim.over, claim.ends_by_itself) {
        (Some(at), _, _) => format!("ends {}", times::relative(at, now)),
        (None, true, _) => "its condition is over, and a person has to end it".into(),
        (None, _, true) => "ends by itself".into(),
        (None, _, false) => "ends when a person ends it".into(),
    };
    let (name, mode, since) = (&claim.claim, &claim.mode, times::both(&claim.since, now));
    let by = if claim.by == *name { String::new() } else { format!(" by {}", claim.by) };
    format!("{name} claims {mode}{by} since {since}: {}; {end}", claim.reason)
}
