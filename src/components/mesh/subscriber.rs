//! A subscriber: what it wants, how far it has come, and the task that hands it one event after the other.
//!
//! How far it has come outlives the router: after a restart it goes on behind the last event it finished.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc, oneshot};

use super::pattern::Pattern;
use crate::record::Event;
use crate::services::BoxFuture;

/// Events a subscriber may have before it. What more there is waits in the journal.
pub(super) const BEFORE_IT: usize = 64;

/// What a subscriber does with events.
pub trait Handler: Send + Sync {
    /// Takes one event. It may take its time: the subscriber then lags, and nobody else does. An event in
    /// the middle of which the mesh restarts comes again.
    fn handle<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, ()>;

    /// What it has found out so far, for whoever lists the subscribers.
    fn figures(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// What the router hands to subscribers.
pub(super) enum Parcel {
    /// An event of the journal.
    Event(Arc<Event>),
    /// The mesh's own ping; the sender travels with it.
    Ping(Arc<Mutex<Option<oneshot::Sender<()>>>>),
}

impl Parcel {
    /// The mesh's ping, as patterns see it.
    pub(super) const PING: &'static str = "mesh.ping";
}

/// One subscriber.
pub(super) struct Subscriber {
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) handler: Arc<dyn Handler>,
    course: Mutex<Course>,
    /// Since the start of Grace.
    pub(super) delivered: AtomicU64,
    /// Events over which the handler panicked.
    pub(super) failed: AtomicU64,
    saved: AtomicI64,
}

/// How far a subscriber has come.
#[derive(Debug, Clone, Copy)]
struct Course {
    /// Everything up to here was looked at by the router.
    sent: i64,
    /// Everything up to here was finished, as far as the handler's answers tell.
    done: i64,
    /// The last event that was finished; `done` goes on over entries that were none for it.
    last: i64,
    /// Events that are before the handler, or in its hands.
    open: u64,
    /// Each subscription has its number, so that the answers of one that is over do not count.
    round: u64,
}

impl Course {
    fn position(self) -> i64 {
        if self.open == 0 { self.sent } else { self.done }
    }
}

impl Subscriber {
    pub(super) fn new(name: &str, pattern: &str, handler: Arc<dyn Handler>, from: i64) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            pattern: Pattern::new(pattern),
            handler,
            course: Mutex::new(Course { sent: from, done: from, last: from, open: 0, round: 0 }),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            saved: AtomicI64::new(from),
        })
    }

    /// Everything up to here is finished: the router's look where nothing is open, else the last finished.
    pub(super) fn position(&self) -> i64 {
        self.course().position()
    }

    /// Where the router goes on reading for it.
    pub(super) fn sent(&self) -> i64 {
        self.course().sent
    }

    /// The router looked at everything up to here and sent nothing of it.
    pub(super) fn passed(&self, seq: i64) {
        let mut course = self.course();
        if course.open == 0 {
            course.done = seq;
        }
        course.sent = seq;
    }

    /// The router is about to send the event of this number.
    fn sending(&self, seq: i64) -> u64 {
        let mut course = self.course();
        course.sent = seq;
        course.open += 1;
        course.round
    }

    /// The handler has finished the event of this number.
    fn finished(&self, seq: i64, round: u64) {
        let mut course = self.course();
        if course.round == round {
            course.done = seq;
            course.last = seq;
            course.open = course.open.saturating_sub(1);
        }
    }

    /// A new subscription begins behind the last finished event.
    fn resume(&self) {
        let mut course = self.course();
        let position = course.position();
        *course = Course { sent: position, done: position, open: 0, round: course.round + 1, ..*course };
    }

    /// The position, where it is worth saving: an event was finished since, or many entries have passed.
    pub(super) fn unsaved(&self, many: i64) -> Option<i64> {
        let course = *self.course();
        let (position, saved) = (course.position(), self.saved.load(Ordering::Acquire));
        (course.last > saved || position - saved >= many).then_some(position)
    }

    /// The position was saved.
    pub(super) fn saved(&self, position: i64) {
        self.saved.store(position, Ordering::Release);
    }

    fn course(&self) -> std::sync::MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The router's end of one subscription.
pub(super) struct Line {
    pub(super) subscriber: Arc<Subscriber>,
    parcels: mpsc::Sender<(Parcel, u64)>,
    _task: crate::components::task::Task,
}

impl Line {
    /// Subscribes: `room` is told whenever the subscriber has finished something.
    pub(super) fn new(subscriber: Arc<Subscriber>, room: Arc<Notify>) -> Self {
        subscriber.resume();
        let (parcels, waiting) = mpsc::channel(BEFORE_IT);
        let task = deliver(Arc::clone(&subscriber), waiting, room);
        Self { subscriber, parcels, _task: crate::components::task::Task::spawn(task) }
    }

    /// Is there room for one more event?
    pub(super) fn has_room(&self) -> bool {
        self.parcels.capacity() > 0
    }

    /// Hands over an event. False where there is no room: it stays in the journal.
    pub(super) fn send(&self, event: &Arc<Event>) -> bool {
        let Ok(place) = self.parcels.try_reserve() else { return false };
        let round = self.subscriber.sending(event.seq());
        place.send((Parcel::Event(Arc::clone(event)), round));
        true
    }

    /// Hands over a ping; a subscriber that has no room for it misses it.
    pub(super) fn ping(&self, back: &Arc<Mutex<Option<oneshot::Sender<()>>>>) {
        let _ = self.parcels.try_send((Parcel::Ping(Arc::clone(back)), 0));
    }
}

async fn deliver(subscriber: Arc<Subscriber>, mut parcels: mpsc::Receiver<(Parcel, u64)>, room: Arc<Notify>) {
    while let Some((parcel, round)) = parcels.recv().await {
        match parcel {
            Parcel::Ping(back) => answer(&subscriber, &back),
            Parcel::Event(event) => {
                hand_over(&subscriber, &event).await;
                subscriber.finished(event.seq(), round);
                room.notify_one();
            }
        }
    }
}

/// Only the mesh's own subscription answers a ping; others may have asked for everything.
fn answer(subscriber: &Subscriber, back: &Mutex<Option<oneshot::Sender<()>>>) {
    if subscriber.name == Parcel::PING
        && let Some(back) = back.lock().unwrap_or_else(PoisonError::into_inner).take()
    {
        let _ = back.send(());
    }
}

/// A handler that panics loses this one event, and nothing else.
async fn hand_over(subscriber: &Subscriber, event: &Event) {
    if AssertUnwindSafe(subscriber.handler.handle(event)).catch_unwind().await.is_ok() {
        subscriber.delivered.fetch_add(1, Ordering::AcqRel);
    } else {
        subscriber.failed.fetch_add(1, Ordering::AcqRel);
        tracing::error!(subscriber = subscriber.name, seq = event.seq(), "a handler panicked");
    }
}
