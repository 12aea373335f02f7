//! Whoever changes an entry and chains everything anew is found where the entry says two things, or stands where nothing
//! of its kind is written.

use rusqlite::params;

use super::*;
use crate::engine::{Input, State, Step};
use crate::model::{ActId, ApprovalId, HealResult, Meaning, ModeId, Time};
use crate::record::Journal;

fn held() -> Record {
    let component = Some("web".into());
    Record::Held { component, actor: "uid:0".into(), reason: "x".into(), until: None }
}

fn approved() -> Record {
    let (approval, actor) = (ApprovalId(1), "uid:0".into());
    Record::Approved { approval, actor, reason: "x".into(), break_glass: false }
}

fn end() -> Record {
    let (component, steps) = (Some("web".into()), Vec::new());
    let detail = "ok 5 s after".into();
    Record::End { act: ActId(1), component, outcome: None, result: HealResult::Success, detail, steps }
}

fn started(generation: &str) -> Record {
    let version = "0.1.0".into();
    Record::Started {
        version,
        generation: generation.into(),
        process: 1,
        interrupted: Vec::new(),
        meaning: Meaning::FIRST,
    }
}

fn generation(id: &str) -> Record {
    let generation = id.into();
    let (kept, reset, dropped) = (Vec::new(), Vec::new(), Vec::new());
    let files = [("rules/a.toml".to_owned(), String::new())].into();
    Record::Generation { generation, files, kept, reset, dropped, state: None, meaning: None }
}

fn mode() -> Record {
    let (from, to) = (ModeId::from("normal"), ModeId::from("emergency"));
    let by = crate::model::By::Person { actor: "uid:0".into() };
    Record::ModeChanged { from, to, reason: "x".into(), by }
}

fn shell() -> Record {
    Record::DiskFull { acts: false }
}

fn step(records: Vec<Record>) -> Step {
    let (state, why) = (State::default(), std::collections::BTreeMap::new());
    Step { state, records, permits: Vec::new(), answers: Vec::new(), why, questions: Vec::new() }
}

fn broken(seq: i64, damage: Damage) -> Broken {
    Broken { seq, damage }
}

/// Changes a journal, and chains everything anew as somebody would who wants to hide it.
fn chained(dir: &std::path::Path, how: &str) -> Option<Broken> {
    let conn = Connection::open(dir.join("journal.db")).expect("opens");
    conn.execute_batch("DROP TRIGGER IF EXISTS entries_are_not_changed").expect("dropped");
    conn.execute_batch(how).expect("changed");
    let last: i64 = conn.query_row("SELECT max(seq) FROM entries", [], |row| row.get(0)).expect("a last one");
    let mut hash = GENESIS;
    for seq in 1..=last {
        let next = conn
            .query_row(
                "SELECT seq, at, tick, kind, event, component, act, body FROM entries WHERE seq = ?1",
                [seq],
                |row| Ok(link(row, seq).ok().map(|link| link.hash(&hash))),
            )
            .expect("read")
            .expect("a link");
        conn.execute("UPDATE entries SET prev = ?1, hash = ?2 WHERE seq = ?3", params![hash, next, seq])
            .expect("changed");
        hash = next;
    }
    conn.execute("UPDATE head SET seq = ?1, hash = ?2", params![last, hash]).expect("changed");
    walk(&conn).expect("walks").broken
}

/// A journal of a step with two entries of a hold, of which the second entry is changed.
fn forged(column: &str) -> Option<Broken> {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    let input = Input { tick: 1, now: Time(5), ..Input::default() };
    journal.commit(Time(5), &input, step(vec![held(), held()])).expect("commits");
    drop(journal);
    chained(dir.path(), &format!("UPDATE entries SET {column} WHERE seq = 2"))
}

#[test]
fn what_stands_beside_a_record_follows_from_it_or_the_entry_is_named() {
    assert_eq!(forged("at = at + 1"), None, "nothing says otherwise but a signed checkpoint");
    for column in [
        "component = 'wed'",
        "component = NULL",
        "event = 'health.all_fine'",
        "act = 77",
        "kind = 'hold_ended'",
    ] {
        assert_eq!(forged(column), Some(broken(2, Damage::Columns)), "{column}");
    }
    assert_eq!(forged("body = '{}'"), Some(broken(2, Damage::Record)));
}

#[test]
fn what_is_decided_stands_in_the_step_that_decided_it() {
    for column in ["tick = NULL", "tick = 2", "tick = 0"] {
        assert_eq!(forged(column), Some(broken(2, Damage::Place)), "{column}");
    }
}

