//! The entries themselves as a file that can be verified alone: JSON lines, each with the exact text of an entry.
//!
//! The first line says what the file is. Each entry has a line of its own, in order, with the hash that chains it to the
//! one before. The last line says how many there are and what the first line was, so that what is cut off is missed.
//! A line counts only if it is written exactly as Grace writes it: there is no second way to say the same, and so no bit
//! that could be flipped unseen.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::record::chain::{self, GENESIS, Hash, Link};
use crate::record::error::Fault;
use crate::record::signed::ORIGIN;
use crate::record::verify::{Broken, Damage};
use crate::record::{JournalError, Reader};

/// The version of the form.
const FORMAT_VERSION: u32 = 1;

/// A longer line is none of ours.
const LONGEST_LINE: u64 = 64 << 20;

/// An export reads so many entries at a time.
const BATCH: i64 = 1_000;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    grace_entries: u32,
    version: String,
}

/// One entry.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: i64,
    at: i64,
    tick: Option<i64>,
    kind: String,
    event: Option<String>,
    component: Option<String>,
    act: Option<i64>,
    body: String,
    hash: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    entries: u64,
    head: String,
    first: String,
}

/// What a walk along an exported ledger found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// So many entries hold, up to the first that does not.
    pub entries: u64,
    /// The hash of the last entry that holds, in hex.
    pub head: String,
    /// The first entry that does not hold.
    pub broken: Option<Broken>,
}

impl Reader {
    /// Writes every entry that is there now; answers how many.
    ///
    /// # Errors
    /// The journal cannot be read, or what is written goes nowhere.
    pub fn write_entries<E: From<io::Error> + From<JournalError>>(
        &self,
        to: &mut impl Write,
    ) -> Result<u64, E> {
        let end = self.last_seq()?;
        let first = first_line();
        to.write_all(first.as_bytes())?;
        let (mut after, mut head) = (0, hex::encode(GENESIS));
        while after < end {
            for line in self.look(|conn| lines(conn, after, end))? {
                after = line.seq;
                to.write_all(written(&line).as_bytes())?;
                head = line.hash;
            }
        }
        let entries = u64::try_from(after).unwrap_or(0);
        let last = Last { entries, head, first: chain::digest(first.as_bytes()) };
        to.write_all(written(&last).as_bytes())?;
        to.flush()?;
        Ok(entries)
    }

    /// The hash of an entry, in hex.
    pub fn hash_of(&self, seq: i64) -> Result<Option<String>, JournalError> {
        self.look(|conn| {
            let mut query = conn.prepare_cached("SELECT hash FROM entries WHERE seq = ?1")?;
            let mut rows = query.query([seq])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let hash: Vec<u8> = row.get(0)?;
            Ok(Some(hex::encode(hash)))
        })
    }
}

/// The name of a journal: of its first entry, which no other has. None while there is none.
///
/// # Errors
/// The journal cannot be read.
pub fn origin(reader: &Reader) -> Result<Option<String>, JournalError> {
    let first = reader.hash_of(1)?;
    Ok(first.map(|hash| origin_of(&hash)))
}

/// The same, of the first entry's hash in hex.
#[must_use]
pub fn origin_of(first: &str) -> String {
    format!("{ORIGIN}{}", first.get(..16).unwrap_or_default())
}

/// The same in every file of this version.
fn first_line() -> String {
    written(&First { grace_entries: FORMAT_VERSION, version: env!("CARGO_PKG_VERSION").into() })
}

