//! Writes that wait for the working database: durable here, in order, until they are done there.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Record, Time, Write};
use crate::record::error::Fault;
use crate::record::pen::Pen;
use crate::record::{Journal, JournalError};

/// One write that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// The entry that put it off; writes are done in this order.
    pub seq: i64,
    /// The key that makes doing it twice harmless.
    pub key: String,
    /// The write, complete.
    pub write: Write,
}

impl Journal {
    /// Puts a write off. It is durable when this returns, and may be acknowledged. The same key once more
    /// adds nothing and returns the entry that is there.
    pub fn defer(&self, wall: Time, key: &str, write: &Write, reason: &str) -> Result<i64, JournalError> {
        let (key, write, reason) = (key.to_owned(), write.clone(), reason.to_owned());
        let mut place = 0;
        self.write(|transaction, figures| {
            let mut pen = Pen::take(transaction, figures, wall, None)?;
            place = match deferral(transaction, &key)? {
                Some(seq) => seq,
                None => pen.write(&Record::WriteDeferred { key, write, reason })?,
            };
            pen.finish()
        })?;
        Ok(place)
    }

    /// The writes that wait, oldest first.
    pub fn deferred(&self, limit: usize) -> Result<Vec<Deferred>, JournalError> {
        let first = self.lock().first_waiting;
        let waiting = self.look(|conn| waiting(conn, first, limit))?;
        // A write that is put off later has a higher number, so this can only be too low.
        if let Some(first) = waiting.first() {
            self.lock().first_waiting = first.seq;
        }
        Ok(waiting)
    }

    /// Takes writes off the queue that are done. One that is off already stays so.
    pub fn applied(&self, wall: Time, keys: &[String]) -> Result<(), JournalError> {
        self.write(|transaction, figures| {
            let mut pen = Pen::take(transaction, figures, wall, None)?;
            for key in keys {
                if !is_applied(transaction, key)? {
                    pen.write(&Record::WriteApplied { key: key.clone() })?;
                }
            }
            pen.finish()
        })?;
        Ok(())
    }
}

/// How many writes wait, and from which entry on.
pub(super) fn look(conn: &Connection) -> Result<(i64, i64), Fault> {
    let found = conn.query_row(
        "SELECT count(*), coalesce(min(d.seq), 0) FROM entries d
         WHERE d.kind = 'write_deferred' AND NOT EXISTS (
             SELECT 1 FROM entries a
             WHERE a.kind = 'write_applied' AND a.body ->> '$.key' = d.body ->> '$.key')",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found)
}

fn waiting(conn: &Connection, first: i64, limit: usize) -> Result<Vec<Deferred>, Fault> {
    let mut query = conn.prepare_cached(
        "SELECT d.seq, d.body ->> '$.key', d.body -> '$.write' FROM entries d
         WHERE d.kind = 'write_deferred' AND d.seq >= ?1 AND NOT EXISTS (
             SELECT 1 FROM entries a
             WHERE a.kind = 'write_applied' AND a.body ->> '$.key' = d.body ->> '$.key')
         ORDER BY d.seq LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = query.query(params![first, limit])?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        let write = serde_json::from_str(&row.get::<_, String>(2)?)?;
        waiting.push(Deferred { seq: row.get(0)?, key: row.get(1)?, write });
    }
    Ok(waiting)
}

fn deferral(conn: &Connection, key: &str) -> Result<Option<i64>, Fault> {
    Ok(conn
        .prepare_cached("SELECT seq FROM entries WHERE kind = 'write_deferred' AND body ->> '$.key' = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?)
}

fn is_applied(conn: &Connection, key: &str) -> Result<bool, Fault> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM entries WHERE kind = 'write_applied' AND body ->> '$.key' = ?1")?
        .exists([key])?)
}
