//! One file that holds both databases: made while Grace works, proven, and restored wholly or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use grace::store::Manifest;
use grace::supervisor::{BackupError, backup, restore};
use rusqlite::Connection;
use serde_json::Value;

use crate::daemon::{Daemon, Said, command, said};
use crate::journal::full::{disk, fill, on_a_small_disk};

fn grace(data: &Path, args: &[&str]) -> Said {
    said(&command(data).args(args).output().expect("runs"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A stopped Grace with a task of this text.
fn with_task(task: &str) -> (Arc<tempfile::TempDir>, PathBuf) {
    let grace = Daemon::start_with(&[]);
    assert_eq!(grace.grace(&["task", "add", task]).code, Some(0));
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert_eq!(grace.stop().0, Some(0));
    (dir, data)
}

fn tasks(data: &Path) -> Vec<String> {
    let db = Connection::open(data.join("grace.db")).expect("opens");
    let mut query = db.prepare("SELECT text FROM tasks ORDER BY seq").expect("a table");
    let texts = query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>();
    texts.expect("texts")
}

fn make(data: &Path, target: &Path) -> Result<Manifest, BackupError> {
    backup(data, target, false, &mut |_, _, _| {})
}

/// What lies in a folder, but for what locks and indexes leave.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(files) = fs::read_dir(dir) else { return BTreeMap::new() };
    let named = files.flatten().map(|file| (file.file_name().into_string().expect("plain"), file.path()));
    named.map(|(name, path)| (name, fs::read(path).unwrap_or_default())).collect()
}

/// One tick on this directory: everything works, and nothing is suspicious.
fn lives(data: &Path) {
    let once = grace(data, &["run", "--once", "--interval", "200ms"]);
    assert_eq!(once.code, Some(0), "{once:?}");
    let verified = grace(data, &["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let events = grace(data, &["events"]).out;
    assert!(!events.contains("grace.journal_replaced"), "{events}");
}

#[test]
fn a_backup_of_a_working_grace_holds_all_that_was_acknowledged_before() {
    let running = Daemon::start_with(&[]);
    let (target, other) = (running.dir.path().join("b.tar"), running.dir.path().join("other"));
    for number in 0..5 {
        assert_eq!(running.grace(&["task", "add", &format!("before {number}")]).code, Some(0));
    }
    let done = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                running.post("/api/tasks", r#"{"text":"meanwhile"}"#);
            }
        });
        let made = running.grace(&["backup", text(&target), "--output", "json"]);
        done.store(true, Ordering::Relaxed);
        made
    });
    assert_eq!(made.code, Some(0), "{made:?}");
    let told: Value = serde_json::from_str(&made.out).expect("JSON");
    assert_eq!(fs::metadata(&target).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(running.dir.path()).expect("a folder").count(), 2, "nothing else is left");

    let restored = grace(&other, &["restore", text(&target), "--output", "json"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let again: Value = serde_json::from_str(&restored.out).expect("JSON");
    assert_eq!((&again["manifest"], &again["moved_aside"]), (&told["manifest"], &serde_json::json!([])));
    let verified = grace(&other, &["audit", "verify"]);
    assert!(
        verified.out.contains(told["manifest"]["journal"]["head"].as_str().expect("a hash")),
        "{verified:?}"
    );
    lives(&other);
    let there = tasks(&other);
    assert!((0..5).all(|number| there.contains(&format!("before {number}"))), "{there:?}");
}

#[test]
fn nothing_is_overwritten_unless_it_is_meant_and_nothing_is_ever_deleted() {
    let (dir, data) = with_task("old");
    let target = dir.path().join("b.tar");
    let made = grace(&data, &["backup", text(&target)]);
    assert!(made.code == Some(0) && made.out.contains("journal.db: "), "{made:?}");
    let again = grace(&data, &["backup", text(&target)]);
    assert!(again.code == Some(2) && again.err.contains("--force"), "{again:?}");
    assert_eq!(grace(&data, &["backup", text(&target), "--force"]).code, Some(0));

    let running = Daemon::start_in(Arc::clone(&dir), &[]);
    assert_eq!(running.grace(&["task", "add", "new"]).code, Some(0));
    let refused = running.grace(&["restore", text(&target), "--force"]);
    assert!(refused.code == Some(2) && refused.err.contains("another Grace runs"), "{refused:?}");
    assert_eq!(running.stop().0, Some(0));
    let refused = grace(&data, &["restore", text(&target)]);
    assert!(refused.code == Some(2) && refused.err.contains("there are databases here"), "{refused:?}");
    assert_eq!(tasks(&data), ["old", "new"]);

    let restored = grace(&data, &["restore", text(&target), "--force"]);
    assert!(restored.code == Some(0) && restored.out.contains("moved aside: "), "{restored:?}");
    assert_eq!(tasks(&data), ["old"]);
    lives(&data);
    let aside = bytes(&data).into_keys().find(|name| name.starts_with("grace.db.before-restore-"));
    let kept = dir.path().join("kept");
    fs::create_dir(&kept).expect("made");
    fs::copy(data.join(aside.expect("moved aside")), kept.join("grace.db")).expect("copied");
    assert_eq!(tasks(&kept), ["old", "new"]);
}

#[test]
fn any_changed_byte_and_any_cut_is_found_before_anything_is_touched() {
    let (dir, data) = with_task("old");
    let (target, other) = (dir.path().join("b.tar"), dir.path().join("other"));
    make(&data, &target).expect("made");
    let whole = fs::read(&target).expect("read");
    let bad = dir.path().join("bad.tar");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&bad, bytes).expect("written");
        let why = restore(&other, &bad, false).err().unwrap_or_else(|| panic!("accepted: {what}"));
        assert!(matches!(why, BackupError::Archive(_)), "{what}: {why}");
        assert!(!other.exists(), "{what}: nothing is made");
    };
    let spread = (0..whole.len()).step_by(whole.len() / 60);
    for at in spread.chain(0..4).chain(512..600).chain(whole.len() - 1025..whole.len() - 1020) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        refused(&bytes, &format!("byte {at}"));
    }
    for length in [0, 1, 511, 512, 5_000, whole.len() / 2, whole.len() - 1024, whole.len() - 1] {
        refused(&whole[..length], &format!("{length} bytes"));
    }
    refused(&[&whole[..], b"more"].concat(), "more");
    refused("no tar at all ".repeat(1000).as_bytes(), "a text");
    fs::write(&bad, &whole[..5_000]).expect("written");
    let told = grace(&other, &["restore", text(&bad)]);
    assert!(told.code == Some(1) && told.err.contains("no whole backup"), "{told:?}");
    let told = grace(&other, &["restore", text(&dir.path().join("nowhere.tar"))]);
    assert!(told.code == Some(2) && told.err.contains("nowhere.tar"), "{told:?}");
    assert!(restore(&other, &target, false).is_ok());
}