/// What a walk says of entries that are put behind one another: a number is a step of that tick, and nothing an entry
/// without one.
fn walked(entries: &[(Option<u64>, Record)]) -> Option<Broken> {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    let conn = Connection::open(dir.path().join("journal.db")).expect("opens");
    conn.execute_batch("DROP TRIGGER an_end_has_an_intent").expect("dropped");
    let mut last = None;
    for (tick, record) in entries {
        let (Some(tick), record) = (*tick, record.clone()) else {
            journal.append(Time(5), std::slice::from_ref(record)).expect("appends");
            continue;
        };
        if last != Some(tick) {
            let input = Input { tick, now: Time(5), ..Input::default() };
            journal.commit(Time(5), &input, step(Vec::new())).expect("commits");
            last = Some(tick);
        }
        journal
            .write(|transaction, figures| {
                let mut pen = pen::Pen::take(transaction, figures, Time(5), Some(tick))?;
                pen.write(&record)?;
                pen.finish()
            })
            .expect("writes");
    }
    let reader = Reader::open(dir.path()).expect("opens");
    reader.verify().expect("walks").broken
}

#[test]
fn an_entry_without_a_step_is_one_of_the_shell_or_of_a_start_or_a_reload() {
    let place = |seq| Some(broken(seq, Damage::Place));
    let replaced = || Record::JournalReplaced { named: None, last: 0, taken: None };
    for (entries, found) in [
        // As they are written.
        (vec![(None, shell()), (Some(1), held()), (Some(1), end()), (None, shell())], None),
        (vec![(None, started("g")), (None, generation("g")), (None, mode()), (None, replaced())], None),
        (vec![(None, generation("g")), (None, end()), (None, shell()), (None, generation("g"))], None),
        // A healing that never was, an approval that nobody gave, a mode that nobody wanted.
        (vec![(None, end())], place(1)),
        (vec![(Some(1), held()), (None, approved())], place(3)),
        (vec![(None, generation("g")), (None, approved())], place(2)),
        (vec![(None, generation("g")), (None, shell()), (None, mode())], place(3)),
        (vec![(Some(1), held()), (None, mode())], place(3)),
        // In a step that is over already, or in one that is another's.
        (vec![(Some(1), held()), (None, shell()), (Some(1), end())], place(4)),
        (vec![(Some(1), shell())], place(2)),
        (vec![(Some(1), generation("g"))], place(2)),
        // Only a start is cautious.
        (vec![(None, generation("g")), (None, replaced())], place(2)),
        (vec![(None, replaced())], place(1)),
    ] {
        assert_eq!(walked(&entries), found, "{entries:?}");
    }
}

#[test]
fn a_start_names_the_generation_that_follows_it() {
    let start = |seq| Some(broken(seq, Damage::Start));
    for (entries, found) in [
        (vec![(None, started("g")), (None, generation("h"))], start(1)),
        (vec![(None, started("g")), (None, shell())], start(1)),
        (vec![(None, shell()), (None, started("g"))], start(2)),
        (vec![(None, started("g")), (None, started("g")), (None, generation("g"))], start(1)),
        (vec![(None, started("g")), (Some(1), held())], start(1)),
    ] {
        assert_eq!(walked(&entries), found, "{entries:?}");
    }
}

#[test]
fn behind_the_state_that_was_kept_nothing_more_belongs_to_a_start_or_to_a_step() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    journal.adopt(Time(5), &[started("g"), generation("g")], &State::default()).expect("adopts");
    let state = State { tick: 2_880, ..State::default() };
    let input = Input { tick: 2_880, now: Time(5), ..Input::default() };
    let step = Step { state, ..step(vec![held()]) };
    assert_eq!(journal.commit(Time(5), &input, step).expect("commits").seq, 4);
    drop(journal);
    let copy =
        "INSERT INTO entries SELECT 5, at, tick, kind, event, component, act, body, prev, hash FROM entries";
    assert_eq!(chained(dir.path(), &format!("{copy} WHERE seq = 4")), Some(broken(5, Damage::Place)));
}

#[test]
fn the_last_start_or_reload_keeps_its_state_as_well() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    journal.adopt(Time(5), &[started("g"), generation("g")], &State::default()).expect("adopts");
    drop(journal);
    assert_eq!(chained(dir.path(), ""), None);
    assert_eq!(chained(dir.path(), "DELETE FROM checkpoints"), Some(broken(2, Damage::StateMissing)));
}

#[test]
fn a_tick_that_a_replay_cannot_read_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    let input = Input { tick: 1, now: Time(5), ..Input::default() };
    journal.commit(Time(5), &input, step(Vec::new())).expect("commits");
    drop(journal);
    let how =
        r#"UPDATE entries SET body = replace(body, '"performed":[]', '"performed":["x"]') WHERE seq = 1"#;
    assert_eq!(chained(dir.path(), how), Some(broken(1, Damage::Record)));
}

