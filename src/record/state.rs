//! What Grace goes on from after a restart: the engine's state, and the newest generation's text.

mod again;
mod long;
mod parts;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use crate::engine::State;
use crate::model::{GenerationId, Record};
use crate::record::chain;
use crate::record::error::Fault;
use crate::record::state::long::long;

pub use again::StateDigests;

/// Every so many ticks (a day of them on the grid) the state is kept besides, so that a replay can begin
/// there when older readings have expired.
const CHECKPOINT_TICKS: u64 = 2_880;

/// The text of a state of a few components is hardly longer.
const ROOM: usize = 16 << 10;

/// A generation: its id, and its files by name.
pub type GenerationText = (GenerationId, BTreeMap<String, String>);

/// How long a state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Until the next one.
    UntilNext,
    /// Also as a place where a replay can begin.
    Checkpoint,
    /// The same, and it did not come from the tick before: a start or a reload made it.
    Adopted,
}

impl Keep {
    pub(super) fn of_tick(tick: u64) -> Self {
        if tick.is_multiple_of(CHECKPOINT_TICKS) { Self::Checkpoint } else { Self::UntilNext }
    }
}

/// The state as the journal keeps it: its digest is that of this text.
pub(super) fn state_text(state: &State) -> Result<String, serde_json::Error> {
    serde_json::to_string(state)
}

/// The digest of a state, as a tick's entry holds it; nothing for a state that is no text, which there is not.
#[must_use]
pub fn state_digest(state: &State) -> Option<String> {
    digest(state)
}

/// The digest of a state in that form in which somebody wrote it down; in today's where it is neither's.
///
/// Either text says all of a state, so whichever fits proves the same.
#[must_use]
pub fn state_digest_like(said: &str, state: &State) -> Option<String> {
    let today = digest(state)?;
    if today == said {
        return Some(today);
    }
    Some(digest(&long(state)).filter(|before| before == said).unwrap_or(today))
}

fn digest(state: &impl Serialize) -> Option<String> {
    // A text that grows as it is written is copied again and again.
    let mut text = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut text, state).ok()?;
    Some(chain::digest(&text))
}

/// Keeps the state as of the entry `seq`.
pub(super) fn keep_state(
    transaction: &Transaction<'_>,
    seq: i64,
    body: &str,
    keep: Keep,
) -> Result<(), Fault> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO state VALUES (1, ?1, ?2)")?
        .execute(params![seq, body])?;
    // Before the first entry there is nothing to replay.
    if keep != Keep::UntilNext && seq > 0 {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2, ?3)")?
            .execute(params![seq, keep == Keep::Adopted, body])?;
    }
    Ok(())
}

/// A generation says with which state it was taken over.
pub(super) fn with_state<'r>(record: &'r Record, text: &str) -> Cow<'r, Record> {
    let mut record = Cow::Borrowed(record);
    if let Record::Generation { .. } = &*record
        && let Record::Generation { state, .. } = record.to_mut()
    {
        *state = Some(chain::digest(text.as_bytes()));
    }
    record
}

/// The state as of the last commit. One that was damaged until it is no text of a state any more is gone, like one that
/// was taken away; one that only says something else than this version can read is a fault.
pub(super) fn read_state(conn: &Connection) -> Result<Option<State>, Fault> {
    let read = |row: &rusqlite::Row<'_>| Ok(row.get_ref(0)?.as_bytes().map(serde_json::from_slice));
    match conn.query_row("SELECT body FROM state", [], read).optional()? {
        None | Some(Err(_)) => Ok(None),
        Some(Ok(Err(why))) if !why.is_data() => Ok(None),
        Some(Ok(read)) => Ok(Some(read?)),
    }
}

/// The newest generation, with the text that its first entry holds.
pub(super) fn newest_generation(conn: &Connection) -> Result<Option<GenerationText>, Fault> {
    let newest = conn
        .query_row(
            "SELECT body ->> '$.generation' FROM entries WHERE kind = 'generation' ORDER BY seq DESC LIMIT 1",
            [],
            |row| row.get::<_, String>(0),
        )
        .optional()?;
    newest.map(|id| Ok((GenerationId::from(id.as_str()), generation_text(conn, &id)?))).transpose()
}

/// The text of a generation, which its first entry holds.
pub(super) fn generation_text(conn: &Connection, id: &str) -> Result<BTreeMap<String, String>, Fault> {
    let body: String = conn
        .prepare_cached(
            "SELECT body FROM entries WHERE kind = 'generation' AND body ->> '$.generation' = ?1
             ORDER BY seq LIMIT 1",
        )?
        .query_row([id], |row| row.get(0))?;
    match serde_json::from_str(&body)? {
        Record::Generation { files, .. } => Ok(files),
        _ => Ok(BTreeMap::new()),
    }
}
