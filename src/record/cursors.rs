//! How far each subscriber of the mesh has come: they resume there after any restart.

use rusqlite::{OptionalExtension, params};

use crate::record::{Journal, JournalError};

impl Journal {
    /// The last entry a subscriber has dealt with; 0 where it is new.
    pub fn cursor(&self, subscriber: &str) -> Result<i64, JournalError> {
        self.look(|conn| {
            let seq = conn
                .prepare_cached("SELECT seq FROM cursors WHERE subscriber = ?1")?
                .query_row([subscriber], |row| row.get(0))
                .optional()?;
            Ok(seq.unwrap_or(0))
        })
    }

    /// Keeps how far subscribers have come, all of them in one transaction.
    pub fn set_cursors(&self, cursors: &[(String, i64)]) -> Result<(), JournalError> {
        self.write_aside(|transaction| {
            let mut keep = transaction.prepare_cached("INSERT OR REPLACE INTO cursors VALUES (?1, ?2)")?;
            for (subscriber, seq) in cursors {
                keep.execute(params![subscriber, seq])?;
            }
            Ok(())
        })
    }
}
