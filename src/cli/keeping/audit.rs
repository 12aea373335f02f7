//! `grace audit`

use std::fs::File;
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::record::{Reader, export};
use crate::replay::{History, HistoryError, before};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works whether Grace runs or not, on the journal in the data directory. Keep the head elsewhere: \
                  as long as a later walk passes it, nothing before it was changed.\n\n\
                  Examples:\n  grace audit verify --data /var/lib/grace\n  \
                  grace audit export --since 30d --to history.jsonl"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Walk along the journal's chain and name the first entry that does not hold
    Verify,
    /// Write what a replay needs as JSON lines: generations, states, ticks with their readings and what came of them
    Export {
        /// Only the last so long, and what leads up to it
        #[arg(long, value_name = "DURATION", value_parser = times::duration)]
        since: Option<String>,
        /// The file; whole or not at all. Without one, stdout
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Verify => verify(shared, out),
        Verb::Export { since, to } => write(shared, since.as_deref(), to.as_deref(), out),
    }
}

fn write(shared: &Shared, since: Option<&str>, to: Option<&Path>, out: Out) -> Result<Exit, Failure> {
    let reader = Reader::open(&shared.data)?;
    // What is written while it is read may be there as well; what was written until now is.
    let head = reader.head()?;
    let history = History::Journal(reader);
    let (_, last) = history.survey()?;
    let all = history.all(before(last, since.and_then(crate::config::duration)))?;
    let all = all.map(|one| one.map_err(ExportFailure::History));
    let written = match to {
        None => export(all, head, &mut BufWriter::new(std::io::stdout().lock())),
        Some(path) => whole(path, |file| export(all, head, file)),
    };
    let ticks = written.map_err(|failure| match failure {
        ExportFailure::History(why) => why.into(),
        ExportFailure::Write(why) if why.kind() == ErrorKind::BrokenPipe => Failure::Closed,
        ExportFailure::Write(why) => match to {
            Some(path) => Failure::File { path: path.to_owned(), why },
            None => Failure::Output(why),
        },
    })?;
    out.talk(format_args!("{ticks} ticks written"));
    Ok(Exit::Clean)
}

/// Writes a file beside its place and then puts it there, so that no half of it is ever seen.
fn whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, ExportFailure>,
) -> Result<T, ExportFailure> {
    // What a link leads to is meant; a device or a pipe takes it as it comes.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return write(&mut BufWriter::new(File::options().write(true).open(path)?));
    }
    let mut name = path.as_os_str().to_owned();
    // A file of one's own: what an earlier run left there is no obstacle.
    name.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(name);
    let mut file = BufWriter::new(File::create(&part)?);
    let written = write(&mut file).and_then(|done| {
        file.get_ref().sync_all()?;
        std::fs::rename(&part, path)?;
        Ok(done)
    });
    if written.is_err() {
        // What is left of it is nobody's.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Why an export was not written.
#[derive(Debug)]
enum ExportFailure {
    History(HistoryError),
    Write(std::io::Error),
}

impl From<std::io::Error> for ExportFailure {
    fn from(why: std::io::Error) -> Self {
        Self::Write(why)
    }
}

fn verify(shared: &Shared, out: Out) -> Result<Exit, Failure> {
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
