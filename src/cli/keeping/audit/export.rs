//! `grace audit export`

use std::io::{BufWriter, ErrorKind};
use std::path::Path;

use crate::cli::keeping::audit::Export;
use crate::cli::keeping::audit::whole::whole;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::record::{JournalError, Reader, export};
use crate::replay::{History, HistoryError, HoleFinder, before};

pub(super) fn run(args: &Export, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let to = args.to.as_deref();
    if args.entries {
        let reader = Reader::open(&shared.data)?;
        let written = match to {
            None => reader.write_entries(&mut BufWriter::new(std::io::stdout().lock())),
            Some(path) => whole(path, args.force, |file| reader.write_entries(file)),
        };
        let entries = written.map_err(|failure: ExportFailure| failure.told(to))?;
        out.talk(format_args!("{entries} entries written"));
        return Ok(Exit::Clean);
    }
    write(shared, args, to, out)
}

fn write(shared: &Shared, args: &Export, to: Option<&Path>, out: Out) -> Result<Exit, Failure> {
    let reader = Reader::open(&shared.data)?;
    // What is written while it is read may be there as well; what was written until now is.
    let head = reader.head()?;
    let history = History::Journal(reader);
    let (_, last) = history.survey()?;
    let all = history.all(before(last, args.since.as_deref().and_then(crate::config::duration)))?;
    let mut holes = HoleFinder::default();
    let all = all.map(|one| one.map_err(ExportFailure::History)).inspect(|one| {
        if let Ok(recorded) = one {
            holes.take(recorded);
        }
    });
    let written = match to {
        None => export(all, head, &mut BufWriter::new(std::io::stdout().lock())),
        Some(path) => whole(path, args.force, |file| export(all, head, file)),
    };
    let ticks = written.map_err(|failure| failure.told(to))?;
    out.talk(format_args!("{ticks} ticks written"));
    Ok(match holes.found() {
        None => Exit::Clean,
        Some(holes) => {
            out.talk(format_args!("grace: warning: {}", holes.says()));
            Exit::Findings
        }
    })
}

/// Why an export was not written.
#[derive(Debug)]
enum ExportFailure {
    History(HistoryError),
    Journal(JournalError),
    Write(std::io::Error),
}

impl From<std::io::Error> for ExportFailure {
    fn from(why: std::io::Error) -> Self {
        Self::Write(why)
    }
}

impl From<JournalError> for ExportFailure {
    fn from(why: JournalError) -> Self {
        Self::Journal(why)
    }
}

impl ExportFailure {
    /// The same for people, with the file that it was to be.
    fn told(self, to: Option<&Path>) -> Failure {
        match self {
            Self::History(why) => why.into(),
            Self::Journal(why) => why.into(),
            Self::Write(why) if why.kind() == ErrorKind::BrokenPipe => Failure::Closed,
            Self::Write(why) if why.kind() == ErrorKind::AlreadyExists => {
                let name = to.map(|path| path.display().to_string()).unwrap_or_default();
                Failure::Usage(format!(
                    "{name}: there is a file of this name; choose another, or add `--force` to replace it"
                ))
            }
            Self::Write(why) => match to {
                Some(path) => Failure::File { path: path.to_owned(), why },
                None => Failure::Output(why),
            },
        }
    }
}
