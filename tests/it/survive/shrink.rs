//! What is old goes, and the files get smaller: the journal's readings, the working database's done jobs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use grace::engine::Input;
use grace::model::{Record, Span, Time};
use grace::record::{Journal, Reader};
use rusqlite::Connection;

use super::migrate::make_version_1;
use crate::daemon::{Daemon, until};
use crate::journal::sample::{NOON, input, snapshot, step};

/// A tick with readings of some 20 KB.
fn large(tick: u64) -> Input {
    let one = snapshot(1.5).into_values().next().expect("one");
    let many = (0..120).map(|number| (format!("component_{number}").as_str().into(), one.clone()));
    Input { snapshot: many.collect(), ..input(tick) }
}

/// What the file itself takes once its log is folded in.
fn size(dir: &Path, name: &str) -> u64 {
    let conn = Connection::open(dir.join(name)).expect("opens");
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("folded");
    fs::metadata(dir.join(name)).expect("there").len()
}

fn shrinks(dir: &Path, journal: &Journal) {
    let before = size(dir, "journal.db");
    let mut calls = 0;
    // What expires is older than the newest entry.
    let stopped = Record::Stopped { reason: "enough".into() };
    journal.append(NOON + Span::minutes(1), &[stopped]).expect("appends");
    while journal.expire_readings(NOON + Span::minutes(1)).expect("expires") > 0 {}
    loop {
        let gone = journal.shrink().expect("shrinks");
        assert!(gone <= 256, "{gone} pages in one call");
        if gone == 0 {
            break;
        }
        calls += 1;
    }
    let after = size(dir, "journal.db");
    assert!(calls > 2 && after < before / 2, "{calls} calls: {before} -> {after} bytes");
    let verified = Reader::open(dir).expect("opens").verify().expect("read");
    assert!(verified.is_whole() && verified.expired == 400, "{verified:?}");
}

#[test]
fn a_journal_shrinks_when_its_readings_have_expired_one_of_version_1_too() {
    for old in [false, true] {
        let dir = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(dir.path()).expect("opens");
        for tick in 1..=400 {
            journal.commit(NOON, &large(tick), step(tick, Vec::new())).expect("commits");
        }
        if old {
            drop(journal);
            make_version_1(dir.path());
            shrinks(dir.path(), &Journal::open(dir.path()).expect("migrates"));
        } else {
            shrinks(dir.path(), &journal);
        }
    }
}

#[test]
fn a_running_grace_lets_old_jobs_go_and_the_file_gets_smaller() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.grace(&["task", "add", "for people"]).code, Some(0));
    assert_eq!(grace.stop().0, Some(0));
    let db = Connection::open(data.join("grace.db")).expect("opens");
    let stuff = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
        INSERT INTO jobs (key, job, at, result, done_at)
        SELECT 'old' || n, '{\"job\":\"sum_up\",\"component\":\"x\",\"seq\":' || n || '}', n, hex(randomblob(500)), n FROM n";
    assert_eq!(db.execute(stuff, []).expect("stuffed"), 5000);
    drop(db);
    let before = size(&data, "grace.db");
    assert!(before > 5_000_000 && Time(5000) < NOON, "{before}");
    let grace = Daemon::start_in(dir, &[]);
    until("the old jobs are gone", || {
        let db = Connection::open(data.join("grace.db")).expect("opens");
        db.query_row("SELECT count(*) FROM jobs WHERE key LIKE 'old%'", [], |row| row.get::<_, i64>(0))
            == Ok(0)
    });
    until("the file is smaller", || size(&data, "grace.db") < before / 3);
    assert!(grace.grace(&["task", "list"]).out.contains("for people"));
}
