//! Where a history comes from: a journal, an exported file, or a rule test that is played.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::model::{Span, Time};
use crate::record::{Export, ExportError, JournalError, Reader, Recorded};
use crate::replay::simulate::Odds;
use crate::replay::{Pattern, Suite};
use crate::say::Report;

/// A history that can be gone through more than once.
#[derive(Debug)]
pub enum History {
    /// The journal of a data directory.
    Journal(Reader),
    /// An exported file.
    Export(PathBuf),
    /// A rule test, that is played each time it is gone through.
    Test(Box<Suite>),
    /// What was read before.
    Read(Vec<Recorded>),
}

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file cannot be read.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The test file, or the rules beside it, are not valid.
    #[error("the test cannot be played: {}", crate::say::reasons(.0).join("; "))]
    Test(Box<Report>),
    /// It is a pipe, a directory, or another thing that cannot be read twice.
    #[error("{} is no regular file, and a history is read more than once: write it into a file, and name that", path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// The file holds none or several tests.
    #[error("{}: {says}", path.display())]
    Choice {
        /// The file.
        path: PathBuf,
        /// What to name.
        says: String,
    },
}

impl History {
    /// The history in a file: an export, or a test (`rules/web.test.toml::name`) that is played with the rules beside
    /// it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let name = path.to_string_lossy();
        let (file, test) = name.split_once("::").map_or((&*name, None), |(file, test)| (file, Some(test)));
        if file.ends_with(".test.toml") {
            return one_test(Path::new(file), test).map(|suite| Self::Test(Box::new(suite)));
        }
        // What is a pipe would be empty when it is read again, and one that nobody writes to would never end.
        if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
            return Err(HistoryError::NoFile { path: path.to_owned() });
        }
        Export::open(path)?;
        Ok(Self::Export(path.to_owned()))
    }

    /// What somebody who trusts it should know.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let Self::Export(path) = self else { return None };
        let old = Export::open(path).is_ok_and(|export| !export.ends());
        old.then(|| {
            let path = path.display();
            format!(
                "{path} is of the first form, without a last line: nobody can say whether it is cut short"
            )
        })
    }

    /// Goes through it once before anything else: what became of acts, and when the last tick was.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn survey(&self) -> Result<(Odds, Option<Time>), HistoryError> {
        let mut odds = Odds::default();
        if let Self::Journal(reader) = self {
            reader.acts(|record| odds.record(&record))?;
            return Ok((odds, reader.last_tick()?));
        }
        let mut last = None;
        for recorded in self.all(None)? {
            let recorded = recorded?;
            odds.take(&recorded);
            if let Recorded::Tick { input, .. } = &recorded {
                last = Some(input.now);
            }
        }
        Ok((odds, last))
    }

    /// Everything from `since` on, and before it what leads up to that.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn all(
        &self,
        since: Option<Time>,
    ) -> Result<Box<dyn Iterator<Item = Result<Recorded, HistoryError>> + Send + '_>, HistoryError> {
        Ok(match self {
            Self::Journal(reader) => {
                Box::new(reader.ticks_since(since)?.map(|one| one.map_err(HistoryError::from)))
            }
            Self::Export(path) => Box::new(Export::open(path)?.map(|one| one.map_err(HistoryError::from))),
            Self::Test(suite) => Box::new(suite.history(0).into_iter().flatten().map(Ok)),
            Self::Read(all) => Box::new(all.iter().cloned().map(Ok)),
        })
    }
}

/// At the most so many things are read ahead in one pack.
const PACK: usize = 256;

/// And no more than what is read in this time: what waits should fit into the processor's cache, however large a tick
/// is.
const PACKED: Duration = Duration::from_millis(2);

/// Lets a thread of its own read ahead, as reading and deciding take about as long, and looks at each thing until one
/// cannot be read, or the look ends with an error.
///
/// The thread that reads also throws away what was looked at. What one thread makes and another throws away costs
/// both of them more than the work itself: they wait for each other's memory.
///
/// # Errors
/// Of whichever came first.
pub fn ahead<T: Send, E: Send, F: From<E>>(
    all: impl Iterator<Item = Result<T, E>> + Send,
    mut look: impl FnMut(&T) -> Result<(), F>,
) -> Result<(), F> {
    std::thread::scope(|scope| {
        let (packs, inbox) = std::sync::mpsc::sync_channel::<Vec<Result<T, E>>>(4);
        let (back, seen) = std::sync::mpsc::channel();
        let mut all = all;
        scope.spawn(move || {
            loop {
                let begun = Instant::now();
                let mut pack: Vec<Result<T, E>> = seen.try_recv().unwrap_or_default();
                pack.clear();
                while pack.len() < PACK
                    && (pack.is_empty() || begun.elapsed() < PACKED)
                    && let Some(one) = all.next()
                {
                    pack.push(one);
                }
                // Nobody who reads on is no failure.
                if pack.is_empty() || packs.send(pack).is_err() {
                    return;
                }
            }
        });
        for mut pack in inbox {
            if let Some(end) = pack.iter().position(Result::is_err) {
                pack.truncate(end + 1);
            }
            for one in pack.iter().flatten() {
                look(one)?;
            }
            if let Some(Err(why)) = pack.pop_if(|last| last.is_err()) {
                return Err(why.into());
            }
            // The other one may have ended already.
            let _ = back.send(pack);
        }
        Ok(())
    })
}

/// The time so long before the last tick.
#[must_use]
pub fn before(last: Option<Time>, since: Option<Span>) -> Option<Time> {
    last.zip(since).map(|(last, since)| last - since)
}

/// The one test of a file that is meant, and the rules beside it.
fn one_test(file: &Path, test: Option<&str>) -> Result<Suite, HistoryError> {
    let dir = file.parent().and_then(Path::parent).filter(|dir| !dir.as_os_str().is_empty());
    let name = file.file_name().map(|name| format!("rules/{}", name.to_string_lossy())).unwrap_or_default();
    let pattern = test.map(Pattern::new);
    let suite = Suite::load(dir.unwrap_or(Path::new(".")), &BTreeSet::from([name]), pattern.as_ref());
    if suite.is_broken() {
        return Err(HistoryError::Test(Box::new(suite.report().clone())));
    }
    let names: Vec<String> = suite.names().iter().map(|name| format!("`{name}`")).collect();
    if names.len() == 1 {
        return Ok(suite);
    }
    let says = format!("name one of its tests behind `::`: {}", names.join(", "));
    Err(HistoryError::Choice { path: file.to_owned(), says })
}
