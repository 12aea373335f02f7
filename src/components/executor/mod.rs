//! The task executor: workers on a durable queue. They sum up incidents and deliver what is not urgent.
//!
//! The queue is the table `jobs`; jobs are given and ended through the write gate, so while writes wait the
//! workers wait too. A lost worker is not replaced silently: the count is a fact, and losing the last one is
//! reported at once.

mod desk;
mod work;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::database::{Database, count_open_jobs, open_jobs};
use super::fault::{Fault, FaultError};
use super::gate::Gate;
use super::history::History;
use super::names;
use super::task::Task;
use crate::model::{ComponentId, Reading, Span, Time};
use crate::record::Clock;
use crate::services::Reporter;
use crate::services::{BoxFuture, Control, ControlError};
use desk::Desk;
use worker::{LOOKED_AT, Shop};

/// The faults that it knows.
pub(super) const FAULTS: &[&str] = &["kill-workers", "hang"];

/// More workers than this help nobody: there is one database.
const MOST: u32 = LOOKED_AT;

/// What the executor works with.
pub(super) struct Tools {
    pub(super) gate: Gate,
    pub(super) database: Arc<Database>,
    pub(super) history: History,
    pub(super) clock: Clock,
    pub(super) report: Reporter,
    pub(super) workers: u32,
}

/// The executor.
pub(super) struct Executor {
    id: ComponentId,
    shop: Arc<Shop>,
    wanted: AtomicU32,
    crew: Mutex<Vec<Task>>,
}

impl Executor {
    /// An executor without workers; `start` brings them.
    pub(super) fn new(tools: Tools) -> Self {
        let id = ComponentId::from(names::EXECUTOR);
        let (report, reported) = (tools.report, id.clone());
        let shop = Shop {
            desk: Desk::new(Box::new(move || report.report(&reported))),
            gate: tools.gate,
            database: tools.database,
            history: tools.history,
            clock: tools.clock,
            claiming: Mutex::default(),
            hang: watch::Sender::new(None),
        };
        Self { id, shop: Arc::new(shop), wanted: AtomicU32::new(tools.workers), crew: Mutex::default() }
    }

    /// Begins a fault.
    pub(super) async fn inject(&self, fault: &Fault) -> Result<String, FaultError> {
        let mut crew = self.crew.lock().await;
        match fault {
            Fault::KillWorkers if crew.is_empty() => {
                Err(FaultError::NotRunning { component: self.id.clone() })
            }
            Fault::KillWorkers => {
                let killed = end(&mut crew).await;
                Ok(format!("{killed} workers killed"))
            }
            Fault::Hang { age } => {
                let since = self.shop.clock.now() - *age;
                self.shop.hang.send_replace(Some(since));
                Ok(format!("the workers hang, as if for {age} already"))
            }
            _ => {
                let known = FAULTS;
                Err(FaultError::NotKnown { component: self.id.clone(), fault: fault.word(), known })
            }
        }
    }

    /// Lets the workers end what they have in hand. For the end of Grace, when nothing is hurried.
    pub(super) async fn rest(&self, within: Duration) {
        let deadline = tokio::time::Instant::now() + within;
        while self.shop.desk.tally(Time(0)).in_hand > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let _ = self.stop().await;
    }

    /// Brings the crew to the wanted size.
    async fn fill(&self) -> String {
        let mut crew = self.crew.lock().await;
        self.shop.desk.set_open(true);
        crew.retain(Task::alive);
        let wanted = self.wanted.load(Ordering::Relaxed) as usize;
        let before = crew.len();
        while crew.len() < wanted {
            crew.push(Task::spawn(worker::run(Arc::clone(&self.shop), self.shop.desk.sit())));
        }
        let kept = wanted.min(crew.len());
        let mut surplus = crew.split_off(kept);
        end(&mut surplus).await;
        match before {
            before if before == wanted => format!("{wanted} workers already"),
            before => format!("{wanted} workers, {before} before"),
        }
    }

    fn want(&self, workers: u32) -> Result<(), ControlError> {
        if workers == 0 || workers > MOST {
            let why = format!("{} takes 1 to {MOST} workers, not {workers}", self.id);
            return Err(ControlError::Failed(why));
        }
        self.wanted.store(workers, Ordering::Relaxed);
        Ok(())
    }
}

async fn end(crew: &mut Vec<Task>) -> usize {
    let count = crew.len();
    for task in crew.drain(..) {
        task.end().await;
    }
    count
}

impl Control for Executor {
    fn facts(&self, within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        Box::pin(async move {
            let now = self.shop.clock.now();
            let tally = self.shop.desk.tally(now);
            let had = self.shop.desk.in_hand();
            let queue = self.shop.database.read(within, move |connection| {
                let oldest = open_jobs(connection, LOOKED_AT)?;
                let oldest = oldest.into_iter().find(|job| !had.contains(&job.key)).map(|job| job.at);
                Ok((count_open_jobs(connection)?, oldest))
            });
            let (queued, oldest) = match queue.await {
                Ok((open, oldest)) => (waiting(open, tally.in_hand), age(now, oldest)),
                Err(_) => (Reading::Missing, Reading::Missing),
            };
            BTreeMap::from([
                ("workers".into(), count(tally.workers)),
                ("wanted".into(), i64::from(self.wanted.load(Ordering::Relaxed)).into()),
                ("queued".into(), queued),
                ("oldest_queued_s".into(), oldest),
                ("stuck".into(), count(tally.stuck)),
            ])
        })
    }

    fn start(&self, workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            if let Some(workers) = workers {
                self.want(workers)?;
            }
            Ok(self.fill().await)
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let mut crew = self.crew.lock().await;
            self.shop.desk.set_open(false);
            let ended = end(&mut crew).await;
            self.shop.hang.send_replace(None);
            Ok(format!("{ended} workers stopped"))
        })
    }

    fn most_workers(&self) -> Option<u32> {
        Some(MOST)
    }

    fn scale(&self, workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            self.want(workers)?;
            Ok(self.fill().await)
        })
    }
}

fn count(number: usize) -> Reading {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

fn waiting(open: i64, in_hand: usize) -> Reading {
    open.saturating_sub(i64::try_from(in_hand).unwrap_or(i64::MAX)).max(0).into()
}

fn age(now: Time, oldest: Option<Time>) -> Reading {
    let age = oldest.map_or(Span::ZERO, |at| now - at);
    Reading::float(age.as_seconds().max(0.0))
}
