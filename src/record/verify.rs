//! Is the journal whole? Walks the chain from the first entry to the last, in flat memory.

mod found;
mod made;
mod meanings;
mod place;
mod retention;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::model::{Record, Time};
use crate::record::chain::{self, GENESIS, Hash, Link};
use crate::record::error::Fault;
use crate::record::names::Names;
use crate::record::replay::Body;
use crate::record::state::Keep;
use crate::record::verify::meanings::Meanings;
use crate::record::verify::place::Place;
use crate::record::verify::retention::Retention;
use crate::record::{JournalError, Reader, moment, once, pen};

pub use found::{Broken, Damage, Verified};

impl Reader {
    /// Walks along the chain and names the first entry that does not hold. It sees the journal as it was
    /// when the walk began.
    pub fn verify(&self) -> Result<Verified, JournalError> {
        self.walk_along(true)
    }

    /// The same beside somebody who takes all readings apart: that they can be, he sees himself. They are still held
    /// against their digests.
    pub fn verify_beside(&self) -> Result<Verified, JournalError> {
        self.walk_along(false)
    }

    fn walk_along(&self, takes_apart: bool) -> Result<Verified, JournalError> {
        self.look(|conn| {
            let altered = made::altered(conn)?;
            let found = match walk_with(conn, takes_apart) {
                // What cannot even be asked for is why.
                Err(_) if !altered.is_empty() => Verified {
                    broken: Some(Broken { seq: 0, damage: Damage::Tables }),
                    ..Verified::default()
                },
                found => found?,
            };
            // Of what does not hold, or is made otherwise, that much is told already.
            if !found.is_whole() || !altered.is_empty() {
                return Ok(Verified { altered, ..found });
            }
            let altered = [made::indexes(conn)?, made::strays(conn)?].concat();
            Ok(Verified { altered, ..found })
        })
    }
}

/// Where a walk is.
struct Walk {
    found: Verified,
    seq: i64,
    hash: Hash,
    /// Readings of entries before this time may be gone.
    expired_before: i64,
    /// The digest of the state as of the last entry that says one.
    state: Option<String>,
    /// What may stand next.
    place: Place,
    /// Where the mark of what has expired may be.
    retention: Retention,
    /// Which meaning a tick may name.
    meanings: Meanings,
    /// Names of readings that were met.
    names: Names,
    /// Readings are taken apart.
    takes_apart: bool,
    /// The statuses that a tick said last.
    statuses: once::Again,
    /// States that are kept are looked at.
    looks_at_states: bool,
    /// The last entry with which a state has to be kept, while none has come.
    owes: Option<i64>,
    /// The earliest time of a tick so far whose readings are there: the oldest go first, so later ones cannot have gone.
    kept: i64,
    /// The tick before.
    before: Option<Before>,
}

/// A tick, as the one behind it sees it.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// Its entry.
    seq: i64,
    /// Its time, on Grace's own time line.
    now: Time,
    /// Its readings are gone.
    gone: bool,
}

pub(super) fn walk(conn: &Connection) -> Result<Verified, Fault> {
    walk_with(conn, true)
}

fn walk_with(conn: &Connection, takes_apart: bool) -> Result<Verified, Fault> {
    let transaction = conn.unchecked_transaction()?;
    let mut walk = Walk {
        found: Verified::default(),
        seq: 0,
        hash: GENESIS,
        // Without a border nothing has expired.
        expired_before: transaction
            .query_row("SELECT before FROM retention", [], |row| row.get(0))
            .optional()?
            .unwrap_or(i64::MIN),
        state: None,
        place: Place::Between,
        retention: Retention::default(),
        meanings: Meanings::default(),
        names: Names::default(),
        takes_apart,
        statuses: once::Again::default(),
        looks_at_states: true,
        owes: None,
        kept: i64::MAX,
        before: None,
    };
    let mut query = transaction.prepare(
        "SELECT e.seq, e.at, e.tick, e.kind, e.event, e.component, e.act, e.body, e.prev, e.hash, r.body, c.body, c.adopted
         FROM entries e LEFT JOIN readings r ON r.seq = e.seq LEFT JOIN checkpoints c ON c.seq = e.seq
         ORDER BY e.seq",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(damage) = walk.on(row)? {
            walk.found.broken = Some(walk.broken(damage));
            break;
        }
    }
    if walk.found.broken.is_none() {
        walk.found.broken = walk.end(&transaction)?.or(walk.over());
    }
    walk.found.head = hex::encode(walk.hash);
    Ok(walk.found)
}

/// The newest entries: more than a log can hold that was not folded in yet.
const TAIL: i64 = 20_000;

