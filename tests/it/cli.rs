//! The command line as people and scripts use it: what it prints where, and its exit codes.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;

use grace::engine::{Input, State, adopt, step};
use grace::model::{Asked, Request, Time};
use grace::record::Journal;
use rusqlite::Connection;

use crate::daemon::{Daemon, as_nobody, command, said, until};
use crate::histories::bundle;

#[test]
fn nobody_there_is_exit_3() {
    let dir = tempfile::tempdir().expect("a directory");
    for args in [&["status"][..], &["mode"], &["task", "add", "x"], &["events", "--follow"]] {
        let said = said(&command(dir.path()).args(args).output().expect("runs"));
        assert_eq!(said.code, Some(3), "{args:?}: {said:?}");
        assert!(said.err.contains("grace.sock") && said.err.contains("grace run"), "{said:?}");
        assert_eq!(said.out, "", "data only on stdout");
    }
    // Without a daemon the journal's file is read, and there is none.
    let said = said(&command(dir.path()).arg("events").output().expect("runs"));
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn usage_is_exit_2() {
    let dir = tempfile::tempdir().expect("a directory");
    for (args, says) in [
        (&["rstart"][..], "restart"),
        (&["mode", "read_only"], "--reason"),
        (&["mode", "read_only", "--reason", "x", "--for", "soon"], "duration"),
        (&["mode", "release"], "which claim"),
        (&["approve"], "<ID>"),
        (&["hold", "database"], "--reason"),
        (&["run", "--listen", "0.0.0.0:7171"], "loopback"),
        (&["run", "--listen", "7171"], "no address"),
        (&["run", "--interval", "1ms"], "at least"),
    ] {
        let said = said(&command(dir.path()).args(args).output().expect("runs"));
        assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
        assert!(said.err.contains(says), "{args:?}: {said:?}");
    }
    let help = said(&command(dir.path()).args(["restart", "--help"]).output().expect("runs"));
    assert!(help.code == Some(0) && help.out.contains("Examples"), "{help:?}");
}

#[test]
fn validate_says_it_in_three_ways() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |args: &[&str]| said(&command(dir.path()).arg("validate").args(args).output().expect("runs"));
    let well = run(&[]);
    assert!(well.code == Some(0) && well.err.contains("valid: 5 components"), "{well:?}");
    let missing = run(&[dir.path().join("nowhere").to_str().expect("a path")]);
    assert_eq!(missing.code, Some(2), "{missing:?}");

    fs::create_dir_all(dir.path().join("rules")).expect("made");
    fs::create_dir_all(dir.path().join("policies")).expect("made");
    let wrong = "[component]\n[probe.ping]\nkind = \"builtin\"\n[status]\ncritical = '!ping.conected'\n";
    fs::write(dir.path().join("rules/database.toml"), wrong).expect("written");
    let path = dir.path().to_str().expect("a path");
    let human = run(&[path]);
    assert!(
        human.code == Some(1) && human.out.contains("ping.conected") && human.out.contains("--> "),
        "{human:?}"
    );
    let short = run(&[path, "--output", "short"]);
    assert!(short.out.lines().any(|line| line.starts_with("rules/database.toml:5:")), "{short:?}");
    let json: serde_json::Value =
        serde_json::from_str(&run(&[path, "--output", "json"]).out).expect("is JSON");
    assert_eq!(json["valid"], false);
    let found = json["diagnostics"].as_array().expect("a list").iter().find(|one| one["code"] == "GR2103");
    assert_eq!(found.expect("the misspelt fact")["line"].as_u64(), Some(5), "{json}");
}

#[test]
fn the_shipped_tests_pass_and_no_test_of_a_name_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |args: &[&str]| said(&command(dir.path()).arg("test").args(args).output().expect("runs"));
    let well = run(&[]);
    assert!(well.code == Some(0) && well.err.contains("passed"), "{well:?}");
    let none = run(&["--run", "no such test"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.out.contains("no test's name contains `no such test`"), "{none:?}");
    let json = format!("json={}", dir.path().join("x.json").display());
    let three = run(&["--run", "scenario_*", "--coverage", "--output", "human", "--output", &json]);
    assert!(three.code == Some(0) && three.err.contains("3 tests ran, 0 failed"), "{three:?}");
    assert!(three.out.contains("coverage: "), "{three:?}");
}

