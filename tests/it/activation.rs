//! Files whose activation a policy wants approved: the active ones judge them, and go on until somebody has.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::daemon::{Daemon, until};
use crate::scenarios::laid_over;

/// The shipped files, and a policy about the activation of others.
struct House {
    config: tempfile::TempDir,
    data: Arc<tempfile::TempDir>,
}

impl House {
    fn new(effect: &str) -> Self {
        let house = Self {
            config: laid_over(Path::new("/nowhere")),
            data: Arc::new(tempfile::tempdir().expect("a folder")),
        };
        let policy = format!(
            "policy.changes = {{ by = \"person\", action = [\"activate\"], effect = \"{effect}\" }}\npolicy.containment"
        );
        house.edit("policies/governance.toml", "policy.containment", &policy);
        house
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.config.path().join(file);
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains(from), "{file}: {from}");
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
    }

    fn start(&self) -> Daemon {
        let config = self.config.path().to_str().expect("a path");
        Daemon::start_in(Arc::clone(&self.data), &["--config", config])
    }
}

fn generation(grace: &Daemon) -> Value {
    grace.get("/api/health/status")["generation"].clone()
}

/// Why the files are not used, as people see it.
fn rejected(grace: &Daemon) -> String {
    grace.get("/api/health/status")["rejected"]["problems"].to_string()
}

fn waits(grace: &Daemon, approval: u64) {
    until("they wait", || rejected(grace).contains(&format!("waits for approval {approval}")));
}

fn answers(grace: &Daemon, verb: &str, approval: u64) -> Option<i32> {
    grace.grace(&[verb, &approval.to_string(), "--reason", "read"]).code
}

/// Why a request ended without its act.
fn end_of(grace: &Daemon, approval: u64) -> String {
    let ended = || {
        let all = grace.get("/api/journal?kind=approval_ended&limit=100");
        let all = all.as_array().expect("a list").iter().map(|entry| entry["body"].clone());
        all.filter(|body| body["approval"] == approval).map(|body| body["reason"].to_string()).next()
    };
    until("it ends", || ended().is_some());
    ended().expect("it ended")
}

#[test]
fn reviewed_files_become_active_when_somebody_approves_them() {
    let house = House::new("review");
    let grace = house.start();
    let first = generation(&grace);
    house.edit("rules/database.toml", "250ms", "300ms");
    waits(&grace, 1);
    assert_eq!(generation(&grace), first, "the active ones go on");
    let shown = grace.get("/api/approvals/1");
    let action = shown["waiting"]["action"].as_str().expect("an action");
    assert!(action.starts_with("activate generation "), "{shown}");
    until("it is told", || grace.log().contains("approval 1 is wanted: activate generation"));
    assert_eq!(answers(&grace, "approve", 1), Some(0));
    until("they are active", || generation(&grace) != first);
    until("nothing is refused any more", || rejected(&grace) == "null");
    // Judged by the active ones: that the new ones ask nobody does not help them.
    let second = generation(&grace);
    house.edit(
        "policies/governance.toml",
        "action = [\"activate\"], effect = \"review\"",
        "action = [\"activate\"], effect = \"allow\"",
    );
    waits(&grace, 2);
    assert_eq!(answers(&grace, "deny", 2), Some(0));
    until("they are not used", || rejected(&grace).contains("was not approved"));
    assert_eq!(generation(&grace), second);
    let proof = grace.grace(&["prove"]);
    assert_eq!(proof.code, Some(0), "{proof:?}");
}

#[test]
fn what_waits_is_void_when_the_files_change_again() {
    let house = House::new("review");
    let grace = house.start();
    let first = generation(&grace);
    house.edit("rules/database.toml", "250ms", "300ms");
    waits(&grace, 1);
    house.edit("rules/database.toml", "300ms", "350ms");
    waits(&grace, 2);
    assert!(end_of(&grace, 1).contains("the files changed again"));
    assert_eq!(answers(&grace, "approve", 1), Some(4), "too late");
    // Broken, and then back to what is active.
    house.edit("rules/database.toml", "ping.connected", "ping.conected");
    assert!(end_of(&grace, 2).contains("the files changed again"));
    until("they are refused", || rejected(&grace).contains("conected"));
    house.edit("rules/database.toml", "ping.conected", "ping.connected");
    waits(&grace, 3);
    house.edit("rules/database.toml", "350ms", "250ms");
    assert!(end_of(&grace, 3).contains("the files changed again"));
    until("nothing is refused any more", || rejected(&grace) == "null");
    assert_eq!((generation(&grace), grace.get("/api/approvals")), (first, json!([])));
}

