//! Grace's lives: each from its `started` to the last entry before the next.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    ActId, ApprovalId, ClaimKey, ComponentId, GenerationId, IncidentId, RecommendationId, Taken, TaskId, Time,
};
use crate::record::error::Fault;
use crate::record::{Journal, JournalError, pen, state};

/// One life of Grace that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The entry with which it began.
    pub seq: i64,
    /// The generation it began with.
    pub generation: GenerationId,
    /// When it began, by the wall clock.
    pub began: Time,
    /// Its last sign, by the wall clock.
    pub last: Time,
    /// Did she stop in good order?
    pub stopped: bool,
}

/// So many of the newest entries are looked through for ends of processes: one that was told just before Grace died
/// stands at the very end.
const NEWEST: i64 = 10_000;

/// An end of a process that the journal holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Exit {
    /// Whose process it was.
    pub component: ComponentId,
    /// Which worker.
    pub worker: u32,
    /// Its number.
    pub pid: i32,
    /// When it was begun, in the kernel's clock ticks.
    #[serde(default)]
    pub start: u64,
}

impl Journal {
    /// The ends of processes among the newest entries.
    pub fn exits(&self) -> Result<Vec<Exit>, JournalError> {
        self.look(|conn| {
            let from = pen::head(conn)?.0 - NEWEST;
            let mut query =
                conn.prepare("SELECT body FROM entries WHERE kind = 'process_exited' AND seq > ?1")?;
            let mut rows = query.query([from])?;
            let mut exits = Vec::new();
            while let Some(row) = rows.next()? {
                exits.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
            }
            Ok(exits)
        })
    }

    /// The newest lives, newest first, up to and with the first that is `enough`. Asked before the next one begins.
    pub fn lives(&self, limit: usize, enough: impl Fn(&Life) -> bool) -> Result<Vec<Life>, JournalError> {
        self.look(|conn| {
            let (mut lives, mut before) = (Vec::new(), pen::head(conn)?.0 + 1);
            while lives.len() < limit
                && let Some(life) = life(conn, before)?
            {
                before = life.seq;
                lives.push(life);
                if lives.last().is_some_and(&enough) {
                    break;
                }
            }
            Ok(lives)
        })
    }

    /// The newest number of an act that an entry announces.
    pub fn last_act(&self) -> Result<ActId, JournalError> {
        self.look(|conn| Ok(ActId(newest(conn, "SELECT max(act) FROM entries WHERE kind = 'intent'")?)))
    }

    /// The newest numbers that entries have taken.
    pub fn taken(&self) -> Result<Taken, JournalError> {
        self.look(|conn| {
            let of = |kind: &str, key: &str| {
                newest(conn, &format!("SELECT max(body ->> '$.{key}') FROM entries WHERE kind = '{kind}'"))
            };
            Ok(Taken {
                // Ticks are many, and the newest has the highest number.
                tick: newest(conn, "SELECT tick FROM entries WHERE kind = 'tick' ORDER BY seq DESC LIMIT 1")?,
                act: ActId(newest(conn, "SELECT max(act) FROM entries WHERE kind = 'intent'")?),
                approval: ApprovalId(of("approval_asked", "approval")?),
                incident: IncidentId(of("incident_begun", "incident")?),
                task: TaskId(of("task_created", "task")?),
                recommendation: RecommendationId(of("recommended", "recommendation")?),
            })
        })
    }

    /// The entry with which a claim of this key was last ended; 0 where none was.
    pub fn claim_ended(&self, key: &ClaimKey) -> Result<i64, JournalError> {
        self.look(|conn| {
            let newest = "SELECT coalesce(max(seq), 0) FROM entries WHERE kind = 'claim_ended' AND body ->> '$.key' = ?1";
            Ok(conn.query_row(newest, [key.to_string()], |row| row.get(0))?)
        })
    }

    /// The files of a generation, where the journal knows it.
    pub fn files_of(
        &self,
        generation: &GenerationId,
    ) -> Result<std::collections::BTreeMap<String, String>, JournalError> {
        self.look(|conn| state::generation_text(conn, generation.as_str()))
    }
}

/// The last life that began before an entry.
fn life(conn: &Connection, before: i64) -> Result<Option<Life>, Fault> {
    let began = conn
        .prepare_cached(
            "SELECT seq, body ->> '$.generation', at FROM entries
             WHERE kind = 'started' AND seq < ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([before], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    let Some((seq, generation, at)) = began else { return Ok(None) };
    let last = conn
        .prepare_cached("SELECT at FROM entries WHERE seq = ?1")?
        .query_row([before - 1], |row| row.get(0))?;
    let stopped = conn
        .prepare_cached("SELECT 1 FROM entries WHERE kind = 'stopped' AND seq > ?1 AND seq < ?2 LIMIT 1")?
        .exists(params![seq, before])?;
    let generation = GenerationId::from(generation);
    Ok(Some(Life { seq, generation, began: Time(at), last: Time(last), stopped }))
}

/// A number, 0 where there is none.
fn newest(conn: &Connection, query: &str) -> Result<u64, Fault> {
    let found: Option<i64> = conn.query_row(query, [], |row| row.get(0)).optional()?.flatten();
    Ok(found.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
}