#[test]
fn failing_tests_are_written_anew_and_reported_for_machines() {
    let dir = tempfile::tempdir().expect("a directory");
    let laid = crate::scenarios::laid_over(std::path::Path::new("/nowhere"));
    let file = laid.path().join("rules/database.test.toml");
    let test = |failures: u8| {
        format!(
            "[test.lost]\nstart = \"14:00:00\"\nend = \"14:02:00\"\nseries = {{ \"ping.connected\" = \"true false\" }}\n\
             # Kept.\nexpect = [{{ at = \"14:00:30\", status = \"critical\", failures = {failures} }}]\n"
        )
    };
    std::fs::write(&file, test(3)).expect("written");
    let file = file.to_str().expect("a plain path");
    let run =
        |args: &[&str]| said(&command(dir.path()).args(["test", file]).args(args).output().expect("runs"));
    let failed = run(&[]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(
        failed.out.contains("14:00:30  expected 3 failures of database\n              was      1\n"),
        "{failed:?}"
    );
    let junit = run(&["--output", "junit"]);
    for part in ["<testsuite name=\"rules/database.test.toml\"", "failures=\"1\"", "<testcase name=\"lost\""]
    {
        assert!(junit.out.contains(part), "{part}: {junit:?}");
    }
    let json: serde_json::Value = serde_json::from_str(&run(&["--output", "json"]).out).expect("is JSON");
    assert_eq!(json["results"][0]["differences"][0]["was"], "1", "{json}");
    let short = run(&["--output", "short", "--mutate=50"]);
    assert!(
        short.out.starts_with("rules/database.test.toml: lost: 14:00:30: expected 3 failures"),
        "{short:?}"
    );
    assert!(short.err.contains("no mutant was tried"), "{short:?}");
    let updated = run(&["--update"]);
    assert!(updated.code == Some(0) && updated.out.contains("+expect = ["), "{updated:?}");
    assert_eq!(std::fs::read_to_string(file).expect("read"), test(1));
    let little = run(&["--coverage=100", "--mutate=100"]);
    assert_eq!(little.code, Some(1), "{little:?}");
    assert!(little.out.contains("was never false") && little.out.contains("no test notices"), "{little:?}");
    assert_eq!(run(&["--coverage=1", "--mutate=1"]).code, Some(0), "seen and noticed a little");
}

#[test]
fn a_test_name_commands_no_terminal_and_an_update_says_what_it_left() {
    let laid = crate::scenarios::laid_over(std::path::Path::new("/nowhere"));
    let file = laid.path().join("rules/database.test.toml");
    let text = "[test.\"x\\u001b[31m\\ny\"]\nstart = \"14:00:00\"\nend = \"14:02:00\"\n\
                series = { \"ping.connected\" = \"true false\" }\n\
                expect = [{ at = \"14:00:30\", status = \"ok\" }]\n";
    std::fs::write(&file, text).expect("written");
    let path = file.to_str().expect("a plain path");
    let run =
        |args: &[&str]| said(&command(laid.path()).args(["test", path]).args(args).output().expect("runs"));
    for args in [&[][..], &["--output", "short"]] {
        let failed = run(args);
        assert!(failed.out.contains(r"x\u{1b}[31m\ny"), "{failed:?}");
        assert!(!failed.out.contains('\u{1b}'), "{failed:?}");
    }
    let updated = run(&["--update", "--output", "short"]);
    assert_eq!(updated.code, Some(0), "{updated:?}");
    let left = "mode read_only at 14:01:00: no expectation names `mode`; \
                add `{ at = \"14:01:00\", mode = ... }`, or `only = [\"mode\"]`\n";
    assert!(updated.out.starts_with("left alone: ") && updated.out.ends_with(left), "{updated:?}");
    std::fs::write(&file, format!("{text}only = [\"mode\"]\n")).expect("written");
    let asked = run(&["--update", "--output", "short"]);
    assert!(!asked.out.contains("left alone"), "{asked:?}");
}

#[test]
fn a_port_or_a_directory_in_use_is_said_plainly() {
    let grace = Daemon::start();
    let listen = grace.address().to_string();
    let second = |data: &std::path::Path, listen: &str| {
        said(&command(data).args(["run", "--listen", listen]).output().expect("runs"))
    };
    let other = tempfile::tempdir().expect("a directory");
    let taken = second(&other.path().join("data"), &listen);
    assert!(taken.code == Some(2) && taken.err.contains("in use"), "{taken:?}");
    assert!(!other.path().join("data/journal.db").exists(), "nothing was begun");
    for listen in [listen.as_str(), "127.0.0.1:0"] {
        let refused = second(&grace.data(), listen);
        assert!(refused.code == Some(2) && refused.err.contains("another Grace runs"), "{refused:?}");
    }
    until("the first runs on", || grace.grace(&["status"]).code == Some(0));
}

#[test]
fn a_restart_waits_for_somebody_else() {
    let grace = Daemon::start();
    let asked = grace.grace(&["restart", "task_executor", "--reason", "it is slow"]);
    assert!(asked.code == Some(5) && asked.out.contains("waiting for approval"), "{asked:?}");
    let own = grace.grace(&["approve", "1", "--reason", "I may"]);
    assert!(own.code == Some(4) && own.err.contains("cannot approve it"), "{own:?}");
    assert!(grace.grace(&["approve", "--list"]).out.contains("restart of task_executor"));
    let Some(other) = as_nobody(&grace, &["approve", "1", "--reason", "agreed"]) else { return };
    assert!(other.code == Some(0) && other.out.contains("healed"), "{other:?}");
    let json = grace.grace(&["status", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&json.out).expect("is JSON");
    assert_eq!(status["healing_actions"][0]["reason"], "it is slow");
    let events = grace.grace(&["events", "--pattern", "governance.approved"]);
    assert!(events.out.contains("uid:65534"), "{events:?}");
}

#[test]
fn a_lone_person_breaks_the_glass_and_a_refusal_stands() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["restart", "trigger_mesh"]).code, Some(5));
    let denied = grace.grace(&["deny", "1", "--reason", "not now"]);
    assert_eq!(denied.code, Some(0), "{denied:?}");
    let late = grace.grace(&["approve", "1", "--reason", "x"]);
    assert!(late.code == Some(4) && late.err.contains("void: refused by"), "it is gone: {late:?}");
    assert_eq!(grace.grace(&["restart", "trigger_mesh"]).code, Some(5));
    let glass = grace.grace(&["approve", "2", "--reason", "alone", "--break-glass"]);
    assert!(glass.code == Some(0) && glass.out.starts_with("success"), "{glass:?}");
    let unknown = grace.grace(&["restart", "trigger_mehs"]);
    assert!(unknown.code == Some(2) && unknown.err.contains("trigger_mesh"), "{unknown:?}");
}

