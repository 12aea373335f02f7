//! Recorded decisions decided again: what holds, and what is found when somebody changed something.

use std::path::Path;

use grace::engine::{Input, State, step};
use grace::model::{Record, Time};
use grace::record::{Broken, Damage, Export, Head, Journal, Reader, Recorded, export};
use grace::replay::prove::{Cause, Proof, Prover, prove};
use rusqlite::Connection;

use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, bundle, forge, journal, recorded, recorded_under};

/// What is found in the journal of three hangs once somebody did this to it.
fn after(how: &str) -> Proof {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    forge(dir.path(), how);
    prove(&Reader::open(dir.path()).unwrap()).unwrap()
}

#[test]
fn a_journal_that_nobody_changed_is_proved() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    assert!(proof.holds(), "{:?}", proof.differences);
    assert_eq!((proof.same, proof.expired), (241 + 6, 0));
    assert_eq!(proof.versions.len(), 1);
}

/// A task and a request, and a silence that keeps back both for an hour.
const SILENCED: &str = r#"
[test.silenced]
component = "task_executor"
start = "16:00:00"
end   = "18:15:00"
series = { "executor.workers" = "3 0! _x10 0! _x10 0!" }
given = [
    { on = "restart", set = { "executor.workers" = 3 } },
    { at = "17:05:00", ask = "silence", for = "1h" },
    { at = "17:55:10", ask = "restart", component = "reflection_service", actor = "uid:1000" },
]
expect = [{ at = "18:05:00", event = "task.escalated", notify = "oncall" }]
"#;

#[test]
fn what_is_told_behind_a_silence_is_proved() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(SILENCED));
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    assert!(proof.holds(), "{:?}", proof.differences);
    let connection = Connection::open(dir.path().join("journal.db")).unwrap();
    let asked = "SELECT count(*) FROM entries WHERE kind = 'intent' AND body LIKE '%approval 1 is wanted%'";
    let escalated = "SELECT count(*) FROM entries WHERE kind = 'task_escalated'";
    for one in [asked, escalated] {
        assert_eq!(connection.query_row(one, [], |row| row.get::<_, i64>(0)).unwrap(), 1, "{one}");
    }
}

#[test]
fn one_changed_byte_of_a_decision_is_named_by_tick_rule_and_field() {
    let proof = after(
        "UPDATE entries SET body = replace(body, '\"attempt\":1', '\"attempt\":2')
         WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'intent')",
    );
    assert_eq!(proof.broken.as_ref().map(|broken| &broken.damage), Some(&Damage::Hash));
    let [one] = proof.differences.as_slice() else { panic!("{proof:?}") };
    // 12:00:00 is the first tick, so 12:10:30 is the twenty-second.
    assert_eq!((one.tick, one.at.clock().as_str()), (22, "12:10:30"));
    assert_eq!(one.by.as_deref(), Some("restart/reflection_service"));
    assert_eq!(
        (one.field.as_str(), one.recorded.as_str(), one.derived.as_str()),
        ("intent.proposal.attempt", "2", "1")
    );
    assert_eq!(one.cause, Cause::Tampering);
}

#[test]
fn a_changed_status_is_named_although_nothing_follows_from_it() {
    let proof = after(
        "UPDATE entries SET body = replace(body, '\"reflection_service\":\"critical\"', '\"reflection_service\":\"ok\"')
         WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'tick' AND body LIKE '%reflection_service\":\"critical%')",
    );
    let first = &proof.differences[0];
    assert_eq!(first.field, "tick.statuses.reflection_service");
    assert_eq!((first.recorded.as_str(), first.derived.as_str()), ("\"ok\"", "\"critical\""));
    assert!(!proof.holds());
}

#[test]
fn a_changed_reading_is_named() {
    let proof = after(
        "UPDATE readings SET body = replace(body, '\"reflection.age_s\":4.0', '\"reflection.age_s\":500.0')
         WHERE seq = (SELECT seq FROM entries WHERE kind = 'tick' AND tick = 10)",
    );
    let broken = proof.broken.as_ref().unwrap();
    assert_eq!(broken.damage, Damage::Readings);
    let first = &proof.differences[0];
    assert_eq!((first.tick, first.seq), (10, broken.seq));
    assert_eq!(first.field, "status_changed");
    assert_eq!(first.cause, Cause::Tampering);
    assert!(!proof.holds());
}