/// The manifest and the files of a backup.
fn taken_apart(target: &Path) -> Vec<(String, Vec<u8>)> {
    let mut tar = tar::Archive::new(fs::File::open(target).expect("opens"));
    let parts = tar.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("an entry");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("read");
        (entry.path().expect("a path").to_str().expect("plain").to_owned(), bytes)
    });
    parts.collect()
}

/// Puts parts into a tar; a name that no library would write is written as it is.
fn put_together(target: &Path, parts: &[(String, Vec<u8>)], kind: tar::EntryType) {
    let mut tar = tar::Builder::new(fs::File::create(target).expect("made"));
    for (name, bytes) in parts {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_entry_type(if name == "manifest.json" { tar::EntryType::Regular } else { kind });
        header.set_cksum();
        tar.append(&header, &bytes[..]).expect("written");
    }
    tar.finish().expect("ended");
}

#[test]
fn only_the_three_known_names_are_read() {
    let (dir, data) = with_task("old");
    let (target, other, bad) =
        (dir.path().join("b.tar"), dir.path().join("deep/other"), dir.path().join("bad.tar"));
    make(&data, &target).expect("made");
    let parts = taken_apart(&target);
    assert_eq!(
        parts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["manifest.json", "grace.db", "journal.db"]
    );
    put_together(&bad, &parts, tar::EntryType::Regular);
    assert!(restore(&dir.path().join("fine"), &bad, false).is_ok(), "the same parts are fine");
    let evil = |name: &str| (name.to_owned(), b"evil".to_vec());
    let absolute = dir.path().join("evil");
    let regular = tar::EntryType::Regular;
    for (what, parts, kind) in [
        ("a way up", [&parts[..], &[evil("../evil")]].concat(), regular),
        ("from the root", [&parts[..], &[evil(text(&absolute))]].concat(), regular),
        ("a stranger", [&parts[..], &[evil("STOP")]].concat(), regular),
        ("one twice", [&parts[..], &parts[2..]].concat(), regular),
        ("none at all", parts[..2].to_vec(), regular),
        (
            "a roundabout name",
            vec![parts[0].clone(), ("./grace.db".into(), parts[1].1.clone()), parts[2].clone()],
            regular,
        ),
        ("no manifest", parts[1..].to_vec(), regular),
        ("links", parts.clone(), tar::EntryType::Symlink),
        ("pipes", parts.clone(), tar::EntryType::Fifo),
        ("sparse files", parts.clone(), tar::EntryType::GNUSparse),
    ] {
        put_together(&bad, &parts, kind);
        let why = restore(&other, &bad, false).err().unwrap_or_else(|| panic!("accepted: {what}"));
        assert!(matches!(why, BackupError::Archive(_)), "{what}: {why}");
        assert!(!other.exists() && !absolute.exists(), "{what}");
    }
}

