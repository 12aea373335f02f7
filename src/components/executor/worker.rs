//! One worker: takes the oldest job that nobody has, does it, and writes its end through the gate.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::desk::{DEADLY, Desk, Seat};
use super::work;
use crate::components::database::{Database, OpenJob, open_jobs};
use crate::components::gate::Gate;
use crate::components::history::History;
use crate::model::{Time, Write};
use crate::record::Clock;

/// How long the database may take to say which jobs are open.
const ASKING: Duration = Duration::from_secs(2);

/// Open jobs looked at, at once; there are never more workers.
pub(super) const LOOKED_AT: u32 = 64;

/// A net below the signal that a job was written.
const IDLE: Duration = Duration::from_secs(30);

/// How long a worker waits before it asks again whether writes are done.
const HELD_UP: Duration = Duration::from_secs(1);

/// Everything a worker needs.
pub(super) struct Shop {
    pub(super) desk: Arc<Desk>,
    pub(super) gate: Gate,
    pub(super) database: Arc<Database>,
    pub(super) history: History,
    pub(super) clock: Clock,
    /// One worker looks for a job at a time.
    pub(super) claiming: Mutex<()>,
    /// The injected hang: since when.
    pub(super) hang: watch::Sender<Option<Time>>,
}

/// Works until the task is aborted.
pub(super) async fn run(shop: Arc<Shop>, mut seat: Seat) {
    let mut hang = shop.hang.subscribe();
    let mut written = shop.database.jobs_written();
    loop {
        let since = tokio::select! {
            biased;
            since = hung(&mut hang) => since,
            () = turn(&shop, &mut seat, &mut written) => continue,
        };
        seat.busy_since(since);
        return pending().await;
    }
}

async fn hung(hang: &mut watch::Receiver<Option<Time>>) -> Time {
    match hang.wait_for(Option::is_some).await.map(|since| *since) {
        Ok(Some(since)) => since,
        _ => pending().await,
    }
}

/// What a look for a job brought.
enum Found {
    Job(OpenJob),
    Nothing,
    /// Writes wait, or the database does not answer.
    HeldUp,
}

/// One job, or a wait for one.
async fn turn(shop: &Shop, seat: &mut Seat, written: &mut watch::Receiver<u64>) {
    written.mark_unchanged();
    match claim(shop, seat).await {
        Found::Job(job) => {
            let result = perform(shop, &job).await;
            seat.worked();
            finish(shop, job.key, result).await;
            seat.put_down();
        }
        Found::Nothing => {
            // A signal or the net: it is all the same.
            let _ = tokio::time::timeout(IDLE, written.changed()).await;
        }
        Found::HeldUp => tokio::time::sleep(HELD_UP).await,
    }
}

async fn claim(shop: &Shop, seat: &mut Seat) -> Found {
    let _one = shop.claiming.lock().await;
    let had = shop.desk.in_hand();
    // Asked after the look at the desk: the end of a job that was put down before is in the database, or it
    // waits at the gate, and then nothing flows.
    if !shop.gate.flows() {
        return Found::HeldUp;
    }
    match shop.database.read(ASKING, |connection| open_jobs(connection, LOOKED_AT)).await {
        Ok(open) => seat.take(open, &had, shop.clock.now()).map_or(Found::Nothing, Found::Job),
        Err(_) => Found::HeldUp,
    }
}

async fn perform(shop: &Shop, open: &OpenJob) -> String {
    if shop.desk.deaths(&open.key) >= DEADLY {
        return format!("given up: {DEADLY} workers panicked over it");
    }
    match &open.job {
        Some(job) => work::perform(&shop.history, job).await,
        None => "not done: this version of Grace does not know such a job".into(),
    }
}

/// Writes the end of a job; where the mode refuses writes, as soon as it no longer does.
async fn finish(shop: &Shop, key: String, result: String) {
    let at = shop.clock.now();
    // One key for all its repetitions; a second end of the same job changes nothing by itself.
    let end = uuid::Uuid::now_v7().to_string();
    let done = Write::JobDone { key, result, at };
    while let Err(error) = shop.gate.write(Some(end.clone()), done.clone()).await {
        tracing::debug!(%error, "the end of a job is not written yet");
        tokio::time::sleep(HELD_UP).await;
    }
}
