//! Reading along: connections that cannot write.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, params};

use crate::record::about::ASKED;
use crate::record::error::Fault;
use crate::record::{Event, Head, JournalError, pen, tables};
use crate::store;

/// The journal, open for reading, whether the daemon runs or not. It waits for no writer and makes none
/// wait; who wants to read at the same time as others opens another.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    conn: Mutex<Connection>,
}

impl Reader {
    /// Opens the journal of a data directory. A directory without one is an error.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(tables::FILE);
        let conn = store::open_read(&path, &tables::SCHEMA).map_err(JournalError::Store)?;
        Ok(Self { path, conn: Mutex::new(conn) })
    }

    /// The number of the last entry; 0 while there is none.
    pub fn last_seq(&self) -> Result<i64, JournalError> {
        self.look(|conn| Ok(pen::head(conn)?.0))
    }

    /// The last entry, and its hash in the chain.
    pub fn head(&self) -> Result<Head, JournalError> {
        self.look(|conn| {
            let (seq, hash) = pen::head(conn)?;
            Ok(Head { seq, hash: hex::encode(hash) })
        })
    }

    /// The events after an entry, in order, at most so many.
    pub fn events_after(&self, seq: i64, limit: usize) -> Result<Vec<Event>, JournalError> {
        self.look(|conn| {
            let mut query = conn.prepare_cached(&format!(
                "SELECT e.seq, e.at, e.event, e.component, e.body, {ASKED} FROM entries e INDEXED BY entries_events
                 WHERE e.event IS NOT NULL AND e.seq > ?1 ORDER BY e.seq LIMIT ?2"
            ))?;
            let mut rows = query.query(params![seq, clamp(limit)])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(Event::of(row)?);
            }
            Ok(events)
        })
    }

    /// Reads one thing.
    pub(super) fn look<T>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        let conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        job(&conn).map_err(|fault| fault.about(&self.path))
    }
}

/// A limit as SQLite takes it.
pub(super) fn clamp(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
