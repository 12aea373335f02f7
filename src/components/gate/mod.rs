//! The write gate: every write of everyone passes it, and nothing acknowledged is lost.
//!
//! A write is refused where a claimed mode says so. It is done at once where that is allowed and works.
//! In every other case it is deferred: durable in the journal's file before anybody hears of it, and done
//! later, in order, by the drain. While anything waits, new writes go behind it.
//!
//! Deciding and queueing happen under one lock, so that the order of acknowledgements is the order of the
//! rows. Each write has a key and is harmless when repeated, so one that timed out and may or may not have
//! been done can be deferred under the same key.

mod drain;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Mutex, Notify, Semaphore, watch};

use super::database::Database;
use super::names;
use super::task::Task;
use crate::govern::{Admission, Admitted, Deed};
use crate::model::{ComponentId, Job, TaskDeed, Write};
use crate::record::{Clock, Journal, JournalError};

/// How long a write may take before it is deferred: what a ping may take before it counts as failed.
const WRITING: Duration = Duration::from_secs(1);

/// Writers that may wait at the gate at a time. More are told so, instead of waiting for ever.
const WRITERS: usize = 1_024;

/// The longest text of a write, in bytes: a page for people, not a file.
const LONGEST_TEXT: usize = 16 * 1024;

/// The longest key, in bytes.
const LONGEST_KEY: usize = 200;

/// What became of an accepted write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is done.
    Done,
    /// It is durable and will be done, in order.
    Deferred {
        /// Its number in the journal.
        seq: i64,
    },
}

/// Why a write was not accepted. It is not acknowledged then, and nobody may rely on it.
#[derive(Debug, Error)]
pub enum GateError {
    /// A claimed mode refuses writes.
    #[error("{why}")]
    Refused {
        /// The mode, why it is claimed, and since when.
        why: String,
    },
    /// Neither the database nor the journal took it.
    #[error("the write can be neither done nor deferred: {0}")]
    Journal(#[from] JournalError),
    /// It is longer than a write may be.
    #[error("a {what} may have {limit} bytes; this one has {length}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Too many writes wait already.
    #[error("{WRITERS} writes wait at the gate already; try again")]
    Busy,
    /// Grace is ending.
    #[error("the gate is closed: Grace is stopping")]
    Closed,
}

/// The gate. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

pub(super) struct Inner {
    journal: Arc<Journal>,
    database: Arc<Database>,
    admission: watch::Receiver<Admission>,
    clock: Clock,
    patient: ComponentId,
    /// Deciding about a write and queueing it is one thing; whoever does it holds this.
    line: Mutex<()>,
    /// Writes that wait in the journal. It grows under `line`; only the drain makes it smaller.
    queued: Arc<AtomicU64>,
    /// The last write failed: what follows waits until the head of the queue was done.
    failing: AtomicBool,
    waiting: Semaphore,
    wake: Notify,
}

/// What the gate does with a write.
enum Way {
    Try,
    Defer(String),
}

impl Gate {
    /// The gate before this database. What an earlier run left waiting is counted.
    pub(super) async fn new(
        journal: Arc<Journal>,
        database: Arc<Database>,
        admission: watch::Receiver<Admission>,
        clock: Clock,
        queued: Arc<AtomicU64>,
    ) -> Result<Self, JournalError> {
        let gate = Inner {
            journal,
            database,
            admission,
            clock,
            patient: names::DATABASE.into(),
            line: Mutex::default(),
            queued,
            failing: AtomicBool::new(false),
            waiting: Semaphore::new(WRITERS),
            wake: Notify::new(),
        };
        gate.recount().await?;
        Ok(Self(Arc::new(gate)))
    }

    /// Writes this once: now, or durably deferred. Repeating a write with its key changes nothing; without
    /// a key it gets a new one.
    ///
    /// # Errors
    /// See [`GateError`]. After an error the write must not be relied upon.
    pub async fn write(&self, key: Option<String>, write: Write) -> Result<Receipt, GateError> {
        let key = key.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        fits(&key, &write)?;
        let gate = Arc::clone(&self.0);
        // In a task of its own, so that a caller who goes away in the middle leaves the count of the queue
        // and the order as they are.
        let admitted = tokio::spawn(async move {
            let _place = gate.waiting.try_acquire().map_err(|_| GateError::Busy)?;
            gate.admit(key, write).await
        });
        admitted.await.unwrap_or(Err(GateError::Closed))
    }