#[test]
fn the_mark_of_what_has_expired_comes_as_far_as_the_files_say() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    let (minute, hour) = (60_000, 3_600_000);
    let files = |id: &str, says: &str| {
        let mut record = generation(id);
        if let Record::Generation { files, .. } = &mut record {
            files.insert("policies/system.toml".into(), says.into());
        }
        record
    };
    let (long, short) = (files("long", "retention = \"2h\""), files("short", "retention = \"1h\""));
    let mut ticks = 0;
    let mut ticked = |at: i64| {
        ticks += 1;
        let input = Input { tick: ticks, now: Time(at), ..Input::default() };
        journal.commit(Time(at), &input, step(Vec::new())).expect("commits");
    };
    let mark = |mark: i64| {
        let conn = Connection::open(dir.path().join("journal.db")).expect("opens");
        conn.execute_batch("DROP TRIGGER IF EXISTS retention_only_rises").expect("dropped");
        conn.execute("UPDATE retention SET before = ?1", [mark]).expect("marked");
        walk(&conn).expect("walks").broken
    };
    let now = 100 * hour;
    journal.adopt(Time(now), std::slice::from_ref(&long), &State::default()).expect("adopts");
    ticked(now);
    // A minute is left to earlier versions, which went by the clock and not by the last tick.
    assert_eq!(mark(now - 2 * hour + minute), None);
    assert_eq!(mark(now - 2 * hour + minute + 1), Some(broken(2, Damage::Retention)));
    journal.adopt(Time(now), &[short], &State::default()).expect("adopts");
    ticked(now);
    assert_eq!(mark(now - hour + minute), None);
    // What was old under the shorter one stays so.
    journal.adopt(Time(now + minute), &[long], &State::default()).expect("adopts");
    ticked(now + minute);
    assert_eq!(mark(now - hour + minute), None);
    assert_eq!(mark(now - hour + minute + 1), Some(broken(6, Damage::Retention)));
}

/// The text of an index is as Grace makes it, and what is in it is not.
#[test]
fn an_index_that_leaves_entries_out_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    let input = Input { tick: 1, now: Time(5), ..Input::default() };
    journal.commit(Time(5), &input, step(vec![held(), held()])).expect("commits");
    drop(journal);
    let found = || {
        let reader = Reader::open(dir.path()).expect("opens");
        let events = reader.events_after(0, 9).expect("reads").len();
        (events, reader.verify().expect("walks"))
    };
    let (events, whole) = found();
    assert!(events == 2 && whole.is_whole() && whole.altered.is_empty(), "{whole:?}");
    let conn = Connection::open(dir.path().join("journal.db")).expect("opens");
    let how = "CREATE TABLE kept AS SELECT sql FROM sqlite_schema WHERE name = 'entries_events';
        DROP INDEX entries_events;
        CREATE INDEX entries_events ON entries (seq, event) WHERE event IS NOT NULL AND kind <> 'held';
        PRAGMA writable_schema = 1;
        UPDATE sqlite_schema SET sql = (SELECT sql FROM kept) WHERE name = 'entries_events';
        DROP TABLE kept;";
    conn.execute_batch(how).expect("changed");
    drop(conn);
    let (events, hidden) = found();
    assert!(events == 0 && hidden.is_whole(), "{events} {hidden:?}");
    let says = "an index does not fit the entries";
    assert!(hidden.altered.iter().any(|what| what.starts_with(says)), "{hidden:?}");
}

#[test]
fn what_belongs_to_no_entry_is_found() {
    for (how, what) in [
        ("INSERT INTO readings VALUES (9, '{}')", "there are `readings` that belong to no tick: 1"),
        ("INSERT INTO readings VALUES (2, '{}')", "there are `readings` that belong to no tick: 1"),
        ("INSERT INTO checkpoints VALUES (0, 1, '{}')", "there are `checkpoints` that belong to no entry: 1"),
        ("INSERT INTO head VALUES (2, 9, x'00')", "there are rows of `head` besides its only one: 1"),
        ("INSERT INTO state VALUES (2, 9, '{}')", "there are rows of `state` besides its only one: 1"),
        ("INSERT INTO retention VALUES (2, 9)", "there are rows of `retention` besides its only one: 1"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let journal = Journal::open(dir.path()).expect("opens");
        let input = Input { tick: 1, now: Time(5), ..Input::default() };
        journal.commit(Time(5), &input, step(vec![held()])).expect("commits");
        drop(journal);
        let conn = Connection::open(dir.path().join("journal.db")).expect("opens");
        conn.execute_batch(&format!("PRAGMA foreign_keys = 0; PRAGMA ignore_check_constraints = 1; {how}"))
            .expect("put in");
        let found = Reader::open(dir.path()).expect("opens").verify().expect("walks");
        assert!(found.is_whole() && found.altered == [what], "{how}: {found:?}");
    }
}
