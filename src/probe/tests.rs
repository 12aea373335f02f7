//! Hostile controls: one that never answers, one that panics, one that says too much and too little.

use std::sync::Arc;

use super::*;
use crate::model::{BUILTINS, Span};
use crate::services::{BoxFuture, Control, ControlError, Recent};

#[derive(Clone, Copy)]
enum Manner {
    Well,
    Silent,
    Panics,
    Odd,
}

impl Control for Manner {
    fn facts(&self, _within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        match self {
            Self::Panics => panic!("at once, before there is a future"),
            Self::Silent => Box::pin(std::future::pending()),
            Self::Well => Box::pin(async { BTreeMap::from([("running".into(), true.into())]) }),
            Self::Odd => Box::pin(async { BTreeMap::from([("surprise".into(), true.into())]) }),
        }
    }

    fn start(&self, _workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        unreachable!("a probe changes nothing")
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        unreachable!("a probe changes nothing")
    }

    fn scale(&self, _workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        unreachable!("a probe changes nothing")
    }
}

/// A built-in that has the fact `running`.
fn component() -> ComponentId {
    let has_running =
        |spec: &&crate::model::BuiltinSpec| spec.facts.iter().any(|fact| fact.name == "running");
    BUILTINS.iter().find(has_running).expect("one of them runs").component.into()
}

fn eyes(manner: Option<Manner>) -> Eyes {
    let control = manner.map(|manner| (component(), Arc::new(manner) as Arc<dyn Control>));
    let controls: BTreeMap<ComponentId, Arc<dyn Control>> = control.into_iter().collect();
    let guard = Arc::new(Guard::new("/nonexistent".into()));
    let news = (Reporter(Arc::new(|_| {})), Recent::default());
    Eyes::new(Arc::new(controls), Clock::start(None), news, (guard, "/nonexistent".as_ref()))
}

fn target(names: &[(&str, i64)]) -> Target {
    let probe = |(name, millis): &(&str, i64)| ProbeSpec {
        name: (*name).into(),
        timeout: Span(*millis),
        kind: ProbeKind::Builtin,
    };
    Target { component: component(), probes: names.iter().map(probe).collect(), occasion: Occasion::Grid }
}

async fn running(manner: Manner) -> Reading {
    let (of, readings) = eyes(Some(manner)).look(target(&[("p", 20)])).await;
    assert_eq!(of, component());
    readings.facts.get(&FactId::new("p", "running")).expect("declared").clone()
}

#[tokio::test]
async fn a_fact_is_named_after_its_probe_and_what_is_not_said_is_missing() {
    let (_, readings) = eyes(Some(Manner::Well)).look(target(&[("p", 20)])).await;
    assert_eq!(readings.facts.get(&FactId::new("p", "running")), Some(&Reading::from(true)));
    let declared = ProbeKind::Builtin.facts(&component()).expect("declared");
    assert_eq!(readings.facts.len(), declared.len());
    let others = readings.facts.iter().filter(|(id, _)| id.as_str() != "p.running");
    assert!(others.into_iter().all(|(_, reading)| *reading == Reading::Missing));
}

#[tokio::test]
async fn what_was_never_declared_is_not_a_fact() {
    assert_eq!(running(Manner::Odd).await, Reading::Missing);
}

#[tokio::test]
async fn silence_of_the_control_and_its_panic_are_failures_of_the_look() {
    for (manner, word) in [(Manner::Silent, "20 ms"), (Manner::Panics, "panicked")] {
        let Reading::Failed { failed } = running(manner).await else { panic!("it could not look") };
        assert!(failed.contains(word), "{failed}");
    }
}

#[tokio::test]
async fn a_component_that_is_not_there_is_a_failed_look() {
    let (_, readings) = eyes(None).look(target(&[("p", 20)])).await;
    assert!(readings.facts.values().all(|reading| matches!(reading, Reading::Failed { .. })));
}

#[tokio::test]
async fn a_hanging_probe_delays_neither_its_siblings_nor_another_target() {
    let (hostile, well) = (eyes(Some(Manner::Silent)), eyes(Some(Manner::Well)));
    let began = tokio::time::Instant::now();
    let slow = hostile.look(target(&[("a", 30), ("b", 90), ("c", 60)]));
    let quick = async {
        well.look(target(&[("p", 20)])).await;
        began.elapsed()
    };
    let ((_, readings), quick) = tokio::join!(slow, quick);
    assert!(quick < GRACE, "the other target did not wait: {quick:?}");
    let (longest, sum) = (Duration::from_millis(90) + GRACE, Duration::from_millis(180) + GRACE * 3);
    assert!((longest..sum).contains(&began.elapsed()), "the longest alone: {:?}", began.elapsed());
    let declared = ProbeKind::Builtin.facts(&component()).expect("declared").len();
    assert_eq!(readings.facts.len(), 3 * declared);
}
