//! The router: reads the journal by number and hands each event to whoever wants it.
//!
//! It waits for nobody. A subscriber without room is passed over; when it has room again, the router reads
//! on for it from where it had come to. Subscribers that are equally far share one read.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::subscriber::{Line, Parcel};
use super::{MANY, Shared, save};
use crate::components::history::HistoryError;
use crate::record::Event;

/// Events read at a time.
const PORTION: usize = 128;

/// Cursors are saved so often, and only where they moved: each time costs a commit.
const SAVING: Duration = Duration::from_secs(1);

/// The pause after the journal could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// A request for proof that events are routed.
pub(super) type Ping = oneshot::Sender<()>;

/// Routes until the task is aborted.
pub(super) async fn run(shared: Arc<Shared>, mut pings: mpsc::Receiver<Ping>) {
    let mut lines = Vec::new();
    subscribe_new(&shared, &mut lines);
    let _alive = Alive::new(&shared);
    let mut tail = shared.journal.tail();
    let mut saving = tokio::time::interval(SAVING);
    saving.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut not_before = None;
    loop {
        let end = *tail.borrow_and_update();
        if not_before.is_none() {
            not_before = round(&shared, &mut lines, end).await.err().map(|error| {
                tracing::warn!(%error, "the mesh cannot read the journal");
                Instant::now() + PAUSE
            });
        }
        tokio::select! {
            Ok(()) = tail.changed() => {}
            () = shared.room.notified() => {}
            Some(ping) = pings.recv() => route_ping(&shared, &lines, ping),
            () = until(not_before), if not_before.is_some() => not_before = None,
            // At rest nothing is unsaved, and then no timer wakes anybody.
            _ = saving.tick(), if shared.unsaved() => save(&shared, MANY).await,
        }
    }
}

async fn until(then: Option<Instant>) {
    if let Some(then) = then {
        tokio::time::sleep_until(then).await;
    }
}

/// Hands out a portion to each subscriber that has room, and asks for another round where there is more:
/// between two rounds the router listens.
async fn round(shared: &Shared, lines: &mut Vec<Line>, end: i64) -> Result<(), HistoryError> {
    subscribe_new(shared, lines);
    if let Some(from) = shared.loses_from() {
        return lose(shared, from, end).await;
    }
    let mut read = BTreeMap::new();
    let mut more = false;
    for line in lines.iter().filter(|line| line.has_room() && line.subscriber.sent() < end) {
        let from = line.subscriber.sent();
        if let Entry::Vacant(place) = read.entry(from) {
            place.insert(portion(shared, from).await?);
        }
        more |= read.get(&from).is_some_and(|events| hand_out(line, events, end));
    }
    if more {
        shared.room.notify_one();
    }
    Ok(())
}

/// The injected loss: events are read and given to nobody. What a subscriber has finished stays where it
/// was, so a restart finds all of them again.
async fn lose(shared: &Shared, from: i64, end: i64) -> Result<(), HistoryError> {
    if from < end {
        let events = portion(shared, from).await?;
        let full = events.len() >= PORTION;
        let upto = events.last().filter(|_| full).map_or(end, |event| event.seq());
        shared.lost(events.len(), upto);
        if full {
            shared.room.notify_one();
        }
    }
    Ok(())
}

async fn portion(shared: &Shared, from: i64) -> Result<Vec<Arc<Event>>, HistoryError> {
    let events = shared.history.events_after(from, PORTION).await?;
    Ok(events.into_iter().map(Arc::new).collect())
}

/// Gives one subscriber what it wants of these events; true where there is more to read for it.
fn hand_out(line: &Line, events: &[Arc<Event>], end: i64) -> bool {
    for event in events {
        if !line.subscriber.pattern.wants(&event.kind) {
            line.subscriber.passed(event.seq());
        } else if !line.send(event) {
            return false;
        }
    }
    let all = events.len() < PORTION;
    if all && line.subscriber.sent() < end {
        // Not every entry is an event: what was not read up to the end is none.
        line.subscriber.passed(end);
    }
    !all
}

fn subscribe_new(shared: &Shared, lines: &mut Vec<Line>) {
    for subscriber in shared.subscribers().iter().skip(lines.len()) {
        lines.push(Line::new(Arc::clone(subscriber), Arc::clone(&shared.room)));
    }
    shared.set_subscribed(lines.len());
}

/// The ping takes the way of every event: matched against each pattern and sent over the same channel.
fn route_ping(shared: &Shared, lines: &[Line], ping: Ping) {
    if shared.loses_from().is_some() {
        return;
    }
    let back = Arc::new(Mutex::new(Some(ping)));
    for line in lines.iter().filter(|line| line.subscriber.pattern.wants(Parcel::PING)) {
        line.ping(&back);
    }
}

/// Stands for the running router; when it ends and nobody wanted that, the mesh reports itself.
struct Alive(Arc<Shared>, watch::Sender<bool>);

impl Alive {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.alive.send_replace(true);
        Self(Arc::clone(shared), shared.alive.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.1.send_replace(false);
        self.0.set_subscribed(0);
        self.0.report_unless_stopped();
    }
}
