//! A full disk and one that cannot be written, on a small disk of our own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use grace::record::{Journal, JournalError, Reader};
use grace::store::StoreError;

use super::sample::{NOON, advice, input, note, step};

const DISK: &str = "GRACE_TEST_DISK";

/// Runs a test of this binary with a small disk mounted that only it sees.
pub(crate) fn on_a_small_disk(test: &str) {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size=16m,mode=0755 tmpfs "$1" || exit 77
                    exec "$2" --exact "$3" --nocapture"#;
    let told = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(dir.path())
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(DISK, dir.path())
        .output();
    let ran = told.as_ref().is_ok_and(|told| {
        told.status.code() != Some(77) && String::from_utf8_lossy(&told.stdout).contains("running 1 test")
    });
    if !ran {
        let why = told.map(|told| String::from_utf8_lossy(&told.stderr).into_owned());
        assert!(std::env::var_os("CI").is_none(), "no small disk could be mounted: {why:?}");
        return say(&format!("skipped, because no small disk can be mounted here: {why:?}"));
    }
    let told = told.unwrap();
    let said = [told.stdout, told.stderr].concat();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[expect(clippy::print_stderr, reason = "a test that does not run says so")]
fn say(why: &str) {
    eprintln!("{why}");
}

pub(crate) fn disk() -> Option<PathBuf> {
    std::env::var_os(DISK).map(PathBuf::from)
}

#[test]
fn a_full_disk_is_recorded_and_forgotten_when_there_is_room() {
    on_a_small_disk("journal::full::child_full");
}

#[test]
fn child_full() {
    let Some(disk) = disk() else { return };
    let data = disk.join("data");
    let reserve = data.join("reserve");
    let journal = Journal::open(&data).unwrap();
    let first = journal.commit(NOON, &input(1), step(1, Vec::new())).unwrap();
    assert!(reserve.exists());
    let stuffing = disk.join("stuffing");
    fill(&stuffing);

    // Larger than what the log has left, so that it has to grow.
    let large: Vec<_> = (0..300).map(|_| advice(&"x".repeat(1000))).collect();
    let why = (0..50)
        .find_map(|_| journal.commit(NOON, &input(2), step(2, large.clone())).err())
        .expect("the disk gets full");
    assert!(matches!(why, JournalError::Full { released: true }) && !why.is_fatal(), "{why}");
    assert!(!reserve.exists(), "the reserve was given back");

    let last = *journal.tail().borrow();
    let events = Reader::open(&data).unwrap().events_after(last - 1, 10).unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(serde_json::to_value(&events[0]).unwrap()["type"], "grace.disk_full");
    assert_eq!(journal.append(NOON, &[note("the disk is full")]).unwrap(), last + 1);
    assert!(!reserve.exists(), "and is not taken again while there is no room");
    assert!(journal.state().unwrap().unwrap().tick >= first.state.tick);
    let verified = Reader::open(&data).unwrap().verify().unwrap();
    assert!(verified.is_whole(), "{verified:?}");

    fs::remove_file(stuffing).unwrap();
    journal.commit(NOON, &input(3), step(3, large)).unwrap();
    assert!(reserve.exists(), "there is room again");
    drop(journal);
    let journal = Journal::open(&data).unwrap();
    assert_eq!(journal.state().unwrap().unwrap().tick, 3);
    assert!(Reader::open(&data).unwrap().verify().unwrap().is_whole());
}

pub(crate) fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let block = [7; 4096];
    while file.write_all(&block).is_ok() {}
}

#[test]
fn a_full_disk_at_the_start_is_named() {
    on_a_small_disk("journal::full::child_full_at_start");
}

#[test]
fn child_full_at_start() {
    let Some(disk) = disk() else { return };
    fs::create_dir(disk.join("data")).unwrap();
    fill(&disk.join("stuffing"));
    let why = Journal::open(&disk.join("data")).unwrap_err();
    assert!(matches!(&why, JournalError::Store(why) if why.is_full()), "{why}");
}

#[test]
fn a_disk_that_can_only_be_read_is_named_and_can_be_read() {
    on_a_small_disk("journal::full::child_read_only");
}

#[test]
fn child_read_only() {
    let Some(disk) = disk() else { return };
    let data = disk.join("data");
    let journal = Journal::open(&data).unwrap();
    journal.append(NOON, &[note("a")]).unwrap();
    drop(journal);
    let mounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk).status().unwrap();
    assert!(mounted.success());
    let why = Journal::open(&data).unwrap_err();
    assert!(matches!(&why, JournalError::Store(StoreError::ReadOnly { .. })), "{why:?}");
    assert_eq!(Reader::open(&data).unwrap().last_seq().unwrap(), 1);
    let why = Journal::open(&disk.join("elsewhere")).unwrap_err();
    assert!(matches!(&why, JournalError::Store(StoreError::Place { .. })), "{why:?}");
}