/// Walks along the end of the chain only, without its readings: quick at any size. A file that was replaced while
/// its log stayed is neither the old journal nor the new one, and this is where they meet.
pub(super) fn tail(conn: &Connection) -> Result<Option<Broken>, Fault> {
    let after =
        conn.query_row("SELECT max(coalesce(max(seq), 0) - ?1, 0) FROM entries", [TAIL], |row| row.get(0))?;
    let before = "SELECT hash FROM entries WHERE seq = ?1";
    let hash: Option<Hash> = match after {
        0 => Some(GENESIS),
        seq => conn.query_row(before, [seq], |row| row.get(0)).optional()?,
    };
    let Some(hash) = hash else { return Ok(Some(Broken { seq: after, damage: Damage::Missing })) };
    let found = Verified::default();
    // As if all of them had expired.
    let mut walk = Walk {
        found,
        seq: after,
        hash,
        expired_before: i64::MAX,
        state: None,
        place: Place::Anywhere,
        retention: Retention::default(),
        meanings: Meanings::default(),
        names: Names::default(),
        takes_apart: true,
        statuses: once::Again::default(),
        looks_at_states: false,
        owes: None,
        kept: i64::MAX,
        before: None,
    };
    let mut query = conn.prepare(
        "SELECT seq, at, tick, kind, event, component, act, body, prev, hash, NULL, NULL, NULL
         FROM entries WHERE seq > ?1 ORDER BY seq",
    )?;
    let mut rows = query.query([after])?;
    while let Some(row) = rows.next()? {
        if let Err(damage) = walk.on(row)? {
            return Ok(Some(walk.broken(damage)));
        }
    }
    walk.end(conn)
}

impl Walk {
    /// Goes one entry on, or says what is wrong with it.
    fn on(&mut self, row: &Row<'_>) -> Result<Result<(), Damage>, Fault> {
        let seq: i64 = row.get(0)?;
        if seq != self.seq + 1 {
            return Ok(Err(Damage::Missing));
        }
        if bytes(row, 8)? != Some(&self.hash) {
            return Ok(Err(Damage::Link));
        }
        let link = link(row, seq)?;
        let hash = link.hash(&self.hash);
        if bytes(row, 9)? != Some(&hash) {
            return Ok(Err(Damage::Hash));
        }
        let said = match link.kind {
            b"tick" => self.tick(&link, bytes(row, 10)?),
            _ => self.entry(&link),
        };
        let kept = bytes(row, 11)?;
        if let Err(damage) = said.and_then(|()| self.kept(kept)) {
            return Ok(Err(damage));
        }
        if let Some(adopted) = row.get(12)? {
            self.owes = None;
            // A state is kept with the last entry of what it came of.
            match self.place.kept(adopted) {
                Ok(place) => self.place = place,
                Err(damage) => return Ok(Err(damage)),
            }
        }
        self.retention.at(link.at);
        (self.seq, self.hash) = (seq, hash);
        self.found.entries += 1;
        Ok(Ok(()))
    }

    /// What stands beside the record is what follows from it: people query it. And it stands where it may.
    fn entry(&mut self, link: &Link<'_>) -> Result<(), Damage> {
        let record: Record = serde_json::from_slice(link.body).map_err(|_| Damage::Record)?;
        // What a record does not know would be passed over here and shown by a view: only what Grace writes stands there.
        if serde_json::to_vec(&record).map_err(|_| Damage::Record)? != link.body {
            return Err(Damage::Record);
        }
        let same = link.kind == record.kind().as_bytes()
            && link.event == record.event().map(str::as_bytes)
            && link.component == record.component().map(|id| id.as_str().as_bytes())
            && link.act == pen::act(&record);
        if !same {
            return Err(Damage::Columns);
        }
        self.place = self.place.entry(&record, link.tick)?;
        self.retention.on(&record);
        self.meanings.on(&record);
        if let Record::Generation { state, .. } = record {
            // A start or a reload keeps the state that it was taken over with, behind its last entry. One that no tick
            // followed expires as soon as there is another.
            self.says(state)?;
            self.owes = self.state.as_ref().map(|_| link.seq);
        }
        Ok(())
    }

    /// An entry says which state came of it. Those of the first versions did not; once they do, all do.
    fn says(&mut self, state: Option<String>) -> Result<(), Damage> {
        if state.is_none() && self.state.is_some() {
            return Err(Damage::State);
        }
        self.state = state;
        Ok(())
    }

    /// Was a state kept where one had to be?
    fn paid(&self) -> Result<(), Damage> {
        if self.owes.is_some() && self.looks_at_states { Err(Damage::StateMissing) } else { Ok(()) }
    }

    /// What is broken is the entry that comes next, or the one that owes a state.
    fn broken(&self, damage: Damage) -> Broken {
        let seq = match damage {
            Damage::StateMissing => self.owes.unwrap_or(self.seq),
            Damage::Start => self.seq,
            _ => self.seq + 1,
        };
        Broken { seq, damage }
    }

    /// What only the whole of a journal shows.
    fn over(&self) -> Option<Broken> {
        if let Err(damage) = self.paid().and_then(|()| self.place.whole()) {
            return Some(self.broken(damage));
        }
        let ahead = !self.retention.allows(self.expired_before);
        let ahead = ahead.then_some(Broken { seq: self.seq, damage: Damage::Retention });
        ahead.or_else(|| self.retention.lost().map(|seq| Broken { seq, damage: Damage::ReadingsMissing }))
    }

