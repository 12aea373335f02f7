//! The trigger mesh: the bus that carries events to whoever subscribed, by pattern.
//!
//! Events are journal entries: first written, then carried. Each subscriber has a cursor of its own, so a
//! slow one harms nobody, a restart of the mesh re-subscribes all of them where they were, and a restart of
//! Grace goes on from the saved cursors. Nothing is lost; an event may come twice, never not at all.
//!
//! No decision depends on delivery: that is why the mesh can be a patient like the others.

mod handlers;
mod pattern;
mod router;
mod subscriber;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};

use super::fault::{Fault, FaultError};
use super::gate::Gate;
use super::history::History;
use super::names;
use super::task::Task;
use crate::model::{ComponentId, Reading};
use crate::record::{Clock, Journal, JournalError};
use crate::services::Reporter;
use crate::services::{BoxFuture, Control, ControlError};
pub use pattern::Pattern;
pub use subscriber::Handler;
use subscriber::{Parcel, Subscriber};

/// The faults that it knows.
pub(super) const FAULTS: &[&str] = &["stop", "drop"];

/// Pings that may wait for the router.
const PINGS: usize = 8;

/// Subscribers there may be.
const SUBSCRIBERS: usize = 256;

/// Entries after which a cursor is saved even though its subscriber wanted none of them.
const MANY: i64 = 1_000;

/// One line of the list of subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Who.
    pub name: String,
    /// What it wants.
    pub pattern: String,
    /// Everything in the journal up to this number is finished.
    pub position: i64,
    /// How many entries the journal is ahead of that.
    pub lag: i64,
    /// Events it took since the start of Grace.
    pub delivered: u64,
    /// Events over which it failed.
    pub failed: u64,
    /// What it has found out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, u64>,
}

/// Why nobody was subscribed.
#[derive(Debug, Error)]
pub enum SubscribeError {
    /// The name is taken.
    #[error("{0} is subscribed already")]
    Taken(String),
    /// There are too many.
    #[error("there are {SUBSCRIBERS} subscribers already")]
    TooMany,
    /// Its cursor could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What the router and its owner share.
struct Shared {
    id: ComponentId,
    journal: Arc<Journal>,
    history: History,
    report: Reporter,
    subscribers: Lock<Vec<Arc<Subscriber>>>,
    subscribed: AtomicUsize,
    /// Told when a subscriber has room again, or is new.
    room: Arc<Notify>,
    alive: watch::Sender<bool>,
    /// It should run: only then is its end a failure.
    wanted: AtomicBool,
    /// The injected loss: up to which entry everything was lost so far; negative where nothing is.
    losing: AtomicI64,
    dropped: AtomicI64,
}

/// The mesh.
pub(super) struct Mesh {
    shared: Arc<Shared>,
    router: Mutex<Option<(Task, mpsc::Sender<router::Ping>)>>,
}

impl Mesh {
    /// The mesh with its own handlers, not yet running.
    pub(super) async fn new(
        journal: Arc<Journal>,
        history: History,
        clock: Clock,
        gate: Gate,
        report: Reporter,
    ) -> Result<Self, JournalError> {
        let shared = Shared {
            id: names::MESH.into(),
            journal,
            history,
            report,
            subscribers: Lock::default(),
            subscribed: AtomicUsize::new(0),
            room: Arc::new(Notify::new()),
            alive: watch::Sender::new(false),
            wanted: AtomicBool::new(false),
            losing: AtomicI64::new(-1),
            dropped: AtomicI64::new(0),
        };
        let mesh = Self { shared: Arc::new(shared), router: Mutex::default() };
        let from = *mesh.shared.journal.tail().borrow();
        let ping = Subscriber::new(Parcel::PING, Parcel::PING, Arc::new(handlers::Nothing), from);
        mesh.shared.subscribers().push(ping);
        for (name, pattern, handler) in handlers::all(gate, clock) {
            let from = mesh.cursor(name).await?;
            mesh.shared.subscribers().push(Subscriber::new(name, pattern, handler, from));
        }
        Ok(mesh)
    }

    /// Subscribes one more; it goes on where one of its name left off, else from the beginning.
    pub(super) async fn subscribe(
        &self,
        name: &str,
        pattern: &str,
        handler: Arc<dyn Handler>,
    ) -> Result<(), SubscribeError> {
        let from = self.cursor(name).await?;
        let mut subscribers = self.shared.subscribers();
        if subscribers.iter().any(|known| known.name == name) {
            return Err(SubscribeError::Taken(name.into()));
        }
        if subscribers.len() >= SUBSCRIBERS {
            return Err(SubscribeError::TooMany);
        }
        subscribers.push(Subscriber::new(name, pattern, handler, from));
        drop(subscribers);
        self.shared.room.notify_one();
        Ok(())
    }

    async fn cursor(&self, name: &str) -> Result<i64, JournalError> {
        let (journal, name) = (Arc::clone(&self.shared.journal), name.to_owned());
        let read = tokio::task::spawn_blocking(move || journal.cursor(&name)).await;
        read.unwrap_or(Ok(0))
    }

    /// Who is subscribed. The mesh's own ping is not listed: it is no handler.
    pub(super) fn subscriptions(&self) -> Vec<Subscription> {
        let tail = *self.shared.journal.tail().borrow();
        let listed = |known: &Arc<Subscriber>| Subscription {
            name: known.name.clone(),
            pattern: known.pattern.to_string(),
            position: known.position(),
            lag: (tail - known.position()).max(0),
            delivered: known.delivered.load(Ordering::Acquire),
            failed: known.failed.load(Ordering::Acquire),
            figures: known.handler.figures(),
        };
        self.shared.handlers().iter().map(listed).collect()
    }

