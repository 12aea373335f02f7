//! What was recorded comes back exactly.

use std::collections::BTreeMap;

use grace::engine::State;
use grace::model::{Actor, Asked, Effect, Performed, Record, Request, Span, StepDone};
use grace::record::{Journal, Reader, Recorded, decisions_digest};
use proptest::prelude::*;

use super::sample::{NOON, component, input, note, snapshot, step};

fn generation(files: &BTreeMap<String, String>) -> Record {
    Record::Generation {
        generation: "g".into(),
        files: files.clone(),
        kept: Vec::new(),
        reset: Vec::new(),
        dropped: Vec::new(),
    }
}

#[test]
fn a_replay_gets_what_the_engine_got() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let files = BTreeMap::from([("rules/a.toml".to_owned(), "text".to_owned())]);
    let started = journal.adopt(NOON, &[generation(&files)], &State::default()).unwrap();
    let mut full = input(1);
    full.stop = true;
    full.performed = vec![Performed {
        act: grace::model::ActId(3),
        effect: Effect::Failed { why: "no".into() },
        steps: vec![StepDone { step: "stop".into(), ok: false, took: Span(5), detail: "no".into() }],
    }];
    full.asked = vec![Asked {
        ticket: u64::MAX,
        actor: Actor::from("uid:0"),
        reason: "because".into(),
        request: Request::Restart { component: component() },
    }];
    let digest = decisions_digest(&step(1, vec![note("a")]));
    journal.commit(NOON, &full, step(1, vec![note("a")])).unwrap();
    let again = journal.adopt(NOON, &[generation(&files)], &State::default()).unwrap();

    let reader = Reader::open(dir.path()).unwrap();
    let recorded: Vec<_> = reader.ticks(0).collect::<Result<_, _>>().unwrap();
    let active = |seq| Recorded::Generation { seq, id: "g".into(), files: files.clone() };
    let adopted = |seq| Recorded::Adopted { seq, state: Box::default() };
    let tick = Recorded::Tick { seq: 2, input: Box::new(full), decisions: digest };
    assert_eq!(recorded, [active(started), adopted(started), tick, active(again), adopted(again)]);
    assert_eq!(reader.ticks(started).count(), 3);
    assert_eq!(reader.ticks(again).count(), 0);
}

#[test]
fn expired_ticks_are_said_to_be_expired_and_a_later_checkpoint_stays() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    journal.adopt(NOON, &[note("start")], &State::default()).unwrap();
    for tick in [2_879, 2_880, 2_881] {
        let at = NOON + Span::seconds(tick);
        let tick = u64::try_from(tick).unwrap();
        journal.commit(at, &input(tick), step(tick, Vec::new())).unwrap();
    }
    assert_eq!(journal.expire_readings(NOON + Span::seconds(2_881)).unwrap(), 2);
    let reader = Reader::open(dir.path()).unwrap();
    let recorded: Vec<_> = reader.ticks(0).collect::<Result<_, _>>().unwrap();
    let kinds: Vec<_> = recorded
        .iter()
        .map(|recorded| match recorded {
            Recorded::Generation { .. } => "generation",
            Recorded::Adopted { .. } => "adopted",
            Recorded::Checkpoint { .. } => "checkpoint",
            Recorded::Tick { .. } => "tick",
            Recorded::Expired { .. } => "expired",
        })
        .collect();
    assert_eq!(kinds, ["expired", "expired", "checkpoint", "tick"]);
}

#[test]
fn many_batches_come_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let notes: Vec<_> = (0..1_300).map(|n| note(&n.to_string())).collect();
    journal.append(NOON, &notes).unwrap();
    for tick in 1..=3 {
        journal.commit(NOON, &input(tick), step(tick, Vec::new())).unwrap();
    }
    let reader = Reader::open(dir.path()).unwrap();
    let ticks: Vec<_> = reader
        .ticks(0)
        .map(|recorded| match recorded.unwrap() {
            Recorded::Tick { input, .. } => input.tick,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ticks, [1, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A replay decides the same only if every number comes back to the last bit.
    #[test]
    fn every_measure_comes_back_to_the_bit(age_s in proptest::num::f64::NORMAL) {
        let snapshot = snapshot(age_s);
        let text = serde_json::to_string(&snapshot).unwrap();
        prop_assert_eq!(serde_json::from_str::<grace::model::Snapshot>(&text).unwrap(), snapshot, "{}", text);
    }
}