#[test]
fn a_newer_schema_is_refused_and_an_older_one_is_migrated_later() {
    for (version, code) in [(99, 2), (1, 0)] {
        let (dir, data) = with_task("old");
        let (target, other) = (dir.path().join("b.tar"), dir.path().join("other"));
        make(&data, &target).expect("made");
        let folder = dir.path().join("parts");
        fs::create_dir(&folder).expect("made");
        for (name, bytes) in taken_apart(&target) {
            fs::write(folder.join(&name), bytes).expect("written");
        }
        if version == 1 {
            super::migrate::make_version_1(&folder);
            Connection::open(folder.join("journal.db"))
                .expect("opens")
                .pragma_update(None, "journal_mode", "DELETE")
                .expect("set");
        } else {
            Connection::open(folder.join("journal.db"))
                .expect("opens")
                .pragma_update(None, "user_version", version)
                .expect("set");
        }
        let old: Manifest = serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("read"))
            .expect("a manifest");
        let member = |name: &str, version| {
            (name.to_owned(), grace::store::Member::of(&folder.join(name), version).expect("read"))
        };
        let files = [member("journal.db", version), member("grace.db", old.files["grace.db"].schema_version)];
        fs::remove_file(&target).expect("removed");
        grace::store::pack(&target, &Manifest::new(old.created, files.into(), old.journal), &folder)
            .expect("packed");
        let told = grace(&other, &["restore", text(&target)]);
        assert_eq!(told.code, Some(code), "{told:?}");
        if code == 0 {
            lives(&other);
            assert!(other.join("journal.db.v1").exists());
        } else {
            assert!(told.err.contains("newer Grace"), "{told:?}");
            assert!(!bytes(&other).contains_key("journal.db") && !other.join("restoring").exists());
        }
    }
}

#[test]
fn a_journal_that_does_not_hold_is_not_called_a_backup() {
    let (dir, data) = with_task("old");
    let db = crate::journal::sample::forge(&data);
    db.execute("UPDATE entries SET at = at + 1 WHERE seq = 2", []).expect("forged");
    drop(db);
    let target = dir.path().join("b.tar");
    let told = grace(&data, &["backup", text(&target)]);
    assert!(told.code == Some(1) && told.err.contains("entry 2"), "{told:?}");
    assert!(!target.exists() && fs::read_dir(dir.path()).expect("a folder").count() == 1);
    let nowhere = grace(&dir.path().join("nowhere"), &["backup", text(&target)]);
    assert!(nowhere.code == Some(2) && nowhere.err.contains("no database here"), "{nowhere:?}");
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    on_a_small_disk("survive::backup::child_full_disk");
}

#[test]
fn child_full_disk() {
    let Some(disk) = disk() else { return };
    let (dir, data) = with_task("old");
    let whole = dir.path().join("whole.tar");
    make(&data, &whole).expect("made");
    let size = fs::metadata(&whole).expect("there").len();
    // From no room at all to nearly enough: the copies, the tar and the unpacked files all meet the end.
    for room in [0, size / 3, size, size * 5 / 3] {
        let stuffing = disk.join("stuffing");
        fill(&stuffing);
        let all = fs::metadata(&stuffing).expect("there").len();
        fs::File::options()
            .write(true)
            .open(&stuffing)
            .expect("opens")
            .set_len(all - room)
            .expect("shortened");
        let told = grace(&data, &["backup", text(&disk.join("b.tar"))]);
        assert!(
            told.code == Some(2) && (told.err.contains("full") || told.err.contains("No space")),
            "{room}: {told:?}"
        );
        if room < size {
            let told = grace(&disk.join("data"), &["restore", text(&whole)]);
            assert!(told.code == Some(2) && told.err.contains("No space"), "{room}: {told:?}");
            let left = bytes(&disk.join("data"));
            assert!(left.is_empty(), "{room}: {:?}", left.keys().collect::<Vec<_>>());
        }
        assert!(bytes(&disk).into_keys().all(|name| name == "stuffing" || name == "data"), "{room}");
        fs::remove_file(stuffing).expect("removed");
    }
    assert_eq!(grace(&data, &["backup", text(&disk.join("b.tar"))]).code, Some(0));
    assert_eq!(grace(&disk.join("data"), &["restore", text(&whole)]).code, Some(0));
}

/// How long it takes here, with a bit for the start of a process.
fn lasts(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed() + Duration::from_millis(20)
}

