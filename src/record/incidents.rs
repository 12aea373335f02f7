//! One incident: where it stands in the journal.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use crate::record::error::Fault;
use crate::record::{JournalError, Reader};

/// Where an incident stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its component.
    pub component: String,
    /// The tick in which it began.
    pub tick: i64,
    /// The entry that began it.
    pub begun: i64,
    /// The entry that ended it; none while it is open.
    pub ended: Option<i64>,
}

impl Reader {
    /// Where an incident stands; nothing where there is none of this number.
    pub fn incident(&self, incident: u64) -> Result<Option<Place>, JournalError> {
        let Ok(number) = i64::try_from(incident) else { return Ok(None) };
        self.look(|conn| {
            let place = conn
                .prepare_cached(
                    "SELECT b.component, b.seq, e.seq,
                         (SELECT max(seq) FROM entries WHERE kind = 'tick' AND seq < b.seq)
                     FROM entries b LEFT JOIN entries e ON e.component = b.component
                         AND e.kind = 'incident_ended' AND e.body ->> '$.incident' = ?1
                     WHERE b.kind = 'incident_begun' AND b.body ->> '$.incident' = ?1 ORDER BY b.seq LIMIT 1",
                )?
                .query_row(params![number], |row| {
                    let (begun, tick): (i64, Option<i64>) = (row.get(1)?, row.get(3)?);
                    let (component, ended) = (row.get(0)?, row.get(2)?);
                    Ok(Place { component, tick: tick.unwrap_or(begun), begun, ended })
                })
                .optional()?;
            Ok(place)
        })
    }

    /// The newest entry of a kind below another, about a component or about none, with its body.
    pub fn newest_before(
        &self,
        before: i64,
        kind: &str,
        component: Option<&str>,
    ) -> Result<Option<(i64, Value)>, JournalError> {
        self.look(|conn| {
            let mut newest = conn.prepare_cached(
                "SELECT seq, body FROM entries WHERE kind = ?1 AND component IS ?2 AND seq < ?3 ORDER BY seq DESC LIMIT 1",
            )?;
            let found = newest
                .query_row(params![kind, component, before], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
                .optional()?;
            found.map(|(seq, body)| Ok::<_, Fault>((seq, serde_json::from_str(&body)?))).transpose()
        })
    }

    /// The newest incident's number; nothing where there is none.
    pub fn newest_incident(&self) -> Result<Option<u64>, JournalError> {
        self.look(|conn| {
            let newest = "SELECT body ->> '$.incident' FROM entries WHERE kind = 'incident_begun' ORDER BY seq DESC LIMIT 1";
            let found: Option<i64> = conn.query_row(newest, [], |row| row.get(0)).optional()?;
            Ok(found.and_then(|number| u64::try_from(number).ok()))
        })
    }
}