    /// Begins a fault.
    pub(super) async fn inject(&self, fault: &Fault) -> Result<String, FaultError> {
        match fault {
            Fault::Stop => {
                let Some((router, _)) = self.router.lock().await.take() else {
                    return Err(FaultError::NotRunning { component: self.shared.id.clone() });
                };
                router.end().await;
                Ok("the router has ended".into())
            }
            Fault::Drop => {
                self.shared.losing.store(*self.shared.journal.tail().borrow(), Ordering::Release);
                Ok("the router loses every event until a restart".into())
            }
            _ => {
                let (component, known) = (self.shared.id.clone(), FAULTS);
                Err(FaultError::NotKnown { component, fault: fault.word(), known })
            }
        }
    }

    /// Sends a ping to itself through the router.
    async fn ping(&self) -> Option<()> {
        let pings = self.router.lock().await.as_ref().map(|(_, pings)| pings.clone())?;
        let (back, came) = oneshot::channel();
        pings.send(back).await.ok()?;
        came.await.ok()
    }

    async fn run(&self) -> &'static str {
        let mut router = self.router.lock().await;
        self.shared.wanted.store(true, Ordering::Release);
        if router.as_ref().is_some_and(|(task, _)| task.alive()) {
            return "already running";
        }
        self.shared.losing.store(-1, Ordering::Release);
        self.shared.dropped.store(0, Ordering::Release);
        let (pings, todo) = mpsc::channel(PINGS);
        let task = Task::spawn(router::run(Arc::clone(&self.shared), todo));
        // Started means: everybody is subscribed again.
        let mut alive = self.shared.alive.subscribe();
        let _ = tokio::time::timeout(Duration::from_secs(1), alive.wait_for(|alive| *alive)).await;
        *router = Some((task, pings));
        "running, all handlers subscribed"
    }
}

impl Shared {
    fn subscribers(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Subscriber>>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handlers(&self) -> Vec<Arc<Subscriber>> {
        self.subscribers().iter().filter(|known| known.name != Parcel::PING).cloned().collect()
    }

    fn unsaved(&self) -> bool {
        self.handlers().iter().any(|known| known.unsaved(MANY).is_some())
    }

    fn set_subscribed(&self, lines: usize) {
        // One line is the mesh's own.
        self.subscribed.store(lines.saturating_sub(1), Ordering::Release);
    }

    /// Where the injected loss goes on, where it is in force.
    fn loses_from(&self) -> Option<i64> {
        Some(self.losing.load(Ordering::Acquire)).filter(|from| *from >= 0)
    }

    /// So many events up to this entry are lost.
    fn lost(&self, events: usize, upto: i64) {
        self.dropped.fetch_add(i64::try_from(events).unwrap_or(i64::MAX), Ordering::AcqRel);
        self.losing.store(upto, Ordering::Release);
    }

    fn report_unless_stopped(&self) {
        if self.wanted.load(Ordering::Acquire) {
            self.report.report(&self.id);
        }
    }
}

/// Saves the cursors that moved; `many` entries are worth saving even without an event among them.
async fn save(shared: &Shared, many: i64) {
    let handlers = shared.handlers();
    let moved: Vec<_> =
        handlers.iter().filter_map(|known| known.unsaved(many).map(|at| (known.name.clone(), at))).collect();
    if moved.is_empty() {
        return;
    }
    let (journal, cursors) = (Arc::clone(&shared.journal), moved.clone());
    match tokio::task::spawn_blocking(move || journal.set_cursors(&cursors)).await {
        Ok(Ok(())) => {
            for (name, at) in moved {
                if let Some(known) = handlers.iter().find(|known| known.name == name) {
                    known.saved(at);
                }
            }
        }
        Ok(Err(error)) => tracing::warn!(%error, "the cursors of the mesh are not saved"),
        Err(_) => {}
    }
}

impl Control for Mesh {
    fn facts(&self, within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        Box::pin(async move {
            let began = Instant::now();
            let running = *self.shared.alive.borrow();
            let came = tokio::time::timeout(within, self.ping()).await;
            let latency = began.elapsed();
            let subscribed = self.shared.subscribed.load(Ordering::Acquire);
            BTreeMap::from([
                ("running".into(), running.into()),
                ("routing".into(), matches!(came, Ok(Some(()))).into()),
                ("route_latency_ms".into(), Reading::float(latency.as_secs_f64() * 1000.0)),
                ("dropped".into(), self.shared.dropped.load(Ordering::Acquire).into()),
                ("subscribers".into(), i64::try_from(subscribed).unwrap_or(i64::MAX).into()),
            ])
        })
    }

    fn start(&self, _workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move { Ok(self.run().await.into()) })
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            self.shared.wanted.store(false, Ordering::Release);
            let Some((router, _)) = self.router.lock().await.take() else {
                return Ok("already stopped".into());
            };
            router.end().await;
            save(&self.shared, 1).await;
            Ok("stopped".into())
        })
    }

    fn scale(&self, _workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        let component = self.shared.id.clone();
        Box::pin(async { Err(ControlError::NotSupported { component, what: "scale" }) })
    }
}
