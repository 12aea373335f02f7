//! Transactions of the one writer, and what becomes of them on a full or failing disk.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::record::chain::Hash;
use crate::record::error::Fault;
use crate::record::figures::Live;
use crate::record::own::Own;
use crate::record::pen::Written;
use crate::record::witness::Witness;
use crate::record::{JournalError, pen};
use crate::store::Reserve;

/// The connection that writes, and what it knows of its disk.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) conn: Connection,
    /// No write before this entry waits any more.
    pub(super) first_waiting: i64,
    /// The last entry, as this writer left it. Nobody else writes.
    head: (i64, Hash),
    witness: Witness,
    reserve: Reserve,
    reserve_is_out: bool,
    broken: Option<String>,
    own: Own,
    pub(super) figures: Live,
}

impl Writer {
    pub(super) fn new(
        conn: Connection,
        head: (i64, Hash),
        first_waiting: i64,
        (dir, path): (&Path, &Path),
    ) -> Self {
        let (witness, reserve, own) = (Witness::of(dir), Reserve::of(dir), Own::of(path));
        // No room for the reserve is no reason not to start: it is tried again after every commit.
        let reserve_is_out = !reserve.keep().unwrap_or(false);
        if reserve_is_out {
            tracing::warn!("no room for the reserve: a full disk could not even be recorded");
        }
        let (broken, figures) = (None, Live::default());
        Self { conn, first_waiting, head, witness, reserve, reserve_is_out, broken, own, figures }
    }

    /// Runs one transaction on the chain: all of it is durable afterwards, or nothing.
    pub(super) fn append(
        &mut self,
        path: &Path,
        job: impl FnOnce(&Transaction<'_>, &mut Live) -> Result<Written, Fault>,
    ) -> Result<Written, JournalError> {
        let mut figures = std::mem::take(&mut self.figures);
        let written = self.transact(path, |transaction| job(transaction, &mut figures));
        if written.is_err() {
            figures.undo();
        }
        self.figures = figures;
        let written = written?;
        let head = (written.seq, written.hash);
        if head != self.head {
            self.head = head;
            self.witness.note(head.0, &head.1);
        }
        Ok(written)
    }

    /// Runs one transaction beside the chain, in the same way.
    pub(super) fn transact<T>(
        &mut self,
        path: &Path,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        if let Some(detail) = &self.broken {
            return Err(JournalError::Broken { detail: detail.clone() });
        }
        if let Err(detail) = self.own.check(&self.conn) {
            return Err(self.sort(JournalError::Broken { detail: detail.to_owned() }));
        }
        let done = self.attempt(job);
        self.own.touched();
        let done = done.map_err(|fault| self.sort(fault.about(path)))?;
        if self.reserve_is_out {
            self.reserve_is_out = !self.reserve.keep().unwrap_or(false);
            if !self.reserve_is_out {
                tracing::info!("there is room for the reserve again");
            }
        }
        Ok(done)
    }

    fn attempt<T>(&mut self, job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // A journal of another time, put in place of this one, would be gone on from as if nothing was missing.
        if pen::head(&transaction)? != self.head {
            return Err(Fault::Moved);
        }
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
            JournalError::Broken { detail } => {
                self.broken = Some(detail.clone());
                JournalError::Broken { detail }
            }
            why => why,
        }
    }
}
