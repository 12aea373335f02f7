//! Grace's own working database: tasks, reflections, jobs. It is monitored like anything else, because it
//! can be the patient; the journal, which must never be, lies in a file of its own.
//!
//! The connection belongs to one thread; everything else asks it over a bounded channel and waits no longer
//! than it said. A call that nobody waits for any more is not begun.

mod copy;
mod session;
mod tables;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use thiserror::Error;
use tokio::sync::{oneshot, watch};

use super::fault::{Fault, FaultError};
use super::names;
use crate::model::{ComponentId, Reading, Time, Write};
use crate::services::{BoxFuture, Control, ControlError};
pub use tables::TaskRow;
pub(crate) use tables::{OpenJob, count_open_jobs, open_jobs, task_state, tasks};

use session::{Call, Link, Session};
use trouble::{Kind, Trouble};

/// The faults that it knows.
pub(super) const FAULTS: &[&str] = &["down", "slow", "fail-writes", "clear"];

/// How long opening may take before it counts as failed.
const OPENING: Duration = Duration::from_secs(5);

/// How long a thread gets to end what waits and close the file.
const CLOSING: Duration = Duration::from_secs(2);

/// Why a call to the working database brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DatabaseError {
    /// It is stopped.
    #[error("the database is closed")]
    Closed,
    /// The connection is gone.
    #[error("the connection to the database is lost")]
    Lost,
    /// The file was deleted or swapped under the connection.
    #[error("the database's file was deleted or replaced while it was open; restart the database")]
    Replaced,
    /// It could not be opened.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// It did not answer in time.
    #[error("the database did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The disk failed; the file is opened anew.
    #[error("the database's disk failed: {0}")]
    Disk(String),
    /// SQLite refused.
    #[error("the database failed: {0}")]
    Sqlite(String),
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Disk(error.to_string())
            }
            _ => Self::Sqlite(error.to_string()),
        }
    }
}

/// The working database.
#[derive(Debug)]
pub(crate) struct Database {
    id: ComponentId,
    file: PathBuf,
    session: Mutex<Option<Session>>,
    /// Starting and stopping happen one after the other.
    lifecycle: tokio::sync::Mutex<()>,
    /// It should be open: where it is not, the next ping tries again, as any client of a database would.
    wanted: AtomicBool,
    trouble: Arc<Trouble>,
    /// Writes that wait in the journal; the gate counts them.
    queued: Arc<AtomicU64>,
    jobs: watch::Sender<u64>,
}

impl Database {
    /// The database in this file, not yet open.
    pub(crate) fn new(file: PathBuf, queued: Arc<AtomicU64>) -> Self {
        Self {
            id: names::DATABASE.into(),
            file,
            session: Mutex::default(),
            lifecycle: tokio::sync::Mutex::default(),
            wanted: AtomicBool::new(false),
            trouble: Arc::default(),
            queued,
            jobs: watch::Sender::new(0),
        }
    }

    /// Changes whenever a job was written.
    pub(crate) fn jobs_written(&self) -> watch::Receiver<u64> {
        self.jobs.subscribe()
    }