#[test]
fn modes_are_set_shown_and_left() {
    let grace = Daemon::start();
    let set = grace.grace(&["mode", "emergency", "--reason", "an attack", "--for", "2h"]);
    assert_eq!(set.code, Some(0), "{set:?}");
    let refused = grace.grace(&["task", "add", "too late"]);
    assert!(refused.code == Some(4) && refused.err.contains("emergency"), "{refused:?}");
    let shown = grace.grace(&["mode"]);
    assert!(shown.out.starts_with("emergency") && shown.out.contains("an attack"), "{shown:?}");
    let looser = grace.grace(&["mode", "normal", "--reason", "over"]);
    assert_eq!(looser.code, Some(5), "{looser:?}");
    let glass = grace.grace(&["approve", "1", "--reason", "over", "--break-glass"]);
    assert!(glass.code == Some(0) && glass.out.contains("normal"), "{glass:?}");
    until("writes flow again", || grace.grace(&["task", "add", "in time"]).code == Some(0));
    let tasks = grace.grace(&["task", "list"]);
    assert!(tasks.out.contains("in time") && !tasks.out.contains("too late"), "{tasks:?}");
}

#[test]
fn a_write_in_read_only_is_kept_and_done_later() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["mode", "read_only", "--reason", "a backup"]).code, Some(0));
    let kept = grace.grace(&["task", "add", "for later"]);
    assert!(kept.code == Some(0) && kept.out.starts_with("deferred"), "{kept:?}");
    assert!(grace.grace(&["status"]).out.contains("queue, 1 wait"));
    assert_eq!(grace.grace(&["mode", "release", "person", "--reason", "done"]).code, Some(5));
    assert_eq!(grace.grace(&["approve", "1", "--reason", "done", "--break-glass"]).code, Some(0));
    until("it is done", || grace.grace(&["task", "list"]).out.contains("for later"));
}

#[test]
fn a_hold_stops_people_too() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["hold", "all", "--reason", "game day", "--for", "2h"]).code, Some(0));
    let list = grace.grace(&["hold"]);
    assert!(list.out.contains("game day") && list.out.contains("in 1h 5"), "{list:?}");
    let refused = grace.grace(&["restart", "task_executor"]);
    assert!(refused.code == Some(4) && refused.err.contains("game day"), "{refused:?}");
    assert_eq!(grace.grace(&["hold", "--end"]).code, Some(0));
    assert_eq!(grace.grace(&["hold"]).out, "nothing is held\n");
    assert_eq!(grace.grace(&["hold", "--end"]).code, Some(2), "there is none");
    let free = grace.grace(&["unblock", "database"]);
    assert!(free.code == Some(2) && free.err.contains("not blocked"), "{free:?}");
}

#[test]
fn a_fault_heals_and_the_story_can_be_read() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    until("it is healed", || grace.grace(&["status"]).out.contains("success, healed"));
    let events = grace.grace(&["events", "--pattern", "health.component_failed, health.healing_finished"]);
    assert_eq!(events.out.lines().count(), 2, "{events:?}");
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    until("it is seen", || grace.grace(&["status"]).code == Some(1));
    assert!(grace.grace(&["status", "--output", "short"]).out.contains("database critical"));
    assert_eq!(grace.grace(&["fault", "clear", "database"]).code, Some(0));
    until("it is well", || grace.grace(&["status"]).code == Some(0));
}

