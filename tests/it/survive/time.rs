//! Gaps of the clock: the wall clock stepped while Grace is down, and Grace stopped in the middle of her work.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::clock::FAKETIME;
use crate::daemon::{Answer, Daemon, post, until};

/// Grace under a wall clock that is ahead by so much.
fn ahead(dir: &Arc<TempDir>, by: &str) -> Daemon {
    let shifted = [("LD_PRELOAD", FAKETIME), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME", by)];
    Daemon::start_under(Arc::clone(dir), &[], &shifted)
}

fn holds(grace: &Daemon) -> usize {
    grace.get("/api/holds").as_array().expect("holds").len()
}

/// Asks with a key; another text under the same key is refused while it is remembered.
fn keyed(grace: &Daemon, reason: &str) -> Answer {
    let body = format!(r#"{{"component": "trigger_mesh", "reason": "{reason}", "for": "1m"}}"#);
    grace.ask(&post("/api/silences", &body).replacen("\r\n", "\r\nidempotency-key: k\r\n", 1))
}

fn mode(grace: &Daemon) -> String {
    grace.get("/api/health/mode")["mode"].as_str().expect("a mode").to_owned()
}

/// As if the last commit had been made under another boot.
fn reboot(dir: &TempDir, boot: &str) {
    let db = Connection::open(dir.path().join("data/journal.db")).expect("opens");
    let (at, up): (i64, i64) = db
        .query_row("SELECT at, up FROM moment", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("a moment");
    let seal = hex::encode(Sha256::digest(format!("moment {at} {boot} {up}")));
    let changed = db.execute("UPDATE moment SET boot = ?1, seal = ?2", [boot, &seal]);
    assert_eq!(changed.expect("updates"), 1);
}

#[test]
fn a_wall_clock_stepped_while_grace_is_down_ends_nothing_early_and_a_reboot_asks_it() {
    if !Path::new(FAKETIME).exists() {
        assert!(std::env::var_os("CI").is_none(), "{FAKETIME} is missing, and CI installs it");
        let why = format!("skipped: {FAKETIME} is missing (Debian's package faketime)\n");
        // Straight to the terminal: a skip is said even where output is captured.
        std::io::stderr().write_all(why.as_bytes()).expect("said");
        return;
    }
    let dir = Arc::new(tempfile::tempdir().expect("a folder"));
    let grace = ahead(&dir, "+0");
    assert_eq!(grace.grace(&["hold", "database", "--reason", "moving", "--for", "30m"]).code, Some(0));
    assert_eq!(grace.grace(&["mode", "read_only", "--reason", "moving", "--for", "30m"]).code, Some(0));
    assert_eq!(keyed(&grace, "quiet").status, 200);
    assert_eq!(grace.stop().0, Some(0));

    // Forward, back, and forward again after a kill.
    for (wall, kill) in [("+1h", false), ("-1h", true), ("+2d", false)] {
        let grace = ahead(&dir, wall);
        assert_eq!((holds(&grace), mode(&grace).as_str()), (1, "read_only"), "{wall}");
        keyed(&grace, "another").problem(422, "key_reused");
        if kill { grace.signal("-KILL") } else { assert_eq!(grace.stop().0, Some(0)) }
    }

    // After a reboot nobody knows how long it took but the wall.
    reboot(&dir, "another");
    let grace = ahead(&dir, "+1h");
    until("the hold is over", || holds(&grace) == 0);
    until("the claim is over", || mode(&grace) == "normal");
    keyed(&grace, "another").problem(422, "key_reused");
    assert_eq!(grace.stop().0, Some(0));
    reboot(&dir, "one more");
    assert_eq!(keyed(&ahead(&dir, "+26h"), "another").status, 200, "a day is over");
}

#[test]
fn a_grace_that_was_stopped_for_a_while_does_nothing_about_it() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["hold", "database", "--reason", "moving", "--for", "5m"]).code, Some(0));
    let before = grace.get("/api/health/status");
    grace.signal("-STOP");
    std::thread::sleep(Duration::from_secs(3));
    grace.signal("-CONT");
    let ticks = |status: &serde_json::Value| status["tick"].as_u64().expect("a number");
    until("she goes on", || ticks(&grace.get("/api/health/status")) > ticks(&before) + 5);
    let after = grace.get("/api/health/status");
    assert!(after["overruns"].as_u64() >= Some(5), "ticks were missed: {}", after["overruns"]);
    assert_eq!(after["healing_actions"].as_array().map(Vec::len), Some(0), "{}", after["healing_actions"]);
    assert_eq!((holds(&grace), mode(&grace).as_str()), (1, "normal"));
    assert!(!grace.grace(&["events"]).out.contains("health.component_failed"));
}