    /// How many writes wait in the journal.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.0.queued()
    }

    /// Would a write be done at once now, as far as can be known?
    #[must_use]
    pub fn flows(&self) -> bool {
        matches!(self.0.way(), Ok(Way::Try))
    }

    /// Starts the drain.
    pub(super) fn drain(&self, stop: watch::Receiver<bool>) -> Task {
        Task::spawn(drain::run(Arc::clone(&self.0), stop))
    }
}

impl Inner {
    fn queued(&self) -> u64 {
        self.queued.load(Ordering::Acquire)
    }

    async fn admit(&self, key: String, write: Write) -> Result<Receipt, GateError> {
        let _line = self.line.lock().await;
        match self.way()? {
            Way::Defer(reason) => self.defer(key, write, reason).await,
            Way::Try => match self.database.apply(WRITING, vec![(key.clone(), write.clone())]).await {
                Ok(()) => Ok(Receipt::Done),
                Err(error) => {
                    self.failing.store(true, Ordering::Release);
                    self.defer(key, write, error.to_string()).await
                }
            },
        }
    }

    /// The decision. A status that nobody knows, because no rule judges the database, is left to the try.
    fn way(&self) -> Result<Way, GateError> {
        let admission = self.admission.borrow();
        match admission.may(Deed::Write, Some(&self.patient)) {
            Admitted::Deny(why) => return Err(GateError::Refused { why }),
            Admitted::Later(why, _) => return Ok(Way::Defer(why)),
            Admitted::Allow => {}
        }
        if self.queued() > 0 {
            return Ok(Way::Defer("other writes wait before it".into()));
        }
        let failing = self.failing.load(Ordering::Acquire);
        Ok(if failing { Way::Defer("the last write failed".into()) } else { Way::Try })
    }

    /// Makes a write durable in the journal. Called with the line held.
    async fn defer(&self, key: String, write: Write, reason: String) -> Result<Receipt, GateError> {
        let (journal, wall) = (Arc::clone(&self.journal), self.clock.wall());
        // Counted before it is there: the drain may find it the moment it is.
        self.queued.fetch_add(1, Ordering::AcqRel);
        let deferred = blocking(move || journal.defer(wall, &key, &write, &reason)).await;
        let seq = deferred.ok_or(GateError::Closed).and_then(|deferred| Ok(deferred?));
        if seq.is_err() {
            self.queued.fetch_sub(1, Ordering::AcqRel);
        }
        self.wake.notify_one();
        Ok(Receipt::Deferred { seq: seq? })
    }

    /// Counts what an earlier run left waiting.
    async fn recount(&self) -> Result<(), JournalError> {
        let journal = Arc::clone(&self.journal);
        if let Some(count) = blocking(move || journal.deferred_count()).await {
            self.queued.store(count?, Ordering::Release);
        }
        Ok(())
    }
}

/// Runs something that blocks where blocking is allowed; nothing when the runtime is ending.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn fits(key: &str, write: &Write) -> Result<(), GateError> {
    let text = match write {
        Write::Task { text, by, .. } => text.len() + by.len(),
        Write::TaskChanged { what, by, reason, .. } => {
            let to = if let TaskDeed::Assign { to } = what { to.len() } else { 0 };
            to + by.len() + reason.len()
        }
        Write::Reflection { text, .. } => text.len(),
        Write::Job { job: Job::SumUp { component, .. }, .. } => component.len(),
        Write::Job { job: Job::Deliver { receiver, text }, .. } => receiver.len() + text.len(),
        Write::JobDone { key, result, .. } => key.len() + result.len(),
    };
    for (what, length, limit) in [("text", text, LONGEST_TEXT), ("key", key.len(), LONGEST_KEY)] {
        if length > limit {
            return Err(GateError::TooLong { what, length, limit });
        }
    }
    Ok(())
}
