//! A record with holes, out of which somebody took readings, ticks or states, is told as one, and nothing of it has "expired".

use std::path::Path;

use grace::model::{IncidentId, Span, Time};
use grace::record::{Journal, Reader, Recorded};
use grace::replay::History;
use grace::replay::fixture::{FixtureError, From, Wish, fixture};
use grace::replay::prove::{Proof, Prover};
use grace::replay::simulate::{Odds, Plan, Rehearsal, Simulation};

use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, bundle, journal, recorded};

fn simulate(history: impl IntoIterator<Item = Recorded>) -> Rehearsal {
    let (rules, plan, odds) = (bundle(&[]), Plan::default(), Odds::default());
    let mut simulation = Simulation::new(&rules, None, &plan, &odds);
    for recorded in history {
        simulation.take(&recorded).unwrap();
    }
    simulation.finish()
}

fn prove(history: impl IntoIterator<Item = Recorded>) -> Proof {
    let mut prover = Prover::new(None, None);
    history.into_iter().for_each(|recorded| prover.take(&recorded));
    prover.finish()
}

/// What a journal holds after something was taken out of it.
fn without(what: &str) -> (tempfile::TempDir, Vec<Recorded>) {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("DROP TRIGGER IF EXISTS readings_only_expire").unwrap();
    assert!(conn.execute(what, []).unwrap() > 0, "{what}");
    drop(conn);
    let history = Reader::open(dir.path()).unwrap().ticks(0).map(Result::unwrap).collect();
    (dir, history)
}

fn grace(data: &Path, args: &[&str]) -> Said {
    said(&command(data).args(args).output().unwrap())
}

const READINGS_OF_19: &str =
    "DELETE FROM readings WHERE seq = (SELECT seq FROM entries WHERE tick = 19 AND kind = 'tick')";

#[test]
fn a_whole_record_has_none() {
    let found = simulate(recorded(HANGS));
    assert_eq!((found.holes, found.expired, found.behind), (None, 0, 0));
}

#[test]
fn readings_that_were_taken_out_have_not_expired() {
    let (_dir, history) = without(READINGS_OF_19);
    let found = simulate(history.clone());
    let holes = found.holes.clone().unwrap();
    assert_eq!((holes.first, holes.readings, found.expired, found.behind), (19, 1, 0, 0));
    // Nothing was done before it, so nobody knows how it went on.
    assert_eq!(found.ticks + 1 + holes.unplayed, 247, "{holes:?}");
    assert!(found.is_doubtful());
    let proof = prove(history);
    assert!(proof.lost == 1 && proof.expired == 0 && proof.uncovered > 0 && !proof.holds(), "{proof:?}");
}

#[test]
fn behind_a_hole_nothing_is_played_though_something_was_done_before_it() {
    let (_dir, history) = without(
        "DELETE FROM readings WHERE seq = (SELECT seq FROM entries WHERE tick = 60 AND kind = 'tick')",
    );
    let found = simulate(history);
    let holes = found.holes.clone().unwrap();
    assert_eq!((found.ticks, holes.unplayed), (59, 187), "{holes:?}");
    let restarts = found.actions.iter().find(|one| one.action == "restart").unwrap();
    assert_eq!((restarts.before, restarts.after), (1, 1));
    assert!(found.is_doubtful() && found.is_same());
}

#[test]
fn the_newest_readings_cannot_have_expired_whatever_the_mark_says() {
    let newest =
        "DELETE FROM readings WHERE seq > (SELECT seq FROM entries WHERE tick = 200 AND kind = 'tick')";
    let (_dir, history) = without(newest);
    let found = simulate(history);
    assert_eq!(found.holes.map(|holes| (holes.first, holes.readings)), Some((201, 47)));
    // The oldest ones, with a mark that was moved: the rules keep readings for a month.
    let (dir, _) = without(
        "DELETE FROM readings WHERE seq < (SELECT seq FROM entries WHERE tick = 50 AND kind = 'tick')",
    );
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute("INSERT OR REPLACE INTO retention SELECT 1, max(at) + 1 FROM entries", [])
        .or_else(|_| conn.execute("UPDATE retention SET before = (SELECT max(at) + 1 FROM entries)", []))
        .unwrap();
    drop(conn);
    let reader = Reader::open(dir.path()).unwrap();
    let lost = reader.ticks(0).filter(|one| matches!(one, Ok(Recorded::Expired { lost: true, .. }))).count();
    assert_eq!(lost, 49);
}

#[test]
fn a_tick_that_was_left_out_and_a_state_that_was_taken_away_are_named() {
    let mut history = recorded(HANGS);
    history.retain(|one| !matches!(one, Recorded::Tick { input, .. } if input.tick == 19));
    let found = simulate(history);
    assert_eq!(found.holes.as_ref().map(|holes| (holes.first, holes.missing)), Some((19, 1)));
    assert!(found.is_doubtful());
    let (_dir, history) = without("DELETE FROM checkpoints WHERE seq = (SELECT min(seq) FROM checkpoints)");
    let found = simulate(history.clone());
    let holes = found.holes.clone().unwrap();
    assert_eq!((holes.first, holes.states), (1, 1));
    assert!(found.is_doubtful() && !prove(history).holds());
}

