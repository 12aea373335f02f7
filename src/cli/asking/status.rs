//! `grace status`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::api::shapes::{HealthCheck, RuleLine, Status};
use crate::cli::asking::approve;
use crate::cli::asking::client::{Client, asking};
use crate::cli::asking::mode::{claim_line, words};
use crate::cli::terminal::columns::{Cell, columns, head};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times::{self, both, length, relative};
use crate::figures::Figures;
use crate::model::{Reading, Span, Time, Value, Why};
use crate::record::rows::HealingAction;

/// So many healings are shown.
const HEALINGS: usize = 8;

/// Over this time is told how long each component was up.
const DAY: &str = "24h";

/// So many characters of a component's facts are shown.
const FACTS: usize = 120;

/// What clears a terminal and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all components work, 1 some are critical or unknown, 3 Grace does not run.\n\n\
                  Examples:\n  grace status\n  grace status --watch\n  \
                  grace status --output json | jq '.health_checks[] | {component, status}'"
)]
pub(in crate::cli) struct Args {
    /// Show it again every two seconds
    #[arg(long)]
    watch: bool,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let out = if args.watch { out.streaming() } else { out };
    asking(shared, out, |client, out| async move {
        loop {
            let (status, day) = ask(&client, out).await?;
            if args.watch && out.has_colour() {
                out.line(CLEAR)?;
            }
            show(out, &status, day.as_ref())?;
            if !args.watch {
                return Ok(exit(&status));
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    })
}

/// Shows how everything is, and says by the exit code whether all components work.
pub(in crate::cli) async fn tell(client: &Client, out: Out) -> Result<Exit, Failure> {
    let (status, day) = ask(client, out).await?;
    show(out, &status, day.as_ref())?;
    Ok(exit(&status))
}

async fn ask(client: &Client, out: Out) -> Result<(Status, Option<Figures>), Failure> {
    let status = client.get(&["api", "health", "status"]).await?;
    let day = if out.is_short() { None } else { day(client).await };
    Ok((status, day))
}

/// What programs read: the status, and the figures of the last day, where there are any.
#[derive(Serialize)]
struct Told<'s> {
    #[serde(flatten)]
    status: &'s Status,
    last_day: Option<&'s Figures>,
}

/// The figures of the last day. Before the first tick there are none, and a status is worth more than they are.
async fn day(client: &Client) -> Option<Figures> {
    client.get_with(&["api", "figures"], &[("since", DAY)]).await.ok()
}

fn exit(status: &Status) -> Exit {
    let well = status.unwritten.is_none() && status.health_checks.iter().all(|check| check.status.works());
    if well { Exit::Clean } else { Exit::Findings }
}

fn show(out: Out, status: &Status, day: Option<&Figures>) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(&Told { status, last_day: day });
    }
    if out.is_short() {
        let checks = &status.health_checks;
        return checks
            .iter()
            .try_for_each(|check| out.line(format_args!("{} {}", check.component, check.status)));
    }
    let now = times::parse(&status.clock.now).unwrap_or_default();
    let blocks = [
        mode(out, status, now),
        trouble(out, status, now),
        components(out, status, day, now),
        healings(out, status, now),
        approvals(out, status, now),
        vec![foot(status, now)],
    ];
    let blocks: Vec<String> =
        blocks.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    out.line(blocks.join("\n\n"))
}

/// The mode, why it is the mode, what it permits.
fn mode(out: Out, status: &Status, now: Time) -> Vec<String> {
    let reason = if status.mode_reason.is_empty() { "" } else { ": " };
    let mut lines = vec![
        format!(
            "mode {} since {}{reason}{}",
            out.paint(Look::Head, &status.system_mode),
            both(&status.mode_changed_at, now),
            status.mode_reason
        ),
        format!("  permits {}; writes: {}", words(&status.permitted), writes(status)),
    ];
    lines.extend(status.claims.iter().map(|claim| format!("  {}", claim_line(claim, now))));
    lines.extend(status.holds.iter().map(|hold| {
        let until = hold
            .until
            .as_ref()
            .map_or("until ended".into(), |until| format!("ends {}", relative(until, now)));
        format!("  {} held by {}: {}; {until}", hold.component, hold.by, hold.reason)
    }));
    lines
}

fn writes(status: &Status) -> String {
    match (status.write_gate.flows, status.write_gate.queued) {
        (false, 0) if status.writes == "allow" => "wait for the database".into(),
        (true, _) | (false, 0) => status.writes.clone(),
        (false, queued) => format!("{}, {queued} wait", status.writes),
    }
}

/// What a person should know before anything else.
fn trouble(out: Out, status: &Status, now: Time) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(why) = &status.unwritten {
        lines.push(format!("{}: {why}", out.paint(Look::Bad, "the journal cannot be written, nothing acts")));
    }
    if status.stop {
        let stop = "a file named STOP lies in the data directory: no healing";
        lines.push(out.paint(Look::Bad, stop));
    }
    if let Some(rejected) = &status.rejected {
        let head =
            format!("the files were refused at {}; the active generation stays:", both(&rejected.at, now));
        lines.push(out.paint(Look::Bad, &head));
        lines.extend(rejected.problems.iter().map(|problem| format!("  {problem}")));
    }
    for block in &status.blocks {
        let since = both(&block.since, now);
        let text = format!("{} is blocked by {} since {since}", block.component, block.by);
        lines.push(format!("{}; `grace unblock` lifts it", out.paint(Look::Odd, &text)));
    }
    if status.clock.wall_ahead_ms.abs() > 1000 {
        let ahead = status.clock.wall_ahead_ms;
        let (by, word) = (length(Span(ahead.abs())), if ahead > 0 { "ahead of" } else { "behind" });
        lines.push(format!("the wall clock was stepped: it is {by} {word} the times here"));
    }
    lines
}

