//! The journal deleted, emptied or replaced by an older copy: Grace says so and heals nothing until a person did.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use grace::record::Journal;

use crate::daemon::{Daemon, command, said, until};
use crate::journal::sample::{NOON, forge, note};

/// What a stopped Grace's folder holds, folded into its files.
fn copy(data: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for name in ["journal.db", "grace.db"] {
        fs::copy(data.join(name), to.join(name)).expect(name);
    }
}

fn cautious(grace: &Daemon) -> bool {
    let mode = grace.get("/api/health/mode");
    let claims = mode["claims"].as_array().expect("claims");
    let claimed = claims.iter().any(|claim| claim["claim"] == "journal/grace");
    // Where the chain does not hold a rule makes an emergency of it.
    let expected = if grace.log().contains("not whole") { "emergency" } else { "observation_only" };
    assert!(!claimed || mode["mode"] == expected, "{mode}");
    assert!(claimed || mode["mode"] == "normal", "{mode}");
    claimed
}

fn count(grace: &Daemon, kind: &str) -> i64 {
    let db = rusqlite::Connection::open(grace.data().join("journal.db")).expect("opens");
    db.query_row("SELECT count(*) FROM entries WHERE kind = ?1", [kind], |row| row.get(0)).expect("counts")
}

/// A person ends what Grace claimed.
pub(super) fn end_claims(grace: &Daemon) {
    let asked = grace.grace(&["mode", "normal", "--reason", "looked at"]);
    assert_eq!(asked.code, Some(5), "a looser mode wants a second person: {asked:?}");
    let id = format!("{} {}", asked.out, asked.err);
    let id = id.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty()).expect("its number");
    let given = grace.grace(&["approve", id, "--reason", "alone", "--break-glass"]);
    assert_eq!(given.code, Some(0), "{given:?}");
}

#[test]
fn an_older_copy_is_noticed_and_a_person_ends_the_caution() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.stop().0, Some(0));
    let old = dir.path().join("old");
    copy(&data, &old);

    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    assert!(!cautious(&grace), "nothing is wrong yet");
    assert_eq!(grace.grace(&["hold", "all", "--reason", "game day", "--for", "ever"]).code, Some(0));
    assert_eq!(grace.stop().0, Some(0));
    fs::copy(old.join("journal.db"), data.join("journal.db")).expect("replaced");

    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    assert!(cautious(&grace));
    assert!(grace.log().contains("the journal was replaced"), "{}", grace.log());
    let status = grace.grace(&["status"]);
    assert!(status.out.contains("journal/grace claims observation_only"), "{status:?}");
    assert!(
        status.out.contains("may be forgotten") && status.out.contains("grace mode normal"),
        "{status:?}"
    );
    assert!(grace.grace(&["events"]).out.contains("grace.journal_replaced"));
    assert_eq!(grace.stop().0, Some(0));

    // The copy is now the journal: its replacement is not noticed twice, and the claim stands.
    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    assert!(cautious(&grace));
    assert_eq!((count(&grace, "journal_replaced"), count(&grace, "claimed")), (1, 1));
    end_claims(&grace);
    assert!(!cautious(&grace));
    assert_eq!(grace.stop().0, Some(0));
    let grace = Daemon::start_in(dir, &[]);
    assert!(!cautious(&grace));
    assert_eq!(grace.grace(&["audit", "verify"]).code, Some(0));
}

#[test]
fn a_deleted_or_emptied_journal_is_noticed_even_when_its_witness_went_with_it() {
    for (gone, emptied) in
        [(vec!["journal.db"], false), (vec!["journal.db"], true), (vec!["journal.db", "journal.head"], false)]
    {
        let grace = Daemon::start();
        let (dir, data) = (Arc::clone(&grace.dir), grace.data());
        assert_eq!(grace.stop().0, Some(0));
        for name in &gone {
            if emptied { fs::write(data.join(name), "") } else { fs::remove_file(data.join(name)) }
                .expect(name);
        }
        let grace = Daemon::start_in(dir, &[]);
        assert!(cautious(&grace), "{gone:?} {emptied}");
        assert!(grace.log().contains("the journal was deleted"), "{}", grace.log());
    }
}

#[test]
fn whoever_copies_the_file_of_a_stopped_grace_has_all_of_it_also_beside_a_reader() {
    let grace = Daemon::start();
    let file = grace.data().join("journal.db");
    let reader = rusqlite::Connection::open(&file).expect("opens");
    let count = |db: &rusqlite::Connection| {
        db.query_row("SELECT count(*) FROM entries", [], |row| row.get::<_, i64>(0)).expect("counts")
    };
    assert!(count(&reader) > 0);
    let dir = Arc::clone(&grace.dir);
    assert_eq!(grace.stop().0, Some(0));
    let alone = dir.path().join("alone.db");
    fs::copy(&file, &alone).expect("copied");
    assert_eq!(count(&rusqlite::Connection::open(&alone).expect("opens")), count(&reader));
}

