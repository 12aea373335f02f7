//! `grace audit tail` and `grace audit query`

use std::time::Duration;

use crate::cli::terminal::columns::{columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::model::Time;
use crate::record::{Clock, Entry, Reader, Search};

/// Who follows looks this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// And reads so many at a time.
const BATCH: usize = 500;

/// A body is shown so far; `--output json` shows all of it.
const SHOWN: usize = 160;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grace audit tail --follow --output json | jq .body")]
pub(super) struct Tail {
    /// How many
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    lines: usize,
    /// Show what comes, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Ticks as well
    #[arg(long)]
    ticks: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Newest first. Kinds are those of the entries: `intent`, `end`, `mode_changed`, `approved`, `refused`, ...\n\n\
                  Examples:\n  grace audit query --actor uid:1000 --since 2days\n  \
                  grace audit query --kind mode_changed --limit 5 --output json\n  \
                  grace audit query --component web --until 2026-11-25T12:00:00Z"
)]
pub(super) struct Query {
    /// Only records of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only those about this component
    #[arg(long)]
    component: Option<String>,
    /// Only those by this actor: `uid:1000`, `token:deploy`
    #[arg(long)]
    actor: Option<String>,
    /// Written in the last so long, or since this time (RFC 3339)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Written so long ago or earlier, or until this time
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// How many
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    limit: usize,
    /// Ticks as well
    #[arg(long)]
    ticks: bool,
}

pub(super) fn query(args: &Query, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let search = Search {
        before: None,
        kind: args.kind.clone(),
        component: args.component.clone(),
        actor: args.actor.clone(),
        since: args.since.as_deref().map(when).transpose()?,
        until: args.until.as_deref().map(when).transpose()?,
        ticks: args.ticks,
        limit: args.limit,
    };
    let found = Reader::open(&shared.data)?.search(&search)?;
    show(&found, out.streaming())?;
    if found.is_empty() && !out.is_json() {
        out.talk("no entry is such");
    }
    Ok(Exit::Clean)
}

/// A time, or so long before now.
fn when(text: &str) -> Result<Time, Failure> {
    if let Some(span) = crate::config::duration(text) {
        return Ok(Time(Clock::start(None).wall().0.saturating_sub(span.0)));
    }
    times::parse(text).ok_or_else(|| {
        Failure::Usage(format!(
            "`{text}` is no time: write `2days` for so long ago, or `2026-11-25T12:00:00Z`"
        ))
    })
}

pub(super) fn tail(args: &Tail, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let (reader, out) = (Reader::open(&shared.data)?, out.streaming());
    let search = Search { ticks: args.ticks, limit: args.lines, ..Search::default() };
    let mut seen = reader.last_seq()?;
    let mut found = reader.search(&search)?;
    found.reverse();
    show(&found, out)?;
    if !args.follow {
        return Ok(Exit::Clean);
    }
    loop {
        let fresh = reader.entries(seen, BATCH, (None, None))?;
        if fresh.is_empty() {
            std::thread::sleep(LOOK_EVERY);
            continue;
        }
        seen = fresh.last().map_or(seen, |entry| entry.seq);
        let fresh: Vec<Entry> =
            fresh.into_iter().filter(|entry| args.ticks || entry.kind != "tick").collect();
        fresh.iter().try_for_each(|entry| one(entry, out))?;
    }
}

fn show(entries: &[Entry], out: Out) -> Result<(), Failure> {
    if out.is_json() {
        return entries.iter().try_for_each(|entry| one(entry, out));
    }
    if entries.is_empty() {
        return Ok(());
    }
    let mut rows = vec![head(&["ENTRY", "WRITTEN", "KIND", "COMPONENT", "RECORD"])];
    rows.extend(entries.iter().map(|entry| {
        let component = entry.component.as_deref().unwrap_or("-");
        plain(&[&entry.seq.to_string(), &entry.at, &entry.kind, component, &body(entry)])
    }));
    columns(out, &rows).into_iter().try_for_each(|line| out.line(line))
}

/// One entry on a line of its own.
fn one(entry: &Entry, out: Out) -> Result<(), Failure> {
    if out.is_json() {
        return out.json_line(entry);
    }
    let component = entry.component.as_deref().unwrap_or("-");
    out.line(format_args!("{}  {}  {}  {component}  {}", entry.seq, entry.at, entry.kind, body(entry)))
}

/// What the record says, without its kind, as far as there is room.
fn body(entry: &Entry) -> String {
    let mut value = entry.body.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("kind");
    }
    crate::cli::terminal::text::clean(&mut value);
    let text = value.to_string();
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    match &entry.about {
        Some(about) => format!("{shown} ({})", crate::cli::terminal::text::cleaned(about)),
        None => shown,
    }
}
