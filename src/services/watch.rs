//! Notices at once when a process ends, by a handle that the kernel makes readable then.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::model::ComponentId;
use crate::services::identity::Identity;
use crate::services::report::{News, Reporter};

/// Waits until the process has ended.
#[expect(
    deprecated,
    reason = "what the replacement wants promised (the descriptor stays open and the same) an `OwnedFd` keeps by itself"
)]
pub(super) async fn ended(process: Identity) {
    let Some(handle) = process.open() else { return };
    match AsyncFd::with_interest(handle, Interest::READABLE) {
        // An error is as good as an end: whoever asks looks anew.
        Ok(handle) => drop(handle.readable().await),
        Err(why) => {
            tracing::warn!(%why, "a process cannot be watched; its end is seen at the next tick");
            std::future::pending::<OwnedFd>().await;
        }
    }
}

/// Watches processes that somebody else started, each once.
#[derive(Debug, Clone)]
pub struct Watch {
    news: Reporter,
    watched: Arc<Mutex<BTreeSet<(ComponentId, Identity)>>>,
}

impl Watch {
    /// A watch that reports there.
    #[must_use]
    pub fn new(news: Reporter) -> Self {
        Self { news, watched: Arc::default() }
    }

    /// Watches these for the component. More than a thousand are left to the ticks.
    pub fn over(&self, component: &ComponentId, processes: &[Identity]) {
        const MOST: usize = 1_000;
        for process in processes {
            let key = (component.clone(), *process);
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            if watched.len() >= MOST || !watched.insert(key.clone()) {
                continue;
            }
            drop(watched);
            let this = self.clone();
            tokio::spawn(async move {
                ended(key.1).await;
                this.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                this.news.tell(News::Exited(key.0));
            });
        }
    }
}