    /// A state that is kept is the one that the entries say.
    fn kept(&self, body: Option<&[u8]>) -> Result<(), Damage> {
        match (body, &self.state) {
            (Some(body), Some(state)) if *state != chain::digest(body) => Err(Damage::State),
            (Some(body), _) => {
                let text = std::str::from_utf8(body).map_err(|_| Damage::State)?;
                once::keys(text).map_err(|_| Damage::State)
            }
            (None, _) => Ok(()),
        }
    }

    fn tick(&mut self, link: &Link<'_>, body: Option<&[u8]>) -> Result<(), Damage> {
        let bare = link.event.is_none() && link.component.is_none() && link.act.is_none();
        let text = std::str::from_utf8(link.body).map_err(|_| Damage::Record)?;
        let tick = Body::of(text).map_err(|_| Damage::Record)?;
        // The tail is looked at with each start: this is no part of it.
        if self.looks_at_states && !tick.is_all_of(text, &mut self.statuses) {
            return Err(Damage::Record);
        }
        let number = i64::try_from(tick.tick).ok();
        if !bare || link.tick != number {
            return Err(Damage::Columns);
        }
        // Only the first meaning was written down without the state that came of it.
        if tick.state.is_none() && !tick.meaning.is_first() {
            return Err(Damage::State);
        }
        self.meanings.tick(tick.meaning)?;
        self.found.unsaid += u64::from(tick.state.is_none());
        self.place = self.place.tick(number)?;
        if body.is_some() {
            self.paid()?;
        }
        self.says(tick.state)?;
        // A state expires with the readings behind it.
        let owes = body.is_some() && self.state.is_some() && Keep::of_tick(tick.tick) == Keep::Checkpoint;
        self.owes = owes.then_some(link.seq);
        self.in_order(Before { seq: link.seq, now: tick.now, gone: body.is_none() })?;
        match body {
            None if link.at < self.expired_before.min(self.kept) => self.found.expired += 1,
            None => return Err(Damage::ReadingsMissing),
            Some(body) => {
                if tick.readings != chain::digest(body) {
                    return Err(Damage::Readings);
                }
                if self.takes_apart {
                    let text = std::str::from_utf8(body).map_err(|_| Damage::Readings)?;
                    self.names.snapshot(text).map_err(|_| Damage::Readings)?;
                }
                self.found.readings += 1;
                self.kept = self.kept.min(link.at);
            }
        }
        Ok(())
    }

    /// Grace's own time never goes back. Of a tick whose readings are gone nothing is derived that would show another
    /// time: those beside it tell.
    fn in_order(&mut self, tick: Before) -> Result<(), Damage> {
        self.retention.tick(tick.now);
        if tick.gone {
            self.retention.gone(tick.now, tick.seq);
        }
        let back = self
            .before
            .replace(tick)
            .is_some_and(|before| (before.gone || tick.gone) && tick.now < before.now);
        // The tail alone does not know what has expired.
        if back && self.looks_at_states { Err(Damage::ReadingsMissing) } else { Ok(()) }
    }

    /// A journal that lost its last entries is still a chain; the head and the state tell.
    fn end(&self, conn: &Connection) -> Result<Option<Broken>, Fault> {
        let head: Option<(i64, Vec<u8>)> = conn
            .query_row("SELECT seq, hash FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        // As it lies there: after a change it may be no text any more.
        let kept = |row: &Row<'_>| Ok((row.get(0)?, row.get_ref(1)?.as_bytes_or_null()?.map(<[u8]>::to_vec)));
        let state: Option<(i64, Option<Vec<u8>>)> =
            conn.query_row("SELECT seq, body FROM state", [], kept).optional()?;
        let kept = state.as_ref().map_or(0, |(seq, _)| *seq);
        let last = head.as_ref().map_or(0, |(seq, _)| *seq).max(kept);
        if last > self.seq {
            return Ok(Some(Broken { seq: last, damage: Damage::End }));
        }
        if state.is_none() && self.state.is_some() {
            return Ok(Some(Broken { seq: self.seq, damage: Damage::StateMissing }));
        }
        if let Some((seq, body)) = &state
            && let Err(damage) = body.as_deref().map_or(Err(Damage::State), |body| self.kept(Some(body)))
        {
            return Ok(Some(Broken { seq: *seq, damage }));
        }
        let agrees = head.map_or(self.seq == 0, |(seq, hash)| seq == self.seq && hash == self.hash);
        if !agrees {
            return Ok(Some(Broken { seq: self.seq, damage: Damage::Hash }));
        }
        let moved = !moment::is_whole(conn)?;
        Ok(moved.then_some(Broken { seq: self.seq, damage: Damage::Moment }))
    }
}

fn link<'r>(row: &'r Row<'_>, seq: i64) -> Result<Link<'r>, Fault> {
    Ok(Link {
        seq,
        at: row.get(1)?,
        tick: row.get(2)?,
        kind: bytes(row, 3)?.unwrap_or_default(),
        event: bytes(row, 4)?,
        component: bytes(row, 5)?,
        act: row.get(6)?,
        body: bytes(row, 7)?.unwrap_or_default(),
    })
}

/// A text or blob as it lies there, even where a change made it no text any more.
fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<&'r [u8]>, Fault> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
