//! From version to version: a copy before, nothing lost, and an older binary keeps its hands off.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use grace::record::{Journal, JournalError, Reader};
use grace::store::StoreError;
use rusqlite::Connection;

pub(crate) use crate::crash::harness::version_1::make_version_1;
use crate::daemon::{Daemon, command, said};
use crate::journal::full::{disk, fill, on_a_small_disk};
use crate::journal::sample::{NOON, end, input, intent, note, step};

/// A journal of version 1 with `ticks` ticks.
fn version_1(dir: &Path, ticks: u64) {
    let journal = Journal::open(dir).expect("opens");
    for tick in 1..=ticks {
        journal.commit(NOON, &input(tick), step(tick, vec![intent(tick), end(tick)])).expect("commits");
    }
    journal.append(NOON, &[note("of version 1")]).expect("appends");
    drop(journal);
    make_version_1(dir);
}

/// Each file of a folder with its bytes.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).expect("a folder").flatten().filter(|file| file.path().is_file());
    let named = files.map(|file| (file.file_name().into_string().expect("plain"), fs::read(file.path())));
    named.map(|(name, bytes)| (name, bytes.expect("read"))).collect()
}

#[test]
fn version_1_is_migrated_after_a_copy_and_nothing_is_lost() {
    let dir = tempfile::tempdir().expect("a folder");
    version_1(dir.path(), 5);
    let why = Reader::open(dir.path()).expect_err("readers do not migrate");
    assert!(matches!(why, JournalError::Store(StoreError::Older { found: 1, .. })), "{why}");
    let journal = Journal::open(dir.path()).expect("migrates");
    assert_eq!(journal.state().expect("read").expect("a state").tick, 5);
    assert_eq!((journal.replaced(), journal.moment().expect("read")), (None, None));
    journal.append(NOON, &[note("of today")]).expect("appends");
    let verified = Reader::open(dir.path()).expect("opens").verify().expect("read");
    assert!(verified.is_whole() && verified.entries == 17, "{verified:?}");

    let kept = dir.path().join("journal.db.v1");
    assert_eq!(fs::metadata(&kept).expect("there").permissions().mode() & 0o777, 0o600);
    let then = Connection::open(&kept).expect("opens");
    let count = |query: &str| then.query_row(query, [], |row| row.get::<_, i64>(0)).expect(query);
    assert_eq!((count("SELECT count(*) FROM entries"), count("PRAGMA user_version")), (16, 1));
    drop(journal);
    let before = fs::read(&kept).expect("read");
    drop(Journal::open(dir.path()).expect("opens"));
    assert!(fs::read(&kept).expect("read") == before, "a version that is up to date is not copied");
}

#[test]
fn a_whole_grace_goes_on_from_version_1() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.grace(&["hold", "all", "--reason", "upgrade", "--for", "ever"]).code, Some(0));
    assert_eq!(grace.stop().0, Some(0));
    make_version_1(&data);
    let grace = Daemon::start_in(dir, &[]);
    assert_eq!(grace.get("/api/holds").as_array().map(Vec::len), Some(1), "the hold is still there");
    assert_eq!(grace.get("/api/health/mode")["mode"], "normal", "and nothing is suspicious");
    assert!(grace.log().contains("journal.db.v1"), "{}", grace.log());
    assert_eq!(grace.grace(&["audit", "verify"]).code, Some(0));
}

#[test]
fn an_older_binary_refuses_a_newer_database_and_changes_not_one_byte() {
    let (made, dir) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let journal = Journal::open(made.path()).expect("opens");
    journal.append(NOON, &[note("of tomorrow")]).expect("appends");
    // As a newer Grace that was killed would leave it: the version still lies in the log.
    let conn = Connection::open(made.path().join("journal.db")).expect("opens");
    conn.pragma_update(None, "user_version", 99).expect("set");
    let data = dir.path().join("data");
    fs::create_dir(&data).expect("made");
    for name in ["journal.db", "journal.db-wal", "journal.head"] {
        fs::copy(made.path().join(name), data.join(name)).expect(name);
    }
    fs::write(data.join("grace.db"), "whatever it is").expect("written");
    let before = bytes(&data);
    let told = said(&command(&data).args(["run", "--once"]).output().expect("runs"));
    assert!(told.code == Some(2) && told.err.contains("made by a newer Grace"), "{told:?}");
    for verb in [&["audit", "verify"][..], &["events"]] {
        let told = said(&command(&data).args(verb).output().expect("runs"));
        assert!(told.code == Some(2) && told.err.contains("newer Grace"), "{told:?}");
    }
    let mut after = bytes(&data);
    // SQLite's index of the log, which it makes anew from the log whenever it is missing.
    after.remove("journal.db-shm");
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before, "a file was changed");
}

#[test]
fn without_room_for_the_copy_nothing_is_migrated() {
    on_a_small_disk("survive::migrate::child_without_room");
}

#[test]
fn child_without_room() {
    let Some(disk) = disk() else { return };
    let data = disk.join("data");
    version_1(&data, 400);
    let stuffing = disk.join("stuffing");
    fill(&stuffing);
    // Room for something, but not for a copy.
    let size = fs::metadata(data.join("journal.db")).expect("there").len();
    fs::File::options()
        .write(true)
        .open(&stuffing)
        .expect("opens")
        .set_len(fs::metadata(&stuffing).expect("there").len() - size / 2)
        .expect("shortened");
    let before = bytes(&data);
    let why = Journal::open(&data).expect_err("no room");
    assert!(matches!(&why, JournalError::Store(StoreError::NoCopy { .. })), "{why:?}");
    assert!(why.to_string().contains("nothing was changed; make room"), "{why}");
    let mut after = bytes(&data);
    after.remove("journal.db-shm");
    after.remove("journal.db-wal");
    assert!(after == before, "{:?}", after.keys().collect::<Vec<_>>());
    fs::remove_file(stuffing).expect("removed");
    assert_eq!(Journal::open(&data).expect("migrates").state().expect("read").expect("a state").tick, 400);
    assert!(data.join("journal.db.v1").exists());
}
