//! `grace audit`

mod export;
mod show;
mod verify;
mod whole;

pub(in crate::cli) use verify::UNSAID;

use std::path::PathBuf;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works whether Grace runs or not, on the journal in the data directory. She signs what the journal holds \
                  every 10 minutes and after every act (`checkpoints` in the data directory). Keep the checkpoints and the \
                  verifier key elsewhere: as long as they fit, nothing before them was changed, removed or put in.\n\n\
                  `export` ends with 1, and a warning, where readings, ticks or states are gone that have not expired; the file is \
                  written all the same, and says so.\n\n\
                  Examples:\n  grace audit verify --data /var/lib/grace\n  \
                  grace audit key > /mnt/elsewhere/grace.vkey\n  \
                  grace audit verify --checkpoint checkpoints --key \"$(cat grace.vkey)\"\n  \
                  grace audit export --entries --to entries.jsonl && grace audit verify --export entries.jsonl\n  \
                  grace audit query --actor uid:1000 --since 2days\n  grace audit tail --follow\n  \
                  grace audit export --since 30d --to history.jsonl"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Walk along the journal's chain and name the first entry that does not hold
    Verify(verify::Args),
    /// Write the journal as a file: what a replay needs, or the entries themselves
    Export(Export),
    /// Show the newest entries
    Tail(show::Tail),
    /// Find entries
    Query(show::Query),
    /// Print the key that checks signed checkpoints; it is public
    Key,
}

#[derive(Debug, clap::Args)]
struct Export {
    /// Only the last so long, and what leads up to it
    #[arg(long, value_name = "DURATION", value_parser = times::duration, conflicts_with = "entries")]
    since: Option<String>,
    /// The entries themselves, each with its hash, instead of what a replay needs: a file that `verify --export` checks
    #[arg(long)]
    entries: bool,
    /// The file; whole or not at all. Without one, stdout
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace the file where it is there already
    #[arg(long, requires = "to")]
    force: bool,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Verify(args) => verify::run(args, shared, out),
        Verb::Export(args) => export::run(args, shared, out),
        Verb::Tail(args) => show::tail(args, shared, out),
        Verb::Query(args) => show::query(args, shared, out),
        Verb::Key => verify::key(shared, out),
    }
}
