//! What is kept, and found again.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::figures::{Bucket, Closed, Fold, Hour, VERSION};
use crate::model::Time;
use crate::record::chain::Hash;
use crate::record::error::Fault;
use crate::record::own;

/// What was kept last.
pub(in crate::record) enum Kept {
    /// It fits: all entries up to this one are in it.
    Fits(Box<Fold>, i64),
    /// Nothing was kept yet.
    Nothing,
    /// It is another version's, or another journal's.
    Foreign,
}

/// Keeps what ended. All entries up to `upto` are in it.
pub(super) fn keep(
    transaction: &Transaction<'_>,
    hours: &[Hour],
    closed: &[Closed],
    (seq, hash): (i64, &Hash),
) -> Result<(), Fault> {
    let mut row =
        transaction.prepare_cached("INSERT OR REPLACE INTO figure_rows VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for one in closed {
        let ((kind, id, component), (began, ended)) = (one.key(), one.times());
        row.execute(params![kind, id, component, began.0, ended.0, serde_json::to_string(one)?])?;
    }
    let mut row =
        transaction.prepare_cached("INSERT OR REPLACE INTO figure_hours VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (bucket, fold) in hours {
        let (body, fold) = (serde_json::to_string(bucket)?, serde_json::to_string(fold)?);
        row.execute(params![bucket.from.0, VERSION, seq, hash, body, fold])?;
    }
    Ok(())
}

/// Forgets all of it, to be made anew.
pub(super) fn forget(transaction: &Transaction<'_>) -> Result<(), Fault> {
    Ok(transaction.execute_batch("DELETE FROM figure_hours; DELETE FROM figure_rows")?)
}

/// What was kept last.
pub(super) fn newest(conn: &Connection) -> Result<Kept, Fault> {
    let newest = conn
        .prepare_cached("SELECT version, seq, hash, fold FROM figure_hours ORDER BY hour DESC LIMIT 1")?
        .query_row([], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Hash>(2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .optional()?;
    Ok(match newest {
        None => Kept::Nothing,
        Some((VERSION, seq, hash, fold)) if own::holds(conn, seq, &hash) => {
            serde_json::from_str(&fold).map_or(Kept::Foreign, |fold| Kept::Fits(fold, seq))
        }
        Some(_) => Kept::Foreign,
    })
}

/// The fold as it stood before an hour; at the beginning of all where nothing was kept before.
pub(super) fn before(conn: &Connection, hour: Time) -> Result<(Fold, i64), Fault> {
    let kept = conn
        .prepare_cached("SELECT fold, seq FROM figure_hours WHERE hour < ?1 ORDER BY hour DESC LIMIT 1")?
        .query_row([hour.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .optional()?;
    kept.map_or(Ok((Fold::default(), 0)), |(fold, seq)| Ok((serde_json::from_str(&fold)?, seq)))
}

/// Was this hour kept?
pub(super) fn has(conn: &Connection, hour: Time) -> Result<bool, Fault> {
    Ok(conn.prepare_cached("SELECT 1 FROM figure_hours WHERE hour = ?1")?.exists([hour.0])?)
}

/// The hours that begin and end in this time.
pub(super) fn hours(
    conn: &Connection,
    (since, last): (Time, Time),
    mut each: impl FnMut(Bucket),
) -> Result<(), Fault> {
    let mut query =
        conn.prepare_cached("SELECT body FROM figure_hours WHERE hour >= ?1 AND hour <= ?2 ORDER BY hour")?;
    let mut rows = query.query(params![since.0, last.0])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        each(serde_json::from_str(body)?);
    }
    Ok(())
}

/// What ended at a time or later, and began until another.
pub(super) fn rows(
    conn: &Connection,
    (since, until): (Time, Time),
    mut each: impl FnMut(Closed),
) -> Result<(), Fault> {
    let mut query = conn.prepare_cached("SELECT body FROM figure_rows WHERE ended >= ?1 AND began <= ?2")?;
    let mut rows = query.query(params![since.0, until.0])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        each(serde_json::from_str(body)?);
    }
    Ok(())
}
