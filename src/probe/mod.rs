//! Probes: how facts are obtained. Each kind is one arm of one match.
//!
//! A target's probes run at the same time and each under its own deadline, so a probe that never answers
//! costs its own facts and nothing else. Targets are futures of their own: who looks at several joins them.
//! The target's silence is a fact, and the control measures it; only where even the control does not come
//! back, or falls over, are the facts failed: then Grace could not look.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::components::{Control, Controls};
use crate::model::{ComponentId, FactId, Occasion, ProbeKind, ProbeSpec, Reading, Readings};
use crate::record::Clock;

/// How much longer than its time-out a probe may take before it is cut off: so long does a control that
/// waited in vain for its target need to say so.
const GRACE: Duration = Duration::from_millis(250);

/// One component that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The component.
    pub component: ComponentId,
    /// Its probes.
    pub probes: Vec<ProbeSpec>,
    /// Why it is looked at.
    pub occasion: Occasion,
}

/// Looks at one component, in bounded time.
pub async fn look(components: &dyn Controls, clock: &Clock, target: Target) -> (ComponentId, Readings) {
    let Target { component, probes, occasion } = target;
    let asked = probes.iter().map(|probe| ask(components, &component, probe));
    let facts = join_all(asked).await.into_iter().flatten().collect();
    // The time at which the last answer was there: no fact is older than it says.
    let taken_at = clock.now();
    (component, Readings { taken_at, occasion, facts })
}

/// One probe: every fact that its kind declares, and no other.
async fn ask(
    components: &dyn Controls,
    component: &ComponentId,
    probe: &ProbeSpec,
) -> Vec<(FactId, Reading)> {
    let within = probe.timeout.to_std();
    let answer = match &probe.kind {
        ProbeKind::Builtin => match components.control(component) {
            Some(control) => builtin(control, within).await,
            None => Err(format!("there is no part of Grace called {component}")),
        },
    };
    let declared = probe.kind.facts(component).unwrap_or_default();
    declared.iter().map(|fact| (FactId::new(&probe.name, fact.name), reading(&answer, fact.name))).collect()
}

fn reading(answer: &Result<BTreeMap<String, Reading>, String>, fact: &str) -> Reading {
    match answer {
        Ok(facts) => facts.get(fact).cloned().unwrap_or(Reading::Missing),
        Err(failed) => Reading::Failed { failed: failed.clone() },
    }
}

async fn builtin(control: &dyn Control, within: Duration) -> Result<BTreeMap<String, Reading>, String> {
    let facts = AssertUnwindSafe(async { control.facts(within).await }).catch_unwind();
    match tokio::time::timeout(within.saturating_add(GRACE), facts).await {
        Ok(Ok(facts)) => Ok(facts),
        Ok(Err(_)) => Err("the probe panicked".into()),
        Err(_) => Err(format!("the probe did not come back within {} ms", within.as_millis())),
    }
}

#[cfg(test)]
mod tests;