#[test]
fn an_older_copy_beside_a_log_that_a_kill_left_is_noticed() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.stop().0, Some(0));
    let old = dir.path().join("old");
    copy(&data, &old);
    // More entries, folded in, and a life that is killed: its own lie in the log alone.
    let more: Vec<_> = (0..200).map(|number| note(&format!("{number} {}", "x".repeat(500)))).collect();
    Journal::open(&data).expect("opens").append(NOON, &more).expect("appends");
    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    grace.signal("-KILL");
    drop(grace);
    assert!(fs::metadata(data.join("journal.db-wal")).expect("a log").len() > 0);
    fs::copy(old.join("journal.db"), data.join("journal.db")).expect("replaced");
    // Neither the old journal nor the new one: SQLite finds pages that do not fit, or Grace entries that do not.
    let once = said(&command(&data).args(["run", "--once"]).output().expect("runs"));
    let noticed =
        once.err.contains("this database is damaged") || once.err.contains("the journal is not whole");
    assert!(noticed, "{once:?}");
}

#[test]
fn an_end_that_does_not_hold_is_noticed_until_a_person_has_looked() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.stop().0, Some(0));
    forge(&data).execute("DELETE FROM entries WHERE seq = 3", []).expect("forged");
    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    assert!(grace.log().contains("not whole: entry 3"), "{}", grace.log());
    until("the rule has seen it", || grace.get("/api/health/mode")["mode"] == "emergency");
    assert!(cautious(&grace));
    end_claims(&grace);
    assert_eq!(grace.stop().0, Some(0));
    assert!(!cautious(&Daemon::start_in(dir, &[])), "a person has looked");
}

#[test]
fn garbage_in_the_witness_stops_nobody() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.stop().0, Some(0));
    fs::write(data.join("journal.head"), b"\xff\xfe not a witness").expect("written");
    let grace = Daemon::start_in(dir, &[]);
    assert!(!cautious(&grace));
    let head = fs::read_to_string(data.join("journal.head")).expect("a witness again");
    assert!(head.len() == 86 && head.starts_with("00000"), "{head}");
}

#[test]
fn a_copy_written_over_the_journal_of_a_running_grace_ends_her_and_is_noticed() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.stop().0, Some(0));
    let old = dir.path().join("old");
    copy(&data, &old);
    let mut grace = Daemon::start_in(Arc::clone(&dir), &[]);
    // Somebody folded the log in, as SQLite does now and then: now the file holds more than the copy.
    let fold = |db: rusqlite::Connection| db.query_row("PRAGMA wal_checkpoint", [], |_| Ok(()));
    fold(rusqlite::Connection::open(data.join("journal.db")).expect("opens")).expect("folded");
    let ticks = || grace.get("/api/health/status")["tick"].as_u64();
    let before = ticks();
    until("she goes on", || ticks() > before);
    // The same file, other bytes: as `cp` does it.
    fs::copy(old.join("journal.db"), data.join("journal.db")).expect("written over");
    let code = grace.wait();
    assert_eq!(code, Some(1), "{}", grace.log());
    until("she says why", || grace.log().contains("a copy of another time"));
    drop(grace);
    for side in ["journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(data.join(side));
    }
    fs::copy(old.join("journal.db"), data.join("journal.db")).expect("written over");
    assert!(cautious(&Daemon::start_in(dir, &[])));
}

#[test]
fn a_state_that_is_older_than_the_entries_gives_no_number_twice() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    let journal = data.join("journal.db");
    let scale = |grace: &Daemon| {
        let done = grace.post("/api/components/task_executor/scale", r#"{"workers": 3}"#);
        assert_eq!(done.status, 200, "{done:?}");
        done.json()["act"].as_u64().expect("its number")
    };
    let state = |path: &Path| -> (i64, String) {
        let db = rusqlite::Connection::open(path).expect("opens");
        db.query_row("SELECT seq, body FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("a state")
    };
    scale(&grace);
    assert_eq!(grace.stop().0, Some(0));
    let (_, older) = state(&journal);
    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    let newest = scale(&grace);
    let asked = grace.post("/api/health/restart", r#"{"component": "database"}"#).json()["approval"].as_u64();
    assert_eq!(grace.stop().0, Some(0));
    // Once an older state lies there, and once none.
    let mut last = newest;
    for how in
        [format!("UPDATE state SET body = '{}'", older.replace('\'', "''")), "DELETE FROM state".into()]
    {
        let db = rusqlite::Connection::open(&journal).expect("opens");
        db.execute_batch(&how).expect("changed");
        drop(db);
        let grace = Daemon::start_in(Arc::clone(&dir), &[]);
        assert!(cautious(&grace), "{}", grace.log());
        let act = scale(&grace);
        assert!(act > last, "act {act} comes behind {last}");
        last = act;
        let again = grace.post("/api/health/restart", r#"{"component": "database"}"#).json();
        assert!(again["approval"].as_u64() > asked, "{again}");
        assert!(!grace.log().contains("journal cannot be written"), "{}", grace.log());
        assert_eq!(grace.stop().0, Some(0));
    }
}
