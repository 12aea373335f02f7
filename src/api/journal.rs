//! Reading the journal from async code: a few connections, used in turn on threads that may block.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, watch};

use crate::api::problem::{Problem, code};
use crate::record::rows::HealingAction;
use crate::record::{JournalError, Reader};

/// So many read at the same time; more wait their turn.
const READERS: usize = 4;

/// So many connections are kept open while nobody reads; each holds some 100 KiB.
const KEPT: usize = 2;

/// So many of the newest tries the status shows.
pub(super) const NEWEST: usize = 20;

/// The journal, for handlers.
#[derive(Debug, Clone)]
pub(super) struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    idle: Mutex<Vec<Reader>>,
    places: Semaphore,
    /// For the status: it stands in nobody's queue.
    own: Semaphore,
    tail: watch::Receiver<i64>,
    /// The newest tries, and the entry up to which they are.
    tries: Mutex<(i64, Arc<[HealingAction]>)>,
}

impl Journal {
    /// `tail` is its last entry.
    pub(super) fn new(dir: PathBuf, tail: watch::Receiver<i64>) -> Self {
        let (places, own) = (Semaphore::new(READERS), Semaphore::new(1));
        let (idle, tries) = (Mutex::default(), Mutex::new((0, Arc::default())));
        Self(Arc::new(Inner { dir, idle, places, own, tail, tries }))
    }

    /// The newest tries, newest first, and one more than are shown; they are read only when the journal has grown.
    pub(super) async fn newest_tries(&self) -> Result<Arc<[HealingAction]>, Problem> {
        let tail = *self.0.tail.borrow();
        let known = self.0.tries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.0 == tail {
            return Ok(known.1);
        }
        let job = |journal: &Reader| journal.healing_actions(NEWEST + 1);
        let read: Arc<[_]> = self.read_by(&self.0.own, job).await?.into();
        *self.0.tries.lock().unwrap_or_else(PoisonError::into_inner) = (tail, Arc::clone(&read));
        Ok(read)
    }

    /// Reads something.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.read_by(&self.0.places, job).await
    }

    async fn read_by<T: Send + 'static>(
        &self,
        places: &Semaphore,
        job: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let stopping = || Problem::unavailable(code::STOPPING, "Grace is stopping");
        let _place = places.acquire().await.map_err(|_| stopping())?;
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
