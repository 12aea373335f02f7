//! The four parts that Grace herself consists of: they do real work, and they can really fail.
//!
//! - the database: tasks, reflections and jobs, on a thread of its own, behind the
//!   [write gate](Gate) which every write passes;
//! - the task executor: workers on the durable queue of jobs;
//! - the trigger mesh: carries journal entries as events to subscribers;
//! - the reflection service: looks back every ten seconds.
//!
//! Each stands behind [`Control`], as real services do, so that probes, hands and rules do not know which is which. This module
//! and the table of facts in `model` are the only code that knows their names. Faults can be injected where
//! real ones would arise, see [`Fault`].

mod database;
mod executor;
mod fault;
mod gate;
mod history;
mod mesh;
mod names;
mod reflection;
mod task;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::govern::Admission;
use crate::model::{ComponentId, Time};
use crate::record::{Clock, Journal, JournalError};
use crate::services::{Control, Controls, Reporter};
use database::Database;
pub use database::{DatabaseError, TaskRow};
use executor::{Executor, Tools};
pub use fault::{Fault, FaultError};
pub use gate::{Gate, GateError, Receipt};
use history::History;
use mesh::Mesh;
pub use mesh::{Handler, Pattern, SubscribeError, Subscription};
use reflection::Reflection;
use task::Task;

/// The working database's file in the data directory.
const FILE: &str = "grace.db";

/// The executor's workers where no file says how many (the seed's three).
const WORKERS: u32 = 3;

/// So many portions of old rows go in one go at the most; what is left then goes an hour later.
const PORTIONS: usize = 10_000;

/// What the parts are started with.
#[derive(Debug, Clone)]
pub struct Context {
    /// The data directory.
    pub dir: PathBuf,
    /// The journal.
    pub journal: Arc<Journal>,
    /// Grace's time.
    pub clock: Clock,
    /// What the supervisor tells the write gate after every step.
    pub admission: watch::Receiver<Admission>,
    /// Where parts report their own failure.
    pub report: Reporter,
    /// How many workers the files give each component.
    pub workers: BTreeMap<ComponentId, u32>,
}

/// The running parts. Dropped without [`Components::shutdown`] they end as in a crash: nothing is lost.
pub struct Components {
    reflection: Arc<Reflection>,
    mesh: Arc<Mesh>,
    executor: Arc<Executor>,
    gate: Gate,
    database: Arc<Database>,
    drain: (watch::Sender<bool>, std::sync::Mutex<Option<Task>>),
}

