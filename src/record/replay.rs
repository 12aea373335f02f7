//! What a replay needs, in the order in which it happened.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::engine::{Input, State};
use crate::model::{Asked, GenerationId, Meaning, Performed, Record, Span, Time};
use crate::record::error::Fault;
use crate::record::gone::Gone;
use crate::record::names::Names;
use crate::record::{JournalError, Reader, chain, once, state};

/// So many entries are looked at in one go; between two goes nothing is held.
const BATCH: i64 = 512;

/// And not many more bytes than this: the readings of a thousand components are large.
const BATCH_BYTES: usize = 1 << 20;

/// One recorded thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
// Tagged from outside: what is tagged from inside is read by a detour on which numbers cannot be keys.
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// Grace started.
    Started {
        /// Its entry.
        seq: i64,
        /// Her version.
        version: String,
    },
    /// From here on this generation was active.
    Generation {
        /// Its entry.
        seq: i64,
        /// Its id.
        id: GenerationId,
        /// Its files, by name.
        files: BTreeMap<String, String>,
    },
    /// A start or a reload: the engine went on from this state.
    Adopted {
        /// The last entry of the start or reload.
        seq: i64,
        /// The state.
        state: Box<State>,
        /// All its entries in order, but for the files of the generation; none where it was not read from its
        /// beginning, and in exports of earlier versions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        records: Vec<Record>,
    },
    /// The state between two ticks: a replay can begin here, and one under way can compare.
    Checkpoint {
        /// The last entry of the tick before.
        seq: i64,
        /// The state.
        state: Box<State>,
    },
    /// One tick: what went in, and what came out.
    Tick {
        /// Its entry.
        seq: i64,
        /// What went in.
        input: Box<Input>,
        /// The digest of its decisions, as [`crate::record::decisions_digest`] makes it.
        decisions: String,
        /// The entries its step left behind, in order.
        records: Vec<Record>,
        /// The digest of the state that came of it; older journals lack it.
        state: Option<String>,
        /// How the components were after it, as JSON; a history that is played has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        statuses: Option<Box<str>>,
        /// The consecutive failures of those that failed last, as JSON; exports of earlier versions lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failures: Option<Box<str>>,
        /// Its readings are not those whose digest its entry holds: somebody changed them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        changed: bool,
    },
    /// A tick whose readings have expired: a replay goes on at the next checkpoint.
    Expired {
        /// Its entry.
        seq: i64,
        /// Its number.
        tick: u64,
        /// They are gone and were not old enough: somebody took them out. Exports of earlier versions do not say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
}

/// Recorded things, a batch at a time. It ends where the journal ends when it gets there.
#[derive(Debug)]
pub struct Ticks<'r> {
    reader: &'r Reader,
    after: i64,
    read: Read,
    over: bool,
    /// What ended it, behind what is ready.
    failed: Option<JournalError>,
}

/// What was read so far and not handed out.
#[derive(Debug, Default)]
struct Read {
    ready: VecDeque<Recorded>,
    /// The last tick, while entries that belong to it may follow.
    open: Option<Recorded>,
    /// The entries of a start or a reload, while its state may follow.
    adoption: Vec<Record>,
    /// The entry that is looked at, and whether it is a tick.
    at: Option<(i64, bool)>,
    names: Names,
    gone: Gone,
}

impl Reader {
    /// What was recorded after the entry `after_seq`, in order; 0 begins at the beginning.
    #[must_use]
    pub fn ticks(&self, after_seq: i64) -> Ticks<'_> {
        Ticks { reader: self, after: after_seq, read: Read::default(), over: false, failed: None }
    }
}

/// Something that cannot be read was passed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Its entry.
    pub seq: i64,
    /// It is a tick.
    pub tick: bool,
}

impl Ticks<'_> {
    /// Goes on behind the entry that could not be read; nothing where it was not an entry that ended it.
    pub fn pass_by(&mut self) -> Option<Passed> {
        let (seq, tick) = self.read.at.take()?;
        self.read.adoption.clear();
        (self.after, self.over) = (seq, false);
        Some(Passed { seq, tick })
    }

    /// Says first which generation was active where they begin.
    pub(super) fn under(mut self, seq: i64, id: GenerationId, files: BTreeMap<String, String>) -> Self {
        self.read.ready.push_front(Recorded::Generation { seq, id, files });
        self
    }

    /// Says first which Grace decided where they begin.
    pub(super) fn by(mut self, seq: i64, version: String) -> Self {
        self.read.ready.push_front(Recorded::Started { seq, version });
        self
    }
}