/// Begins it and kills it after this time.
fn killed(command: &mut std::process::Command, after: Duration) {
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("starts");
    std::thread::sleep(after);
    child.kill().expect("killed");
    child.wait().expect("gone");
}

#[test]
fn killed_at_any_instant_there_is_a_whole_backup_or_none() {
    let (dir, data) = with_task("old");
    let (target, folder) = (dir.path().join("b.tar"), dir.path().join(".b.tar.new"));
    let lasts = lasts(|| drop(make(&data, &dir.path().join("measured.tar")).expect("made")));
    let mut made = 0;
    for round in 0..25 {
        killed(command(&data).args(["backup", text(&target)]), lasts * round / 20);
        if target.exists() {
            grace::store::unpack(&target, &["grace.db", "journal.db"], None).expect("whole");
            fs::remove_file(&target).expect("removed");
            made += 1;
        }
    }
    let told = grace(&data, &["backup", text(&target)]);
    assert!(told.code == Some(0) && !folder.exists(), "{made} {told:?}");
}

#[test]
fn killed_at_any_instant_a_restore_leaves_the_old_or_the_new() {
    let (dir, data) = with_task("of the backup");
    let target = dir.path().join("b.tar");
    make(&data, &target).expect("made");
    let running = Daemon::start_in(Arc::clone(&dir), &[]);
    assert_eq!(running.grace(&["task", "add", "later"]).code, Some(0));
    assert_eq!(running.stop().0, Some(0));
    let before = bytes(&data);
    let lasts = lasts(|| drop(restore(&dir.path().join("measured"), &target, false).expect("restored")));
    for round in 0..25 {
        let here = dir.path().join(format!("round{round}"));
        fs::create_dir(&here).expect("made");
        for (name, bytes) in &before {
            fs::write(here.join(name), bytes).expect("written");
        }
        killed(command(&here).args(["restore", "--force", text(&target)]), lasts * round / 20);
        lives(&here);
        assert!(!here.join("restoring").exists());
        let new = tasks(&here) == ["of the backup"];
        assert!(new || tasks(&here) == ["of the backup", "later"], "{:?}", tasks(&here));
    }
}

#[test]
fn restored_by_root_it_belongs_to_whom_the_directory_belongs() {
    let (dir, data) = with_task("old");
    let (target, other) = (dir.path().join("b.tar"), dir.path().join("other"));
    make(&data, &target).expect("made");
    fs::create_dir(&other).expect("made");
    if let Err(error) = std::os::unix::fs::chown(&other, Some(65534), Some(65534)) {
        assert!(std::env::var_os("CI").is_none(), "not root: {error}");
        let why = format!("skipped: only root can give a directory away: {error}\n");
        std::io::Write::write_all(&mut std::io::stderr(), why.as_bytes()).expect("said");
        return;
    }
    restore(&other, &target, false).expect("restored");
    for name in ["journal.db", "grace.db", "journal.head"] {
        let there = fs::metadata(other.join(name)).expect(name);
        assert_eq!((there.uid(), there.gid()), (65534, 65534), "{name}");
    }
}

#[test]
fn a_restore_that_was_cut_short_when_it_was_certain_is_ended_by_the_next_start() {
    let (dir, data) = with_task("of the backup");
    let target = dir.path().join("b.tar");
    let manifest = make(&data, &target).expect("made");
    let running = Daemon::start_in(Arc::clone(&dir), &[]);
    assert_eq!(running.grace(&["task", "add", "later"]).code, Some(0));
    assert_eq!(running.stop().0, Some(0));
    let note = serde_json::json!({ "ending": "before-restore-7", "journal": manifest.journal }).to_string();
    for moves in 0..=4 {
        let here = dir.path().join(format!("after{moves}"));
        let restoring = here.join("restoring");
        fs::create_dir_all(&restoring).expect("made");
        for (name, bytes) in bytes(&data) {
            fs::write(here.join(name), bytes).expect("written");
        }
        for (name, bytes) in &taken_apart(&target)[1..] {
            fs::write(restoring.join(name), bytes).expect("written");
        }
        fs::write(restoring.join("ready"), &note).expect("written");
        let steps = [
            (here.join("grace.db"), here.join("grace.db.before-restore-7")),
            (restoring.join("grace.db"), here.join("grace.db")),
            (here.join("journal.db"), here.join("journal.db.before-restore-7")),
            (restoring.join("journal.db"), here.join("journal.db")),
        ];
        for (from, to) in &steps[..moves] {
            fs::rename(from, to).expect("moved");
        }
        lives(&here);
        assert_eq!(tasks(&here), ["of the backup"], "after {moves} moves");
        assert!(!restoring.exists() && here.join("journal.db.before-restore-7").exists());
    }
}
