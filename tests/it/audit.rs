//! The audit: entries that are verified alone, checkpoints that are signed, and every edit that either finds.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use grace::model::{Record, Time};
use grace::record::{Damage, Journal, Reader, Walked, walk_ledger};

use crate::daemon::{Daemon, said, until};

const NOON: Time = Time(1_795_435_200_000);

/// A journal of so many entries.
fn journal(dir: &Path, entries: usize) {
    let journal = Journal::open(dir).expect("opens");
    for number in 0..entries {
        let reason = format!("entry {number}: \u{e9} \"quoted\" \\ and more");
        journal.append(NOON, &[Record::Stopped { reason }]).expect("appends");
    }
}

/// The journal's entries as the file that is verified alone.
fn exported(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written: Result<u64, Box<dyn std::error::Error>> =
        Reader::open(dir).expect("opens").write_entries(&mut Wrong(&mut bytes));
    written.expect("written");
    bytes
}

/// A writer, so that the error type is the test's.
struct Wrong<'a>(&'a mut Vec<u8>);

impl std::io::Write for Wrong<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn walked(bytes: &[u8]) -> Walked {
    walk_ledger(bytes, |_, _| {}).expect("reads")
}

fn forget(lines: &mut Vec<&str>, at: usize) {
    lines.remove(at);
}

#[test]
fn each_kind_of_edit_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), 20);
    let bytes = exported(dir.path());
    let text = String::from_utf8(bytes).expect("text");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let with = |edit: &dyn Fn(&mut Vec<&str>)| {
        let mut lines = lines.clone();
        edit(&mut lines);
        walked(lines.concat().as_bytes()).broken.map(|broken| (broken.seq, broken.damage))
    };
    let removed = with(&|lines| forget(lines, 7));
    assert_eq!(removed, Some((7, Damage::Missing)));
    assert_eq!(with(&|lines| lines.swap(7, 8)), Some((7, Damage::Missing)));
    assert_eq!(with(&|lines| lines.insert(7, lines[3])), Some((7, Damage::Link)));
    assert_eq!(with(&|lines| lines.truncate(15)), Some((15, Damage::End)));
    assert_eq!(with(&|lines| forget(lines, 21)), Some((21, Damage::End)));
    assert_eq!(with(&|lines| forget(lines, 20)), Some((20, Damage::Last)));
    assert_eq!(with(&|lines| forget(lines, 0)), Some((0, Damage::First)));
    assert_eq!(with(&|lines| lines.push("{}\n")), Some((21, Damage::Last)));
    assert_eq!(with(&|lines| lines.push("\n")), Some((21, Damage::Last)));
    let cut = &text[..text.len() / 2];
    assert!(walked(cut.as_bytes()).broken.is_some());
    assert!(walked(b"").broken.is_some() && walked(b"{}").broken.is_some());
}

fn grace(data: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_grace")).args(args).arg("--data").arg(data).output().expect("runs")
}