#[test]
fn a_restart_of_grace_is_no_way_around_an_approval() {
    let house = House::new("review");
    let grace = house.start();
    let first = generation(&grace);
    house.edit("rules/database.toml", "250ms", "300ms");
    waits(&grace, 1);
    drop(grace);
    let grace = house.start();
    assert_eq!(generation(&grace), first);
    waits(&grace, 1);
    assert_eq!(grace.get("/api/approvals").as_array().map(Vec::len), Some(1), "asked once");
    grace.stop();
    // Changed while she was away.
    house.edit("rules/database.toml", "300ms", "350ms");
    let grace = house.start();
    waits(&grace, 2);
    assert_eq!(generation(&grace), first);
    assert_eq!(answers(&grace, "approve", 2), Some(0));
    until("they are active", || generation(&grace) != first);
    let second = generation(&grace);
    grace.stop();
    assert_eq!(generation(&house.start()), second);
}

#[test]
fn denied_files_never_become_active() {
    let house = House::new("deny");
    let grace = house.start();
    let first = generation(&grace);
    house.edit("rules/database.toml", "250ms", "300ms");
    until("they are refused", || rejected(&grace).contains("may not become active"));
    drop(grace);
    let grace = house.start();
    assert!(rejected(&grace).contains("changes"), "{}", rejected(&grace));
    assert_eq!((generation(&grace), grace.get("/api/approvals")), (first, json!([])));
}

#[test]
fn files_that_leave_nobody_to_approve_the_next_ones_never_become_active() {
    let house = House::new("review");
    let grace = house.start();
    let first = generation(&grace);
    let members = "approver = [\"socket\"]\nadmin    = [\"root\", \"owner\"]";
    house.edit("policies/access.toml", members, "approver = []\nadmin = []");
    until("they are refused", || rejected(&grace).contains("nobody is left who may approve"));
    assert_eq!(grace.get("/api/approvals"), json!([]), "nobody is asked for what may never be");
    // Whoever decides with a token decides about these as well; one that ends would leave nobody.
    let token = |name: &str, more: &Value| {
        let mut body = json!({ "name": name, "role": "approver", "person": name });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(grace.post("/api/tokens", &body.to_string()).status, 201);
    };
    token("ann", &json!({ "for": "30days" }));
    let at = || grace.get("/api/health/status")["rejected"]["at"].clone();
    let before = at();
    house.edit("policies/access.toml", "admin = []", "admin = [ ]");
    until("they are refused still", || at() != before && rejected(&grace).contains("nobody is left"));
    assert_eq!((generation(&grace), grace.get("/api/approvals")), (first.clone(), json!([])));
    token("bob", &json!({ "for": "ever" }));
    house.edit("policies/access.toml", "admin = [ ]", "admin = []");
    waits(&grace, 1);
    assert_eq!(answers(&grace, "approve", 1), Some(0));
    until("they are active", || generation(&grace) != first);
    let second = generation(&grace);
    grace.stop();
    // The way out: stop, mend, start. Whoever may still decide is asked also then.
    house.edit("policies/access.toml", "admin = []", "admin = [\"owner\"]");
    let grace = house.start();
    assert_eq!(generation(&grace), second, "bob may decide");
    waits(&grace, 2);
}

#[test]
fn whoever_is_locked_out_finds_back_with_a_stop_and_a_start() {
    let house = House::new("allow");
    let grace = house.start();
    let revoke = |name: &str| {
        let path = format!("DELETE /api/tokens/{name} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        grace.ask(&path).status
    };
    let made =
        grace.post("/api/tokens", r#"{"name": "ann", "role": "approver", "person": "ann", "for": "ever"}"#);
    assert_eq!(made.status, 201, "{made:?}");
    let first = generation(&grace);
    house.edit(
        "policies/governance.toml",
        "[\"activate\"], effect = \"allow\"",
        "[\"activate\"], effect = \"review\"",
    );
    until("they are active", || generation(&grace) != first);
    let second = generation(&grace);
    house.edit(
        "policies/access.toml",
        "approver = [\"socket\"]\nadmin    = [\"root\", \"owner\"]",
        "approver = []\nadmin = []",
    );
    waits(&grace, 1);
    assert_eq!(answers(&grace, "approve", 1), Some(0));
    until("they are active", || generation(&grace) != second);
    let third = generation(&grace);
    assert_eq!(revoke("ann"), 403, "nobody administers any more");
    drop(grace);
    house.edit("policies/access.toml", "admin = []", "admin = [\"owner\"]");
    let grace = house.start();
    assert_eq!(generation(&grace), third, "ann may decide");
}
