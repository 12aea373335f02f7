//! A task that ends with its owner.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;

/// A spawned task. Dropping it aborts it, so that no part outlives the value that stands for it.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    /// Spawns it.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Is it still running?
    pub(crate) fn alive(&self) -> bool {
        !self.0.is_finished()
    }

    /// Aborts it and waits until nothing of it is left.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        // Either way it is over: an abort is an error, and so is a panic.
        let _ = (&mut self.0).await;
    }

    /// Waits until it ends by itself, and aborts it when that takes longer.
    pub(crate) async fn finish(mut self, within: Duration) {
        if tokio::time::timeout(within, &mut self.0).await.is_err() {
            self.end().await;
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