#[test]
fn a_checkpoint_proves_what_was_there() {
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let running = Daemon::start_in(Arc::clone(&dir), &[]);
    running.grace(&["hold", "all", "--reason", "a test"]);
    let held = running.get("/api/journal?kind=held")[0]["seq"].as_i64().expect("a number");
    let notes = || fs::read_to_string(running.data().join("checkpoints")).unwrap_or_default();
    until("the hold is signed", || {
        notes().lines().filter_map(|line| line.parse().ok()).any(|seq: i64| seq >= held)
    });
    let made = running.grace(&["token", "create", "t", "--role", "viewer"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let data = running.data();
    let file = data.join("checkpoints");
    until("something is signed", || file.is_file());
    drop(running);
    let shown = file.display().to_string();
    let whole = said(&grace(&data, &["audit", "verify", "--checkpoint", &shown]));
    assert!(whole.code == Some(0) && whole.out.contains("signed: everything up to entry"), "{whole:?}");
    let key = said(&grace(&data, &["audit", "key"])).out.trim().to_owned();
    let export = data.join("entries.jsonl");
    let exported = export.display().to_string();
    let written = said(&grace(&data, &["audit", "export", "--entries", "--to", &exported]));
    assert_eq!(written.code, Some(0), "{written:?}");
    // Elsewhere, without the data directory.
    let alone = ["audit", "verify", "--export", &exported, "--checkpoint", &shown, "--key", &key];
    let nowhere = data.join("nowhere");
    let verified = said(&grace(&nowhere, &alone));
    assert!(verified.code == Some(0) && verified.out.contains("whole"), "{verified:?}");

    // An older copy of the journal is whole in itself, and lacks what was signed.
    let lines = fs::read_to_string(&export).expect("read");
    let short: String = lines.split_inclusive('\n').take(4).collect();
    fs::write(&export, short).expect("written");
    let missing = said(&grace(&nowhere, &alone));
    assert!(
        missing.code == Some(1) && missing.out.contains("entry 4: the journal ends before it"),
        "{missing:?}"
    );

    // Another key, another journal, a changed note.
    let other = tempfile::tempdir().expect("a directory");
    journal(other.path(), 3);
    let foreign = ["audit", "verify", "--checkpoint", &shown, "--key", &key];
    let foreign = said(&grace(other.path(), &foreign));
    assert!(foreign.code == Some(1) && foreign.err.contains("another journal"), "{foreign:?}");
    let note = fs::read_to_string(&file).expect("read");
    fs::write(&file, note.replacen("\n\n\u{2014}", "1\n\n\u{2014}", 1)).expect("written");
    let changed = said(&grace(&data, &["audit", "verify", "--checkpoint", &shown]));
    assert_eq!(changed.code, Some(1), "{changed:?}");
    fs::write(&file, note).expect("written");
    fs::remove_file(data.join("audit.key")).expect("removed");
    let keyless = said(&grace(&data, &["audit", "verify", "--checkpoint", &shown]));
    assert!(keyless.code == Some(2) && keyless.err.contains("audit.key"), "{keyless:?}");
    let wrong = said(&grace(&data, &["audit", "verify", "--checkpoint", &shown, "--key", "x+y+z"]));
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn a_row_that_was_changed_in_the_database_is_found_by_the_checkpoint_too() {
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let daemon = Daemon::start_in(Arc::clone(&dir), &[]);
    daemon.grace(&["token", "create", "t", "--role", "viewer"]);
    let data = daemon.data();
    let file = data.join("checkpoints");
    until("something is signed", || file.is_file());
    drop(daemon);
    let conn = rusqlite::Connection::open(data.join("journal.db")).expect("opens");
    conn.execute_batch("DROP TRIGGER entries_are_not_changed; UPDATE entries SET at = at + 1 WHERE seq = 2;")
        .expect("changed");
    drop(conn);
    let found = said(&grace(&data, &["audit", "verify", "--checkpoint", &file.display().to_string()]));
    assert!(found.code == Some(1) && found.out.contains("entry 2"), "{found:?}");
}

#[test]
fn entries_are_found_and_followed() {
    let daemon = Daemon::start();
    daemon.grace(&["hold", "database", "--reason", "moving disks"]);
    // Who ends something did it as well, and what was refused is about what was asked for.
    daemon.grace(&["silence", "trigger_mesh", "--reason", "a game day"]);
    daemon.grace(&["silence", "trigger_mesh", "--end", "--reason", "it is over"]);
    assert_eq!(daemon.grace(&["restart", "database", "--reason", "a try"]).code, Some(4));
    let data = daemon.data();
    let query = |args: &[&str]| said(&grace(&data, &[&["audit", "query"], args].concat()));
    let held = query(&["--kind", "held"]);
    assert!(held.out.contains("moving disks") && held.out.lines().count() == 2, "{held:?}");
    let me = format!("uid:{}", rustix::process::geteuid().as_raw());
    assert!(query(&["--actor", &me]).out.contains("held"));
    assert!(!query(&["--actor", "uid:4242"]).out.contains("held"));
    let ended = |actor: &str| query(&["--kind", "silence_ended", "--actor", actor]).out;
    assert!(ended(&me).contains("it is over") && !ended("uid").contains("it is over"));
    assert!(query(&["--component", "database", "--kind", "refused"]).out.contains("a try"));
    assert!(query(&["--component", "database", "--since", "1h"]).out.contains("held"));
    assert!(!query(&["--until", "1h"]).out.contains("held"));
    assert_eq!(query(&["--since", "soon"]).code, Some(2));
    let lines = query(&["--kind", "held", "--output", "json"]).out;
    let entry: serde_json::Value = serde_json::from_str(lines.trim()).expect("JSON lines");
    assert_eq!(entry["body"]["reason"], "moving disks");
    let tail = said(&grace(&data, &["audit", "tail", "-n", "3"]));
    assert!(
        tail.code == Some(0) && tail.out.lines().count() == 4 && !tail.out.contains(" tick "),
        "{tail:?}"
    );
}

#[test]
fn a_file_of_checkpoints_that_cannot_be_written_stops_nobody() {
    let daemon = Daemon::start_with(&["--checkpoints", "/dev/full"]);
    let held = daemon.grace(&["token", "create", "t", "--role", "viewer"]);
    assert_eq!(held.code, Some(0), "{held:?}");
    until("it is told", || daemon.log().contains("no checkpoint could be signed"));
    assert_eq!(daemon.get("/api/health/mode")["mode"], "normal");
}

#[test]
fn a_key_that_was_deleted_is_not_made_anew_in_silence() {
    let grace = crate::daemon::Daemon::start();
    let dir = std::sync::Arc::clone(&grace.dir);
    let named = |grace: &crate::daemon::Daemon| grace.get("/api/journal?kind=audit_key&limit=10");
    let first = named(&grace);
    assert!(first[0]["body"]["before"].is_null() && first[1].is_null(), "{first}");
    let (before, checkpoints) = (first[0]["body"]["key"].as_str().expect("a key").to_owned(), grace.data());
    grace.stop();
    std::fs::remove_file(checkpoints.join("audit.key")).expect("is there");
    let grace = crate::daemon::Daemon::start_in(std::sync::Arc::clone(&dir), &[]);
    assert!(grace.log().contains("audit.key was deleted or replaced"), "{}", grace.log());
    let second = named(&grace);
    assert_eq!(second[1]["body"]["before"], before.as_str());
    assert_eq!(second[1]["event"], "security.audit_key_changed");
    let told = grace.grace(&["audit", "verify"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("another key: from entry") && told.out.contains(&before), "{told:?}");
    // What was signed before is checked with the key before, and with no other.
    grace.stop();
    let checkpoints = checkpoints.join("checkpoints").to_str().expect("a path").to_owned();
    let notes = std::fs::read_to_string(&checkpoints).expect("is there");
    let old = notes.split("\n\ngrace-journal/").next().expect("a first").to_owned() + "\n";
    let kept = dir.path().join("shipped");
    std::fs::write(&kept, old).expect("written");
    let verify = |more: &[&str]| {
        let mut grace = crate::daemon::command(&dir.path().join("data"));
        grace.args(["audit", "verify", "--checkpoint"]).arg(&kept).args(more);
        crate::daemon::said(&grace.output().expect("runs"))
    };
    assert_eq!(verify(&["--key", &before]).code, Some(0), "{:?}", verify(&["--key", &before]));
    assert_eq!(verify(&[]).code, Some(1), "{:?}", verify(&[]));
    // Replaced while nobody looks: the key is not the one that the journal names.
    std::fs::remove_file(dir.path().join("data/audit.key")).expect("is there");
    let other = tempfile::tempdir().expect("a directory");
    grace::record::Key::of(other.path(), "grace-journal/other").expect("made");
    std::fs::copy(other.path().join("audit.key"), dir.path().join("data/audit.key")).expect("copied");
    let mut grace = crate::daemon::command(&dir.path().join("data"));
    let told = crate::daemon::said(&grace.args(["audit", "verify"]).output().expect("runs"));
    assert!(told.code == Some(1) && told.out.contains("not the one that the journal names"), "{told:?}");
}
