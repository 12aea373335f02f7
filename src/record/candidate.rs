//! The candidate generation that was set last, and what the journal says of it and of shadow rules.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Actor, GenerationId, Record, Time};
use crate::record::error::Fault;
use crate::record::state::newest_generation;
use crate::record::{GenerationText, Journal, JournalError, Reader};

/// A candidate generation, as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its entry.
    pub seq: i64,
    /// Its id.
    pub generation: GenerationId,
    /// Its files, by name.
    pub files: BTreeMap<String, String>,
    /// Who set it.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// When, on Grace's own time.
    pub since: Time,
}

impl Journal {
    /// The candidate that stands.
    pub fn candidate(&self) -> Result<Option<Candidate>, JournalError> {
        self.look(newest)
    }
}

impl Reader {
    /// The candidate that stands.
    pub fn candidate(&self) -> Result<Option<Candidate>, JournalError> {
        self.look(newest)
    }

    /// The newest generation and its text.
    pub fn generation(&self) -> Result<Option<GenerationText>, JournalError> {
        self.look(newest_generation)
    }

    /// When Grace started behind an entry, by the wall clock.
    pub fn starts(&self, after: i64) -> Result<Vec<Time>, JournalError> {
        self.look(|conn| {
            let mut query = conn.prepare_cached(
                "SELECT at FROM entries INDEXED BY entries_kind WHERE kind = 'started' AND seq > ?1 ORDER BY seq",
            )?;
            let all = query.query_map(params![after], |row| Ok(Time(row.get(0)?)))?;
            Ok(all.collect::<Result<_, _>>()?)
        })
    }

    /// What was journalled of candidates and shadow rules behind an entry, one after the other.
    pub fn shadows(&self, after: i64, mut each: impl FnMut(Record)) -> Result<(), JournalError> {
        self.look(|conn| {
            let mut query = conn.prepare_cached(
                "SELECT body FROM entries INDEXED BY entries_kind
                 WHERE kind IN ('candidate_differs', 'shadowed') AND seq > ?1 ORDER BY seq",
            )?;
            let mut rows = query.query(params![after])?;
            while let Some(row) = rows.next()? {
                let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                each(serde_json::from_str(body)?);
            }
            Ok(())
        })
    }
}

fn newest(conn: &Connection) -> Result<Option<Candidate>, Fault> {
    let found = conn
        .query_row(
            "SELECT seq, body FROM entries INDEXED BY entries_kind
             WHERE kind IN ('candidate', 'candidate_ended') ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
        )
        .optional()?;
    let Some((seq, body)) = found else { return Ok(None) };
    Ok(match serde_json::from_str(&body)? {
        Record::Candidate { generation, files, actor, reason, now } => {
            Some(Candidate { seq, generation, files, actor, reason, since: now })
        }
        _ => None,
    })
}
