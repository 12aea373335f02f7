//! Columns that were changed while the chain was made anew.

use rusqlite::params;

use super::*;
use crate::model::{Record, Time};
use crate::record::Journal;

/// Changes a column, and chains everything anew as somebody would who wants to hide it.
fn forged(column: &str) -> Option<Broken> {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path()).expect("opens");
    let held = Record::Held {
        component: Some("web".into()),
        actor: "uid:0".into(),
        reason: "x".into(),
        until: None,
    };
    journal.append(Time(5), &[held.clone(), held]).expect("appends");
    drop(journal);
    let conn = Connection::open(dir.path().join("journal.db")).expect("opens");
    conn.execute_batch("DROP TRIGGER entries_are_not_changed").expect("dropped");
    conn.execute_batch(&format!("UPDATE entries SET {column} WHERE seq = 1")).expect("changed");
    let mut hash = GENESIS;
    for seq in 1..=2 {
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
    conn.execute("UPDATE head SET hash = ?1", [hash]).expect("changed");
    walk(&conn).expect("walks").broken
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
        let broken = forged(column).expect(column);
        assert_eq!((broken.seq, broken.damage), (1, Damage::Columns), "{column}");
    }
    let unread = forged("body = '{}'").expect("found");
    assert_eq!((unread.seq, unread.damage), (1, Damage::Record));
}
