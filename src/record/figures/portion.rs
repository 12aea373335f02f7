//! Entries that were not folded yet, a portion at a time.

use rusqlite::{Connection, Transaction};

use crate::figures::{Closed, Fold, Hour};
use crate::record::chain::Hash;
use crate::record::error::Fault;
use crate::record::figures::keep::Kept;
use crate::record::figures::{follow, keep};

/// What came of a portion of entries: hours, what was over by then, and the entry before that which ended them.
#[derive(Default)]
pub(super) struct Made(Vec<(Vec<Hour>, Vec<Closed>, i64, Hash)>);

impl Made {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn keep(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        self.0
            .iter()
            .try_for_each(|(hours, closed, seq, hash)| keep::keep(transaction, hours, closed, (*seq, hash)))
    }
}

/// Folds up to so many entries behind one; answers the last of them.
pub(super) fn portion(
    conn: &Connection,
    fold: &mut Fold,
    (after, limit): (i64, i64),
) -> Result<(Option<i64>, Made), Fault> {
    let mut made = Made::default();
    let last = follow::follow(conn, fold, (after, limit), |fold, seq, before| {
        if fold.has_hours() {
            let closed = fold.closed();
            made.0.push((fold.hours(), closed, seq - 1, *before));
        }
        true
    })?;
    Ok((last, made))
}

/// The fold of all entries up to one, gone on from what was kept; what hours come of it are kept. Nothing where what was
/// kept does not fit, or more than so many entries were to be folded.
pub(super) fn catch_up(
    transaction: &Transaction<'_>,
    last: i64,
    at_most: i64,
) -> Result<Option<Box<Fold>>, Fault> {
    let (mut fold, after) = match keep::newest(transaction)? {
        Kept::Fits(fold, after) => (fold, after),
        Kept::Nothing => (Box::default(), 0),
        Kept::Foreign => return Ok(None),
    };
    if last - after > at_most {
        return Ok(None);
    }
    let (_, made) = portion(transaction, &mut fold, (after, last - after))?;
    made.keep(transaction)?;
    Ok(Some(fold))
}