impl Iterator for Ticks<'_> {
    type Item = Result<Recorded, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = &mut self.read;
        while read.ready.is_empty() && !self.over {
            match self.reader.look(|conn| read.batch(conn, self.after)) {
                Ok(Some(last)) => self.after = last,
                Ok(None) => {
                    self.over = true;
                    read.close();
                }
                Err(why) => {
                    // What was read before it is whole.
                    self.over = true;
                    read.close();
                    self.failed = Some(why);
                }
            }
        }
        read.ready.pop_front().map(Ok).or_else(|| self.failed.take().map(Err))
    }
}

impl Read {
    /// Reads one batch; says the last entry looked at, or nothing at the end. The bound is asked twice: the first finds
    /// where to begin, the second is held against each row, which a damaged index may put anywhere.
    fn batch(&mut self, conn: &Connection, after: i64) -> Result<Option<i64>, Fault> {
        let mut query = conn.prepare_cached(
            "SELECT e.seq, e.kind, e.tick, e.body, r.body, c.adopted, c.body, e.at
             FROM entries e LEFT JOIN readings r ON r.seq = e.seq LEFT JOIN checkpoints c ON c.seq = e.seq
             WHERE e.seq > ?1 AND +e.seq > ?1 ORDER BY e.seq LIMIT ?2",
        )?;
        let mut rows = query.query(params![after, BATCH])?;
        let (mut last, mut bytes) = (None, 0);
        self.gone.renew();
        while bytes < BATCH_BYTES
            && let Some(row) = rows.next()?
        {
            let (seq, next): (i64, i64) = (row.get(0)?, last.unwrap_or(after).saturating_add(1));
            // In a damaged file a row can say of itself what it likes: whoever goes on behind it must not go back.
            let place = seq.max(next);
            self.at = Some((place, row.get_ref(1)?.as_bytes_or_null().ok().flatten() == Some(b"tick")));
            if seq < next {
                return Err(Fault::Entry { seq: place, says: format!("entry {seq} stands in its place") });
            }
            bytes += size(row, 3)? + size(row, 4)? + size(row, 6)?;
            self.entry(conn, row, seq).map_err(|fault| fault.at(seq))?;
            if let Some(state) = self.checkpoint(row, seq).map_err(|fault| fault.at(seq))? {
                self.close();
                self.ready.push_back(state);
            }
            last = Some(seq);
            self.at = None;
        }
        Ok(last)
    }

    /// Nothing more belongs to the last tick.
    fn close(&mut self) {
        self.ready.extend(self.open.take());
    }

