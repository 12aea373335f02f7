//! Opening: what is wrong is told, and nothing is changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use grace::record::{Journal, JournalError, Reader};
use grace::store::StoreError;
use rusqlite::Connection;

use super::sample::{NOON, note};

fn refused(dir: &Path) -> StoreError {
    match Journal::open(dir) {
        Err(JournalError::Store(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn unread(dir: &Path) -> StoreError {
    match Reader::open(dir) {
        Err(JournalError::Store(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_newer_version_is_refused_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.db");
    drop(Journal::open(dir.path()).unwrap());
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&file).unwrap();
    let why = refused(dir.path());
    assert!(matches!(why, StoreError::Newer { found: 99, known: 7, .. }), "{why}");
    assert!(why.to_string().contains("newer Grace"), "{why}");
    assert!(matches!(unread(dir.path()), StoreError::Newer { .. }));
    assert!(fs::read(&file).unwrap() == before, "the file was changed");
}

#[test]
fn a_file_that_is_something_else_is_refused_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.db");
    fs::write(&file, "a letter to a friend, long enough to be looked at as a header. ".repeat(100)).unwrap();
    let before = fs::read(&file).unwrap();
    assert!(matches!(refused(dir.path()), StoreError::NotADatabase { .. }));
    assert!(matches!(unread(dir.path()), StoreError::NotADatabase { .. }));
    assert!(fs::read(&file).unwrap() == before);

    fs::remove_file(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE songs (name)").unwrap();
    let before = fs::read(&file).unwrap();
    assert!(matches!(refused(dir.path()), StoreError::Foreign { name: "journal", .. }));
    assert!(fs::read(&file).unwrap() == before);
}

#[test]
fn a_damaged_file_is_named_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.db");
    let journal = Journal::open(dir.path()).unwrap();
    let notes: Vec<_> = (0..200).map(|n| note(&n.to_string())).collect();
    journal.append(NOON, &notes).unwrap();
    drop(journal);
    let mut bytes = fs::read(&file).unwrap();
    bytes[100..4096].fill(0x55);
    fs::write(&file, bytes).unwrap();
    let why = refused(dir.path());
    assert!(matches!(why, StoreError::Corrupt { .. }) && why.is_fatal(), "{why}");
}

#[test]
fn a_place_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let why = refused(&file.join("data"));
    assert!(matches!(why, StoreError::Place { .. }), "{why}");
    assert!(matches!(unread(&dir.path().join("nowhere")), StoreError::Missing { .. }));
}

#[test]
fn nobody_else_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep/data");
    let journal = Journal::open(&data).unwrap();
    journal.append(NOON, &[note("a")]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.path());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["journal.db", "journal.db-shm", "journal.db-wal", "journal.head", "reserve"]);
}

#[test]
fn a_reader_reads_beside_the_writer_and_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.last_seq().unwrap(), 0);
    journal.append(NOON, &[note("a")]).unwrap();
    assert_eq!(reader.last_seq().unwrap(), 1);
    drop(journal);
    let event = Reader::open(dir.path()).unwrap().events_after(0, 10).unwrap().remove(0);
    assert_eq!((event.seq(), event.kind.as_str(), event.specversion.as_str()), (1, "grace.stopped", "1.0"));
    assert_eq!((event.time.as_str(), &event.data["reason"]), ("2026-11-23T12:00:00Z", &"a".into()));
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<grace::record::Event>(&text).unwrap(), event);
}

#[test]
fn a_journal_that_fails_under_way_says_so_until_it_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    let notes: Vec<_> = (0..500).map(|n| note(&n.to_string())).collect();
    Journal::open(dir.path()).unwrap().append(NOON, &notes).unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let file = dir.path().join("journal.db");
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[8192..].fill(0x55);
    fs::write(&file, damaged).unwrap();
    let why = journal.append(NOON, &notes).unwrap_err();
    assert!(matches!(why, JournalError::Broken { .. }) && why.is_fatal(), "{why:?}");
    fs::write(&file, whole).unwrap();
    let why = journal.append(NOON, &[note("a")]).unwrap_err();
    assert!(matches!(why, JournalError::Broken { .. }), "{why:?}");
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.append(NOON, &[note("a")]).unwrap(), 501);
    assert!(Reader::open(dir.path()).unwrap().verify().unwrap().is_whole());
}

#[test]
fn threads_share_it() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Journal>();
    shared::<Reader>();
    shared::<grace::record::Clock>();
    shared::<grace::record::Committed<grace::govern::Permit>>();
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = &journal;
            scope.spawn(move || {
                for _ in 0..25 {
                    journal.append(NOON, &[note(&thread.to_string())]).unwrap();
                }
            });
        }
    });
    let verified = Reader::open(dir.path()).unwrap().verify().unwrap();
    assert!(verified.is_whole() && verified.entries == 100, "{verified:?}");
}

#[test]
fn another_users_journal_is_told_from_none_at_all() {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let home = tempfile::tempdir().unwrap();
    mode(home.path(), 0o711);
    let data = home.path().join("data");
    drop(Journal::open(&data).unwrap());
    let owner = fs::metadata(&data).unwrap().uid();
    let ask = |data: &Path| {
        let mut grace = crate::daemon::nobody(home.path())?;
        Some(crate::daemon::said(&grace.args(["audit", "verify", "--data"]).arg(data).output().unwrap()))
    };
    // First nobody gets into the directory, and then nobody but its owner reads the file.
    for (open, belongs) in [(0o700, data.clone()), (0o711, data.join("journal.db"))] {
        mode(&data, open);
        let Some(said) = ask(&data) else { return };
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        let whose =
            format!("uid 65534 may not read this database; {} belongs to uid {owner}", belongs.display());
        assert!(said.err.contains(&whose) && !said.err.contains("no database"), "{said:?}");
    }
    let Some(none) = ask(&home.path().join("elsewhere")) else { return };
    assert!(none.code == Some(2) && none.err.contains("there is no database here"), "{none:?}");
}
