//! What can be wrong with a database, sorted by what a person or the daemon does about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why a database cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum StoreError {
    /// There is no such file.
    #[error("{path}: there is no database here")]
    Missing { path: PathBuf },
    /// It is a directory, a pipe, or another thing that nothing can be kept in.
    #[error(
        "{path}: this is no regular file, and no database; move it away, or name the right data directory"
    )]
    NoFile { path: PathBuf },
    /// A file in which nothing was ever written.
    #[error(
        "{path}: this file is empty, and no database; restore it from a backup, or start Grace to begin a new one"
    )]
    Empty { path: PathBuf },
    /// It is somebody else's.
    #[error(
        "{path}: uid {uid} may not read this database; {place} belongs to uid {owner}: run this as that user, or as root"
    )]
    Denied { path: PathBuf, uid: u32, place: PathBuf, owner: u32 },
    /// The directory or the file cannot be made or reached.
    #[error("{path}: cannot {doing}: {source}")]
    Place { path: PathBuf, doing: &'static str, source: io::Error },
    /// It can be read, and not written.
    #[error(
        "{path}: this database can only be read; check the owner and the mode of the file and of its directory"
    )]
    ReadOnly { path: PathBuf },
    /// It cannot be opened, for want of permission or because a part of the path is missing.
    #[error(
        "{path}: this database cannot be opened; check the owner and the mode of the file and of its directory"
    )]
    CannotOpen { path: PathBuf },
    /// The file is something else.
    #[error("{path}: this file is not a database; move it away, or restore it from a backup")]
    NotADatabase { path: PathBuf },
    /// The file is a database of another program, or another database of Grace.
    #[error("{path}: this database is not Grace's {name}; nothing was changed")]
    Foreign { path: PathBuf, name: &'static str },
    /// The file is damaged.
    #[error("{path}: this database is damaged ({detail}); restore it from a backup")]
    Corrupt { path: PathBuf, detail: String },
    /// A newer Grace made it.
    #[error(
        "{path}: version {found} of this database was made by a newer Grace; this one knows up to {known}; nothing was changed"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// An older Grace made it, and a reader does not migrate.
    #[error("{path}: version {found} of this database is older than {known}; start Grace once to migrate it")]
    Older { path: PathBuf, found: i64, known: i64 },
    /// No copy could be kept before a migration, and so it was not migrated.
    #[error(
        "{path}: before this database is migrated a copy is kept beside it, and none could be made ({source}); nothing was changed; make room and start Grace again"
    )]
    NoCopy { path: PathBuf, source: Box<StoreError> },
    /// SQLite itself is too old to be trusted with a write-ahead log.
    #[error("SQLite {found} can damage a write-ahead log; Grace needs 3.51.3 or later")]
    OldSqlite { found: &'static str },
    /// The disk is full. The transaction was rolled back; nothing of it remains.
    #[error("{path}: the disk is full")]
    Full { path: PathBuf },
    /// The disk failed. What the last commits left on it is unknown until the file is opened anew.
    #[error("{path}: the disk failed ({detail}); Grace has to stop and look at it anew")]
    Io { path: PathBuf, detail: String },
    /// Somebody else holds the write lock.
    #[error("{path}: another process is writing to this database and does not stop")]
    Busy { path: PathBuf },
    /// Anything else SQLite says.
    #[error("{path}: {source}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

impl StoreError {
    /// Sorts what SQLite says about the database at `path`.
    #[must_use]
    pub fn sorted(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let Some(code) = source.sqlite_error_code() else { return Self::Sqlite { path, source } };
        match code {
            ErrorCode::DiskFull => Self::Full { path },
            // The index of the write-ahead log could not grow: the same full disk, met one file earlier.
            ErrorCode::SystemIoFailure if extended(&source) == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
                Self::Full { path }
            }
            ErrorCode::SystemIoFailure => Self::Io { path, detail: source.to_string() },
            ErrorCode::NotADatabase => Self::NotADatabase { path },
            ErrorCode::DatabaseCorrupt => Self::Corrupt { path, detail: source.to_string() },
            ErrorCode::ReadOnly => Self::ReadOnly { path },
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Self::CannotOpen { path },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { path },
            _ => Self::Sqlite { path, source },
        }
    }

    /// Is the disk full?
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::NoCopy { source, .. } => source.is_full(),
            _ => false,
        }
    }

    /// Did the disk or the file fail in a way after which only opening it anew helps?
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Corrupt { .. } | Self::NotADatabase { .. })
    }
}

fn extended(source: &rusqlite::Error) -> Option<i32> {
    source.sqlite_error().map(|failure| failure.extended_code)
}
