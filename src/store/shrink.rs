//! Giving room back: a file from which rows went keeps its size until its empty pages are cut off.

use rusqlite::Connection;

use crate::store::StoreError;

/// At most so many pages go in one call (a mebibyte), so that nobody waits long for the lock.
const AT_ONCE: i64 = 256;

/// So many empty pages stay: they are filled again soon.
const KEPT: i64 = 256;

/// A new database can shrink from its first page on. This counts before anything else was written.
pub(super) fn enable(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

/// Makes a database able to shrink that was made without; it is written anew for that, once.
pub(super) fn enable_later(conn: &Connection) -> rusqlite::Result<()> {
    let mode: i64 = conn.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    // 2 is incremental.
    if mode == 2 {
        return Ok(());
    }
    enable(conn)?;
    conn.execute_batch("VACUUM")
}

/// Cuts off empty pages, a bounded number a call, and says how many went. Zero means that few are left.
pub fn shrink(conn: &Connection) -> rusqlite::Result<u64> {
    let empty = || conn.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0));
    let before = empty()?;
    let go = AT_ONCE.min(before - KEPT);
    if go <= 0 {
        return Ok(0);
    }
    // One page a step, so it has to be stepped to its end.
    let mut cut = conn.prepare(&format!("PRAGMA incremental_vacuum({go})"))?;
    let mut rows = cut.query([])?;
    while rows.next()?.is_some() {}
    Ok((before - empty()?).try_into().unwrap_or(0))
}

/// Warns of a database that could not be written anew: it goes on as it is, and never gets smaller.
pub(super) fn complain(path: &std::path::Path, source: rusqlite::Error) {
    let why = StoreError::sorted(path, source);
    tracing::warn!(%why, "this database cannot be made able to shrink; that needs twice its room, once");
}