fn written(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

fn lines(conn: &Connection, after: i64, end: i64) -> Result<Vec<Line>, Fault> {
    let mut query = conn.prepare_cached(
        "SELECT seq, at, tick, kind, event, component, act, body, hash FROM entries
         WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = query.query(params![after, end, BATCH])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(line(row)?);
    }
    Ok(found)
}

fn line(row: &Row<'_>) -> Result<Line, Fault> {
    let hash: Vec<u8> = row.get(8)?;
    Ok(Line {
        seq: row.get(0)?,
        at: row.get(1)?,
        tick: row.get(2)?,
        kind: row.get(3)?,
        event: row.get(4)?,
        component: row.get(5)?,
        act: row.get(6)?,
        body: row.get(7)?,
        hash: hex::encode(hash),
    })
}

/// Walks along an exported ledger. Each entry that holds is told, with its number and hash.
///
/// # Errors
/// It cannot be read, or is something else altogether.
pub fn walk_export(path: &Path, told: impl FnMut(i64, &str)) -> io::Result<Walked> {
    walk(BufReader::with_capacity(1 << 20, File::open(path)?), told)
}

/// The same, of whatever is read.
///
/// # Errors
/// It cannot be read.
pub fn walk(from: impl BufRead, mut told: impl FnMut(i64, &str)) -> io::Result<Walked> {
    each(from, |line| told(line.seq, &line.hash))
}

fn each(from: impl BufRead, told: impl FnMut(&Line)) -> io::Result<Walked> {
    Walk { from, entries: 0, hash: GENESIS, first: String::new(), text: Vec::new() }.all(told)
}

/// Why exported entries cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum LedgerError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    /// It is something else.
    #[error("{} holds no exported entries: write them with `grace audit export --entries`", path.display())]
    Foreign { path: PathBuf },
    /// An entry does not hold.
    #[error("{}: entry {seq} does not hold ({damage}): `grace audit verify --export` says more", path.display())]
    Broken { path: PathBuf, seq: i64, damage: Damage },
    /// An entry is not what it should be.
    #[error("{}: entry {seq} cannot be read: {says}", path.display())]
    Entry { path: PathBuf, seq: i64, says: String },
}

/// Reads exported entries, each with its number, kind and body, and checks their chain on the way.
pub(super) fn entries(
    path: &Path,
    mut told: impl FnMut(i64, &str, &str) -> Result<(), Fault>,
) -> Result<(), LedgerError> {
    let file = |why| LedgerError::File { path: path.to_owned(), why };
    let from = BufReader::with_capacity(1 << 20, File::open(path).map_err(file)?);
    let mut failed = None;
    let walked = each(from, |line| {
        if failed.is_none() {
            failed = told(line.seq, &line.kind, &line.body).err().map(|fault| (line.seq, fault.to_string()));
        }
    });
    let path = path.to_owned();
    match (walked.map_err(file)?.broken, failed) {
        (Some(Broken { damage: Damage::First, .. }), _) => Err(LedgerError::Foreign { path }),
        (Some(Broken { seq, damage }), _) => Err(LedgerError::Broken { path, seq, damage }),
        (None, Some((seq, says))) => Err(LedgerError::Entry { path, seq, says }),
        (None, None) => Ok(()),
    }
}

struct Walk<R> {
    from: R,
    entries: u64,
    hash: Hash,
    first: String,
    text: Vec<u8>,
}

impl<R: BufRead> Walk<R> {
    fn all(mut self, told: impl FnMut(&Line)) -> io::Result<Walked> {
        if self.next()?.is_none() || !self.is_first() {
            let broken = Some(Broken { seq: 0, damage: Damage::First });
            return Ok(Walked { entries: 0, head: hex::encode(self.hash), broken });
        }
        self.rest(told)
    }

    /// From behind an entry to the end.
    fn rest(mut self, mut told: impl FnMut(&Line)) -> io::Result<Walked> {
        let mut broken = None;
        while broken.is_none() {
            broken = match self.next()? {
                None => Some(self.here(Damage::End)),
                Some(()) if self.is_last() => {
                    // Nothing comes behind the last line.
                    if self.next()?.is_none() {
                        break;
                    }
                    Some(self.here(Damage::Last))
                }
                Some(()) => match self.entry() {
                    Ok(line) => {
                        told(&line);
                        None
                    }
                    Err(damage) => Some(self.here(damage)),
                },
            };
        }
        Ok(Walked { entries: self.entries, head: hex::encode(self.hash), broken })
    }

    /// What is broken is the entry that comes next.
    fn here(&self, damage: Damage) -> Broken {
        Broken { seq: i64::try_from(self.entries).unwrap_or(i64::MAX).saturating_add(1), damage }
    }

