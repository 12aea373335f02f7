//! Why Grace does not start.

use std::path::PathBuf;

use crate::record::JournalError;
use crate::say::Report;
use crate::store;
use crate::supervisor::backup::BackupError;

/// Why Grace did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used: {source}")]
    DataDirectory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be made.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A restore was cut short and cannot be ended.
    #[error("a restore was cut short and cannot be ended: {0}")]
    Restore(Box<BackupError>),
    /// Another Grace runs on it.
    #[error("another Grace runs on {path}; stop it first, or name another directory with `--data`")]
    AlreadyRunning {
        /// The data directory.
        path: PathBuf,
    },
    /// The journal cannot be used.
    #[error("the journal cannot be used: {0}")]
    Journal(#[from] JournalError),
    /// The files are not valid, and there is no generation to fall back on.
    #[error("the rules and policies are not valid")]
    Config(Box<Report>),
    /// The operating system gives no thread.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}
