//! The reflection service: every ten seconds it looks back over recent events and healings and stores what
//! it found.
//!
//! A reflection counts when the write gate accepted it, so the age of the last one says that the loop runs,
//! that the journal can be read and that writes are taken. A loop that hangs still looks alive; only its
//! age tells. Where the mode refuses writes, as `emergency` does, nothing has failed: the age begins anew, and what
//! was found stands in the next reflection that is accepted.

mod memory;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tokio::time::MissedTickBehavior;

use super::fault::{Fault, FaultError};
use super::gate::{Gate, GateError};
use super::history::{History, HistoryError};
use super::names;
use super::task::Task;
use crate::model::{ComponentId, Reading, Time, Write};
use crate::record::{Clock, Event};
use crate::services::{BoxFuture, Control, ControlError};
use memory::Memory;

/// The faults that it knows.
pub(super) const FAULTS: &[&str] = &["hang", "stop"];

/// How often it reflects.
const EVERY: Duration = Duration::from_secs(10);

/// How long a start waits for the first reflection.
const FIRST: Duration = Duration::from_secs(2);

/// Events looked back upon at a start.
const LOOK_BACK: i64 = 500;

/// Events read at a time, and times at most, for one reflection: the rest is for the next.
const PORTION: usize = 256;
const PORTIONS: u32 = 8;

#[derive(Debug, Error)]
enum ReflectionError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// The service.
pub(super) struct Reflection {
    id: ComponentId,
    desk: Arc<Desk>,
    lifecycle: Mutex<Option<Task>>,
}

/// What the loop and its owner share.
struct Desk {
    history: History,
    gate: Gate,
    clock: Clock,
    tail: watch::Receiver<i64>,
    running: AtomicBool,
    /// When the gate last accepted a reflection, or the mode refused one; at first, when Grace started.
    heard: AtomicI64,
    count: watch::Sender<i64>,
    hang: watch::Sender<bool>,
}

impl Reflection {
    /// The service, not yet running.
    pub(super) fn new(history: History, gate: Gate, clock: Clock, tail: watch::Receiver<i64>) -> Self {
        let desk = Desk {
            history,
            gate,
            tail,
            running: AtomicBool::new(false),
            heard: AtomicI64::new(clock.now().0),
            clock,
            count: watch::Sender::new(0),
            hang: watch::Sender::new(false),
        };
        Self { id: names::REFLECTION.into(), desk: Arc::new(desk), lifecycle: Mutex::default() }
    }

    /// Begins a fault.
    pub(super) async fn inject(&self, fault: &Fault) -> Result<String, FaultError> {
        match fault {
            Fault::Hang { age } => {
                let since = self.desk.clock.now() - *age;
                self.desk.hang.send_replace(true);
                self.desk.heard.store(since.0, Ordering::Release);
                Ok(format!("the loop hangs; its last reflection seems {age} old"))
            }
            Fault::Stop => {
                let Some(task) = self.lifecycle.lock().await.take() else {
                    return Err(FaultError::NotRunning { component: self.id.clone() });
                };
                task.end().await;
                Ok("the loop has ended".into())
            }
            _ => {
                let known = FAULTS;
                Err(FaultError::NotKnown { component: self.id.clone(), fault: fault.word(), known })
            }
        }
    }
}

/// Stands for the running loop.
struct Running(Arc<Desk>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.store(false, Ordering::Release);
    }
}

async fn run(running: Running) {
    let desk = &running.0;
    let mut hang = desk.hang.subscribe();
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut from = (*desk.tail.borrow() - LOOK_BACK).max(0);
    let mut memory = Memory::default();
    let reflect = async {
        loop {
            every.tick().await;
            if let Err(error) = desk.reflect(&mut memory, &mut from).await {
                tracing::debug!(%error, "no reflection");
            }
        }
    };
    tokio::select! {
        biased;
        _ = hang.wait_for(|hangs| *hangs) => {}
        () = reflect => {}
    }
    // Alive, and of no use.
    pending::<()>().await;
}

impl Desk {
    async fn reflect(&self, memory: &mut Memory, from: &mut i64) -> Result<(), ReflectionError> {
        for _ in 0..PORTIONS {
            let events = self.history.events_after(*from, PORTION).await?;
            for event in &events {
                memory.hear(event);
            }
            *from = events.last().map_or(*from, Event::seq);
            if events.len() < PORTION {
                break;
            }
        }
        let at = self.clock.now();
        let accepted = match self.gate.write(None, Write::Reflection { text: memory.reflect(), at }).await {
            Ok(_) => true,
            // The mode is in the way, and not the service.
            Err(GateError::Refused { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        // A hang injected meanwhile says how old the last one shall seem.
        if !*self.hang.borrow() {
            self.heard.store(self.clock.now().0, Ordering::Release);
        }
        if accepted {
            memory.told();
            self.count.send_modify(|count| *count += 1);
        }
        Ok(())
    }
}

impl Control for Reflection {
    fn facts(&self, _within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        Box::pin(async move {
            let age = self.desk.clock.now() - Time(self.desk.heard.load(Ordering::Acquire));
            BTreeMap::from([
                ("running".into(), self.desk.running.load(Ordering::Acquire).into()),
                ("age_s".into(), Reading::float(age.as_seconds())),
                ("reflections".into(), (*self.desk.count.borrow()).into()),
            ])
        })
    }

    fn start(&self, _workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let mut task = self.lifecycle.lock().await;
            if task.as_ref().is_some_and(Task::alive) {
                return Ok("already running".into());
            }
            let mut count = self.desk.count.subscribe();
            self.desk.running.store(true, Ordering::Release);
            *task = Some(Task::spawn(run(Running(Arc::clone(&self.desk)))));
            Ok(match tokio::time::timeout(FIRST, count.changed()).await {
                Ok(_) => "running, the first reflection is accepted".into(),
                Err(_) => "running; the first reflection is not accepted yet".into(),
            })
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let task = self.lifecycle.lock().await.take();
            self.desk.hang.send_replace(false);
            let Some(task) = task else { return Ok("already stopped".into()) };
            task.end().await;
            Ok("stopped".into())
        })
    }

    fn scale(&self, _workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async { Err(ControlError::NotSupported { component: self.id.clone(), what: "scale" }) })
    }
}
