//! What was recorded comes back exactly.

use std::collections::BTreeMap;

use grace::engine::State;
use grace::model::{Actor, Asked, Effect, Performed, Record, Request, Shown, Span, StepDone};
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
        state: None,
        meaning: None,
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
        shown: Shown { token: Some("00ff".into()), ..Shown::default() },
    }];
    let digest = decisions_digest(&step(1, vec![note("a")]));
    journal.commit(NOON, &full, step(1, vec![note("a")])).unwrap();
    let again = journal.adopt(NOON, &[generation(&files)], &State::default()).unwrap();

    let reader = Reader::open(dir.path()).unwrap();
    let recorded: Vec<_> = reader.ticks(0).collect::<Result<_, _>>().unwrap();
    let active = |seq| Recorded::Generation { seq, id: "g".into(), files: files.clone() };
    // The files stand with the generation already.
    let mut said = generation(&BTreeMap::new());
    if let Record::Generation { state, .. } = &mut said {
        *state = grace::record::state_digest(&State::default());
    }
    let adopted = |seq| Recorded::Adopted { seq, state: Box::default(), records: vec![said.clone()] };
    let state = grace::record::state_digest(&step(1, Vec::new()).state);
    let (input, records) = (Box::new(full), vec![note("a")]);
    let (statuses, failures, changed) = (Some("{}".into()), Some("{}".into()), false);
    let tick =
        Recorded::Tick { seq: 2, input, decisions: digest, records, state, statuses, failures, changed };
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
            Recorded::Started { .. } => "started",
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
    // The entries of the second tick lie in three batches.
    for (tick, notes) in [(1, 0), (2, 1_100), (3, 1)] {
        let notes = (0..notes).map(|n| note(&n.to_string())).collect();
        journal.commit(NOON, &input(tick), step(tick, notes)).unwrap();
    }
    journal.append(NOON, &[note("of no tick")]).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let ticks: Vec<_> = reader
        .ticks(0)
        .map(|recorded| match recorded.unwrap() {
            Recorded::Tick { input, records, .. } => (input.tick, records.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ticks, [(1, 0), (2, 1_100), (3, 1)]);
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

#[test]
fn a_replay_of_the_last_so_long_begins_with_a_state_and_its_generation() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let files = BTreeMap::from([("rules/a.toml".to_owned(), "[rule]".to_owned())]);
    journal.adopt(NOON, &[generation(&files)], &State::default()).unwrap();
    let at = |tick: u64| NOON + Span::seconds(i64::try_from(tick).unwrap());
    for tick in [2_879, 2_880, 2_881, 2_882] {
        let mut input = input(tick);
        input.now = at(tick);
        let mut step = step(tick, Vec::new());
        step.state.now = at(tick);
        journal.commit(at(tick), &input, step).unwrap();
    }
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.last_tick().unwrap(), Some(at(2_882)));
    let began = |since| {
        let mut all = reader.ticks_since(since).unwrap().map(Result::unwrap);
        let first = all.next().unwrap();
        assert!(matches!(&first, Recorded::Generation { files: there, .. } if *there == files), "{first:?}");
        all.find_map(|one| if let Recorded::Tick { input, .. } = one { Some(input.tick) } else { None })
    };
    assert_eq!(began(None), Some(2_879));
    assert_eq!(began(Some(at(2_879))), Some(2_879), "no state was kept until then but the first");
    // The tick that left the state is there as well; whoever replays has no state for it yet.
    assert_eq!(began(Some(at(2_881))), Some(2_880));
}
