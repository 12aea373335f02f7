//! Writes that wait: in order, and each exactly once.

use grace::model::Write;
use grace::record::{Journal, JournalError, Reader};

use super::sample::NOON;

fn task(text: &str) -> Write {
    Write::Task { text: text.into(), by: "uid:0".into(), at: NOON }
}

fn waiting(journal: &Journal) -> Vec<String> {
    journal.deferred(100).unwrap().into_iter().map(|deferred| deferred.key).collect()
}

#[test]
fn they_wait_in_order_over_restarts_and_leave_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    for key in ["c", "a", "b", "d"] {
        journal.defer(NOON, key, &task(key), "the database is critical").unwrap();
    }
    assert_eq!(journal.deferred(2).unwrap().len(), 2);
    assert_eq!(journal.deferred(1).unwrap()[0].write, task("c"));
    journal.applied(NOON, &["c".into(), "a".into()]).unwrap();
    assert_eq!((waiting(&journal), journal.deferred_count().unwrap()), (vec!["b".into(), "d".into()], 2));
    drop(journal);

    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!((waiting(&journal), journal.deferred_count().unwrap()), (vec!["b".into(), "d".into()], 2));
    journal.applied(NOON, &["a".into(), "b".into(), "b".into()]).unwrap();
    journal.defer(NOON, "e", &task("e"), "the queue drains").unwrap();
    assert_eq!((waiting(&journal), journal.deferred_count().unwrap()), (vec!["d".into(), "e".into()], 2));
    journal.applied(NOON, &["e".into(), "d".into()]).unwrap();
    assert_eq!((waiting(&journal), journal.deferred_count().unwrap()), (Vec::new(), 0));
    let verified = Reader::open(dir.path()).unwrap().verify().unwrap();
    assert!(verified.is_whole());
    assert_eq!(verified.entries, 10, "five deferrals and five applications");
}

#[test]
fn the_same_key_twice_waits_once_and_an_unknown_one_never_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let first = journal.defer(NOON, "a", &task("a"), "why").unwrap();
    assert_eq!(journal.defer(NOON, "a", &task("a"), "why").unwrap(), first);
    assert_eq!(journal.deferred_count().unwrap(), 1);
    let why = journal.applied(NOON, &["a".into(), "stranger".into()]).unwrap_err();
    assert!(matches!(&why, JournalError::Refused { says } if says.contains("never waited")), "{why}");
    assert_eq!(waiting(&journal), ["a"], "nothing of a refused transaction remains");
    journal.applied(NOON, &["a".into()]).unwrap();
    assert_eq!(journal.defer(NOON, "a", &task("a"), "why").unwrap(), first, "done is done");
    assert_eq!(journal.deferred_count().unwrap(), 0);
}
