//! Sample records and steps, and a way around the journal's own rules.

use std::collections::BTreeMap;
use std::path::Path;

use grace::engine::{Input, State, Step};
use grace::model::{
    Act, ActId, By, ComponentId, FactId, HealResult, HealStep, Occasion, Outcome, Proposal, Reading,
    Readings, Record, RuleId, Snapshot, Span, StepDone, Time,
};

/// 2026-11-23T12:00:00Z
pub(crate) const NOON: Time = Time(1_795_435_200_000);

pub(crate) fn component() -> ComponentId {
    ComponentId::from("reflection_service")
}

pub(crate) fn rule() -> By {
    By::Rule { rule: RuleId::from("restart"), component: component() }
}

pub(crate) fn restart() -> Proposal {
    Proposal {
        by: rule(),
        act: Act::Heal { component: component(), steps: vec![HealStep::Restart { workers: None }] },
        reason: "critical twice".into(),
        component: Some(component()),
        attempt: 1,
        slow: false,
    }
}

pub(crate) fn intent(act: u64) -> Record {
    Record::Intent { act: ActId(act), proposal: restart(), policy: Some("automatic_healing".into()) }
}

pub(crate) fn end(act: u64) -> Record {
    let step = |step: &str| StepDone { step: step.into(), ok: true, took: Span(20), detail: String::new() };
    Record::End {
        act: ActId(act),
        component: Some(component()),
        outcome: Some(Outcome::Healed),
        result: HealResult::Success,
        detail: "ok 5 s after".into(),
        steps: vec![step("stop"), step("start")],
    }
}

pub(crate) fn note(text: &str) -> Record {
    Record::Stopped { reason: text.into() }
}

/// Something that a step decides.
pub(crate) fn advice(text: &str) -> Record {
    Record::Recommended {
        recommendation: None,
        text: text.into(),
        component: component(),
        by: rule(),
        advice: None,
    }
}

pub(crate) fn snapshot(age_s: f64) -> Snapshot {
    let facts = [
        (FactId::new("reflection", "running"), Reading::from(true)),
        (FactId::new("reflection", "age_s"), Reading::float(age_s)),
        (FactId::new("reflection", "odd"), Reading::Missing),
    ];
    let facts = facts.into_iter().collect();
    BTreeMap::from([(component(), Readings { taken_at: NOON, occasion: Occasion::Grid, facts })])
}

pub(crate) fn input(tick: u64) -> Input {
    let now = NOON + Span::seconds(30 * i64::try_from(tick).unwrap());
    Input { tick, now, snapshot: snapshot(12.5), ..Input::default() }
}

pub(crate) fn step(tick: u64, records: Vec<Record>) -> Step {
    // The engine's state is its own affair; the journal keeps it as it is.
    let state: State = serde_json::from_value(with_tick(tick)).unwrap();
    Step {
        state,
        records,
        permits: Vec::new(),
        answers: Vec::new(),
        why: BTreeMap::new(),
        questions: Vec::new(),
    }
}

fn with_tick(tick: u64) -> serde_json::Value {
    let mut state = serde_json::to_value(State::default()).unwrap();
    state["tick"] = tick.into();
    state
}

/// Opens the journal's file as a forger would: its triggers are gone, and nothing waits for the disk.
pub(crate) fn forge(dir: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;").unwrap();
    let names: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for name in names {
        conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    conn
}