#[test]
fn what_has_expired_is_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(HANGS);
    journal(dir.path(), &history);
    let noon = history.iter().find_map(|one| match one {
        Recorded::Tick { input, .. } => Some(input.now),
        _ => None,
    });
    // The files say a month; then those who look a month later let the first hour go.
    let kept = bundle(&[]).system.retention;
    let late: Time = noon.unwrap() + kept + Span::minutes(120);
    let journal = Journal::open(dir.path()).unwrap();
    let (rules, last) = (bundle(&[]), journal.state().unwrap().unwrap());
    let input = grace::engine::Input {
        tick: last.tick + 1,
        now: late,
        snapshot: grace::model::Snapshot::default(),
        performed: Vec::new(),
        asked: Vec::new(),
        stop: false,
        grid: None,
        meaning: grace::model::Meaning::default(),
    };
    let step = grace::engine::step(&rules, &last, &input);
    journal.commit(late, &input, step).unwrap();
    assert!(journal.expire_readings(noon.unwrap() + Span::minutes(60)).unwrap() > 0);
    drop(journal);
    let history: Vec<Recorded> = Reader::open(dir.path()).unwrap().ticks(0).map(Result::unwrap).collect();
    assert!(history.iter().any(|one| matches!(one, Recorded::Expired { lost: false, .. })));
    let found = simulate(history);
    assert!(found.holes.is_none() && found.expired > 0, "{:?} {}", found.holes, found.expired);
}

#[test]
fn simulate_and_an_export_warn_and_end_with_1_and_the_export_is_not_proved() {
    let (dir, _) = without(READINGS_OF_19);
    let says =
        "the record has holes, the first at tick 19: 1 tick has no readings though they have not expired";
    for form in ["human", "short", "markdown"] {
        let said = grace(dir.path(), &["simulate", "--max-actions", "100", "--output", form]);
        assert!(said.code == Some(1) && said.out.contains(says), "{said:?}");
        assert!(!said.out.contains("have expired"), "{said:?}");
    }
    let file = dir.path().join("history.jsonl");
    let path = file.to_str().unwrap();
    let export = grace(dir.path(), &["audit", "export", "--to", path]);
    assert!(export.code == Some(1) && export.err.contains(says), "{export:?}");
    let proof = grace(dir.path(), &["prove", "--history", path]);
    assert!(
        proof.code == Some(1) && proof.out.contains("its readings are gone and have not expired"),
        "{proof:?}"
    );
    let again = grace(dir.path(), &["simulate", "--history", path, "--max-actions", "100"]);
    assert!(again.code == Some(1) && again.out.contains(says), "{again:?}");
}

#[test]
fn explain_and_fixture_tell_a_hole_from_what_has_expired_and_end_with_1() {
    let (dir, _) = without(READINGS_OF_19);
    let ask = |args: &[&str]| grace(dir.path(), args);
    // The tick before is whole, and what came behind it does not matter to it.
    let before = ask(&["explain", "restart/reflection_service", "--at", "12:08:30"]);
    assert_eq!(before.code, Some(0), "{before:?}");
    for args in [
        &["explain", "restart/reflection_service", "--at", "12:09:00"][..],
        &["explain", "why-not", "restart", "--at", "12:09:45"],
        &["explain", "1"],
    ] {
        let said = ask(args);
        assert!(said.code == Some(1) && said.err.contains("the record has a hole"), "{args:?}: {said:?}");
        assert!(
            said.err.contains("`grace prove`") && !said.err.contains("have expired"),
            "{args:?}: {said:?}"
        );
    }
    // An incident behind the hole is whole; one with a hole in it makes no test.
    let whole = ask(&["fixture", "--from", "1"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let (dir, _) = without(&READINGS_OF_19.replace("19", "22"));
    let said = grace(dir.path(), &["fixture", "--from", "1"]);
    assert!(said.code == Some(1) && said.out.is_empty(), "{said:?}");
    assert!(said.err.contains("the record has a hole in incident 1 of reflection_service"), "{said:?}");
}

#[test]
fn a_fixture_of_a_record_in_which_ticks_are_left_out_is_none() {
    let mut history = recorded(HANGS);
    history.retain(|one| !matches!(one, Recorded::Tick { input, .. } if input.tick == 22));
    let wish = Wish { from: From::Incident(IncidentId(1)), name: None, lead: None, tail: None };
    let why = fixture(&History::Read(history), &wish, &mut |_, _| {}).unwrap_err();
    assert!(matches!(why, FixtureError::Lost { .. }), "{why}");
}

#[test]
fn a_fixture_and_an_explanation_behind_a_start_whose_state_is_gone_say_so() {
    let (dir, _) = without("DELETE FROM checkpoints WHERE seq = (SELECT min(seq) FROM checkpoints)");
    for args in [&["fixture", "--from", "1"][..], &["explain", "1"]] {
        let said = grace(dir.path(), args);
        assert!(said.code == Some(1) && said.out.is_empty(), "{args:?}: {said:?}");
        assert!(said.err.contains("the record has a hole"), "{args:?}: {said:?}");
    }
}
