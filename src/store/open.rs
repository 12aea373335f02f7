//! Opening: the one list of flags and pragmas.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::store::{Schema, StoreError, place, shrink};

/// From this version on a write-ahead log cannot be damaged by its own reset (3.7.0 to 3.51.2 can).
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a commit waits for a person who holds the lock with a tool of their own.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pages kept in memory by a writer, in KiB. The whole daemon shall stay under 20 MB.
const WRITER_CACHE_KIB: i64 = 512;

/// The same for a reader.
const READER_CACHE_KIB: i64 = 256;

/// To this size the write-ahead log shrinks again after a burst, in bytes.
const LOG_LIMIT_BYTES: i64 = 4 << 20;

/// SQLite's name for files without locks.
const NO_LOCKS: &str = "unix-none";

/// Opens a database for writing; makes and migrates it where that is needed.
///
/// A commit that returned is on the disk (write-ahead log, full synchronisation). Whatever is wrong is told
/// before anything is changed: a foreign file, a newer version, a file that can only be read.
pub fn open(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    sqlite_is_new_enough()?;
    place::file(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sorted = |source| StoreError::sorted(path, source);
    let mut conn = Connection::open_with_flags(path, flags).map_err(sorted)?;
    // Until the file is known to be ours, closing it again must not even fold its log into it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sorted)?;
    // SQLite opens a file it may not write for reading and says nothing.
    if conn.is_readonly("main").map_err(sorted)? {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    let found = schema.check(&conn, path)?;
    if found == 0 {
        shrink::enable(&conn).map_err(sorted)?;
    }
    tune(&conn).map_err(sorted)?;
    tune_writer(&conn).map_err(sorted)?;
    schema.migrate(&mut conn, path)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sorted)?;
    Ok(conn)
}

/// Opens a database for reading only, whether or not somebody writes to it.
///
/// It does not migrate: a database of another version is refused.
pub fn open_read(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    sqlite_is_new_enough()?;
    place::readable(path)?;
    let conn = connect_read(path).map_err(|source| StoreError::sorted(path, source))?;
    let found = schema.check(&conn, path)?;
    if found == 0 {
        return Err(StoreError::Empty { path: path.to_owned() });
    }
    if found < schema.version() {
        return Err(StoreError::Older { path: path.to_owned(), found, known: schema.version() });
    }
    Ok(conn)
}

fn connect_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    match tune(&conn).and_then(|()| tune_reader(&conn)) {
        // A copy on a medium that cannot be written has no log and no room for one, and nobody changes it.
        Err(why) if cannot_open(&why) && !side_file(path, "-wal").exists() => open_frozen(path),
        // A copy with its log, where nothing may be made beside it: whoever has it open has an index beside it.
        Err(why) if cannot_open(&why) && !side_file(path, "-shm").exists() => open_alone(path),
        Err(why) => Err(why),
        Ok(()) => Ok(conn),
    }
}

/// Says which version of this schema a file holds that nobody writes to; refuses another database and a newer version.
pub fn version(path: &Path, schema: &Schema) -> Result<i64, StoreError> {
    let conn = open_frozen(path).map_err(|source| StoreError::sorted(path, source))?;
    match schema.check(&conn, path)? {
        0 => Err(StoreError::Foreign { path: path.to_owned(), name: schema.name }),
        version => Ok(version),
    }
}

/// Opens what the file itself holds, without its log and without any lock: for a file that nobody changes.
pub fn open_frozen(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(frozen(path), flags)?;
    tune(&conn)?;
    tune_reader(&conn)?;
    Ok(conn)
}

/// Opens a file with its log that nobody else has open: the log's index lies in memory, and no lock is taken, for which
/// SQLite would want to write.
fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags_and_vfs(path, flags, NO_LOCKS)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    tune(&conn)?;
    tune_reader(&conn)?;
    Ok(conn)
}

/// What both kinds of connection need: patience, and distrust of what stands in the file.
fn tune(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(PATIENCE)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    // With a mapped file an I/O error is a signal instead of an error code.
    conn.pragma_update(None, "mmap_size", 0)
}

fn tune_writer(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES)
}

fn tune_reader(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "query_only", true)?;
    // Whoever only looks may be kept from making files; what has to be sorted is sorted in memory.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    // Touches the file, so that what is wrong with it is known now.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn cannot_open(why: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    matches!(why.sqlite_error_code(), Some(CannotOpen | ReadOnly))
}

fn side_file(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The path as a URI that promises SQLite that the file does not change.
fn frozen(path: &Path) -> String {
    let mut uri = String::from("file:");
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            _ => uri.push(c),
        }
    }
    uri + "?immutable=1"
}

fn sqlite_is_new_enough() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite { found: rusqlite::version() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Schema = Schema { name: "sample", application: 7, migrations: &["CREATE TABLE a (n INT)"] };

    fn pragma(conn: &Connection, name: &str) -> String {
        conn.pragma_query_value(None, name, |row| row.get_ref(0).map(|value| format!("{value:?}"))).unwrap()
    }

    #[test]
    fn every_pragma_holds() {
        let dir = tempfile::tempdir().unwrap();
        let conn = open(&dir.path().join("sample.db"), &SAMPLE).unwrap();
        for (name, value) in [
            ("journal_mode", format!("{:?}", rusqlite::types::ValueRef::Text(b"wal"))),
            ("synchronous", "Integer(2)".into()),
            ("trusted_schema", "Integer(0)".into()),
            ("foreign_keys", "Integer(1)".into()),
            ("busy_timeout", "Integer(5000)".into()),
            ("cache_size", "Integer(-512)".into()),
            ("auto_vacuum", "Integer(2)".into()),
        ] {
            assert_eq!(pragma(&conn, name), value, "{name}");
        }
    }

    #[test]
    fn a_reader_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a #file? 100%.db");
        drop(open(&file, &SAMPLE).unwrap());
        let conn = open_read(&file, &SAMPLE).unwrap();
        assert!(conn.execute_batch("INSERT INTO a VALUES (1)").is_err());
        let frozen = Connection::open_with_flags(
            frozen(&file),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        );
        frozen.unwrap().execute_batch("SELECT * FROM a").unwrap();
    }
}
