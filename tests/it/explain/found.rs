//! The tick that is asked about is found in journals and exports, or it is said why not.

use std::path::Path;

use grace::model::{ActId, Record, Time};
use grace::record::{Journal, Reader};
use grace::replay::History;
use grace::replay::explain::{Explanation, FindError, Question, Tick, explain, tick_at, tick_of};

use super::{SCENARIO_3, shipped, ticks};
use crate::daemon::{Daemon, PATIENCE, command, said};

/// A journal of the shipped scenario 3: the first ticks, a start, and the rest.
fn journal(dir: &Path, first: usize) -> Vec<Time> {
    kept(dir, first, "90days")
}

/// The same, whose readings are kept for so long.
fn kept(dir: &Path, first: usize, retention: &str) -> Vec<Time> {
    let (_, history) = shipped().into_iter().find(|(name, _)| SCENARIO_3.ends_with(name.as_str())).unwrap();
    let all = ticks(&history);
    let journal = Journal::open(dir).unwrap();
    let mut files = all[0].bundle.files.clone();
    let system = files.get_mut("policies/system.toml").unwrap();
    *system = system.replace("90days", retention);
    let generation = serde_json::json!({
        "kind": "generation",
        "generation": all[0].bundle.generation,
        "files": files,
        "kept": [],
        "reset": [],
        "dropped": [],
    });
    let generation: Record = serde_json::from_value(generation).unwrap();
    journal.adopt(all[0].before.now, &[generation], &all[0].before).unwrap();
    let mut times = Vec::new();
    for (at, tick) in all.into_iter().enumerate() {
        if at == first {
            journal
                .adopt(tick.before.now, &[Record::Stopped { reason: "a restart".into() }], &tick.before)
                .unwrap();
        }
        times.push(tick.step.state.now);
        journal.commit(tick.step.state.now, &tick.input, tick.step).unwrap();
    }
    times
}

fn number(tick: &Tick) -> usize {
    usize::try_from(tick.input.tick).unwrap()
}

#[test]
fn every_tick_of_a_journal_is_found_whatever_state_was_kept_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let times = journal(dir.path(), 20);
    let history = History::Journal(Reader::open(dir.path()).unwrap());
    for (at, time) in times.iter().enumerate() {
        let alone = times.iter().filter(|other| *other == time).count() == 1;
        let found = tick_at(&history, (*time, *time), |tick| number(tick) == at + 1).unwrap();
        assert_eq!(number(&found), at + 1, "{time}");
        let later = tick_at(&history, (Time(time.0 + 1), Time(time.0 + 1)), |_| false).unwrap();
        assert!(number(&later) == at + 1 || !alone, "{time}");
    }
    let acts = tick_at(&history, (times[times.len() - 1], Time(i64::MAX)), |_| false)
        .unwrap()
        .step
        .state
        .governed
        .last_act;
    assert!(acts.0 > 5, "{acts}");
    for act in 1..=acts.0 {
        let found = tick_of(&history, ActId(act)).unwrap();
        let (before, after) = (found.before.governed.last_act.0, found.step.state.governed.last_act.0);
        assert!(before < act && act <= after, "{act}: {before} to {after}");
    }
    let none = tick_of(&history, ActId(99)).unwrap_err().to_string();
    assert!(none.contains("there is no act 99 in the history; the newest is act"), "{none}");
}

#[test]
fn acts_before_a_state_that_a_tick_left_behind_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let times = journal(dir.path(), 20);
    let reader = || History::Journal(Reader::open(dir.path()).unwrap());
    let before: Vec<usize> = (1..=3).map(|act| number(&tick_of(&reader(), ActId(act)).unwrap())).collect();
    // As the journal keeps one every so many ticks.
    let kept = tick_at(&reader(), (times[15], times[15]), |_| true).unwrap();
    assert!(kept.step.state.governed.last_act.0 > 0 && number(&kept) < 20);
    let state = serde_json::to_string(&kept.step.state).unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    let keep = "INSERT INTO checkpoints SELECT seq, 0, ?2 FROM entries WHERE kind = 'tick' AND tick = ?1";
    assert_eq!(
        conn.execute(keep, rusqlite::params![i64::try_from(kept.input.tick).unwrap(), state]).unwrap(),
        1
    );
    let after: Vec<usize> = (1..=3)
        .map(|act| number(&tick_of(&reader(), ActId(act)).unwrap_or_else(|why| panic!("{act}: {why}"))))
        .collect();
    assert_eq!(after, before);
    // And where it is the newest, nothing is lost behind it.
    let last = tick_at(&reader(), (times[30], times[30]), |_| true).unwrap();
    let state = serde_json::to_string(&last.step.state).unwrap();
    let tick = i64::try_from(last.input.tick).unwrap();
    assert_eq!(conn.execute(keep, rusqlite::params![tick, state]).unwrap(), 1);
    let none = tick_of(&reader(), ActId(99)).unwrap_err();
    assert!(matches!(none, FindError::NoAct { .. }), "{none}");
    let between = Time(last.input.now.0 + 1);
    assert_eq!(number(&tick_at(&reader(), (between, between), |_| true).unwrap()), number(&last));
}

