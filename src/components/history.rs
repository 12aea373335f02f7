//! The journal as the parts read it: in small portions, off the async threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::record::{Event, JournalError, Reader};

/// Why nothing could be read. Whoever asked tries again later.
#[derive(Debug, Error)]
pub(crate) enum HistoryError {
    /// The journal could not be opened or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Grace is ending.
    #[error("the runtime is ending")]
    Ending,
}

/// One read-only connection to the journal that the parts share.
#[derive(Debug, Clone)]
pub(crate) struct History {
    dir: Arc<PathBuf>,
    reader: Arc<Mutex<Option<Reader>>>,
}

impl History {
    /// The journal in this directory; it is opened when first read.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir: Arc::new(dir), reader: Arc::default() }
    }

    /// Reads something. After an error the next call opens the journal anew.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let (dir, slot) = (Arc::clone(&self.dir), Arc::clone(&self.reader));
        let read = tokio::task::spawn_blocking(move || {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let reader = match slot.take() {
                Some(reader) => reader,
                None => Reader::open(&dir)?,
            };
            let found = ask(&reader)?;
            *slot = Some(reader);
            Ok::<_, JournalError>(found)
        });
        Ok(read.await.map_err(|_| HistoryError::Ending)??)
    }

    /// The events after this number, oldest first.
    pub(crate) async fn events_after(&self, seq: i64, limit: usize) -> Result<Vec<Event>, HistoryError> {
        self.read(move |reader| reader.events_after(seq, limit)).await
    }
}
