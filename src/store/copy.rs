//! Copies of a database: whole, of one moment, checked, and on the disk before anybody relies on them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::store::{StoreError, open_frozen, place};

/// So many pages are copied in one go; between two goes somebody may be told how far it is.
const PAGES: i32 = 256;

/// How far a copy is, in pages: those that are done, and all.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

/// Copies what this connection sees now to a new file, whoever writes meanwhile. Half a copy is taken away again.
///
/// The copy is one file without a log, readable by its owner alone, checked and synchronised.
pub fn copy(from: &Connection, to: &Path, told: Progress<'_>) -> Result<(), StoreError> {
    place::new_file(to)?;
    let copied = fill(from, to, told).and_then(|()| sound(to)).and_then(|()| settle(to));
    if copied.is_err() {
        // What is left cannot be used, and the disk may be full of it.
        let _ = fs::remove_file(to);
    }
    copied
}

/// Makes a finished file durable: its bytes, and its name.
pub fn settle(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Place { path: path.to_owned(), doing: "synchronise this file", source };
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
}

/// Is this database whole? It reads all of it.
pub fn sound(path: &Path) -> Result<(), StoreError> {
    let says = open_frozen(path)
        .and_then(|conn| conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0)))
        .map_err(|source| StoreError::sorted(path, source))?;
    if says == "ok" { Ok(()) } else { Err(StoreError::Corrupt { path: path.to_owned(), detail: says }) }
}

fn fill(from: &Connection, to: &Path, told: Progress<'_>) -> Result<(), StoreError> {
    let sorted = |source| StoreError::sorted(to, source);
    // One transaction around it all: else each commit of somebody else would begin the copy anew.
    let moment = from.unchecked_transaction().map_err(sorted)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(sorted)?;
    let mut copy = Connection::open(to).map_err(sorted)?;
    // It is synchronised once, at its end.
    copy.pragma_update(None, "synchronous", false).map_err(sorted)?;
    run(&Backup::new(from, &mut copy).map_err(sorted)?, told).map_err(sorted)?;
    // The log's mode is copied with the rest; a single file must not need one.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(sorted)?;
    copy.close().map_err(|(_, source)| sorted(source))
}

fn run(backup: &Backup<'_, '_>, told: Progress<'_>) -> rusqlite::Result<()> {
    loop {
        let step = backup.step(PAGES)?;
        let (all, left) = (backup.progress().pagecount, backup.progress().remaining);
        told(u64::try_from(all - left).unwrap_or(0), u64::try_from(all).unwrap_or(0));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => std::thread::sleep(std::time::Duration::from_millis(10)),
            _ => {}
        }
    }
}

/// Keeps a copy of a database as it is before it is migrated: `journal.db.v1` beside `journal.db`. One that a
/// migration before left there is replaced.
pub(super) fn keep_version(conn: &Connection, path: &Path, version: i64) -> Result<PathBuf, StoreError> {
    let kept = with_ending(path, &format!(".v{version}"));
    let young = with_ending(path, &format!(".v{version}.new"));
    let failed = |source| StoreError::NoCopy { path: path.to_owned(), source: Box::new(source) };
    has_room(conn, path).map_err(failed)?;
    // Left by a start that was killed.
    let _ = fs::remove_file(&young);
    copy(conn, &young, &mut |_, _| {}).map_err(failed)?;
    let renamed = fs::rename(&young, &kept).map_err(|source| StoreError::Place {
        path: young,
        doing: "rename this file",
        source,
    });
    renamed.and_then(|()| settle(&kept)).map_err(failed)?;
    Ok(kept)
}

/// Is there room for a copy? Asked first, so that the disk is not filled to its brim only to find out.
fn has_room(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")
        .and_then(|pages| Ok(pages.saturating_mul(number("page_size")?)))
        .map_err(|source| StoreError::sorted(path, source))?;
    let disk =
        rustix::fs::statvfs(path.parent().unwrap_or(Path::new("."))).map_err(|source| StoreError::Place {
            path: path.to_owned(),
            doing: "ask for the room on its disk",
            source: source.into(),
        })?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free > bytes.unsigned_abs() { Ok(()) } else { Err(StoreError::Full { path: path.to_owned() }) }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
