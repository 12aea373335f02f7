//! `--dry-run` of every verb that changes something: the verdict, the exit code, and nothing done. And `--if-revision`.

use crate::daemon::Daemon;
use crate::decided::{House, acts};

/// Every verb that changes something, and how a dry run of it ends.
const VERBS: [(&[&str], i32); 15] = [
    (&["restart", "task_executor"], 5),
    (&["restart", "database"], 5),
    (&["mode", "read_only", "--reason", "x"], 0),
    (&["mode", "release", "person"], 2),
    (&["hold", "all", "--reason", "x"], 0),
    (&["hold", "all", "--end"], 2),
    (&["silence", "database", "--reason", "x"], 0),
    (&["unblock", "database"], 2),
    (&["do", "restart/task_executor"], 5),
    (&["approve", "1", "--reason", "x"], 4),
    (&["deny", "1", "--reason", "x"], 0),
    (&["task", "add", "x"], 0),
    (&["token", "create", "x", "--role", "viewer"], 0),
    (&["token", "revoke", "keep"], 0),
    (&["fault", "inject", "database", "down"], 0),
];

fn changed(grace: &Daemon) -> usize {
    [
        "approval_asked",
        "intent",
        "approved",
        "approval_ended",
        "mode_changed",
        "held",
        "silenced",
        "token_made",
        "token_ended",
    ]
    .iter()
    .map(|kind| grace.get(&format!("/api/journal?kind={kind}&limit=1000")).as_array().map_or(0, Vec::len))
    .sum()
}

#[test]
fn a_dry_run_says_what_would_become_of_it_and_does_nothing() {
    let house = House::new(&[]);
    let grace = house.start();
    assert_eq!(grace.grace(&["token", "create", "keep", "--role", "viewer"]).code, Some(0));
    assert_eq!(grace.grace(&["restart", "trigger_mesh", "--reason", "odd"]).code, Some(5));
    let before = changed(&grace);
    for (verb, code) in VERBS {
        let said = grace.grace(&[verb, &["--dry-run"]].concat());
        assert_eq!(said.code, Some(code), "{verb:?}: {said:?}");
        assert!(code != 0 || said.out.starts_with("dry run: "), "{verb:?}: {said:?}");
        let help = grace.grace(&[&verb[..1], &["--help"]].concat());
        assert!(help.out.contains("--dry-run"), "{verb:?}: the help shows how");
    }
    // What only shows has nothing to try.
    for verb in [&["hold"][..], &["mode"], &["approve", "--list"], &["approve", "1"], &["shadow"]] {
        let said = grace.grace(&[verb, &["--dry-run"]].concat());
        assert_eq!(said.code, Some(2), "{verb:?}: {said:?}");
    }
    assert_eq!(changed(&grace), before);
    assert!(
        acts(&grace).0.is_empty() && grace.get("/api/tasks")["tasks"].as_array().map(Vec::len) == Some(0)
    );
    assert_eq!(grace.get("/api/tokens").as_array().map(Vec::len), Some(1));
}

#[test]
fn a_mode_is_set_for_the_revision_that_was_read() {
    let house = House::new(&[]);
    let grace = house.start();
    let shown = grace.grace(&["mode"]).out;
    let revision = shown.lines().find_map(|line| line.trim().strip_prefix("revision ")).expect("it is shown");
    let set = |more: &[&str]| {
        grace.grace(&[&["mode", "read_only", "--reason", "x", "--if-revision", revision], more].concat())
    };
    assert_eq!(set(&["--dry-run"]).code, Some(0));
    assert_eq!(set(&[]).code, Some(0));
    let stale = set(&[]);
    assert!(stale.code == Some(1) && stale.err.contains("in revision"), "{stale:?}");
    let stale = set(&["--dry-run"]);
    assert!(stale.code == Some(1) && stale.err.contains("in revision"), "{stale:?}");
}
