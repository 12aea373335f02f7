//! The figures of a window of the journal: hours that were kept, and the hours in which it begins and ends, folded.

use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension};

use crate::config;
use crate::figures::{Asked, Figures, Fold, NoFigures};
use crate::model::{Span, Time};
use crate::record::error::Fault;
use crate::record::figures::found::Found;
use crate::record::figures::keep;
use crate::record::figures::keep::Kept;
use crate::record::{JournalError, Reader};

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There are none of such a window or component.
    #[error(transparent)]
    None(#[from] NoFigures),
}

/// Where a window begins, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// At a time.
    At(Time),
    /// So long before the window's end.
    Last(Span),
}

impl Since {
    /// Where nothing is said.
    pub const USUALLY: Self = Self::Last(Span::minutes(30 * 24 * 60));

    /// The window that is asked for, where the last tick was then.
    pub(super) fn asked(since: Option<Self>, until: Option<Time>, last: Time) -> Asked {
        let begin = |since| match since {
            Self::At(at) => at,
            Self::Last(length) => until.map_or(last, |until| until.min(last)) - length,
        };
        Asked { since: since.map(begin), until }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let last = || config::duration(text).filter(|length| length.0 > 0).map(Self::Last);
        let says =
            || format!("`{text}` is neither a duration (`24h`, `30d`) nor a time (`2026-11-23T14:00:00Z`)");
        Time::parse(text).map(Self::At).or_else(last).ok_or_else(says)
    }
}

impl Reader {
    /// The figures of a window, of all components or of one.
    pub fn figures(
        &self,
        since: Option<Since>,
        until: Option<Time>,
        only: Option<&str>,
    ) -> Result<Figures, FiguresError> {
        let found = self.look(|conn| {
            // All of it is of one moment, however long it takes.
            let moment = conn.unchecked_transaction()?;
            let (Some(first), Some(last)) = (tick(&moment, "ASC")?, tick(&moment, "DESC")?) else {
                return Ok(Err(NoFigures::NoTicks));
            };
            let asked = Since::asked(since, until, last);
            asked
                .within(first, last)
                .map(|window| Ok((of_journal(&moment, Found::new(window))?, asked.since)))
                .map_or_else(|why| Ok(Err(why)), |found: Result<_, Fault>| found.map(Ok))
        })?;
        let (found, since) = found?;
        Ok(found.finish(since, only)?)
    }
}

fn of_journal(conn: &Connection, mut found: Found) -> Result<Found, Fault> {
    let (fold, after, fits) = match keep::newest(conn)? {
        Kept::Fits(fold, after) => (*fold, after, true),
        Kept::Nothing | Kept::Foreign => (Fold::default(), 0, false),
    };
    found.under_way(conn, fold, after)?;
    if fits {
        found.hours(conn)?;
        found.rows(conn)?;
    }
    Ok(found)
}

/// The time of the first tick, or the last.
fn tick(conn: &Connection, order: &str) -> Result<Option<Time>, Fault> {
    let query =
        format!("SELECT body ->> '$.now' FROM entries WHERE kind = 'tick' ORDER BY seq {order} LIMIT 1");
    Ok(conn.query_row(&query, [], |row| Ok(Time(row.get(0)?))).optional()?)
}