#[test]
fn a_changed_state_is_named() {
    let change = "UPDATE state SET body = replace(body, '\"failures\":0', '\"failures\":7')";
    let proof = after(change);
    assert_eq!(proof.broken.as_ref().map(|broken| &broken.damage), Some(&Damage::State), "{proof:?}");
    let change = "UPDATE checkpoints SET body = replace(body, '\"mode\":\"normal\"', '\"mode\":\"emergency\"') WHERE seq = (SELECT min(seq) FROM checkpoints)";
    let proof = after(change);
    assert_eq!(proof.broken.as_ref().map(|broken| &broken.damage), Some(&Damage::State), "{proof:?}");
    assert!(proof.different > 0);
}

#[test]
fn what_another_version_decided_is_told_from_a_defect() {
    let history = recorded(HANGS);
    let mut prover = Prover::new(None, None);
    prover.take(&Recorded::Started { seq: 1, version: "0.0.9".into() });
    for mut one in history.clone() {
        if let Recorded::Tick { records, decisions, .. } = &mut one
            && records.iter().any(|record| matches!(record, Record::Intent { .. }))
        {
            records.clear();
            *decisions = String::new();
        }
        prover.take(&one);
    }
    let proof = prover.finish();
    assert_eq!(proof.different, 3);
    assert!(proof.differences.iter().all(|one| one.cause == Cause::Version { version: "0.0.9".into() }));
    assert_eq!(proof.differences[0].recorded, "nothing");

    let mut prover = Prover::new(None, None);
    for mut one in history {
        if let Recorded::Tick { input, decisions, .. } = &mut one
            && input.tick == 5
        {
            *decisions = "other".into();
        }
        prover.take(&one);
    }
    let proof = prover.finish();
    assert_eq!(proof.different, 1);
    assert_eq!(proof.differences[0].cause, Cause::Defect);
    assert_eq!(proof.differences[0].field, "permits or answers (digest)");
}

#[test]
fn a_state_that_is_another_is_found_at_the_end_as_well() {
    let mut history = recorded(HANGS);
    let Some(Recorded::Tick { state, records, .. }) = history.last_mut() else {
        panic!("a tick is the last")
    };
    assert!(records.is_empty(), "a quiet tick");
    *state = Some("another".into());
    let mut prover = Prover::new(None, None);
    for one in history {
        prover.take(&one);
    }
    let proof = prover.finish();
    assert_eq!((proof.same, proof.different), (240 + 6, 1));
    assert_eq!(proof.differences[0].field, "state (digest)");
}

#[test]
fn a_journal_whose_first_readings_expired_is_proved_from_the_next_kept_state() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded_under(HANGS, &[SOON]);
    journal(dir.path(), &history);
    let Some(Recorded::Tick { input, .. }) = history.get(100) else { panic!("{history:?}") };
    let open = Journal::open(dir.path()).unwrap();
    assert_eq!(open.expire_readings(input.now).unwrap(), 98);
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    // Without a state to go on from nothing after the gap can be decided again; a day's ticks leave one.
    assert_eq!((proof.same, proof.expired, proof.behind, proof.broken), (0, 98, 241 + 6 - 98, None));
}