    /// Asks for something.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        within: Duration,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.call(within, false, move |link| Ok(ask(&link.connection)?)).await
    }

    /// Does these writes in their order and in one transaction: all of them or none.
    pub(crate) async fn apply(
        &self,
        within: Duration,
        writes: Vec<(String, Write)>,
    ) -> Result<(), DatabaseError> {
        let jobs = writes.iter().any(|(_, write)| matches!(write, Write::Job { .. }));
        self.call(within, true, move |link| {
            let tx = link.connection.transaction()?;
            for (key, write) in &writes {
                tables::apply(&tx, key, write)?;
            }
            Ok(tx.commit()?)
        })
        .await?;
        if jobs {
            self.jobs.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(())
    }

    /// Lets what is old go, a bounded number of rows a call; says whether anything went.
    pub(crate) async fn expire(&self, within: Duration, before: Time) -> Result<bool, DatabaseError> {
        self.call(within, true, move |link| Ok(tables::expire(&mut link.connection, before)?)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        within: Duration,
        writes: bool,
        work: impl FnOnce(&mut Link) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let calls = self.locked().as_ref().map(|session| session.calls.clone());
        let calls = calls.ok_or(DatabaseError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let trouble = Arc::clone(&self.trouble);
        let call: Call = Box::new(move |link| {
            if reply.is_closed() {
                return;
            }
            let felt = trouble.feel(writes).and_then(|()| link.same_file());
            // Slowed until nobody waited any more: the write is queued elsewhere by now.
            if !reply.is_closed() {
                let done = felt.and_then(|()| work(link));
                link.broken = matches!(done, Err(DatabaseError::Disk(_)));
                let _ = reply.send(done);
            }
        });
        let asked = async {
            calls.send(call).await.map_err(|_| DatabaseError::Closed)?;
            answer.await.map_err(|_| DatabaseError::Closed)?
        };
        tokio::time::timeout(within, asked).await.unwrap_or(Err(DatabaseError::TimedOut(within)))
    }

    async fn open(&self, within: Duration) -> Result<&'static str, DatabaseError> {
        let _one = self.lifecycle.lock().await;
        self.wanted.store(true, Ordering::Relaxed);
        if self.locked().as_ref().is_some_and(Session::alive) {
            return Ok("already open");
        }
        let session = Session::open(self.file.clone(), within).await?;
        *self.locked() = Some(session);
        Ok("opened")
    }

    /// Opens what should be open and is not, then reads.
    async fn ping(&self, within: Duration) -> Result<(), DatabaseError> {
        let alive = self.locked().as_ref().is_some_and(Session::alive);
        if !alive && self.wanted.load(Ordering::Relaxed) {
            let opening = self.open(within);
            tokio::time::timeout(within, opening).await.unwrap_or(Err(DatabaseError::TimedOut(within)))?;
        }
        self.read(within, tables::ping).await
    }

    /// Begins a fault, or ends it.
    pub(crate) fn inject(&self, fault: &Fault) -> Result<String, FaultError> {
        let kind = match fault {
            Fault::Down => Kind::Down,
            Fault::Slow { by } => Kind::Slow(by.to_std()),
            Fault::FailWrites => Kind::FailWrites,
            Fault::Clear => Kind::None,
            _ => {
                let known = FAULTS;
                return Err(FaultError::NotKnown { component: self.id.clone(), fault: fault.word(), known });
            }
        };
        self.trouble.set(kind);
        Ok(match kind {
            Kind::None => "the database has recovered".into(),
            Kind::Down => "the connection is lost until `clear`".into(),
            Kind::Slow(by) => format!("each call takes {} ms longer until `clear`", by.as_millis()),
            Kind::FailWrites => "writes fail until `clear`".into(),
        })
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control for Database {
    fn facts(&self, within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = self.ping(within).await;
            let latency = began.elapsed();
            if let Err(error) = &answer {
                tracing::debug!(%error, "the ping failed");
            }
            let queued = i64::try_from(self.queued.load(Ordering::Acquire)).unwrap_or(i64::MAX);
            BTreeMap::from([
                ("connected".into(), answer.is_ok().into()),
                ("latency_ms".into(), Reading::float(latency.as_secs_f64() * 1000.0)),
                ("queued_writes".into(), queued.into()),
            ])
        })
    }

    fn start(&self, _workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            match self.open(OPENING).await {
                Ok(done) => Ok(done.into()),
                Err(error) => Err(ControlError::Failed(error.to_string())),
            }
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let _one = self.lifecycle.lock().await;
            self.wanted.store(false, Ordering::Relaxed);
            let session = self.locked().take();
            let Some(session) = session else { return Ok("already closed".into()) };
            let closed = session.close(CLOSING).await;
            Ok(if closed { "closed".into() } else { "its thread hangs and is left behind".into() })
        })
    }

    fn scale(&self, _workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async { Err(ControlError::NotSupported { component: self.id.clone(), what: "scale" }) })
    }
}
