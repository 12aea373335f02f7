//! Whatever is changed is found and named.

use std::path::Path;

use grace::model::{Span, Time};
use grace::record::{Broken, Clock, Damage, Journal, Reader};
use rusqlite::{Connection, params};

use super::sample::{NOON, advice, end, forge, input, intent, note, step};

fn small_journal(dir: &Path) {
    let journal = Journal::open(dir).unwrap();
    journal.commit(NOON, &input(1), step(1, vec![intent(1)])).unwrap();
    journal.commit(NOON + Span::minutes(1), &input(2), step(2, vec![end(1), advice("so far")])).unwrap();
}

/// Does something to the journal of a copy of its own, and says what the walk finds.
fn after(forgery: &str) -> Option<Broken> {
    let dir = tempfile::tempdir().unwrap();
    small_journal(dir.path());
    forge(dir.path()).execute_batch(forgery).unwrap();
    Reader::open(dir.path()).unwrap().verify().unwrap().broken
}

#[test]
fn every_changed_byte_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    small_journal(dir.path());
    let conn = forge(dir.path());
    let reader = Reader::open(dir.path()).unwrap();
    let mut tried = 0;
    for seq in 1..=5_i64 {
        for (column, text) in [("body", true), ("prev", false), ("hash", false)] {
            let whole = bytes(&conn, seq, column);
            for place in 0..whole.len() {
                let mut other = whole.clone();
                other[place] ^= 0x01;
                set(&conn, seq, column, &other, text);
                let broken = reader.verify().unwrap().broken;
                assert_eq!(broken.map(|broken| broken.seq), Some(seq), "{column}, byte {place}");
                tried += 1;
            }
            set(&conn, seq, column, &whole, text);
        }
    }
    assert!(tried > 1_000, "{tried}");
    assert!(reader.verify().unwrap().is_whole());
}

fn bytes(conn: &Connection, seq: i64, column: &str) -> Vec<u8> {
    let query = format!("SELECT cast({column} AS BLOB) FROM entries WHERE seq = ?1");
    conn.query_row(&query, [seq], |row| row.get(0)).unwrap()
}

fn set(conn: &Connection, seq: i64, column: &str, bytes: &[u8], text: bool) {
    let value = if text { "cast(?1 AS TEXT)" } else { "?1" };
    conn.execute(&format!("UPDATE entries SET {column} = {value} WHERE seq = ?2"), params![bytes, seq])
        .unwrap();
}

#[test]
fn every_column_counts() {
    for change in [
        "at = at + 1",
        "tick = 7",
        "tick = NULL",
        "kind = 'stopped'",
        "event = NULL",
        "act = 9",
        "component = ''",
    ] {
        let broken = after(&format!("UPDATE entries SET {change} WHERE seq = 2"));
        assert_eq!(broken, Some(Broken { seq: 2, damage: Damage::Hash }), "{change}");
    }
}

#[test]
fn what_is_missing_or_moved_is_named() {
    let broken = |seq, damage| Some(Broken { seq, damage });
    assert_eq!(after(""), None);
    assert_eq!(after("DELETE FROM entries WHERE seq = 1"), broken(1, Damage::Missing));
    assert_eq!(after("DELETE FROM entries WHERE seq = 3"), broken(3, Damage::Missing));
    assert_eq!(after("DELETE FROM entries WHERE seq = 5"), broken(5, Damage::End));
    assert_eq!(after("DELETE FROM entries"), broken(5, Damage::End));
    let swap = "UPDATE entries SET seq = -seq WHERE seq IN (4, 5);
                UPDATE entries SET seq = 9 + seq WHERE seq < 0;";
    assert_eq!(after(swap), broken(4, Damage::Link));
    assert_eq!(after("UPDATE head SET hash = zeroblob(32)"), broken(5, Damage::Hash));
}

#[test]
fn readings_are_part_of_the_proof_until_they_expire() {
    let broken = |seq, damage| Some(Broken { seq, damage });
    let other = "UPDATE readings SET body = replace(body, '12.5', '12.6') WHERE seq = 3";
    assert_eq!(after(other), broken(3, Damage::Readings));
    assert_eq!(after("DELETE FROM readings WHERE seq = 3"), broken(3, Damage::ReadingsMissing));
}

#[test]
fn a_moment_that_somebody_changed_is_found_and_nothing_goes_on_from_it() {
    let changes = [
        "DELETE FROM moment",
        "UPDATE moment SET at = 9223372036854775807",
        "UPDATE moment SET at = at + 1",
        "UPDATE moment SET up = up - 7200000",
        "UPDATE moment SET boot = 'x'",
        "UPDATE moment SET seal = ''",
        "UPDATE moment SET boot = CAST(x'ff' AS TEXT)",
        "UPDATE moment SET seal = CAST(x'ff' AS TEXT)",
    ];
    for change in changes {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        journal.keep_time(&Clock::start(None));
        journal.append(NOON, &[note("1")]).unwrap();
        assert!(journal.moment().unwrap().is_some(), "this kernel names its boot");
        drop(journal);
        assert!(Reader::open(dir.path()).unwrap().verify().unwrap().is_whole());
        forge(dir.path()).execute_batch(change).unwrap();
        let broken = Some(Broken { seq: 1, damage: Damage::Moment });
        assert_eq!(Reader::open(dir.path()).unwrap().verify().unwrap().broken, broken, "{change}");
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!((journal.moment().unwrap(), journal.broken()), (None, broken.as_ref()), "{change}");
    }
}