#[test]
fn an_export_says_the_same_as_the_journal_and_is_refused_where_it_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let reader = Reader::open(dir.path()).unwrap();
    let mut written = Vec::new();
    let all = reader.ticks(0).map(|one| one.map_err(std::io::Error::other));
    assert_eq!(export(all, reader.head().unwrap(), &mut written).unwrap(), 241 + 6);
    let file = dir.path().join("history.jsonl");
    std::fs::write(&file, &written).unwrap();
    let back: Vec<Recorded> = Export::open(&file).unwrap().map(Result::unwrap).collect();
    let there: Vec<Recorded> = reader.ticks(0).map(Result::unwrap).collect();
    assert_eq!(back, there);

    let text = String::from_utf8(written).unwrap();
    let (whole, last) = text.split_at(text.trim_end().rfind('\n').unwrap() + 1);
    let head = reader.head().unwrap();
    assert_eq!(head.hash, reader.verify().unwrap().head);
    let end = format!("{{\"end\":{{\"lines\":251,\"seq\":{},\"head\":\"{}\"}}}}\n", head.seq, head.hash);
    assert_eq!(last, end);
    for (damaged, says) in [
        (text[..text.len() / 2].to_owned(), "the file was cut off"),
        (text.replace("{\"grace_history\":2", "{\"grace_history\":3"), "is of form 3"),
        ("[rule.restart]\n".to_owned(), "is no exported history"),
        (String::new(), "is no exported history"),
        (text.replacen("\n{\"tick\":{", "\n{\"tock\":{", 1), ":5: this is nothing that was recorded"),
        // Cut exactly behind a line; without one of its lines; with more behind its end; with half of its last line.
        (whole.to_owned(), "is cut short after line 251: its last line"),
        (text.replacen(&format!("{}\n", text.lines().nth(40).unwrap()), "", 1), "says that there were 251"),
        (format!("{text}{{}}\n"), "line 252 is the last one of an export, and more follows"),
        (text[..text.len() - 9].to_owned(), "is cut short after line 251"),
    ] {
        std::fs::write(&file, damaged).unwrap();
        let read = Export::open(&file).and_then(|mut all| all.find_map(Result::err).map_or(Ok(()), Err));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn an_export_holds_states_with_requests_and_tries() {
    use std::collections::{BTreeMap, BTreeSet};

    use grace::govern::{Approval, Evidence};
    use grace::model::{Act, ApprovalId, By, FactId, HealStep, Proposal, Reading, Status};

    let component = grace::model::ComponentId::from("web");
    let act = Act::Heal { component: component.clone(), steps: vec![HealStep::Restart { workers: None }] };
    let by = By::Rule { rule: "r".into(), component: component.clone() };
    let proposal =
        Proposal { by, act, reason: "down".into(), component: Some(component), attempt: 1, slow: false };
    let mut state = grace::engine::State::default();
    let facts = BTreeMap::from([(FactId::new("p", "age_s"), Reading::float(1.5))]);
    let evidence = Evidence { status: Status::Critical, facts: facts.into_iter().collect() };
    let waiting = Approval {
        with: BTreeMap::new(),
        asks_for: None,
        proposal,
        policy: "p".into(),
        generation: "g".into(),
        approvers: 1,
        given: BTreeSet::new(),
        asked: Time(1),
        expires: Time(2),
        refused: None,
        person: None,
        evidence: Some(evidence),
        changes: Vec::new(),
        editors: BTreeSet::new(),
        revision: None,
        claims: None,
    };
    state.governed.approvals = BTreeMap::from([(ApprovalId(2), waiting)]);
    let adopted = Recorded::Adopted { seq: 1, state: Box::new(state), records: Vec::new() };
    let mut written = Vec::new();
    let head = Head { seq: 1, hash: String::new() };
    export([Ok::<_, std::io::Error>(adopted.clone())].into_iter(), head, &mut written).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), written).unwrap();
    let back: Vec<Recorded> = Export::open(file.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(back, [adopted]);
}

#[test]
fn readings_that_cannot_have_expired_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    // What the journal's own triggers allow: the mark of what has expired, and the readings before it.
    conn.execute_batch(
        "UPDATE retention SET before = 9000000000000000;
         DELETE FROM readings WHERE seq = (SELECT seq FROM entries WHERE kind = 'tick' AND tick = 24)",
    )
    .unwrap();
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    assert_eq!(proof.broken.map(|broken| broken.damage), Some(Damage::ReadingsMissing));
}

#[test]
fn a_tick_that_was_left_out_and_rules_that_were_changed_are_found_in_an_export() {
    let history = recorded(HANGS);
    let mut prover = Prover::new(None, None);
    for (place, one) in history.iter().enumerate() {
        if place != 20 {
            prover.take(one);
        }
    }
    assert_eq!(prover.finish().missing, 1);
    let mut prover = Prover::new(None, None);
    for mut one in history {
        if let Recorded::Generation { files, .. } = &mut one {
            let rules = files.get_mut("rules/reflection_service.toml").unwrap();
            *rules = rules.replace("after      = 2", "after      = 3");
        }
        prover.take(&one);
    }
    let proof = prover.finish();
    assert!(!proof.holds() && proof.unreadable > 0, "{proof:?}");
}

#[test]
fn an_export_of_the_first_form_is_read_with_a_warning_and_one_that_is_cut_short_is_not() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let run = |args: &[&str]| said(&command(dir.path()).args(args).output().unwrap());
    let file = dir.path().join("history.jsonl");
    let file = file.to_str().unwrap();
    assert_eq!(run(&["audit", "export", "--to", file]).code, Some(0));
    let verbs = [
        &["prove"][..],
        &["simulate", "--max-actions", "9"],
        &["explain", "restart/reflection_service"],
        &["fixture", "--from", "1"],
    ];
    let all = |wanted: &dyn Fn(&Said) -> bool| {
        for verb in verbs {
            let said = run(&[verb, &["--history", file]].concat());
            assert!(wanted(&said), "{verb:?}: {said:?}");
        }
    };
    all(&|said| said.code == Some(0) && !said.err.contains("warning"));
    let text = std::fs::read_to_string(file).unwrap();
    let (whole, _) = text.split_at(text.trim_end().rfind('\n').unwrap() + 1);
    std::fs::write(file, whole).unwrap();
    all(&|said| said.code == Some(2) && said.err.contains("is cut short after line"));
    std::fs::write(file, whole.replacen("{\"grace_history\":2", "{\"grace_history\":1", 1)).unwrap();
    all(&|said| said.code == Some(0) && said.err.contains("warning") && said.err.contains("first form"));
}

