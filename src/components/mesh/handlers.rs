//! The three handlers that are always there: governance, hunter and meta-loop listen to what happens.
//!
//! None of them decides anything: decisions are the engine's, and no decision depends on delivery. They
//! keep figures, and the meta-loop has each ended incident summed up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::ready;

use super::subscriber::Handler;
use crate::components::gate::Gate;
use crate::model::{Job, Write};
use crate::record::{Clock, Event};
use crate::services::BoxFuture;

/// The pause before a write that the gate did not accept is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Figures one handler keeps. Their names come from closed lists of words, so this is never reached.
const FIGURES: usize = 64;

/// What governance listens to: its own decisions, and what they are about.
const GOVERNANCE: &str =
    "governance.*, health.component_failed, health.healing_attempted, health.mode_changed";

/// Name, pattern and handler of each.
pub(super) fn all(gate: Gate, clock: Clock) -> [(&'static str, &'static str, Arc<dyn Handler>); 3] {
    let meta = MetaLoop { figures: Figures::default(), gate, clock };
    [
        ("governance", GOVERNANCE, Arc::new(Governance::default())),
        ("hunter", "security.*, health.component_failed", Arc::new(Hunter::default())),
        ("meta_loop", "health.*", Arc::new(meta)),
    ]
}

/// Counters with names.
#[derive(Default)]
struct Figures(Mutex<BTreeMap<String, u64>>);

impl Figures {
    fn count(&self, name: &str) {
        let mut figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if figures.len() < FIGURES || figures.contains_key(name) {
            *figures.entry(name.into()).or_default() += 1;
        }
    }

    fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The word that an event's data holds under this name.
fn word<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event.data.get(name).and_then(serde_json::Value::as_str)
}

/// Counts decisions by verdict.
#[derive(Default)]
struct Governance(Figures);

impl Handler for Governance {
    fn handle<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, ()> {
        match event.kind.as_str() {
            "health.healing_attempted" => self.0.count("allow"),
            "governance.decided" => self.0.count(word(event, "verdict").unwrap_or("other")),
            other => self.0.count(other),
        }
        Box::pin(ready(()))
    }

    fn figures(&self) -> BTreeMap<String, u64> {
        self.0.all()
    }
}

/// Counts security events, beside the failures among which they arise.
#[derive(Default)]
struct Hunter(Figures);

impl Handler for Hunter {
    fn handle<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, ()> {
        self.0.count(&event.kind);
        Box::pin(ready(()))
    }

    fn figures(&self) -> BTreeMap<String, u64> {
        self.0.all()
    }
}

/// Keeps the figures of healing and has each ended incident summed up.
struct MetaLoop {
    figures: Figures,
    gate: Gate,
    clock: Clock,
}

impl MetaLoop {
    async fn take(&self, event: &Event) {
        match event.kind.as_str() {
            "health.healing_finished" => self.figures.count(word(event, "result").unwrap_or("other")),
            "health.healing_relapsed" => self.figures.count("relapsed"),
            "health.incident_ended" => {
                self.sum_up(event).await;
                self.figures.count("incidents");
            }
            _ => {}
        }
    }

    /// The key is made of the incident, so that an event which comes twice gives one job.
    async fn sum_up(&self, event: &Event) {
        let Some(component) = word(event, "component") else { return };
        let key = format!("sum-up-{component}-{}", event.seq());
        let job = Job::SumUp { component: component.into(), seq: event.seq() };
        let write = Write::Job { job, at: self.clock.now() };
        while let Err(error) = self.gate.write(Some(key.clone()), write.clone()).await {
            tracing::debug!(%error, "a job is not given yet");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Handler for MetaLoop {
    fn handle<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, ()> {
        Box::pin(self.take(event))
    }

    fn figures(&self) -> BTreeMap<String, u64> {
        self.figures.all()
    }
}

/// Does nothing: the mesh's own subscription answers pings before any handler sees them.
pub(super) struct Nothing;

impl Handler for Nothing {
    fn handle<'a>(&'a self, _event: &'a Event) -> BoxFuture<'a, ()> {
        Box::pin(ready(()))
    }
}
