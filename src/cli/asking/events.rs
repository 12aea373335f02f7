//! `grace events`

use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;

use crate::api::events_page;
use crate::cli::asking::client::Client;
use crate::cli::asking::client::wait;
use crate::cli::asking::sse::Parser;
use crate::cli::asking::tell;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::text::clean;
use crate::components::Pattern;
use crate::record::{Event, Reader};

/// So many events are asked for at a time.
const PAGE: usize = 500;

/// The pause before coming back to a Grace that went away.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without `--follow` this also works while Grace does not run, from the journal's file. With \
                  `--output json`\nevery line is one CloudEvent.\n\n\
                  Examples:\n  grace events --pattern 'health.*,security.*'\n  grace events --follow\n  \
                  grace events --after 120 --output json | jq .type"
)]
pub(in crate::cli) struct Args {
    /// Stay, and show events as they come; begins with new ones where `--after` is not given
    #[arg(long, short)]
    follow: bool,
    /// Only events behind this number
    #[arg(long, value_name = "SEQ", allow_negative_numbers = false)]
    after: Option<i64>,
    /// Only events of these types: `health.*`, `health.mode_changed`, several behind commas
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    pattern: String,
}

#[derive(Debug, Serialize)]
struct Query<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
    pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    if let Some(complaint) = Pattern::complaint(&args.pattern) {
        return Err(Failure::Usage(complaint));
    }
    let out = out.streaming();
    wait(async {
        let client = Client::new(shared)?;
        if args.follow {
            return follow(&client, args, out).await;
        }
        match list(&client, args, out).await {
            Err(Failure::Unreachable { .. }) => from_file(args, shared, out),
            listed => listed,
        }
    })
}

async fn list(client: &Client, args: &Args, out: Out) -> Result<Exit, Failure> {
    let mut after = args.after.unwrap_or(0);
    loop {
        let query = Query { after: Some(after), pattern: &args.pattern, limit: Some(PAGE) };
        let events: Vec<Event> = client.get_with(&["api", "events"], &query).await?;
        events.iter().try_for_each(|event| show(out, event))?;
        match events.last() {
            Some(last) if events.len() == PAGE => after = last.seq(),
            _ => return Ok(Exit::Clean),
        }
    }
}

/// Grace does not run: her journal is still there.
fn from_file(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let journal = Reader::open(&shared.data)?;
    let pattern = Pattern::new(&args.pattern);
    let mut after = args.after.unwrap_or(0);
    loop {
        let (events, seen) = events_page(&journal, after, &pattern, PAGE)?;
        for event in &events {
            let mut value =
                serde_json::to_value(event).map_err(|error| Failure::Answer(error.to_string()))?;
            show_value(out, &mut value)?;
        }
        if events.len() < PAGE {
            return Ok(Exit::Clean);
        }
        after = seen;
    }
}

/// Follows, and comes back when Grace was away. The first time she has to be there.
async fn follow(client: &Client, args: &Args, out: Out) -> Result<Exit, Failure> {
    let mut after = args.after;
    let mut met = false;
    loop {
        match follow_once(client, args, &mut after, out).await {
            Err(Failure::Unreachable { .. } | Failure::TimedOut) if met => {}
            Err(failure) => return Err(failure),
            Ok(()) => out.talk("Grace went away; waiting for her"),
        }
        met = true;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow_once(client: &Client, args: &Args, after: &mut Option<i64>, out: Out) -> Result<(), Failure> {
    let query = Query { after: None, pattern: &args.pattern, limit: None };
    let response = client.stream(&["api", "events"], &query, *after).await?;
    let mut pieces = response.bytes_stream();
    let mut parser = Parser::default();
    while let Some(Ok(piece)) = pieces.next().await {
        let Ok(events) = parser.take(&piece) else { return Err(strange("an event that does not end")) };
        for event in events {
            *after = event.id.or(*after);
            if event.kind == "reset" {
                let at = event.id.unwrap_or_default();
                out.talk(format_args!(
                    "the journal ends at entry {at}: it is another one; going on from there"
                ));
            } else if !event.data.is_empty() {
                let value = serde_json::from_str(&event.data);
                show_value(out, &mut value.map_err(|error| strange(&error.to_string()))?)?;
            }
        }
    }
    Ok(())
}

fn strange(why: &str) -> Failure {
    Failure::Answer(why.to_owned())
}

/// Shows an event whose texts nobody has looked at yet.
fn show_value(out: Out, value: &mut Value) -> Result<(), Failure> {
    if !out.is_json() {
        clean(value);
    }
    let event: Event = serde_json::from_value(value.take()).map_err(|error| strange(&error.to_string()))?;
    show(out, &event)
}

fn show(out: Out, event: &Event) -> Result<(), Failure> {
    if out.is_json() { out.json_line(event) } else { out.line(tell::line(event)) }
}