    /// Reads a line; none at the end.
    fn next(&mut self) -> io::Result<Option<()>> {
        self.text.clear();
        self.from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.text)?;
        Ok((!self.text.is_empty()).then_some(()))
    }

    /// The line as this shape, if it is written exactly as Grace writes it.
    fn read<T: for<'d> Deserialize<'d> + Serialize>(&self) -> Option<T> {
        let read: T = serde_json::from_slice(&self.text).ok()?;
        (written(&read).as_bytes() == self.text).then_some(read)
    }

    fn is_first(&mut self) -> bool {
        self.first = chain::digest(&self.text);
        self.read::<First>().is_some_and(|first| first.grace_entries == FORMAT_VERSION)
    }

    fn is_last(&self) -> bool {
        let right = Last { entries: self.entries, head: hex::encode(self.hash), first: self.first.clone() };
        self.read::<Last>() == Some(right)
    }

    fn entry(&mut self) -> Result<Line, Damage> {
        let Some(line) = self.read::<Line>() else {
            // A last line that does not fit is no entry.
            let last = self.read::<Last>().is_some() || self.text.starts_with(b"{\"entries\":");
            return Err(if last { Damage::Last } else { Damage::Hash });
        };
        let expected = self.here(Damage::Missing).seq;
        if line.seq != expected {
            return Err(if line.seq > expected { Damage::Missing } else { Damage::Link });
        }
        let hash = link(&line).hash(&self.hash);
        if line.hash != hex::encode(hash) {
            return Err(Damage::Hash);
        }
        self.hash = hash;
        self.entries += 1;
        Ok(line)
    }
}

fn link(line: &Line) -> Link<'_> {
    Link {
        seq: line.seq,
        at: line.at,
        tick: line.tick,
        kind: line.kind.as_bytes(),
        event: line.event.as_deref().map(str::as_bytes),
        component: line.component.as_deref().map(str::as_bytes),
        act: line.act,
        body: line.body.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Record, Time};
    use crate::record::Journal;

    /// The lines of an export of so many entries.
    fn exported(entries: usize) -> Vec<u8> {
        let dir = tempfile::tempdir().expect("a directory");
        let journal = Journal::open(dir.path()).expect("opens");
        let reason = |number| format!("entry {number}: \u{e9} \"quoted\" \\ and more");
        let records: Vec<Record> =
            (0..entries).map(|number| Record::Stopped { reason: reason(number) }).collect();
        journal.append(Time(1_795_435_200_000), &records).expect("appends");
        let mut bytes = Vec::new();
        let written = Reader::open(dir.path()).expect("opens").write_entries::<Failed>(&mut bytes);
        written.expect("written");
        bytes
    }

    #[derive(Debug)]
    struct Failed;

    impl From<io::Error> for Failed {
        fn from(_: io::Error) -> Self {
            Self
        }
    }

    impl From<JournalError> for Failed {
        fn from(_: JournalError) -> Self {
            Self
        }
    }

    /// A walk stands at every line once; from there each flip is looked at by itself, since what is before it is whole.
    #[test]
    fn ten_thousand_flipped_bits_are_all_found_and_the_entry_is_named() {
        let bytes = exported(1_000);
        let mut hashes = vec![GENESIS];
        let whole = walk(bytes.as_slice(), |_, hash| hashes.push(chain::unhex(hash).expect("a hash")));
        assert_eq!(whole.expect("reads").broken, None);
        let starts: Vec<usize> = std::iter::once(0)
            .chain(bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1))
            .collect();
        let first = chain::digest(&bytes[..starts[1]]);
        let (mut changed, mut seed) = (bytes.clone(), 0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..10_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let bit = usize::try_from(seed % (bytes.len() as u64 * 8)).expect("small");
            let line = starts.partition_point(|start| *start <= bit / 8) - 1;
            changed[bit / 8] ^= 1 << (bit % 8);
            let broken = if line == 0 {
                walk(changed.as_slice(), |_, _| {})
            } else {
                let from = &changed[starts[line]..];
                let entries = u64::try_from(line - 1).expect("small");
                Walk { from, entries, hash: hashes[line - 1], first: first.clone(), text: Vec::new() }
                    .rest(|_| {})
            };
            let named = broken.expect("reads").broken.map(|broken| broken.seq);
            assert_eq!(named, i64::try_from(line).ok(), "bit {bit} in line {line}");
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
