//! `grace audit`

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::record::Reader;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works whether Grace runs or not, on the journal in the data directory. Keep the head elsewhere: \
                  as long as a later walk passes it, nothing before it was changed.\n\n\
                  Example:\n  grace audit verify --data /var/lib/grace"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Walk along the journal's chain and name the first entry that does not hold
    Verify,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let Verb::Verify = args.verb;
    let found = Reader::open(&shared.data)?.verify()?;
    let exit = if found.is_whole() { Exit::Clean } else { Exit::Findings };
    if out.is_json() {
        out.json(&found)?;
        return Ok(exit);
    }
    match &found.broken {
        None => {
            out.line(format_args!("{}: {} entries hold", out.paint(Look::Good, "whole"), found.entries))?;
        }
        Some(broken) => {
            out.line(format_args!("{}: {broken}", out.paint(Look::Bad, "broken")))?;
            out.line(format_args!("  {} entries before it hold", found.entries))?;
        }
    }
    out.line(format_args!("  readings: {} hold, {} have expired", found.readings, found.expired))?;
    out.line(format_args!("  head: {}", found.head))?;
    Ok(exit)
}