/// What a walk along the chain says after somebody did this.
fn walked(dir: &Path, how: &str) -> Option<Broken> {
    Connection::open(dir.join("journal.db")).unwrap().execute_batch(how).unwrap();
    let reader = Reader::open(dir).unwrap();
    let broken = reader.verify().unwrap().broken;
    assert_eq!(prove(&reader).unwrap().broken, broken, "prove walks as well");
    broken
}

/// Readings expire as soon as they can.
const SOON: (&str, &str, &str) = ("policies/system.toml", "\"90days\"", "\"1s\"");

#[test]
fn a_mark_of_what_has_expired_that_the_files_do_not_say_is_found() {
    for (edits, kept) in [(&[SOON][..], "0"), (&[], "90 * 24 * 60 * 60000 - 60000")] {
        let dir = tempfile::tempdir().unwrap();
        journal(dir.path(), &recorded_under(HANGS, edits));
        let last = Reader::open(dir.path()).unwrap().head().unwrap().seq;
        let mark =
            |more| format!("UPDATE retention SET before = {more} + (SELECT max(at) - ({kept}) FROM entries)");
        assert_eq!(walked(dir.path(), &mark(0)), None);
        assert_eq!(walked(dir.path(), &mark(1)), Some(Broken { seq: last, damage: Damage::Retention }));
    }
}

#[test]
fn the_state_of_a_start_that_no_tick_followed_expires_with_the_next_start() {
    let rules = bundle(&[SOON]);
    let adopted = grace::engine::adopt(&rules, None, &State::default(), Time(1_000));
    let dir = tempfile::tempdir().unwrap();
    let kept = Journal::open(dir.path()).unwrap();
    for _ in 0..2 {
        kept.adopt(Time(1_000), &adopted.records, &adopted.state).unwrap();
    }
    let input = Input { tick: 1, now: Time(2_000), ..Input::default() };
    kept.commit(Time(2_000), &input, step(&rules, &adopted.state, &input)).unwrap();
    assert_eq!(kept.expire_readings(Time(1)).unwrap(), 0);
    let kept: i64 = Connection::open(dir.path().join("journal.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM checkpoints", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1, "the first is of no use any more");
    assert_eq!(walked(dir.path(), ""), None);
}

#[test]
fn a_state_that_was_kept_and_is_gone_is_missed() {
    let rules = std::sync::Arc::new(bundle(&[SOON]));
    let adopted = grace::engine::adopt(&rules, None, &State::default(), Time(1_000));
    // The tick of this number is the next but one, and keeps its state.
    let first = State { tick: 2_878, ..adopted.state };
    let dir = tempfile::tempdir().unwrap();
    let kept = Journal::open(dir.path()).unwrap();
    kept.adopt(Time(1_000), &adopted.records, &first).unwrap();
    let mut state = first;
    for tick in 2_879..2_884 {
        let now = Time(i64::try_from(tick).unwrap() * 30_000);
        let input = Input { tick, now, ..Input::default() };
        let step = step(&rules, &state, &input);
        state = kept.commit(now, &input, step).unwrap().state;
    }
    drop(kept);
    let seq = |which: &str| -> i64 {
        let conn = Connection::open(dir.path().join("journal.db")).unwrap();
        conn.query_row(&format!("SELECT seq FROM entries WHERE {which}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(walked(dir.path(), ""), None);
    let (tick, generation) = (seq("kind = 'tick' AND tick = 2880"), seq("kind = 'generation'"));
    for (how, seq) in [
        ("DELETE FROM checkpoints WHERE NOT adopted", tick),
        ("DELETE FROM checkpoints WHERE adopted", generation),
    ] {
        let found = walked(dir.path(), how);
        assert_eq!(found, Some(Broken { seq, damage: Damage::StateMissing }), "{how}");
    }
    // One that has expired with its readings is nothing to miss.
    let later = "UPDATE retention SET before = 86450000; DELETE FROM readings WHERE seq <= (SELECT seq FROM entries WHERE tick = 2881)";
    assert_eq!(walked(dir.path(), later), None);
}

#[test]
fn the_last_so_long_of_a_first_run_knows_which_version_decided() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    for since in ["1h", "3h"] {
        let told = said(&command(dir.path()).args(["prove", "--since", since]).output().unwrap());
        let by = format!("by version {}", env!("CARGO_PKG_VERSION"));
        assert!(told.code == Some(0) && told.out.contains(&by), "{since}: {told:?}");
    }
}
