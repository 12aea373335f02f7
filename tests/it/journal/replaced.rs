//! A journal that is no longer the one its writer left, under a writer and for the next one.

use std::fs;
use std::path::Path;

use grace::record::{Journal, Reader, Replaced};
use rusqlite::Connection;

use super::sample::{NOON, note};

fn notes(count: usize) -> Vec<grace::model::Record> {
    (0..count).map(|n| note(&format!("{n} {}", "x".repeat(500)))).collect()
}

/// A journal with `first` entries in a copy of its folder, and `then` more in it.
fn with_an_older_copy(dir: &Path, first: usize, then: usize) -> Journal {
    let journal = Journal::open(&dir.join("data")).unwrap();
    journal.append(NOON, &notes(first)).unwrap();
    drop(journal);
    fs::create_dir(dir.join("old")).unwrap();
    fs::copy(dir.join("data/journal.db"), dir.join("old/journal.db")).unwrap();
    let journal = Journal::open(&dir.join("data")).unwrap();
    journal.append(NOON, &notes(then)).unwrap();
    journal
}

fn fold(dir: &Path) {
    let conn = Connection::open(dir.join("data/journal.db")).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(())).unwrap();
}

#[test]
fn a_copy_over_the_same_file_is_found_before_the_next_commit() {
    // With the last entries in the log alone, folded in by somebody else, and folded in by the writer.
    for (then, folded) in [(3, false), (3, true), (6_000, false)] {
        let dir = tempfile::tempdir().unwrap();
        let journal = with_an_older_copy(dir.path(), 20, then);
        if folded {
            fold(dir.path());
            journal.append(NOON, &notes(1)).unwrap();
        }
        fs::copy(dir.path().join("old/journal.db"), dir.path().join("data/journal.db")).unwrap();
        let copied_over = fs::metadata(dir.path().join("data/journal.db")).unwrap().len();
        let why = journal.append(NOON, &notes(1)).err();
        if then == 3 && !folded {
            // The file held no more than the copy: nothing was lost, and the log is still there.
            assert!(why.is_none(), "{why:?} {copied_over}");
            assert!(Reader::open(&dir.path().join("data")).unwrap().verify().unwrap().is_whole());
        } else {
            let why = why.expect("refused");
            assert!(why.is_fatal() && why.to_string().contains("copy of another time"), "{why}");
            assert!(journal.append(NOON, &notes(1)).unwrap_err().is_fatal(), "and it stays so");
        }
    }
}

#[test]
fn a_log_that_another_program_folds_in_is_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let journal = with_an_older_copy(dir.path(), 20, 30);
    for _ in 0..3 {
        fold(dir.path());
        journal.append(NOON, &notes(2)).unwrap();
    }
    assert!(Reader::open(&dir.path().join("data")).unwrap().verify().unwrap().is_whole());
}

#[test]
fn a_journal_whose_end_another_writer_moved_is_not_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let one = Journal::open(dir.path()).unwrap();
    one.append(NOON, &notes(1)).unwrap();
    let two = Journal::open(dir.path()).unwrap();
    two.append(NOON, &notes(1)).unwrap();
    let why = one.append(NOON, &notes(1)).unwrap_err();
    assert!(why.is_fatal() && why.to_string().contains("last entry"), "{why}");
    two.append(NOON, &notes(1)).unwrap();
}

#[test]
fn the_witness_tells_an_older_copy_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (data, old) = (dir.path().join("data"), dir.path().join("old/journal.db"));
    let replaced = || Journal::open(&data).unwrap().replaced();
    drop(with_an_older_copy(dir.path(), 20, 3));
    assert_eq!(replaced(), None);
    let newest = fs::read(data.join("journal.db")).unwrap();

    fs::copy(&old, data.join("journal.db")).unwrap();
    assert_eq!(replaced(), Some(Replaced { named: 23, last: 20 }));
    fs::remove_file(data.join("journal.db")).unwrap();
    assert_eq!(replaced(), Some(Replaced { named: 23, last: 0 }));
    fs::write(data.join("journal.db"), &newest).unwrap();
    assert_eq!(replaced(), None, "the right one is back");

    // Another journal that is longer.
    let other = dir.path().join("other");
    Journal::open(&other).unwrap().append(NOON, &notes(50)).unwrap();
    fs::copy(other.join("journal.db"), data.join("journal.db")).unwrap();
    assert_eq!(replaced(), Some(Replaced { named: 23, last: 50 }));
    Journal::open(&data).unwrap().append(NOON, &notes(1)).unwrap();
    assert_eq!(replaced(), None, "from its first entry on it is this one");

    // A witness that lags behind, as after a power loss, names an entry that is there.
    fs::copy(other.join("journal.head"), data.join("journal.head")).unwrap();
    assert_eq!(replaced(), None);
    fs::remove_file(data.join("journal.head")).unwrap();
    assert_eq!(replaced(), None);
}
