//! Makes the figures of a journal that has none, or others', while ticks go on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::record::{Journal, JournalError, Making, Reader};

/// The log says so often how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The thread that makes figures, where one is needed.
#[derive(Debug, Default)]
pub(super) struct Maker {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Maker {
    /// Takes the figures up, or has a thread make them. That they cannot be made keeps Grace from nothing else.
    pub(super) fn start(journal: &Arc<Journal>, dir: &Path) -> Self {
        match journal.take_up_figures() {
            Ok(true) => return Self::default(),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "there will be no figures: what the journal holds cannot be read");
                return Self::default();
            }
        }
        let ended = Arc::new(AtomicBool::new(false));
        let (journal, dir, over) = (Arc::clone(journal), dir.to_owned(), Arc::clone(&ended));
        let thread =
            std::thread::Builder::new().name("figures".into()).spawn(move || work(&journal, &dir, &over));
        match thread {
            Ok(thread) => Self { ended, thread: Some(thread) },
            Err(error) => {
                tracing::warn!(%error, "there will be no figures until the next start");
                Self::default()
            }
        }
    }

    /// Ends it; what was made until now is kept, and gone on from at the next start.
    pub(super) fn end(self) {
        self.ended.store(true, Ordering::Release);
        if self.thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the figures ended in a way they never should");
        }
    }
}

fn work(journal: &Journal, dir: &Path, ended: &AtomicBool) {
    tracing::info!("the figures are made from the journal; ticks go on meanwhile");
    match make(journal, dir, ended) {
        Ok(()) if ended.load(Ordering::Acquire) => {}
        Ok(()) => tracing::info!("the figures are made"),
        Err(error) => tracing::warn!(%error, "the figures could not be made; the next start tries again"),
    }
}

fn make(journal: &Journal, dir: &Path, ended: &AtomicBool) -> Result<(), JournalError> {
    let reader = Reader::open(dir)?;
    let mut told = Instant::now();
    journal.make_figures(&reader, |Making { made, of }| {
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tracing::info!(made, of, "the figures are being made");
        }
        !ended.load(Ordering::Acquire)
    })
}