impl Components {
    /// Starts all four, on the runtime it is called in. A part that does not start is a patient, no reason
    /// not to start Grace.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn start(context: Context) -> Result<Self, JournalError> {
        let Context { dir, journal, clock, admission, report, workers } = context;
        let workers = workers.get(names::EXECUTOR).copied().unwrap_or(WORKERS);
        let queued = Arc::new(AtomicU64::new(0));
        let history = History::new(dir.clone());
        let database = Arc::new(Database::new(dir.join(FILE), Arc::clone(&queued)));
        let (db, of) = (Arc::clone(&database), Arc::clone(&journal));
        let gate = Gate::new(of, db, admission, clock.clone(), queued).await?;
        let tail = journal.tail();
        let to_mesh = (history.clone(), clock.clone(), gate.clone(), report.clone());
        let mesh = Mesh::new(journal, to_mesh.0, to_mesh.1, to_mesh.2, to_mesh.3).await?;
        let reflection = Reflection::new(history.clone(), gate.clone(), clock.clone(), tail);
        let (stop, stopped) = watch::channel(false);
        let drain = (stop, std::sync::Mutex::new(Some(gate.drain(stopped))));
        let tools =
            Tools { gate: gate.clone(), database: Arc::clone(&database), history, clock, report, workers };
        let (reflection, mesh) = (Arc::new(reflection), Arc::new(mesh));
        let executor = Arc::new(Executor::new(tools));
        let parts = Self { reflection, mesh, executor, gate, database, drain };
        parts.start_all().await;
        Ok(parts)
    }

    async fn start_all(&self) {
        for (name, part) in self.all() {
            if let Err(error) = part.start(None).await {
                tracing::error!(component = name, %error, "does not start");
            }
        }
    }

    /// The parts in the order in which they start.
    fn all(&self) -> [(&'static str, Arc<dyn Control>); 4] {
        [
            (names::DATABASE, Arc::clone(&self.database) as _),
            (names::EXECUTOR, Arc::clone(&self.executor) as _),
            (names::MESH, Arc::clone(&self.mesh) as _),
            (names::REFLECTION, Arc::clone(&self.reflection) as _),
        ]
    }

    /// The control of a component.
    #[must_use]
    pub fn get(&self, component: &ComponentId) -> Option<Arc<dyn Control>> {
        self.all().into_iter().find(|(name, _)| *name == component.as_str()).map(|(_, part)| part)
    }

    /// The write gate.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Who is subscribed to events, and how far each has come.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.mesh.subscriptions()
    }

    /// Subscribes a handler to events, for as long as these parts live. It goes on where one of its name
    /// left off, else from the journal's beginning. A pattern is `*`, `health.*`, a type, or several of them
    /// behind commas.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    pub async fn subscribe(
        &self,
        name: &str,
        pattern: &str,
        handler: Arc<dyn Handler>,
    ) -> Result<(), SubscribeError> {
        self.mesh.subscribe(name, pattern, handler).await
    }

    /// The newest tasks for people, newest first. Tasks that wait at the gate are not among them yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tasks(&self, limit: u32, within: Duration) -> Result<Vec<TaskRow>, DatabaseError> {
        self.database.read(within, move |connection| database::tasks(connection, limit)).await
    }

    /// What was done last about one task of a person; none where there is no such task.
    ///
    /// # Errors
    /// The database does not answer in time.
    pub async fn task_state(&self, seq: i64, within: Duration) -> Result<Option<String>, DatabaseError> {
        self.database.read(within, move |connection| database::task_state(connection, seq)).await
    }

    /// Lets done jobs and reflections from before `before` go, in small portions, for as long as writes flow.
    ///
    /// # Errors
    /// When the database does not answer; what is left goes another time.
    pub async fn expire(&self, before: Time, within: Duration) -> Result<(), DatabaseError> {
        for _ in 0..PORTIONS {
            if !self.gate.flows() || !self.database.expire(within, before).await? {
                break;
            }
        }
        Ok(())
    }

    /// Injects a fault. Whoever calls this has made sure that faults are allowed.
    ///
    /// # Errors
    /// When there is no such component, or it cannot fail in that way.
    pub async fn inject(&self, component: &ComponentId, fault: &Fault) -> Result<String, FaultError> {
        let said = match component.as_str() {
            names::REFLECTION => self.reflection.inject(fault).await,
            names::DATABASE => self.database.inject(fault),
            names::EXECUTOR => self.executor.inject(fault).await,
            names::MESH => self.mesh.inject(fault).await,
            _ => Err(FaultError::NoSuchComponent { component: component.clone() }),
        }?;
        match fault {
            Fault::Clear => tracing::warn!(component = component.as_str(), "an injected fault is cleared"),
            _ => {
                tracing::warn!(component = component.as_str(), fault = fault.word(), "a fault is injected");
            }
        }
        Ok(said)
    }

    /// Ends all parts in good order, none of which reports that as a failure: jobs in hand and the batch
    /// that is being drained are ended, cursors saved, the database closed.
    pub async fn shutdown(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let ended = tokio::time::timeout_at(deadline, async {
            // Stopping never fails; each says in words what it found.
            let _ = self.reflection.stop().await;
            let _ = self.mesh.stop().await;
            self.executor.rest(within / 2).await;
            self.drain.0.send_replace(true);
            let drain = self.drain.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(drain) = drain {
                drain.finish(within / 2).await;
            }
            let _ = self.database.stop().await;
        });
        if ended.await.is_err() {
            tracing::warn!("the parts did not end in time; nothing acknowledged is lost by that");
        }
    }
}

impl Controls for Components {
    fn control(&self, component: &ComponentId) -> Option<Arc<dyn Control>> {
        self.get(component)
    }
}
