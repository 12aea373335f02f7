//! The figures of the writer: each entry is folded into them as it is written.

use std::sync::Arc;

use rusqlite::Transaction;

use crate::figures::{Fold, Totals};
use crate::model::Record;
use crate::record::chain::Hash;
use crate::record::error::Fault;
use crate::record::figures::{follow, keep, portion};

/// The figures of the writer.
#[derive(Debug, Default)]
pub(in crate::record) enum Live {
    /// There are none, until they are made.
    #[default]
    Absent,
    /// What was folded last did not come to be: they are folded anew.
    Stale,
    /// All entries are in it.
    Ready(Box<Fold>),
}

impl Live {
    /// Takes an entry of this transaction. `before` is the entry before it.
    pub(in crate::record) fn note(
        &mut self,
        transaction: &Transaction<'_>,
        (seq, record): (i64, &Record),
        before: (i64, &Hash),
    ) -> Result<(), Fault> {
        if let Self::Stale = self {
            *self = wake(transaction, before.0);
        }
        let Self::Ready(fold) = self else { return Ok(()) };
        match follow::terms(transaction, record) {
            Ok(terms) => terms.iter().for_each(|terms| fold.terms(terms)),
            Err(error) => tracing::warn!(%error, "figures do not know the grid of a generation"),
        }
        fold.take(seq, record);
        if !fold.has_hours() {
            return Ok(());
        }
        let closed = fold.closed();
        keep::keep(transaction, &fold.hours(), &closed, before)
    }

    /// The transaction came to nothing, and what was folded of it with it.
    pub(in crate::record) fn undo(&mut self) {
        if let Self::Ready(_) = self {
            *self = Self::Stale;
        }
    }

    /// Everything that only grows.
    pub(in crate::record) fn totals(&self) -> Option<Arc<Totals>> {
        if let Self::Ready(fold) = self { Some(Arc::new(fold.totals())) } else { None }
    }
}

/// Folds what stands in the journal up to an entry.
fn wake(transaction: &Transaction<'_>, last: i64) -> Live {
    match portion::catch_up(transaction, last, i64::MAX) {
        Ok(fold) => fold.map_or(Live::Absent, Live::Ready),
        Err(error) => {
            tracing::warn!(%error, "figures cannot be gone on with until Grace starts anew");
            Live::Absent
        }
    }
}
