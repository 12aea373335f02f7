//! `grace report`
//!
//! A report is a page of blocks (`page`), which `figures` or `incident` fills, and which `html` and `markdown` write as
//! well.

mod figures;
mod html;
mod incident;
mod markdown;
mod page;

use std::path::PathBuf;

use crate::cli::rehearsing::confine::confined;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Out, Output};
use crate::cli::terminal::outputs::{self, write_files, write_stdout};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::model::Time;
use crate::record::{Reader, Since, figures_of};
use crate::replay::incident::aftermath;

use page::Page;

/// What it writes.
pub(in crate::cli) const CAN: [Output; 4] = [Output::Human, Output::Short, Output::Json, Output::Markdown];

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works whether Grace runs or not, on the journal in the data directory or on exported entries, and changes \
                  nothing. All times are Grace's own, which a stepped wall clock does not move; the README says what the \
                  figures mean.\n\n\
                  Examples:\n  grace report\n  grace report --since 24h --component database\n  \
                  grace report --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z --html > november.html\n  \
                  grace report --incident 12 --output markdown\n  \
                  grace report --output human --output markdown=report.md\n  \
                  grace audit export --entries --to entries.jsonl && grace report --export entries.jsonl"
)]
pub(in crate::cli) struct Args {
    /// The last so long (`24h`, `30d`), or from a time on (RFC 3339)
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: Since,
    /// Up to a time (RFC 3339) instead of the last tick
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Time>,
    /// Only this component
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// Exported entries (`grace audit export --entries`) instead of the journal; their chain is checked on the way
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Instead of figures, what happened in this incident (`grace events` shows their numbers)
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["since", "until", "component", "export"])]
    incident: Option<u64>,
    /// Write one HTML page to stdout, with everything in it that it needs
    #[arg(long)]
    html: bool,
}

fn time(text: &str) -> Result<Time, String> {
    times::parse(text).ok_or_else(|| "write a time such as `2026-11-23T14:00:00Z`".into())
}

/// A report: its page, the same for programs, and on a line or two.
struct Report {
    page: Page,
    json: serde_json::Value,
    short: String,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    // Files are written afterwards: who reads what was cannot touch what is.
    let report = confined(|| found(args, shared))?;
    let text = |form| match form {
        Output::Json => {
            serde_json::to_string_pretty(&report.json).map_err(|error| Failure::Answer(error.to_string()))
        }
        Output::Markdown => Ok(markdown::text(&report.page)),
        Output::Short => Ok(report.short.clone()),
        _ => Ok(report.page.human(out.plain())),
    };
    write_files(&shared.output, text)?;
    let stdout = match outputs::on_stdout(&shared.output, &CAN)? {
        _ if args.html => html::text(&report.page)?,
        None => return Ok(Exit::Clean),
        Some(Output::Human) => report.page.human(out),
        Some(form) => text(form)?,
    };
    write_stdout(out, &stdout)?;
    Ok(Exit::Clean)
}

fn found(args: &Args, shared: &Shared) -> Result<Report, Failure> {
    if let Some(number) = args.incident {
        let told = aftermath(Reader::open(&shared.data)?, number)?;
        let (page, short) = (incident::page(&told), incident::short(&told));
        return Ok(Report { page, json: json(&told)?, short });
    }
    let (since, only) = (Some(args.since), args.component.as_deref());
    let told = match &args.export {
        Some(path) => figures_of(path, since, args.until, only)?,
        None => Reader::open(&shared.data)?.figures(since, args.until, only)?,
    };
    Ok(Report { page: figures::page(&told), json: json(&told)?, short: figures::short(&told) })
}

fn json(told: &impl serde::Serialize) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(told).map_err(|error| Failure::Answer(error.to_string()))
}
