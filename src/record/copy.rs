//! Copies of the journal, for backups: made while it is written, and proven before they are relied upon.

use std::path::Path;

use crate::record::chain::Hash;
use crate::record::verify::{self, Verified};
use crate::record::witness::{self, Witness};
use crate::record::{Journal, JournalError, chain, pen, tables};
use crate::store::{self, Progress};

/// What a file that holds a journal turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The version of its schema.
    pub version: i64,
    /// The number of its last entry.
    pub last: i64,
    /// What the walk along its chain found.
    pub verified: Verified,
}

impl Journal {
    /// The journal's file in a data directory.
    pub const FILE: &str = tables::FILE;

    /// Its witness in a data directory.
    pub const WITNESS: &str = witness::FILE;

    /// Copies the journal of a data directory as it is now, whether Grace runs or not.
    pub fn copy(dir: &Path, to: &Path, told: Progress<'_>) -> Result<(), JournalError> {
        let conn = store::open_read(&dir.join(tables::FILE), &tables::SCHEMA).map_err(JournalError::Store)?;
        store::copy(&conn, to, told).map_err(JournalError::Store)
    }

    /// Walks along the chain of a journal in a file that nobody writes to. One of an older version is good as well;
    /// a newer one is refused.
    pub fn prove(file: &Path) -> Result<Proven, JournalError> {
        let version = store::version(file, &tables::SCHEMA).map_err(JournalError::Store)?;
        store::sound(file).map_err(JournalError::Store)?;
        let sorted = |source| JournalError::Store(store::StoreError::sorted(file, source));
        let conn = store::open_frozen(file).map_err(sorted)?;
        let (last, _) = pen::head(&conn).map_err(|fault| fault.about(file))?;
        let verified = verify::walk(&conn).map_err(|fault| fault.about(file))?;
        Ok(Proven { version, last, verified })
    }

    /// Makes the witness of a data directory name this entry, for a journal that a person put in place. It is on
    /// the disk when this returns.
    pub fn bear_witness(dir: &Path, last: i64, head: &str) -> std::io::Result<()> {
        let hash: Option<Hash> = chain::unhex(head);
        let hash = hash.ok_or(std::io::ErrorKind::InvalidData)?;
        Witness::of(dir).seal(last, &hash)
    }
}
