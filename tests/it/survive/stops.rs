//! What people stop stays stopped, over recoveries, restarts and reloads.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::daemon::{Daemon, until};
use crate::scenarios::laid_over;

fn mode(grace: &Daemon) -> String {
    grace.get("/api/health/mode")["mode"].as_str().expect("a mode").to_owned()
}

fn claims(grace: &Daemon) -> Vec<String> {
    let mode = grace.get("/api/health/mode");
    let claims = mode["claims"].as_array().expect("claims").iter();
    claims.map(|claim| claim["claim"].as_str().expect("a key").to_owned()).collect()
}

#[test]
fn a_persons_read_only_outlasts_the_outage_in_which_it_was_set_and_a_restart() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    until("the rule claims read_only", || claims(&grace) == ["read_only/database"]);
    assert_eq!(grace.grace(&["mode", "read_only", "--reason", "I am looking at it"]).code, Some(0));
    assert_eq!(grace.grace(&["fault", "clear", "database"]).code, Some(0));
    until("the rule's claim is over", || claims(&grace) == ["person"]);
    assert_eq!(mode(&grace), "read_only");
    let dir = Arc::clone(&grace.dir);
    assert_eq!(grace.stop().0, Some(0));
    let grace = Daemon::start_in(dir, &[]);
    assert_eq!((mode(&grace).as_str(), claims(&grace)), ("read_only", vec!["person".to_owned()]));
}

#[test]
fn a_hold_and_a_stop_file_outlast_restarts_kills_and_reloads() {
    let config = laid_over(Path::new("/nowhere"));
    let dir = Arc::new(tempfile::tempdir().expect("a folder"));
    let flags = ["--allow-faults", "--config", config.path().to_str().expect("plain")];
    let grace = Daemon::start_in(Arc::clone(&dir), &flags);
    assert_eq!(grace.grace(&["hold", "task_executor", "--reason", "moving", "--for", "2h"]).code, Some(0));
    grace.signal("-KILL");
    drop(grace);
    let grace = Daemon::start_in(Arc::clone(&dir), &flags);
    let rule = config.path().join("rules/task_executor.toml");
    let text = fs::read_to_string(&rule).expect("read");
    let generation = |grace: &Daemon| grace.get("/api/health/status")["generation"].clone();
    let before = generation(&grace);
    fs::write(&rule, format!("{text}# changed\n")).expect("written");
    until("the change is active", || generation(&grace) != before);
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    let says = |grace: &Daemon, what: &str| grace.grace(&["status"]).out.contains(what);
    until("the rule waits for the hold", || says(&grace, "held by"));

    // The file takes over from the hold, and nothing is healed all the while.
    fs::write(grace.data().join("STOP"), "").expect("written");
    assert_eq!(grace.grace(&["hold", "task_executor", "--end"]).code, Some(0));
    until("it is seen", || says(&grace, "a file named STOP"));
    assert_eq!(grace.stop().0, Some(0));
    let grace = Daemon::start_in(dir, &flags);
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    until("it is critical", || says(&grace, "critical"));
    let actions =
        |grace: &Daemon| grace.get("/api/health/status")["healing_actions"].as_array().map(Vec::len);
    assert_eq!(actions(&grace), Some(0));
    fs::remove_file(grace.data().join("STOP")).expect("removed");
    until("it is healed", || actions(&grace) == Some(1));
}