/// The components, with what their rules are at.
fn components(out: Out, status: &Status, day: Option<&Figures>, now: Time) -> Vec<String> {
    let mut rows = vec![head(&["COMPONENT", "STATUS", "UP 24H", "SINCE", "CHECKED", "FACTS", "RULES"])];
    rows.extend(status.health_checks.iter().map(|check| component(out, (status, day), check, now)));
    columns(out, &rows)
}

fn component(
    out: Out,
    (status, day): (&Status, Option<&Figures>),
    check: &HealthCheck,
    now: Time,
) -> Vec<Cell> {
    let own = day.and_then(|day| day.components.iter().find(|one| one.component == check.component));
    let uptime = own.and_then(|own| own.measures.uptime_percent);
    let failures = if check.failures > 0 { format!(" x{}", check.failures) } else { String::new() };
    let since = check.since.as_ref().map_or("-".into(), |since| both(since, now));
    let checked = check.checked_at.as_ref().map_or("never".into(), |at| relative(at, now));
    let speaking =
        status.rules.iter().filter(|line| line.component == check.component && line.at != Why::Inactive);
    let shadow = |line: &RuleLine| if line.shadow { " (shadow)" } else { "" };
    let rules: Vec<String> =
        speaking.map(|line| format!("{}{}: {}", line.rule, shadow(line), line.says)).collect();
    vec![
        (Look::Plain, check.component.clone()),
        (Look::of(check.status), format!("{}{failures}", check.status)),
        (Look::Plain, uptime.map_or_else(|| "-".into(), |uptime| uptime.to_string())),
        (Look::Plain, since),
        (Look::Dim, checked),
        (Look::Dim, facts(check, out.is_terminal())),
        (Look::Plain, rules.join("; ")),
    ]
}

/// The facts that are known, probe by probe; without the probe's name where there is one probe, because then it
/// says nothing. What a probe could not do comes first and once. `--output json` has all of it.
fn facts(check: &HealthCheck, for_terminal: bool) -> String {
    let mut probes: BTreeMap<&str, Vec<(&str, &Reading)>> = BTreeMap::new();
    for (name, reading) in &check.facts {
        let (probe, fact) = name.split_once('.').unwrap_or(("", name));
        probes.entry(probe).or_default().push((fact, reading));
    }
    let alone = probes.len() == 1;
    let mut words = Vec::new();
    for (probe, facts) in &probes {
        let failed: BTreeSet<_> = facts.iter().filter_map(|(_, reading)| failure(reading)).collect();
        words.extend(failed.into_iter().map(|why| format!("{probe} failed ({why})")));
    }
    for (probe, facts) in &probes {
        let prefix = if alone { String::new() } else { format!("{probe}.") };
        words.extend(facts.iter().filter_map(|(fact, reading)| {
            let Reading::Value(value) = reading else { return None };
            Some(format!("{prefix}{fact}={}", word(value)))
        }));
    }
    let line = words.join(" ");
    match line.char_indices().nth(FACTS).filter(|_| for_terminal) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Float(number) => format!("{number:.1}"),
        value => value.to_string(),
    }
}

fn failure(reading: &Reading) -> Option<&str> {
    match reading {
        Reading::Failed { failed } => Some(failed),
        Reading::Value(_) | Reading::Missing => None,
    }
}

/// The newest tries.
fn healings(out: Out, status: &Status, now: Time) -> Vec<String> {
    if status.healing_actions.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![head(&["HEALING", "COMPONENT", "ACTION", "RESULT", "BY", "DETAIL"])];
    rows.extend(status.healing_actions.iter().take(HEALINGS).map(|action| healing(action, now)));
    columns(out, &rows)
}

fn healing(action: &HealingAction, now: Time) -> Vec<Cell> {
    let (look, result) = match (action.result.as_deref(), action.outcome.as_deref()) {
        (None, _) => (Look::Odd, "running".to_owned()),
        (Some("success"), outcome) => (Look::Good, format!("success, {}", outcome.unwrap_or("healed"))),
        (Some(result), outcome) => (Look::Bad, format!("{result}, {}", outcome.unwrap_or("unknown"))),
    };
    let by = action.rule.as_ref().map(|rule| format!("rule {rule}"));
    let by = by.or_else(|| action.actor.clone()).unwrap_or_else(|| action.by.clone());
    let attempt = if action.attempt > 1 { format!("try {}: ", action.attempt) } else { String::new() };
    let detail = action.detail.as_deref().filter(|detail| !detail.is_empty()).unwrap_or(&action.reason);
    vec![
        (Look::Plain, both(&action.at, now)),
        (Look::Plain, action.component.clone()),
        (Look::Plain, action.action.clone()),
        (look, result),
        (Look::Plain, by),
        (Look::Dim, format!("{attempt}{detail}")),
    ]
}

fn approvals(out: Out, status: &Status, now: Time) -> Vec<String> {
    if status.approvals.is_empty() { Vec::new() } else { approve::lines(out, &status.approvals, now) }
}

/// Which Grace this is, and who listens to her.
fn foot(status: &Status, now: Time) -> String {
    let followers =
        status.subscribers.iter().map(|one| format!("{} ({}; lag {})", one.name, one.pattern, one.lag));
    let up = times::parse(&status.started_at).map_or_else(|| "?".into(), |started| length(now - started));
    let generation: String = status.generation.chars().take(12).collect();
    let overruns =
        if status.overruns > 0 { format!(", {} ticks missed", status.overruns) } else { String::new() };
    format!(
        "grace {} up {up}, tick {} every {}{overruns}, generation {generation}\nsubscribers: {}",
        status.version,
        status.tick,
        status.interval_ms,
        followers.collect::<Vec<_>>().join(", ")
    )
}
