//! The one writer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, params};
use tokio::sync::watch;

use crate::engine::{Input, State, Step};
use crate::figures::Totals;
use crate::govern::Permit;
use crate::model::{Answered, ComponentId, Record, RuleId, Time, Why};
use crate::record::error::Fault;
use crate::record::figures::Live;
use crate::record::pen::{self, Pen, Written};
use crate::record::state::{
    GenerationText, Keep, keep_state, newest_generation, read_state, state_text, with_state,
};
use crate::record::tick::{Tick, intended};
use crate::record::witness::Witness;
use crate::record::writer::Writer;
use crate::record::{Broken, Clock, Committed, JournalError, Moment, deferred, moment, own, tables, verify};
use crate::store;

/// Whoever reads for longer does not keep Grace from ending.
const FOLDING: Duration = Duration::from_millis(200);

/// The journal, open for writing. There is one in a process, and the supervisor sees to it that there is
/// one process.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    writer: Mutex<Writer>,
    waiting: AtomicI64,
    tail: watch::Sender<i64>,
    replaced: Option<Replaced>,
    broken: Option<Broken>,
    clock: OnceLock<Clock>,
}

/// The witness beside the journal names an entry that the journal does not hold: this is an older copy, another
/// journal or a new one, and whatever was decided in between is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// The entry that the witness names.
    pub named: i64,
    /// The last entry there is.
    pub last: i64,
}

/// A step that is durable, and what may be done now.
#[derive(Debug)]
pub struct Done {
    /// The state from which the next step goes on.
    pub state: State,
    /// What the hands may do.
    pub permits: Vec<Committed<Permit>>,
    /// What people may be told.
    pub answers: Vec<Answered>,
    /// What each rule is at.
    pub why: BTreeMap<ComponentId, BTreeMap<RuleId, Why>>,
    /// The number of the step's last entry.
    pub seq: i64,
}

