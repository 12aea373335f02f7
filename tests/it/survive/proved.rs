//! Whatever happens to Grace, what she did at her starts and reloads is derived again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;

use crate::daemon::{Daemon, command, said, until};
use crate::scenarios::laid_over;

fn count(data: &Path, what: &str) -> i64 {
    let db = Connection::open(data.join("journal.db")).expect("opens");
    let query = format!("SELECT count(*) FROM entries WHERE {what}");
    db.query_row(&query, [], |row| row.get(0)).expect("counts")
}

/// The journal is proved, and all of its starts and reloads with it.
fn proved(data: &Path, what: &str) {
    let said = said(&command(data).args(["prove", "--output", "json"]).output().expect("runs"));
    assert_eq!(said.code, Some(0), "{what}: {said:?}");
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    let adopted = told["proof"]["adopted"].as_i64().expect("a number");
    assert_eq!(adopted, count(data, "kind = 'generation'"), "{what}: {told}");
}

#[test]
fn what_was_killed_reloaded_restored_and_replaced_is_proved_start_by_start() {
    let config = laid_over(Path::new("/nowhere"));
    let flags = ["--allow-faults", "--config", config.path().to_str().expect("a path")];
    let grace = Daemon::start_with(&flags);
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    let inject = |grace: &Daemon, fault: &[&str]| {
        assert_eq!(grace.grace(&[&["fault", "inject"], fault].concat()).code, Some(0), "{fault:?}");
    };
    inject(&grace, &["reflection_service", "hang", "--age", "3m"]);
    until("it is restarted", || count(&data, "kind = 'intent'") > 0);
    grace.signal("-KILL");
    drop(grace);
    proved(&data, "killed around an act");

    // A rule goes while its claim stands, and a component while something is known of it.
    let grace = Daemon::start_in(Arc::clone(&dir), &flags);
    inject(&grace, &["database", "down"]);
    until("it claims", || count(&data, "kind = 'claimed'") > 0);
    let rules = config.path().join("rules/database.toml");
    let text = fs::read_to_string(&rules).expect("read");
    fs::write(&rules, text.replace("[rule.read_only]", "[rule.another]")).expect("written");
    until("it is taken over", || count(&data, "kind = 'generation'") == 3);
    fs::remove_file(config.path().join("rules/reflection_service.toml")).expect("removed");
    until("it is taken over", || count(&data, "kind = 'generation'") == 4);
    let backup = dir.path().join("backup.tar");
    let backup = backup.to_str().expect("a path");
    assert_eq!(grace.grace(&["backup", backup]).code, Some(0));
    grace.signal("-KILL");
    drop(grace);
    proved(&data, "reloaded");

    let restore = said(&command(&data).args(["restore", backup, "--force"]).output().expect("runs"));
    assert_eq!(restore.code, Some(0), "{restore:?}");
    assert_eq!(Daemon::start_in(Arc::clone(&dir), &flags).stop().0, Some(0));
    proved(&data, "restored");

    // Started without what she remembers, she claims a mode, and that is derived as well.
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    assert_eq!(Daemon::start_in(Arc::clone(&dir), &flags).stop().0, Some(0));
    assert_eq!(count(&data, "kind IN ('journal_replaced', 'claimed') AND tick IS NULL"), 2);
    proved(&data, "replaced");
}
