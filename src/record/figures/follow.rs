//! Entries that are there, folded in their order.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Deserialize;

use crate::config;
use crate::figures::{Fold, Seen, Terms};
use crate::model::{ComponentId, Record, Span, Status, Time};
use crate::record::chain::Hash;
use crate::record::error::Fault;
use crate::record::state;

/// What figures need of a tick's entry; most of it they do not.
#[derive(Deserialize)]
struct Tick {
    now: Time,
    #[serde(default)]
    grid: Option<Span>,
    statuses: BTreeMap<ComponentId, Status>,
    #[serde(default)]
    failures: BTreeMap<ComponentId, u32>,
}

/// Takes one entry as it is written.
pub(super) fn take(
    fold: &mut Fold,
    seq: i64,
    (kind, body): (&str, &str),
    terms: impl FnOnce(&Record) -> Result<Option<Terms>, Fault>,
) -> Result<(), Fault> {
    if kind == "tick" {
        let Tick { now, grid, statuses, failures } = serde_json::from_str(body)?;
        fold.tick(seq, Seen { now, grid, statuses: &statuses, failures: &failures });
    } else if Fold::KINDS.contains(&kind) {
        let record: Record = serde_json::from_str(body)?;
        if let Some(terms) = terms(&record)? {
            fold.terms(&terms);
        }
        fold.take(seq, &record);
    }
    Ok(())
}

/// What figures have to know of a generation.
pub(super) fn terms(conn: &Connection, record: &Record) -> Result<Option<Terms>, Fault> {
    let Record::Generation { generation, files, .. } = record else { return Ok(None) };
    // Only the first entry of a generation holds its text.
    if files.is_empty() {
        return Ok(Some(config::terms(&state::generation_text(conn, generation.as_str())?)));
    }
    Ok(Some(config::terms(files)))
}

/// Folds up to so many entries behind `after`. Answers the last one that was looked at, and nothing at the end. `each`
/// is shown the fold behind each entry, with the entry's number and the hash of the one before; it says whether to go on.
pub(super) fn follow(
    conn: &Connection,
    fold: &mut Fold,
    (after, limit): (i64, i64),
    mut each: impl FnMut(&mut Fold, i64, &Hash) -> bool,
) -> Result<Option<i64>, Fault> {
    let mut query = conn.prepare_cached(
        "SELECT seq, kind, body, prev FROM entries NOT INDEXED WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = query.query(params![after, limit])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let text = |column| Ok::<_, Fault>(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?);
        take(fold, seq, (text(1)?, text(2)?), |record| terms(conn, record))?;
        last = Some(seq);
        if !each(fold, seq, &row.get(3)?) {
            return Ok(None);
        }
    }
    Ok(last)
}
