//! May the readings of a tick be gone? Whoever replays a journal asks this where some are, so that what was taken out is not
//! told as what has expired.
//!
//! It is what [`Reader::verify`](crate::record::Reader::verify) knows without walking the chain: readings expire from the
//! oldest on, before the mark, and not before the shortest time that any recorded generation keeps them.

use rusqlite::{Connection, OptionalExtension};

use crate::config;
use crate::model::{Record, Span, Time};
use crate::record::error::Fault;

/// As verification does: one in so many parts of the time is left to clocks that disagree, and at least a minute.
const SLACK: i64 = 10;

/// What is known of what has expired. Nothing is looked up before the first tick whose readings are gone.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// The shortest time that readings are kept.
    least: Least,
    border: Option<Border>,
}

/// The shortest time that any generation says.
#[derive(Debug, Clone, Copy, Default)]
enum Least {
    /// Nobody has looked.
    #[default]
    Unasked,
    /// One of them does not say.
    Unknown,
    Kept(Span),
}

#[derive(Debug)]
struct Border {
    /// The mark, by the wall clock.
    before: i64,
    /// The oldest entry that has its readings, and its time by the wall clock.
    oldest: Option<(i64, i64)>,
    /// What is newer than this by Grace's own time is kept.
    floor: Option<i64>,
}

impl Gone {
    /// More may have expired until the next look at the file.
    pub(super) fn renew(&mut self) {
        self.border = None;
    }

    /// Were the readings of this tick taken out, rather than let go when they were old?
    pub(super) fn is_lost(
        &mut self,
        conn: &Connection,
        (seq, at): (i64, i64),
        now: Time,
    ) -> Result<bool, Fault> {
        if self.border.is_none() {
            self.border = Some(self.look(conn)?);
        }
        let Some(Border { before, oldest, floor }) = &self.border else { return Ok(false) };
        let passed = oldest.is_some_and(|(oldest, kept)| seq > oldest && at >= kept);
        Ok(at >= *before || passed || floor.is_some_and(|floor| now.0 >= floor))
    }

    fn look(&mut self, conn: &Connection) -> Result<Border, Fault> {
        let before = conn.query_row("SELECT before FROM retention", [], |row| row.get(0)).optional()?;
        let oldest = "SELECT seq, at FROM entries WHERE seq = (SELECT min(seq) FROM readings)";
        let oldest = conn.query_row(oldest, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if matches!(self.least, Least::Unasked) {
            self.least = least(conn)?.map_or(Least::Unknown, Least::Kept);
        }
        let floor = match self.least {
            Least::Kept(kept) => last(conn)?.map(|last| {
                let slack = (kept.0 / SLACK).max(Span::minutes(1).0);
                last.saturating_sub(kept.0.saturating_sub(slack).max(0))
            }),
            Least::Unasked | Least::Unknown => None,
        };
        // Without a mark nothing has expired.
        Ok(Border { before: before.unwrap_or(i64::MIN), oldest, floor })
    }
}

/// The shortest time for which any generation keeps readings; none where one does not say, or there is none.
fn least(conn: &Connection) -> Result<Option<Span>, Fault> {
    let mut all = conn.prepare("SELECT body FROM entries WHERE kind = 'generation'")?;
    let mut rows = all.query([])?;
    let mut least: Option<Span> = None;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str().ok().map(serde_json::from_str);
        let Some(Ok(Record::Generation { files, .. })) = body else { return Ok(None) };
        // The text stands with the first entry of a generation only.
        if files.is_empty() {
            continue;
        }
        let Some(kept) = config::retention(&files) else { return Ok(None) };
        least = Some(least.map_or(kept, |least| least.min(kept)));
    }
    Ok(least)
}

/// The time of the newest tick, by Grace's own time.
fn last(conn: &Connection) -> Result<Option<i64>, Fault> {
    let last = "SELECT CASE WHEN json_valid(body) THEN body ->> '$.now' END
                FROM entries WHERE kind = 'tick' ORDER BY seq DESC LIMIT 1";
    let last: Option<Option<i64>> = conn.query_row(last, [], |row| row.get(0)).optional()?;
    Ok(last.flatten())
}
