//! Is the journal's file still the one that was opened, with nothing in it but what its writer put there?
//!
//! A path can come to mean another file, and a copy can be written over the file itself. The second is hard to
//! see: what the newest transactions wrote lies in the write-ahead log, and SQLite goes on reading it there
//! as if nothing had happened. So the file's size and time are compared, and where somebody else changed them,
//! what the file holds without its log.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use crate::record::chain::Hash;
use crate::record::pen;
use crate::store::open_frozen;

/// So often is looked at a file that somebody else writes to: in the middle of folding in it makes no sense.
const LOOKS: usize = 5;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The file of a running writer.
#[derive(Debug)]
pub(super) struct Own {
    path: PathBuf,
    /// Which file it is: device and inode.
    identity: Option<(u64, u64)>,
    /// How it looked when its writer last touched it.
    stamp: Option<Stamp>,
    /// The last entry that the file holds without its log; it only grows, as the log is folded in.
    folded: i64,
}

/// What changes whenever somebody writes to the file itself: size, seconds, nanoseconds.
type Stamp = (u64, i64, i64);

impl Own {
    pub(super) fn of(path: &Path) -> Self {
        let (identity, stamp) = look(path);
        Self { path: path.to_owned(), identity, stamp, folded: folded(path).map_or(0, |(seq, _)| seq) }
    }

    /// Says what is wrong, where something is. `conn` is the writer's.
    pub(super) fn check(&mut self, conn: &Connection) -> Result<(), &'static str> {
        let (identity, stamp) = look(&self.path);
        if identity != self.identity {
            // SQLite would go on writing into a file that no restart will ever find.
            return Err("its file was deleted or replaced while it was open");
        }
        if stamp == self.stamp {
            return Ok(());
        }
        // Another program may have folded the log in, which is harmless; a copy of another time is not.
        for _ in 0..LOOKS {
            let (_, stamp) = look(&self.path);
            if let Some((seq, hash)) = folded(&self.path)
                && seq >= self.folded
                && holds(conn, seq, &hash)
            {
                (self.folded, self.stamp) = (seq, stamp);
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Err("somebody wrote a copy of another time over its file while it was open")
    }

    /// Takes note of what the writer itself did.
    pub(super) fn touched(&mut self) {
        let (_, stamp) = look(&self.path);
        if stamp != self.stamp {
            self.stamp = stamp;
            self.folded = folded(&self.path).map_or(self.folded, |(seq, _)| seq);
        }
    }
}

/// Does the journal hold this entry, with this hash? There is none before the first.
pub(super) fn holds(conn: &Connection, seq: i64, hash: &Hash) -> bool {
    let found = conn
        .prepare_cached("SELECT hash FROM entries WHERE seq = ?1")
        .and_then(|mut query| query.query_row([seq], |row| row.get::<_, Hash>(0)).optional());
    match found {
        Ok(found) => found.map_or(seq == 0, |found| found == *hash),
        Err(_) => false,
    }
}

fn look(path: &Path) -> (Option<(u64, u64)>, Option<Stamp>) {
    let Ok(found) = std::fs::metadata(path) else { return (None, None) };
    (Some((found.dev(), found.ino())), Some((found.size(), found.mtime(), found.mtime_nsec())))
}

/// Where the chain ends in the file itself, without what still lies in its log.
fn folded(path: &Path) -> Option<(i64, Hash)> {
    pen::head(&open_frozen(path).ok()?).ok()
}