#[test]
fn expired_readings_are_named_with_the_oldest_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let times = kept(dir.path(), 20, "2m");
    let lost = Journal::open(dir.path()).unwrap().expire_readings(times[20]).unwrap();
    assert_eq!(lost, 20);
    let history = History::Journal(Reader::open(dir.path()).unwrap());
    let why = tick_at(&history, (times[4], times[4]), |_| true).unwrap_err();
    assert!(matches!(why, FindError::Expired { at, kept } if at == times[4] && kept <= times[20]), "{why}");
    let why = tick_of(&history, ActId(1)).unwrap_err();
    assert!(matches!(why, FindError::ActExpired { .. }), "{why}");
    assert_eq!(number(&tick_at(&history, (times[25], times[25]), |_| true).unwrap()), 26);
    let why = tick_at(&history, (Time(0), Time(0)), |_| true).unwrap_err();
    assert!(matches!(why, FindError::Outside { .. } | FindError::Expired { .. }), "{why}");
}

#[test]
fn readings_that_are_gone_before_their_time_are_named_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let times = journal(dir.path(), 20);
    assert_eq!(Journal::open(dir.path()).unwrap().expire_readings(times[20]).unwrap(), 20);
    let history = History::Journal(Reader::open(dir.path()).unwrap());
    let why = tick_at(&history, (times[4], times[4]), |_| true).unwrap_err();
    assert!(matches!(why, FindError::Lost { at, kept } if at == times[4] && kept <= times[20]), "{why}");
    let why = tick_of(&history, ActId(1)).unwrap_err();
    assert!(matches!(why, FindError::ActLost { .. }), "{why}");
    assert_eq!(number(&tick_at(&history, (times[25], times[25]), |_| true).unwrap()), 26);
}

#[test]
fn an_export_tells_the_same_and_one_that_was_cut_off_is_named() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 20);
    let run = |args: &[&str]| said(&command(dir.path()).args(args).output().unwrap());
    let file = dir.path().join("h.jsonl");
    let file = file.to_str().unwrap();
    let exported = run(&["audit", "export", "--to", file]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let question = ["explain", "why-not", "restart/task_executor", "--at", "16:10:30", "--output", "json"];
    let live = run(&question);
    assert_eq!(live.code, Some(0), "{live:?}");
    assert!(live.out.contains("blocked since 16:10:01"), "{}", live.out);
    assert_eq!(run(&[&question[..], &["--history", file]].concat()), live);

    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, &text[..text.len() * 2 / 3]).unwrap();
    let cut = run(&[&question[..], &["--history", file]].concat());
    assert_eq!(cut.code, Some(2));
    assert!(cut.err.contains("the file was cut off") && cut.err.contains("h.jsonl:"), "{cut:?}");
}

#[test]
fn a_running_graces_journal_explains_her_acts() {
    let grace = Daemon::start();
    let none = grace.grace(&["explain", "9999"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    let began = std::time::Instant::now();
    let told: Explanation = loop {
        let history = History::Journal(Reader::open(&grace.data()).unwrap());
        if let Ok(tick) = tick_of(&history, ActId(1)) {
            break explain(&tick, &Question::Act(ActId(1))).unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "{}", grace.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(told.rule.as_deref(), Some("restart/task_executor"));
    let said = grace.grace(&["explain", "1"]);
    assert!(
        said.out.starts_with("act 1, restart task_executor, was made by restart/task_executor"),
        "{said:?}"
    );
    assert!(said.out.contains("executor.workers") && said.out.contains("budget"), "{said:?}");
    let said = grace.grace(&["explain", "why-not", "read_only"]);
    assert!(said.out.starts_with("read_only/database did nothing: database is ok"), "{said:?}");
    let (code, _) = grace.stop();
    assert_eq!(code, Some(0));
}
