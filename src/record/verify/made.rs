//! Is the file still made as Grace makes it? Entries may hold while a view shows something else than they say, or a trigger
//! that keeps them from being changed is gone.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::record::error::Fault;
use crate::record::tables::SCHEMA;

/// What a database is made of: kind and name of each thing, and the text that made it.
type Made = BTreeMap<(String, String), String>;

/// What is gone, another, or was put there by somebody else. An index of somebody's own changes nothing that is read, and is told where it can
/// keep Grace from writing.
pub(super) fn altered(conn: &Connection) -> Result<Vec<String>, Fault> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let fresh = Connection::open_in_memory()?;
    for text in SCHEMA.migrations.iter().take(usize::try_from(version).unwrap_or(0)) {
        fresh.execute_batch(text)?;
    }
    let (should, is, refusing) = (made(&fresh)?, made(conn)?, refusing(conn)?);
    let all: BTreeSet<&(String, String)> = should.keys().chain(is.keys()).collect();
    let told = all.into_iter().filter_map(|one| {
        let (kind, name) = one;
        match (should.get(one), is.get(one)) {
            (Some(_), None) => Some(format!("the {kind} `{name}` is gone")),
            (Some(should), Some(is)) if should != is => {
                Some(format!("the {kind} `{name}` is not as Grace makes it"))
            }
            (None, Some(_)) if kind != "index" => Some(format!("the {kind} `{name}` is none of Grace's")),
            (None, Some(_)) if refusing.contains(name) => {
                Some(format!("the {kind} `{name}` is none of Grace's, and can refuse what she writes"))
            }
            _ => None,
        }
    });
    Ok(told.collect())
}

/// The indexes that can refuse a row: those that want it to be the only one, and those that have to work something out for it,
/// which can fail.
fn refusing(conn: &Connection) -> Result<BTreeSet<String>, Fault> {
    let query = "SELECT m.name FROM sqlite_schema m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name
        WHERE m.type = 'index' AND (l.\"unique\" OR l.partial OR EXISTS (SELECT 1 FROM pragma_index_xinfo(m.name) x
            WHERE x.cid = -2 OR upper(x.coll) NOT IN ('BINARY', 'NOCASE', 'RTRIM')))";
    let mut query = conn.prepare(query)?;
    let names = query.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// So many sentences about indexes are enough.
const MOST: usize = 3;

/// What of the indexes does not fit the entries: views and events are read along them, and would not show what they leave out.
pub(super) fn indexes(conn: &Connection) -> Result<Vec<String>, Fault> {
    let mut query = conn.prepare("PRAGMA integrity_check(entries)")?;
    let all = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let found = all.into_iter().filter(|says| says != "ok").take(MOST);
    Ok(found
        .map(|says| {
            format!("an index does not fit the entries, and what is read along it hides some: {says}")
        })
        .collect())
}

/// What stands beside the entries and belongs to none of them: a reader would take it for something that was recorded, and the
/// next entry of its number could not be written.
const STRAYS: [(&str, &str); 6] = [
    (
        "`readings` that belong to no tick",
        "SELECT count(*) FROM readings r WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.seq = r.seq AND e.kind = 'tick')",
    ),
    (
        "`checkpoints` that belong to no entry",
        "SELECT count(*) FROM checkpoints c WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.seq = c.seq)",
    ),
    (
        "`cursors` behind the last entry",
        "SELECT count(*) FROM cursors WHERE seq > (SELECT coalesce(max(seq), 0) FROM entries)",
    ),
    ("rows of `head` besides its only one", "SELECT count(*) FROM head WHERE id <> 1"),
    ("rows of `state` besides its only one", "SELECT count(*) FROM state WHERE id <> 1"),
    ("rows of `retention` besides its only one", "SELECT count(*) FROM retention WHERE id <> 1"),
];

/// Rows that Grace never writes.
pub(super) fn strays(conn: &Connection) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for (what, query) in STRAYS {
        let many: i64 = conn.query_row(query, [], |row| row.get(0))?;
        if many > 0 {
            found.push(format!("there are {what}: {many}"));
        }
    }
    Ok(found)
}

fn made(conn: &Connection) -> Result<Made, Fault> {
    let query = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut query = conn.prepare(query)?;
    // Where its lines end says nothing.
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), words(row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
