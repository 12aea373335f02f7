//! Reading the journal from async code: a few connections, used in turn on threads that may block.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::api::problem::{Problem, code};
use crate::record::{JournalError, Reader};

/// So many read at the same time; more wait their turn.
const READERS: usize = 4;

/// So many connections are kept open while nobody reads; each holds some 100 KiB.
const KEPT: usize = 2;

/// The journal, for handlers.
#[derive(Debug, Clone)]
pub(super) struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    idle: Mutex<Vec<Reader>>,
    places: Semaphore,
}

impl Journal {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(Arc::new(Inner { dir, idle: Mutex::default(), places: Semaphore::new(READERS) }))
    }

    /// Reads something.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let stopping = || Problem::unavailable(code::STOPPING, "Grace is stopping");
        let _place = self.0.places.acquire().await.map_err(|_| stopping())?;
        let inner = Arc::clone(&self.0);
        let read = tokio::task::spawn_blocking(move || inner.read(job)).await.map_err(|_| stopping())?;
        Ok(read?)
    }
}

impl Inner {
    fn read<T>(&self, job: impl FnOnce(&Reader) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let idle = self.idle().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.dir)?,
        };
        let read = job(&reader);
        // One that failed is closed: the next opens the file anew.
        if read.is_ok() && self.idle().len() < KEPT {
            self.idle().push(reader);
        }
        read
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
