//! Transactions of the one writer, and what becomes of them on a full or failing disk.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::record::JournalError;
use crate::record::error::Fault;
use crate::store::Reserve;

/// The connection that writes, and what it knows of its disk.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) conn: Connection,
    /// No write before this entry waits any more.
    pub(super) first_waiting: i64,
    reserve: Reserve,
    reserve_is_out: bool,
    broken: Option<String>,
    /// The file that was opened: by its device and inode, because a path can come to mean another.
    file: Option<(u64, u64)>,
}

/// Which file a path means now.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Writer {
    pub(super) fn new(conn: Connection, first_waiting: i64, dir: &Path, path: &Path) -> Self {
        let reserve = Reserve::of(dir);
        // No room for the reserve is no reason not to start: it is tried again after every commit.
        let reserve_is_out = !reserve.keep().unwrap_or(false);
        if reserve_is_out {
            tracing::warn!("no room for the reserve: a full disk could not even be recorded");
        }
        Self { conn, first_waiting, reserve, reserve_is_out, broken: None, file: identity(path) }
    }

    /// Runs one transaction: all of it is durable afterwards, or nothing.
    pub(super) fn transact<T>(
        &mut self,
        path: &Path,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        if let Some(detail) = &self.broken {
            return Err(JournalError::Broken { detail: detail.clone() });
        }
        if identity(path) != self.file {
            // SQLite would go on writing into a file that no restart will ever find.
            let detail = "its file was deleted or replaced while it was open".to_owned();
            self.broken = Some(detail.clone());
            return Err(JournalError::Broken { detail });
        }
        let done = self.attempt(job).map_err(|fault| self.sort(fault.about(path)))?;
        if self.reserve_is_out {
            self.reserve_is_out = !self.reserve.keep().unwrap_or(false);
        }
        Ok(done)
    }

    fn attempt<T>(&mut self, job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = job(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// A full disk costs the reserve; a failed one costs the journal until it is opened anew, because after
    /// an error of `fsync` nobody knows which of the last pages are on the disk.
    fn sort(&mut self, why: JournalError) -> JournalError {
        match why {
            JournalError::Store(why) if why.is_full() => {
                self.reserve_is_out = true;
                JournalError::Full { released: self.reserve.release().unwrap_or(false) }
            }
            JournalError::Store(why) if why.is_fatal() => {
                let detail = why.to_string();
                self.broken = Some(detail.clone());
                JournalError::Broken { detail }
            }
            why => why,
        }
    }
}
