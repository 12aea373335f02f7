//! A journal as the first version of its schema had it.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// Version 1 of the journal, as its first migration made it.
const VERSION_1: &str = concat!(
    include_str!("../../../../src/record/schema.sql"),
    include_str!("../../../../src/record/views.sql")
);

/// Makes the journal in this folder one of version 1, with what it holds.
pub(crate) fn make_version_1(dir: &Path) {
    let (now, then) = (dir.join("journal.db"), dir.join("then.db"));
    let conn = Connection::open(&then).expect("made");
    conn.pragma_update(None, "auto_vacuum", "NONE").expect("set");
    conn.pragma_update(None, "journal_mode", "WAL").expect("set");
    conn.execute_batch(VERSION_1).expect("migration 1");
    conn.pragma_update(None, "application_id", 0x6772_616a).expect("set");
    conn.pragma_update(None, "user_version", 1).expect("set");
    conn.execute("ATTACH ?1 AS now", [now.to_str().expect("a plain path")]).expect("attached");
    conn.execute_batch(
        "DROP TRIGGER retention_stays; DELETE FROM retention;
         CREATE TRIGGER retention_stays BEFORE DELETE ON retention
         BEGIN SELECT raise(ABORT, 'the retention of readings never moves back'); END;",
    )
    .expect("emptied");
    for table in ["entries", "head", "readings", "retention", "state", "checkpoints", "cursors"] {
        conn.execute_batch(&format!("INSERT INTO {table} SELECT * FROM now.{table}")).expect(table);
    }
    conn.execute_batch("DETACH now").expect("detached");
    conn.close().expect("folded in");
    for side in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(dir.join(side));
    }
    fs::rename(then, now).expect("renamed");
}
