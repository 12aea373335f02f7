//! The pen: writes entries inside one transaction, each onto the hash of the one before.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::model::{ComponentId, GenerationId, Record, Time};
use crate::record::chain::{GENESIS, Hash, Link};
use crate::record::error::Fault;
use crate::record::figures::Live;

/// One transaction's pen.
pub(super) struct Pen<'t> {
    transaction: &'t Transaction<'t>,
    figures: &'t mut Live,
    at: Time,
    tick: Option<i64>,
    seq: i64,
    hash: Hash,
    waiting: i64,
}

/// What a pen leaves behind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// The number of the last entry.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
    /// By so many there are more writes that wait.
    pub waiting: i64,
}

impl<'t> Pen<'t> {
    /// Takes up the chain where it ends. `at` is the wall clock of everything written.
    pub(super) fn take(
        transaction: &'t Transaction<'t>,
        figures: &'t mut Live,
        at: Time,
        tick: Option<u64>,
    ) -> Result<Self, Fault> {
        let (seq, hash) = head(transaction)?;
        Ok(Self { transaction, figures, at, tick: tick.map(number), seq, hash, waiting: 0 })
    }

    /// The number of the last entry.
    pub(super) fn seq(&self) -> i64 {
        self.seq
    }

    /// Writes one entry and says its number.
    pub(super) fn write(&mut self, record: &Record) -> Result<i64, Fault> {
        self.figures.note(self.transaction, (self.seq + 1, record), (self.seq, &self.hash))?;
        let record = self.once(record)?;
        let body = serde_json::to_string(&*record)?;
        let component = record.component().map(ComponentId::as_str);
        let (kind, event, act) = (record.kind(), record.event(), act(&record));
        let link = Link {
            seq: self.seq + 1,
            at: self.at.0,
            tick: self.tick,
            kind: kind.as_bytes(),
            event: event.map(str::as_bytes),
            component: component.map(str::as_bytes),
            act,
            body: body.as_bytes(),
        };
        let hash = link.hash(&self.hash);
        self.transaction
            .prepare_cached("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                link.seq, link.at, self.tick, kind, event, component, act, body, self.hash, hash
            ])?;
        (self.seq, self.hash) = (link.seq, hash);
        self.waiting += waiting(&record);
        Ok(self.seq)
    }

    /// Puts the pen down: the head now says where the chain ends.
    pub(super) fn finish(self) -> Result<Written, Fault> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO head VALUES (1, ?1, ?2)")?
            .execute(params![self.seq, self.hash])?;
        Ok(Written { seq: self.seq, hash: self.hash, waiting: self.waiting })
    }

    /// The text of a generation is kept with its first entry only.
    fn once<'r>(&self, record: &'r Record) -> Result<Cow<'r, Record>, Fault> {
        if let Record::Generation { generation, files, kept, reset, dropped, state, meaning } = record
            && !files.is_empty()
            && self.knows(generation)?
        {
            return Ok(Cow::Owned(Record::Generation {
                generation: generation.clone(),
                files: BTreeMap::new(),
                kept: kept.clone(),
                reset: reset.clone(),
                dropped: dropped.clone(),
                state: state.clone(),
                meaning: *meaning,
            }));
        }
        Ok(Cow::Borrowed(record))
    }

    fn knows(&self, generation: &GenerationId) -> Result<bool, Fault> {
        Ok(self
            .transaction
            .prepare_cached(
                "SELECT 1 FROM entries WHERE kind = 'generation' AND body ->> '$.generation' = ?1 LIMIT 1",
            )?
            .exists([generation.as_str()])?)
    }
}

/// Where the chain ends: by the entries themselves, not by what is said of them.
pub(super) fn head(conn: &rusqlite::Connection) -> Result<(i64, Hash), Fault> {
    let last = conn
        .prepare_cached("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or((0, GENESIS)))
}

/// The act an entry belongs to.
pub(super) fn act(record: &Record) -> Option<i64> {
    match record {
        Record::Intent { act, .. } | Record::End { act, .. } | Record::Relapsed { act, .. } => {
            Some(number(act.0))
        }
        _ => None,
    }
}

/// By how many an entry makes the queue of waiting writes longer.
fn waiting(record: &Record) -> i64 {
    match record {
        Record::WriteDeferred { .. } => 1,
        Record::WriteApplied { .. } => -1,
        _ => 0,
    }
}

/// SQLite's numbers have a sign. Counters of ticks and acts never come near the end.
pub(super) fn number(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}