/// A hold as it was taken before control characters were refused.
fn held_with(reason: &str) -> Arc<tempfile::TempDir> {
    let (dir, bundle) = (tempfile::tempdir().expect("a directory"), bundle(&[]));
    fs::create_dir(dir.path().join("data")).expect("made");
    let journal = Journal::open(&dir.path().join("data")).expect("made");
    let now = Time::parse("2026-11-25T12:00:00Z").expect("a time");
    let adopted = adopt(&bundle, None, &State::default(), now);
    journal.adopt(now, &adopted.records, &adopted.state).expect("written");
    let hold = Request::Hold { component: None, lasts: None };
    let asked = vec![Asked::by("uid:0".into(), reason.into(), hold)];
    let input = Input { tick: 1, now, asked, ..Input::default() };
    let step = step(&bundle, &adopted.state, &input);
    journal.commit(now, &input, step).expect("written");
    Arc::new(dir)
}

#[test]
fn texts_of_others_do_not_move_the_cursor() {
    let grace = Daemon::start_in(held_with("a\u{1b}[2Jb\nc"), &[]);
    for verb in [&["hold"][..], &["status"], &["events"]] {
        let shown = grace.grace(verb);
        assert!(
            !shown.out.contains('\u{1b}') && shown.out.contains("a\u{fffd}[2Jb c"),
            "{verb:?}: {shown:?}"
        );
    }
    let json = grace.grace(&["hold", "--output", "json"]);
    assert!(json.out.contains("a\\u001b[2Jb\\nc"), "programs get what was said: {json:?}");
}

#[test]
fn who_reads_no_further_is_no_error() {
    let grace = Daemon::start();
    let mut child = command(&grace.data())
        .arg("events")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().expect("is piped").read_to_string(&mut err).expect("reads");
    assert_eq!((child.wait().expect("ends").code(), err.as_str()), (Some(0), ""));
}

#[test]
fn an_end_in_good_order_leaves_a_whole_journal() {
    let grace = Daemon::start();
    let (dir, socket) = (Arc::clone(&grace.dir), grace.socket());
    let (code, log) = grace.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!socket.exists(), "the socket is gone");
    let data = dir.path().join("data");
    let run = |args: &[&str]| said(&command(&data).args(args).output().expect("runs"));
    assert!(run(&["events"]).out.contains("grace.stopped"), "the file is read without a daemon");
    let whole = run(&["audit", "verify"]);
    assert!(whole.code == Some(0) && whole.out.contains("entries hold"), "{whole:?}");

    let journal = Connection::open(data.join("journal.db")).expect("opens");
    let triggers: Vec<String> = journal
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect())
        .expect("reads");
    for trigger in triggers {
        journal.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).expect("drops");
    }
    let forged = "UPDATE entries SET body = replace(body, 'started', 'stopped') WHERE seq = 1";
    assert_eq!(journal.execute(forged, []).expect("forges"), 1);
    drop(journal);
    let broken = run(&["audit", "verify"]);
    assert!(broken.code == Some(1) && broken.out.contains("entry 1:"), "{broken:?}");
}

#[test]
fn who_follows_comes_back_after_a_restart() {
    let grace = Daemon::start();
    let dir = Arc::clone(&grace.dir);
    let mut follower = command(&grace.data())
        .args(["events", "--follow", "--after", "0", "--pattern", "grace.*"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    let mut out = std::io::BufReader::new(follower.stdout.take().expect("is piped"));
    let mut next = || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut out, &mut line).expect("reads");
        line.split_whitespace().nth(3).unwrap_or_default().to_owned()
    };
    assert_eq!(next(), "grace.started");
    assert_eq!(grace.stop().0, Some(0));
    let _again = Daemon::start_in(dir, &[]);
    assert_eq!(next(), "grace.stopped");
    assert_eq!(next(), "grace.started");
    follower.kill().expect("ends");
    follower.wait().expect("ended");
}

#[test]
fn a_directory_that_lies_too_deep_still_has_a_socket() {
    let dir = Arc::new(tempfile::Builder::new().prefix(&"deep".repeat(30)).tempdir().expect("a directory"));
    let grace = Daemon::start_in(dir, &[]);
    assert!(!grace.socket().starts_with(grace.data()), "{:?}", grace.socket());
    until("the socket answers that all is well", || grace.grace(&["status"]).code == Some(0));
    let socket = grace.socket();
    assert_eq!(grace.stop().0, Some(0));
    assert!(!socket.exists());
}

#[test]
fn a_hang_up_ends_nothing() {
    let grace = Daemon::start();
    grace.signal("-HUP");
    until("it says so", || grace.log().contains("SIGHUP"));
    until("all is well", || grace.grace(&["status"]).code == Some(0));
}
