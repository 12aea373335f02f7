//! The hunter with the real binary: what somebody who works against Grace leaves behind is seen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::{Daemon, until};
use crate::journal::sample::forge;
use crate::scenarios::laid_over;
use crate::services::house::House;

fn announced(grace: &Daemon, event: &str) -> bool {
    grace.grace(&["events", "--pattern", "security.*"]).out.contains(event)
}

fn mode(grace: &Daemon) -> Value {
    grace.get("/api/health/mode")["mode"].clone()
}

fn fact(grace: &Daemon, name: &str) -> Value {
    let status = grace.get("/api/health/status");
    let checks = status["health_checks"].as_array().expect("checks").clone();
    let own = checks.iter().find(|check| check["component"] == "grace").expect("she watches herself");
    own["facts"][format!("guard.{name}")].clone()
}

/// The signal stands in the journal with what was known then, and is proved.
#[test]
fn rules_edited_while_grace_was_down_are_a_signal_and_a_reload_is_none() {
    let config = laid_over(Path::new("/nowhere"));
    let flags = ["--config", config.path().to_str().expect("a path")];
    let rules = config.path().join("rules/database.toml");
    let edit = |with: &str| {
        let text = fs::read_to_string(&rules).expect("read");
        fs::write(&rules, format!("{text}\n# {with}\n")).expect("written");
    };
    let grace = Daemon::start_with(&flags);
    let dir = Arc::clone(&grace.dir);
    edit("while she runs");
    let active = || grace.grace(&["events"]).out.matches("config.generation_activated").count();
    until("the files are reloaded", || active() == 2);
    assert!(!announced(&grace, "rules_changed"), "whoever reloads edits in the open");
    assert_eq!(grace.stop().0, Some(0));
    let grace = Daemon::start_in(Arc::clone(&dir), &flags);
    until("the journal is walked", || fact(&grace, "journal_whole") == true);
    assert_eq!(fact(&grace, "rules_changed"), false, "nothing was edited");
    assert_eq!(grace.stop().0, Some(0));
    edit("while nobody looks");
    let grace = Daemon::start_in(dir, &flags);
    until("it is told", || announced(&grace, "security.signal.rules_changed"));
    assert!(fact(&grace, "rules_changed") == true && mode(&grace) == "normal", "alone it is no emergency");
    let query = "SELECT body ->> '$.known.facts.\"guard.rules_changed\"' FROM entries
                 WHERE kind = 'announced' AND event = 'security.signal.rules_changed'";
    let db = rusqlite::Connection::open(grace.data().join("journal.db")).expect("opens");
    let frozen: i64 = db.query_row(query, [], |row| row.get(0)).expect("one");
    assert_eq!(frozen, 1, "what was known then is frozen");
    edit("while she runs again");
    until("a reload is meant", || fact(&grace, "rules_changed") == false);
    let said = grace.grace(&["prove"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// One byte in the middle of the journal: an emergency that a person has to end, and no restart brings it back.
#[test]
fn a_flipped_byte_in_the_journal_is_an_emergency() {
    let grace = Daemon::start();
    let (dir, data) = (Arc::clone(&grace.dir), grace.data());
    assert!(!announced(&grace, "journal_broken"));
    assert_eq!(grace.stop().0, Some(0));
    let flipped = "UPDATE entries SET body = replace(body, '\"stop\":false', '\"stop\":true') WHERE kind = 'tick' AND seq < 20";
    assert!(forge(&data).execute(flipped, []).expect("forged") > 0);
    let grace = Daemon::start_in(Arc::clone(&dir), &[]);
    until("it is an emergency", || mode(&grace) == "emergency");
    assert!(announced(&grace, "security.signal.journal_broken"));
    let tasks = grace.grace(&["task", "list"]).out;
    assert!(tasks.contains("Find out who changed the journal"), "{tasks}");
    assert_eq!(grace.stop().0, Some(0));
    let grace = Daemon::start_in(dir, &[]);
    let events = grace.grace(&["events", "--pattern", "security.*"]).out;
    until("it was walked", || fact(&grace, "journal_whole") == false);
    assert_eq!(events.matches("event=security.signal.journal_broken").count(), 1, "told once: {events}");
}

/// A monitor with a wrong token is told, and nothing else comes of it.
#[test]
fn a_burst_of_refused_requests_is_told_and_leads_to_nothing() {
    let grace = Daemon::start();
    let ask = "GET /api/health/status HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer wrong\r\nconnection: close\r\n\r\n";
    for _ in 0..30 {
        assert_eq!(grace.ask_tcp(ask).status, 401);
    }
    assert!(fact(&grace, "refused_requests").as_i64().is_some());
    until("it is told", || announced(&grace, "security.refused_requests"));
    assert!(mode(&grace) == "normal" && !announced(&grace, "security.signal"));
}

/// With the rules as they are shipped three parts of Grace herself fail at once, among them the executor that tells people and the bus that carries events.
#[test]
fn alert_and_task_arrive_while_executor_mesh_and_database_are_down() {
    let grace = Daemon::start_with(&["--allow-faults"]);
    for (component, fault) in
        [("database", "down"), ("trigger_mesh", "drop"), ("task_executor", "kill-workers")]
    {
        let said = grace.grace(&["fault", "inject", component, fault]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let began = Instant::now();
    until("a task is there", || {
        let tasks = grace.get("/api/tasks");
        tasks["tasks"].as_array().is_some_and(|all| {
            all.iter()
                .any(|task| task["text"].as_str().is_some_and(|text| text.contains("in the same minute")))
        })
    });
    until("the receiver was told", || {
        grace.log().contains("failed in the same minute (no signal of an attack)")
    });
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let events = grace.grace(&["events", "--pattern", "security.failures_at_once"]).out;
    assert_eq!(
        events.matches("security.failures_at_once  ").count(),
        1,
        "it is told once, and not by each of them: {events}"
    );
}

const WEB: &str = r#"
[control]
kind = "process"
argv = ["PROGRAM"]

[probe.web]
kind = "process"

[status]
critical = '!web.running'

[rule.restart]
when   = 'critical'
do     = ["restart"]
verify = { within = "5s" }
why    = "It should run."

[rule.exchanged]
when = 'changed'
do   = [{ event = "security.signal.binary_changed" }]
why  = "Its program is another one than before."
"#;

fn program(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).expect("written");
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).expect("set");
    fs::rename(beside, path).expect("moved");
}

/// Across restarts of Grace and of the service: the same program installed anew is none, another content is.
#[test]
fn another_program_of_a_service_is_noticed_across_restarts_of_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web");
    program(&path, "#!/bin/sh\nexec sleep 1000\n");
    let mut house = House::new("web", &WEB.replace("PROGRAM", path.to_str().expect("a path")));
    let changed = |house: &House| house.fact("web", "web.binary_changed");
    let flags = ["--interval", "200ms"];
    house.start(&flags);
    house.until("it runs", |house| house.fact("web", "web.running") == true);
    house.until("it is known", |house| changed(house) == false);
    house.kill();
    program(&path, "#!/bin/sh\nexec sleep 1000\n");
    house.start(&flags);
    let first = house.worker("web", 0).expect("it runs").main;
    first.signal(rustix::process::Signal::KILL).expect("killed");
    house.until("another one runs", |house| house.worker("web", 0).is_some_and(|slot| slot.main != first));
    // An act that Grace's end cuts short would be tried again after her start, with the program of then.
    house.until("it is healed", |house| {
        let told = house.get("/api/health/status?component=web");
        told.is_some_and(|status| status["healing_actions"][0]["result"] == "success")
    });
    house.until("it is known", |house| changed(house) == false);
    house.kill();
    program(&path, "#!/bin/sh\n# by somebody else\nexec sleep 1000\n");
    house.start(&flags);
    house.until("it is looked at", |house| !changed(house).is_null());
    assert_eq!(changed(&house), false, "what runs is still the first program");
    let second = house.worker("web", 0).expect("it runs").main;
    second.signal(rustix::process::Signal::KILL).expect("killed");
    house.until("it is seen", |house| changed(house) == true);
    house.until("it is announced", |house| {
        house.grace(&["events", "--pattern", "security.*"]).out.contains("binary_changed")
    });
    assert_eq!(house.grace(&["prove"]).code, Some(0));
}
