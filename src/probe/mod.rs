//! Probes: how facts are obtained. Each kind is one file, and one arm of one match.
//!
//! A target's probes run at the same time and each under its own deadline, so a probe that never answers
//! costs its own facts and nothing else. Targets are futures of their own: who looks at several joins them.
//! The target's silence is a fact, and whoever looks measures it; only where Grace herself could not look are
//! the facts failed.

mod command;
mod file;
mod guard;
mod http;
mod plugin;
mod process;
mod tcp;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::model::{ComponentId, FactId, FactSpec, Occasion, ProbeKind, ProbeSpec, Reading, Readings, Whose};
use crate::record::Clock;
use crate::services::sight::Sample;
use crate::services::{Controls, Programs, Recent, Reporter, Watch};
pub use guard::Guard;
pub use http::provide_crypto;

/// How much longer than its time-out a probe may take before it is cut off: so long does one that waited in
/// vain for its target need to say so.
const GRACE: Duration = Duration::from_millis(250);

/// The same for a command, which may have to be killed first.
const KILLING: Duration = Duration::from_secs(8);

/// What a probe found: each fact by its name, or why Grace could not look.
type Found = Result<BTreeMap<String, Reading>, String>;

/// Everything that probes look with.
pub struct Eyes {
    controls: Arc<dyn Controls>,
    clock: Clock,
    watch: Watch,
    table: Recent,
    web: http::Web,
    guard: Arc<Guard>,
    files: Arc<file::Files>,
    programs: Mutex<BTreeMap<(ComponentId, String), Programs>>,
    samples: Mutex<BTreeMap<(ComponentId, String), Option<Sample>>>,
}

/// One component that is to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The component.
    pub component: ComponentId,
    /// Its probes.
    pub probes: Vec<ProbeSpec>,
    /// Why it is looked at.
    pub occasion: Occasion,
}

impl Eyes {
    /// Eyes that see these components; what ends in front of them is reported.
    #[must_use]
    pub fn new(
        controls: Arc<dyn Controls>,
        clock: Clock,
        (news, table): (Reporter, Recent),
        (guard, data): (Arc<Guard>, &Path),
    ) -> Self {
        let files = Arc::new(file::Files::in_folder(data));
        let (watch, web) = (Watch::new(news), http::Web::default());
        let (programs, samples) = (Mutex::default(), Mutex::default());
        Self { controls, clock, watch, table, web, guard, files, programs, samples }
    }

    /// Looks at one component, in bounded time.
    pub async fn look(&self, target: Target) -> (ComponentId, Readings) {
        let Target { component, probes, occasion } = target;
        let asked = probes.iter().map(|probe| self.ask(&component, probe));
        let facts = join_all(asked).await.into_iter().flatten().collect();
        // The time at which the last answer was there: no fact is older than it says.
        let taken_at = self.clock.now();
        (component, Readings { taken_at, occasion, facts })
    }

    /// One probe: every fact that its kind declares, and no other.
    async fn ask(&self, component: &ComponentId, probe: &ProbeSpec) -> Vec<(FactId, Reading)> {
        let within = probe.timeout.to_std();
        let look = AssertUnwindSafe(async { self.one(component, probe, within).await }).catch_unwind();
        // A command has a tree to kill before it says that it did not end.
        let more = if matches!(probe.kind, ProbeKind::Command(_)) { KILLING } else { GRACE };
        let longest = within.saturating_add(more);
        let found = match tokio::time::timeout(longest, look).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err("the probe panicked".into()),
            Err(_) => Err(format!("the probe did not come back within {} ms", within.as_millis())),
        };
        let declared = probe.kind.facts(component).unwrap_or_default();
        let named = |fact: &FactSpec| (FactId::new(&probe.name, &fact.name), reading(&found, &fact.name));
        declared.iter().map(named).collect()
    }

    async fn one(&self, component: &ComponentId, probe: &ProbeSpec, within: Duration) -> Found {
        match &probe.kind {
            ProbeKind::Builtin | ProbeKind::Process(Whose::Own) => {
                let control = self.controls.control(component);
                let control = control.ok_or_else(|| format!("nothing of Grace's is called {component}"))?;
                Ok(control.facts(within).await)
            }
            ProbeKind::Guard => {
                let guard = Arc::clone(&self.guard);
                let facts = tokio::task::spawn_blocking(move || guard.facts()).await;
                facts.map_err(|_| "Grace is ending".to_owned())
            }
            ProbeKind::Process(whose) => self.processes(component, &probe.name, whose).await,
            ProbeKind::Tcp(tcp) => tcp::look(tcp, within).await,
            ProbeKind::Http(http) => self.web.look(http, within).await,
            ProbeKind::File(file) => {
                let (files, path) = (Arc::clone(&self.files), file.path.clone());
                let (component, name, now) = (component.clone(), probe.name.clone(), self.clock.wall());
                let look = move || files.look((&component, &name), &path, now);
                tokio::task::spawn_blocking(look).await.map_err(|_| "Grace is ending".to_owned())?
            }
            ProbeKind::Command(command) => {
                command::look(self.controls.as_ref(), component, command, within).await
            }
        }
    }
}

fn reading(found: &Found, fact: &str) -> Reading {
    match found {
        Ok(facts) => facts.get(fact).cloned().unwrap_or(Reading::Missing),
        Err(failed) => Reading::Failed { failed: failed.clone() },
    }
}

/// How long something took, in milliseconds.
fn latency(began: Instant) -> (String, Reading) {
    ("latency_ms".to_owned(), Reading::float(began.elapsed().as_secs_f64() * 1000.0))
}

#[cfg(test)]
mod tests;