#[test]
fn expired_readings_leave_the_chain_whole() {
    let dir = tempfile::tempdir().unwrap();
    small_journal(dir.path());
    let journal = Journal::open(dir.path()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(journal.expire_readings(NOON).unwrap(), 0, "what is as old as the border stays");
    assert_eq!(journal.expire_readings(NOON + Span::seconds(31)).unwrap(), 1);
    assert_eq!(journal.expire_readings(Time(0)).unwrap(), 0, "the border never moves back");
    let verified = reader.verify().unwrap();
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!((verified.entries, verified.readings, verified.expired), (5, 1, 1));
}

#[test]
fn expiry_is_bounded_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    Journal::open(dir.path()).unwrap().append(NOON, &[note("1"), note("2")]).unwrap();
    let forged = forge(dir.path());
    forged
        .execute_batch(
            "INSERT INTO readings WITH RECURSIVE n (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM n WHERE n < 2502) SELECT n, '{}' FROM n;
             INSERT INTO entries WITH RECURSIVE n (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM n WHERE n < 2502)
                 SELECT n, 5, n, 'x', NULL, NULL, NULL, '{}', zeroblob(32), zeroblob(32) FROM n;",
        )
        .unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let gone: Vec<_> = (0..4).map(|_| journal.expire_readings(Time(6)).unwrap()).collect();
    assert_eq!(gone, [1000, 1000, 500, 0]);
}

#[test]
fn the_journal_refuses_to_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    small_journal(dir.path());
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    Journal::open(dir.path()).unwrap().expire_readings(NOON).unwrap();
    for (change, says) in [
        ("UPDATE entries SET at = 0 WHERE seq = 1", "append-only"),
        ("DELETE FROM entries WHERE seq = 5", "append-only"),
        ("DELETE FROM entries", "append-only"),
        ("INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 5", "only grows"),
        (
            "INSERT INTO entries SELECT 9, at, tick, 'x', event, component, act, body, prev, hash FROM entries WHERE seq = 5",
            "only grows",
        ),
        ("UPDATE readings SET body = '{}'", "append-only"),
        ("DELETE FROM readings", "not expired"),
        ("UPDATE retention SET before = before - 1", "never moves back"),
        ("DELETE FROM retention", "never moves back"),
    ] {
        let why = conn.execute_batch(change).unwrap_err().to_string();
        assert!(why.contains(says), "{change}: {why}");
    }
    assert!(Reader::open(dir.path()).unwrap().verify().unwrap().is_whole());
}

#[test]
fn what_was_altered_around_the_entries_is_told() {
    let altered = |how: &str| {
        let dir = tempfile::tempdir().unwrap();
        small_journal(dir.path());
        Connection::open(dir.path().join("journal.db")).unwrap().execute_batch(how).unwrap();
        Reader::open(dir.path()).unwrap().verify().unwrap()
    };
    for (how, says) in [
        ("DROP TRIGGER entries_are_not_changed", "the trigger `entries_are_not_changed` is gone"),
        ("DROP INDEX one_end", "the index `one_end` is gone"),
        (
            "DROP VIEW healing_actions; CREATE VIEW healing_actions AS SELECT 1 AS seq",
            "the view `healing_actions` is not as Grace makes it",
        ),
        ("CREATE TABLE notes (n INT)", "the table `notes` is none of Grace's"),
        ("DROP TABLE cursors", "the table `cursors` is gone"),
        (
            "CREATE UNIQUE INDEX mine ON entries (seq)",
            "the index `mine` is none of Grace's, and can refuse what she writes",
        ),
        (
            "CREATE INDEX mine ON readings (json_extract(body, '$.x'))",
            "the index `mine` is none of Grace's, and can refuse what she writes",
        ),
        (
            "CREATE INDEX mine ON entries (at) WHERE body ->> '$.x' IS NULL",
            "the index `mine` is none of Grace's, and can refuse what she writes",
        ),
    ] {
        let found = altered(how);
        assert_eq!((found.altered, found.broken), (vec![says.to_owned()], None), "{how}");
    }
    assert_eq!(altered("CREATE INDEX mine ON entries (at)").altered, Vec::<String>::new());
    let gone = altered("DROP TABLE readings");
    assert_eq!(gone.broken, Some(Broken { seq: 0, damage: Damage::Tables }));
    assert!(gone.altered.contains(&"the table `readings` is gone".to_owned()), "{:?}", gone.altered);
}

#[test]
fn audit_verify_tells_what_was_altered() {
    let dir = tempfile::tempdir().unwrap();
    small_journal(dir.path());
    let verify = || {
        crate::daemon::said(&crate::daemon::command(dir.path()).args(["audit", "verify"]).output().unwrap())
    };
    let whole = verify();
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("DROP TRIGGER entries_are_not_deleted").unwrap();
    drop(conn);
    let found = verify();
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.out.contains("whole: 5 entries hold"), "{found:?}");
    assert!(found.out.contains("altered: the trigger `entries_are_not_deleted` is gone"), "{found:?}");
}
