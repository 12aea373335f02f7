//! The drain: does what was deferred, in order, as soon as it is admitted and the database is well.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

use super::{Inner, blocking};
use crate::components::database::DatabaseError;
use crate::govern::{Admission, Admitted, Deed};
use crate::record::{Deferred, JournalError};

/// Writes done in one transaction once the first has shown that the database works.
const BATCH: usize = 64;

/// How long one batch may take.
const APPLYING: Duration = Duration::from_secs(5);

/// The pause after a failure, before the head of the queue is tried again.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Error)]
enum DrainError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the runtime is ending")]
    Ending,
}

/// Drains until it is told to stop; a batch that has begun is ended before.
pub(super) async fn run(gate: Arc<Inner>, mut stop: watch::Receiver<bool>) {
    let mut admission = gate.admission.clone();
    let mut failures = 0_u32;
    loop {
        // Whoever started the drain is gone, or wants it to end.
        if *stop.borrow_and_update() || stop.has_changed().is_err() {
            return;
        }
        admission.mark_unchanged();
        let pause = if gate.queued() == 0 || !gate.may_drain() {
            None
        } else {
            match gate.drain_some().await {
                Ok(()) => {
                    failures = 0;
                    continue;
                }
                Err(error) => {
                    complain(&error, gate.queued(), failures);
                    failures = failures.saturating_add(1);
                    Some(PAUSE)
                }
            }
        };
        tokio::select! {
            _ = stop.changed() => {}
            () = changed(&mut admission) => {}
            () = gate.wake.notified(), if pause.is_none() => {}
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
    }
}

/// The first failure is worth a person's attention; that it goes on, they can see.
fn complain(error: &DrainError, queued: u64, before: u32) {
    if before == 0 {
        tracing::warn!(%error, queued, "deferred writes still wait");
    } else {
        tracing::debug!(%error, queued, before, "deferred writes still wait");
    }
}

/// Waits for a new admission; for ever when none will come.
async fn changed(admission: &mut watch::Receiver<Admission>) {
    if admission.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Inner {
    fn may_drain(&self) -> bool {
        self.admission.borrow().may(Deed::Write, Some(&self.patient)) == Admitted::Allow
    }

    /// Does the oldest writes: after a failure only the first, as a probe, else a batch.
    async fn drain_some(&self) -> Result<(), DrainError> {
        let limit = if self.failing.load(Ordering::Acquire) { 1 } else { BATCH };
        let batch = self.waiting(limit).await?;
        if batch.is_empty() {
            return self.nothing_waits().await;
        }
        let keys: Vec<String> = batch.iter().map(|deferred| deferred.key.clone()).collect();
        let writes = batch.into_iter().map(|deferred| (deferred.key, deferred.write)).collect();
        self.failing.store(true, Ordering::Release);
        self.database.apply(APPLYING, writes).await?;
        self.failing.store(false, Ordering::Release);
        self.mark_applied(keys).await
    }

    async fn waiting(&self, limit: usize) -> Result<Vec<Deferred>, DrainError> {
        let journal = Arc::clone(&self.journal);
        Ok(blocking(move || journal.deferred(limit)).await.ok_or(DrainError::Ending)??)
    }

    /// Something is counted and nothing waits: either it is about to be there, which the line says, or one
    /// key was deferred twice. What the journal holds is the truth.
    async fn nothing_waits(&self) -> Result<(), DrainError> {
        let _line = self.line.lock().await;
        if self.waiting(1).await?.is_empty() {
            self.queued.store(0, Ordering::Release);
        }
        Ok(())
    }

    /// A crash before this repeats the batch, which changes nothing.
    async fn mark_applied(&self, keys: Vec<String>) -> Result<(), DrainError> {
        let (journal, wall) = (Arc::clone(&self.journal), self.clock.wall());
        let count = keys.len() as u64;
        blocking(move || journal.applied(wall, &keys)).await.ok_or(DrainError::Ending)??;
        let left = self.queued.fetch_sub(count, Ordering::AcqRel).saturating_sub(count);
        if left == 0 {
            tracing::info!("all deferred writes are done");
        }
        Ok(())
    }
}
