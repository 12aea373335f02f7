//! Tasks for people: seen, given to somebody, closed, and told again where nobody looks.

use std::fs;
use std::path::Path;

use grace::engine::{Input, State, adopt, step};
use grace::model::{Facts, Meaning, Occasion, Reading, Readings, Record, Snapshot, Span};
use serde_json::{Value, json};

use crate::daemon::{Daemon, until};
use crate::engine::START;
use crate::scenarios::{laid_over, with_process};

fn task(grace: &Daemon, id: &str) -> Value {
    let all = grace.get("/api/tasks");
    let tasks = all["tasks"].as_array().expect("a list");
    tasks.iter().find(|task| task["id"] == id).cloned().unwrap_or_else(|| panic!("no task {id}: {all}"))
}

fn states(task: &Value) -> Value {
    json!([task["state"], task["assigned_to"], task["change_reason"]])
}

/// What people ask of each other, and what they do about it.
#[test]
fn a_persons_task_is_acknowledged_assigned_and_closed() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["task", "add", "look at disk 3"]).code, Some(0));
    assert_eq!(states(&task(&grace, "p1")), json!(["open", null, null]));
    let said = grace.grace(&["task", "ack", "p1"]);
    assert!(said.code == Some(0) && said.out.contains("task p1 is acknowledged"), "{said:?}");
    let said = grace.grace(&["task", "assign", "p1", "ann", "--reason", "she knows disks"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(states(&task(&grace, "p1")), json!(["assigned", "ann", "she knows disks"]));
    assert!(grace.grace(&["task", "list"]).out.contains("assigned to ann"));
    let said = grace.grace(&["task", "close", "p1", "--reason", "a new disk"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(states(&task(&grace, "p1")), json!(["closed", "ann", "a new disk"]));
    assert!(grace.grace(&["task", "list"]).out.contains("no task is open"));
    assert!(grace.grace(&["task", "list", "--all"]).out.contains("look at disk 3"));
    for (words, says) in [
        (["task", "close", "p1", "--reason", "again"], "task p1 is closed"),
        (["task", "close", "p9", "--reason", "x"], "there is no task p9"),
        (["task", "close", "9", "--reason", "x"], "there is no task 9; none is open"),
        (["task", "close", "px", "--reason", "x"], "`px` is no task: write `12`, or `p7`"),
        (["task", "close", "p1", "--reason", " "], "reason"),
    ] {
        let said = grace.grace(&words);
        assert!(said.code == Some(2) && said.err.contains(says), "{words:?}: {said:?}");
    }
    let dry = grace.post("/api/tasks/p1/assign?dry_run=true", r#"{"to": "bob"}"#);
    assert_eq!(dry.status, 404, "{dry:?}");
    assert_eq!(grace.post("/api/tasks/p1/assign", r#"{"to": " "}"#).status, 422);
}

/// However many came and were closed since, an open one is there.
#[test]
fn an_open_task_is_listed_behind_any_number_of_closed_ones() {
    let grace = Daemon::start();
    assert_eq!(grace.grace(&["task", "add", "the first of many"]).code, Some(0));
    // As fast as somebody may ask.
    let post = |path: &str, body: &str, wanted: u16| {
        until("it is taken", || grace.post(path, body).status == wanted);
    };
    for number in 2..210 {
        post("/api/tasks", r#"{"text": "one of many"}"#, 201);
        post(&format!("/api/tasks/p{number}/close"), r#"{"reason": "done"}"#, 200);
    }
    assert!(grace.grace(&["task", "list"]).out.contains("the first of many"));
}

/// A rule's task is the engine's matter: it is there while the working database is not.
#[test]
fn a_rules_task_is_seen_and_closed_and_proven_also_without_the_database() {
    let config = laid_over(Path::new("/nowhere"));
    let hunter = config.path().join("rules/hunter.toml");
    let text = fs::read_to_string(&hunter).expect("read");
    // The first failure is suspicious.
    assert!(text.contains("repeats   = 3"));
    fs::write(&hunter, text.replace("repeats   = 3", "repeats   = 1")).expect("written");
    let flags = ["--allow-faults", "--config", config.path().to_str().expect("a path")];
    let grace = Daemon::start_with(&flags);
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    until("there is a task", || {
        grace.get("/api/tasks")["tasks"].as_array().is_some_and(|all| !all.is_empty())
    });
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    let said = grace.grace(&["task", "assign", "1", "ann"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(states(&task(&grace, "1")), json!(["assigned", "ann", "it was given to somebody"]));
    let said = grace.grace(&["task", "close", "1", "--reason", "it was a test"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(task(&grace, "1")["state"], "closed");
    let dry = grace.post("/api/tasks/1/close?dry_run=true", r#"{"reason": "x"}"#);
    assert_eq!(dry.status, 404, "{dry:?}");
    let events = grace.grace(&["events", "--pattern", "task.*"]).out;
    assert!(
        ["task.created", "task.assigned", "task.closed"].iter().all(|kind| events.contains(kind)),
        "{events}"
    );
    let said = grace.grace(&["prove"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// Two tasks with each failure: nobody looks at a thousand of them.
const NAGS: &str = r#"
[rule.nag]
when = 'critical'
do   = [{ task = "Look at the web" }, { task = "Look at the web again" }]
"#;

#[test]
fn the_oldest_of_too_many_open_tasks_is_closed_and_the_journal_says_so() {
    let bundle = with_process("web", NAGS);
    let mut state = adopt(&bundle, None, &State::default(), START).state;
    let (mut made, mut closed) = (0, Vec::new());
    for tick in 1..=1_100_u32 {
        let now = START.slot(Span::seconds(30)) + Span::seconds(30 * i64::from(tick));
        let mut facts = Facts::default();
        facts.insert("p.running".into(), Reading::from(tick % 2 == 0));
        let readings = Readings { taken_at: now, occasion: Occasion::Grid, facts };
        let snapshot = Snapshot::from([("web".into(), readings)]);
        let meaning = Meaning::default();
        let done =
            step(&bundle, &state, &Input { tick: tick.into(), now, snapshot, meaning, ..Input::default() });
        for record in done.records {
            match record {
                Record::TaskCreated { .. } => made += 1,
                Record::TaskChanged { task, reason, .. } => {
                    assert!(reason.contains("more than 1000 tasks are open"), "{reason}");
                    closed.push(task.0);
                }
                _ => {}
            }
        }
        state = done.state;
    }
    assert_eq!((made, closed), (1_100, (1..=100).collect::<Vec<u64>>()));
}