impl Journal {
    /// Is there a journal in this directory?
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        dir.join(tables::FILE).exists()
    }

    /// Opens `journal.db` in the data directory; makes both where they are missing.
    ///
    /// Nothing is repeated: what was in flight is for the supervisor to find in the state.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        store::directory(dir).map_err(JournalError::Store)?;
        let path = dir.join(tables::FILE);
        let conn = store::open(&path, &tables::SCHEMA).map_err(JournalError::Store)?;
        let about = |fault: Fault| fault.about(&path);
        let head = pen::head(&conn).map_err(about)?;
        let (waiting, first_waiting) = deferred::look(&conn).map_err(about)?;
        let missing = Witness::of(dir).read().filter(|(seq, hash)| !own::holds(&conn, *seq, hash));
        let replaced = missing.map(|(named, _)| Replaced { named, last: head.0 });
        let broken = verify::tail(&conn).map_err(about)?;
        let writer = Writer::new(conn, head, first_waiting, (dir, &path));
        let (tail, _) = watch::channel(head.0);
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            waiting: AtomicI64::new(waiting),
            tail,
            replaced,
            broken,
            clock: OnceLock::new(),
        })
    }

    /// Is this not the journal that was written last in this directory?
    #[must_use]
    pub fn replaced(&self) -> Option<Replaced> {
        self.replaced
    }

    /// The first entry that does not hold, near the journal's end. [`crate::record::Reader::verify`] looks at all.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// The moment of the last commit, where one was kept.
    pub fn moment(&self) -> Result<Option<Moment>, JournalError> {
        self.look(moment::read)
    }

    /// From now on each commit keeps its moment on this clock. The first that is given is the one.
    pub fn keep_time(&self, clock: &Clock) {
        self.clock.get_or_init(|| clock.clone());
    }

    /// The engine's state as of the last commit.
    pub fn state(&self) -> Result<Option<State>, JournalError> {
        self.look(read_state)
    }

    /// The newest generation and its text.
    pub fn generation(&self) -> Result<Option<GenerationText>, JournalError> {
        self.look(newest_generation)
    }

    /// Makes a step durable in one transaction: the tick, its readings, its records in their order, and the
    /// state. Only then are its permits committed; after an error there are none, and the old state stands.
    pub fn commit(&self, wall: Time, input: &Input, step: Step) -> Result<Done, JournalError> {
        intended(&step)?;
        let state = state_text(&step.state)?;
        let tick = Tick::of(input, &step, &state)?;
        let seq = self.write(|transaction, figures| {
            let mut pen = Pen::take(transaction, figures, wall, Some(input.tick))?;
            let seq = pen.write(&tick.record)?;
            transaction
                .prepare_cached("INSERT INTO readings VALUES (?1, ?2)")?
                .execute(params![seq, tick.readings])?;
            for record in &step.records {
                pen.write(record)?;
            }
            keep_state(transaction, pen.seq(), &state, Keep::of_tick(input.tick))?;
            pen.finish()
        })?;
        let permits = step.permits.into_iter().map(Committed::new).collect();
        Ok(Done { state: step.state, permits, answers: step.answers, why: step.why, seq })
    }

    /// Makes a start or a reload durable: its records and the state that comes of it, together.
    pub fn adopt(&self, wall: Time, records: &[Record], state: &State) -> Result<i64, JournalError> {
        let text = state_text(state)?;
        self.write(|transaction, figures| {
            let mut pen = Pen::take(transaction, figures, wall, None)?;
            for record in records {
                pen.write(&with_state(record, &text))?;
            }
            keep_state(transaction, pen.seq(), &text, Keep::Adopted)?;
            pen.finish()
        })
    }

    /// Appends records that change no state. Says the number of the last.
    pub fn append(&self, wall: Time, records: &[Record]) -> Result<i64, JournalError> {
        self.write(|transaction, figures| {
            let mut pen = Pen::take(transaction, figures, wall, None)?;
            for record in records {
                pen.write(record)?;
            }
            pen.finish()
        })
    }

    /// Everything of the figures that only grows, as of the last entry; nothing while they are not made.
    #[must_use]
    pub fn totals(&self) -> Option<Arc<Totals>> {
        self.lock().figures.totals()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Follows the number of the last entry.
    #[must_use]
    pub fn tail(&self) -> watch::Receiver<i64> {
        self.tail.subscribe()
    }

    /// How many writes wait for the working database. It waits for nobody.
    pub fn deferred_count(&self) -> Result<u64, JournalError> {
        Ok(u64::try_from(self.waiting.load(Ordering::Acquire)).unwrap_or(0))
    }

    /// Folds SQLite's log into the journal's own file, so that whoever copies that file has all of it. Closing would do
    /// it as well, but only where nobody reads any more.
    pub fn fold(&self) {
        let fold = |conn: &Connection| {
            conn.busy_timeout(FOLDING)?;
            // It says whether a reader kept it from folding all of it.
            Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?)
        };
        match self.look(fold) {
            Ok(0) => {}
            Ok::<i64, _>(_) => tracing::debug!("somebody still reads the journal: its log stays beside it"),
            Err(error) => tracing::warn!(%error, "the journal's log stays beside it"),
        }
    }

    /// Runs one transaction on the chain, which ends with what the pen left behind.
    pub(super) fn write(
        &self,
        job: impl FnOnce(&Transaction<'_>, &mut Live) -> Result<Written, Fault>,
    ) -> Result<i64, JournalError> {
        let mut writer = self.lock();
        let written = writer.append(&self.path, |transaction, figures| {
            let written = job(transaction, figures)?;
            self.clock.get().map_or(Ok(()), |clock| moment::keep(transaction, clock))?;
            Ok(written)
        });
        let told = match &written {
            Err(JournalError::Full { released: true }) => note_full(&mut writer, &self.path),
            written => written.as_ref().ok().copied(),
        };
        // Under the lock, so that both only ever tell what the journal held at one moment.
        if let Some(told) = told {
            self.waiting.fetch_add(told.waiting, Ordering::AcqRel);
            self.tail.send_if_modified(|tail| std::mem::replace(tail, told.seq) != told.seq);
        }
        written.map(|written| written.seq)
    }

    /// Runs one transaction beside the chain.
    pub(super) fn write_aside<T>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        self.lock().transact(&self.path, job)
    }

    /// Reads on the writer's connection.
    pub(super) fn look<T>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        job(&self.lock().conn).map_err(|fault| fault.about(&self.path))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Writer> {
        // A thread that panicked in here left a transaction that rolled back: the journal itself is whole.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down that there is no room, in the room that the reserve gave up: whoever's write it was that found
/// the disk full.
fn note_full(writer: &mut Writer, path: &Path) -> Option<Written> {
    tracing::error!(
        "the disk is full: the reserve is given up, and nothing acts once it is used up, until there is room"
    );
    let noted = writer.append(path, |transaction, figures| {
        let mut pen = Pen::take(transaction, figures, super::Clock::start(None).wall(), None)?;
        pen.write(&Record::DiskFull { acts: false })?;
        pen.finish()
    });
    noted.inspect_err(|error| tracing::error!(%error, "not even that could be recorded")).ok()
}
