//! Readings expire, and nothing else does. The chain does not break: entries hold only their digests.
//!
//! They are old by both clocks: by the wall clock, which the mark is kept in, and by Grace's own time, which stands in
//! the tick itself and goes on steadily. So nobody's wrong clock makes them expire early, and `verify` can tell one that
//! has expired from one that was taken away.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::model::Time;
use crate::record::error::Fault;
use crate::record::{Journal, JournalError};
use crate::store;

/// At most so many ticks' readings go in one call, so that the next tick never waits long for the lock.
const AT_ONCE: i64 = 1_000;

impl Journal {
    /// Lets readings from before `before` (wall clock) go, a bounded number a call; says how many went. Zero
    /// means that nothing is left to do.
    pub fn expire_readings(&self, before: Time) -> Result<u64, JournalError> {
        self.write_aside(|transaction| expire(transaction, before))
    }

    /// Makes the file smaller where rows went, by a bounded number of pages a call; says how many. Zero means that
    /// nothing is left to do.
    pub fn shrink(&self) -> Result<u64, JournalError> {
        self.write_aside(|transaction| Ok(store::shrink(transaction)?))
    }
}

fn expire(transaction: &Transaction<'_>, before: Time) -> Result<u64, Fault> {
    transaction.execute("UPDATE retention SET before = max(before, ?1)", [before.0])?;
    // Only the oldest are looked at: with none to let go, this must not walk through all of them.
    let gone = transaction.execute(
        "DELETE FROM readings WHERE seq IN (
             SELECT oldest.seq FROM (SELECT seq FROM readings ORDER BY seq LIMIT ?2) oldest
             JOIN entries USING (seq) WHERE entries.at < ?1
             AND CASE WHEN json_valid(body) THEN coalesce(body ->> '$.now' < ?3, true) ELSE true END)",
        params![before.0, AT_ONCE, own(transaction, before)?],
    )?;
    // A replay cannot begin where the readings that follow are gone.
    transaction.execute(
        "DELETE FROM checkpoints WHERE seq < (
             SELECT max(seq) FROM checkpoints WHERE seq < (SELECT min(seq) FROM readings))",
        [],
    )?;
    Ok(gone as u64)
}

/// The same moment on Grace's own time line, by what the last tick says of both.
fn own(transaction: &Transaction<'_>, before: Time) -> Result<i64, Fault> {
    let last = "SELECT CASE WHEN json_valid(body) THEN body ->> '$.now' - at END
                FROM entries WHERE kind = 'tick' ORDER BY seq DESC LIMIT 1";
    let ahead: Option<Option<i64>> = transaction.query_row(last, [], |row| row.get(0)).optional()?;
    Ok(before.0.saturating_add(ahead.flatten().unwrap_or(0)))
}
