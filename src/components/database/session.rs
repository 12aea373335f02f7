//! One connection and the thread that owns it. Only here does SQLite's blocking happen.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{DatabaseError, tables};

/// Calls that may wait for the thread. More callers wait their turn, within their own time.
const WAITING: usize = 64;

/// What the thread is asked to do.
pub(super) type Call = Box<dyn FnOnce(&mut Link) + Send>;

/// An open connection that knows which file it is connected to.
#[derive(Debug)]
pub(crate) struct Link {
    /// The connection.
    pub(super) connection: Connection,
    file: PathBuf,
    identity: (u64, u64),
    /// The disk failed under it: what its last commits left is unknown until the file is opened anew.
    pub(super) broken: bool,
}

impl Link {
    fn open(file: &Path) -> Result<Self, DatabaseError> {
        let connection = tables::open(file).map_err(|error| DatabaseError::Open(error.to_string()))?;
        let identity = identity(&std::fs::metadata(file).map_err(|_| DatabaseError::Replaced)?);
        Ok(Self { connection, file: file.into(), identity, broken: false })
    }

    /// A file that was deleted or swapped goes on being read and written by who has it open, and all of
    /// that is lost when it is closed. So a connection to a file that is no longer there is a lost one.
    pub(super) fn same_file(&self) -> Result<(), DatabaseError> {
        match std::fs::metadata(&self.file) {
            Ok(now) if identity(&now) == self.identity => Ok(()),
            _ => Err(DatabaseError::Replaced),
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// A running thread with its connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) calls: mpsc::Sender<Call>,
    ended: oneshot::Receiver<()>,
}

impl Session {
    /// Opens the file on a thread of its own.
    pub(super) async fn open(file: PathBuf, within: Duration) -> Result<Self, DatabaseError> {
        let (calls, todo) = mpsc::channel(WAITING);
        let (opened, answer) = oneshot::channel();
        let (alive, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("grace.db".into())
            .spawn(move || {
                serve(&file, todo, opened);
                drop(alive);
            })
            .map_err(|error| DatabaseError::Open(error.to_string()))?;
        match tokio::time::timeout(within, answer).await {
            Ok(Ok(result)) => result.map(|()| Self { calls, ended }),
            Ok(Err(_)) => Err(DatabaseError::Closed),
            Err(_) => Err(DatabaseError::TimedOut(within)),
        }
    }

    /// Does the thread still take calls?
    pub(super) fn alive(&self) -> bool {
        !self.calls.is_closed()
    }

    /// Lets the thread end what waits and close the file; false where that took too long. A thread that
    /// hangs in the operating system is left behind: the next session has its own.
    pub(super) async fn close(self, within: Duration) -> bool {
        drop(self.calls);
        tokio::time::timeout(within, self.ended).await.is_ok()
    }
}

fn serve(file: &Path, mut todo: mpsc::Receiver<Call>, opened: oneshot::Sender<Result<(), DatabaseError>>) {
    let mut link = match Link::open(file) {
        Ok(link) => link,
        Err(error) => {
            tracing::warn!(%error, "the working database cannot be opened");
            // Whoever gave up waiting for the answer has no use for it.
            let _ = opened.send(Err(error));
            return;
        }
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    while let Some(call) = todo.blocking_recv() {
        call(&mut link);
        if link.broken {
            return;
        }
    }
}