    /// Takes one entry: a generation or a tick stands for itself, and what a tick's step left behind goes to the tick.
    fn entry(&mut self, conn: &Connection, row: &Row<'_>, seq: i64) -> Result<(), Fault> {
        let body = || -> Result<Record, Fault> { Ok(serde_json::from_str(text(row, 3)?)?) };
        match text(row, 1)? {
            "tick" => {
                self.close();
                self.adoption.clear();
                self.open = Some(tick(conn, row, seq, (&mut self.names, &mut self.gone))?);
            }
            "started" => {
                self.close();
                let record = body()?;
                if let Record::Started { version, .. } = &record {
                    self.ready.push_back(Recorded::Started { seq, version: version.clone() });
                }
                self.adoption = vec![record];
            }
            "generation" if row.get::<_, Option<i64>>(2)?.is_none() => {
                self.close();
                // A start says so first; a reload begins here.
                if !matches!(self.adoption.as_slice(), [Record::Started { .. }]) {
                    self.adoption.clear();
                }
                let mut record = body()?;
                self.ready.extend(generation(conn, seq, &mut record)?);
                self.adoption.push(record);
            }
            _ => {
                let of_tick = row.get::<_, Option<i64>>(2)?;
                match (of_tick, &mut self.open) {
                    (Some(_), Some(Recorded::Tick { records, .. })) => records.push(body()?),
                    (None, _) if !self.adoption.is_empty() => {
                        let record = body()?;
                        // What the shell wrote comes behind a start or a reload whose state has expired.
                        if record.origin().is_adoption() {
                            self.adoption.push(record);
                        } else {
                            self.adoption.clear();
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The state that is kept with an entry.
    fn checkpoint(&mut self, row: &Row<'_>, seq: i64) -> Result<Option<Recorded>, Fault> {
        let (Some(adopted), Some(body)) = (row.get(5)?, row.get::<_, Option<String>>(6)?) else {
            return Ok(None);
        };
        let records = std::mem::take(&mut self.adoption);
        let state = Box::new(serde_json::from_str(&body)?);
        // What the row says of itself stands in no chain.
        Ok(Some(if adopted || !records.is_empty() {
            Recorded::Adopted { seq, state, records }
        } else {
            Recorded::Checkpoint { seq, state }
        }))
    }
}

/// The length of a text in bytes; one that is not there has none.
fn size(row: &Row<'_>, column: usize) -> Result<usize, Fault> {
    Ok(row.get_ref(column)?.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len))
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, Fault> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// A tick's entry: [`Record::Tick`], field by field. The statuses stay text: with a thousand components they are most of
/// it, and whoever proves them only compares.
#[derive(Deserialize, Serialize)]
pub(super) struct Body<'t> {
    kind: &'t str,
    pub(super) tick: u64,
    pub(super) now: Time,
    #[serde(borrow)]
    statuses: &'t RawValue,
    /// Left out where nothing failed.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    failures: Option<&'t RawValue>,
    performed: Vec<Performed>,
    asked: Vec<Asked>,
    stop: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grid: Option<Span>,
    #[serde(default = "Meaning::first", skip_serializing_if = "Meaning::is_first")]
    pub(super) meaning: Meaning,
    /// The digest of its readings.
    pub(super) readings: String,
    decisions: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
}

impl<'t> Body<'t> {
    /// Takes the text of a tick's entry apart.
    pub(super) fn of(text: &'t str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Is the text what Grace writes of this tick, and nothing besides?
    pub(super) fn is_all_of(&self, text: &str, statuses: &mut once::Again) -> bool {
        let whole = |raw: &RawValue| !raw.get().contains(char::is_whitespace);
        self.kind == "tick"
            && statuses.once(self.statuses.get())
            && whole(self.statuses)
            && self.failures.is_none_or(|failures| once::keys(failures.get()).is_ok() && whole(failures))
            && serde_json::to_string(self).is_ok_and(|written| written == text)
    }
}

fn tick(
    conn: &Connection,
    row: &Row<'_>,
    seq: i64,
    (names, gone): (&mut Names, &mut Gone),
) -> Result<Recorded, Fault> {
    let body = Body::of(text(row, 3)?)?;
    let Body { tick, now, performed, asked, stop, grid, meaning, .. } = body;
    if row.get_ref(4)? == rusqlite::types::ValueRef::Null {
        let lost = gone.is_lost(conn, (seq, row.get(7)?), now)?;
        return Ok(Recorded::Expired { seq, tick, lost });
    }
    let readings = text(row, 4)?;
    // A tenth of what it takes to weigh a state, and it finds the change at its tick.
    let changed = body.readings != chain::digest(readings.as_bytes());
    let snapshot = names.snapshot(readings)?;
    let input = Box::new(Input { tick, now, snapshot, performed, asked, stop, grid, meaning });
    Ok(Recorded::Tick {
        seq,
        input,
        decisions: body.decisions,
        records: Vec::new(),
        state: body.state,
        statuses: Some(body.statuses.get().into()),
        failures: Some(body.failures.map_or("{}", RawValue::get).into()),
        changed,
    })
}

/// The generation of an entry, whose files it takes out.
fn generation(conn: &Connection, seq: i64, record: &mut Record) -> Result<Option<Recorded>, Fault> {
    let Record::Generation { generation: id, files, .. } = record else { return Ok(None) };
    let files = std::mem::take(files);
    let files = if files.is_empty() { state::generation_text(conn, id.as_str())? } else { files };
    Ok(Some(Recorded::Generation { seq, id: id.clone(), files }))
}
