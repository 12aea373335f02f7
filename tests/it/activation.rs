//! Files whose activation a policy wants approved: the active ones judge them, and go on until somebody has.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::open_stream;
use crate::daemon::{Answer, Daemon, until};
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

/// A token of somebody who edits no files: made before there is anything to decide.
fn somebody_else(grace: &Daemon, name: &str, role: &str) -> String {
    let body = json!({ "name": name, "role": role, "person": name, "for": "ever" });
    let made = grace.post("/api/tokens", &body.to_string());
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["secret"].as_str().expect("a secret").to_owned()
}

fn with_token(grace: &Daemon, secret: &str, what: &str, body: &str) -> Answer {
    grace.ask_tcp(&format!(
        "{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {secret}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn answers(grace: &Daemon, (who, verb): (&str, &str), approval: u64) -> Answer {
    with_token(grace, who, &format!("POST /api/approvals/{approval}/{verb}"), r#"{"reason": "read"}"#)
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
    let bob = somebody_else(&grace, "bob", "approver");
    let first = generation(&grace);
    house.edit("rules/database.toml", "250ms", "300ms");
    waits(&grace, 1);
    assert_eq!(generation(&grace), first, "the active ones go on");
    let shown = grace.get("/api/approvals/1");
    let action = shown["waiting"]["action"].as_str().expect("an action");
    assert!(action.starts_with("activate generation "), "{shown}");
    // Those who decide see which files change, and what.
    let waiting = &shown["waiting"];
    assert_eq!(waiting["reason"], "the files changed: rules/database.toml");
    let slow = r#"~ threshold of database: slow_ms = "300ms", was "250ms""#;
    let changes = json!(["rules/database.toml is changed", slow]);
    assert_eq!(waiting["changes"], changes);
    let told = grace.grace(&["approve", "1"]);
    assert!(told.out.contains(slow), "{told:?}");
    // Whose the files are does not approve them, not even with a token made for it.
    let owner = fs::metadata(house.config.path().join("rules/database.toml")).expect("is there").uid();
    let not = format!("but not uid:{owner}, whose the changed files are");
    assert!(waiting["may_decide"].as_str().is_some_and(|who| who.contains(&not)), "{shown}");
    let own = grace.grace(&["approve", "1", "--reason", "mine"]);
    let not = format!("the files that change are uid:{owner}'s");
    assert!(own.code == Some(4) && own.err.contains(&not), "{own:?}");
    let carl = somebody_else(&grace, "carl", "approver");
    answers(&grace, (&carl, "approve"), 1).problem(403, "refused");
    until("it is told", || grace.log().contains("approval 1 is wanted: activate generation"));
    assert_eq!(answers(&grace, (&bob, "approve"), 1).status, 200);
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
    assert_eq!(answers(&grace, (&bob, "deny"), 2).status, 200);
    until("they are not used", || rejected(&grace).contains("was not approved"));
    assert_eq!(generation(&grace), second);
    let proof = grace.grace(&["prove"]);
    assert_eq!(proof.code, Some(0), "{proof:?}");
}

#[test]
fn what_waits_is_void_when_the_files_change_again() {
    let house = House::new("review");
    let grace = house.start();
    let bob = somebody_else(&grace, "bob", "approver");
    let first = generation(&grace);
    house.edit("rules/database.toml", "250ms", "300ms");
    waits(&grace, 1);
    house.edit("rules/database.toml", "300ms", "350ms");
    waits(&grace, 2);
    assert!(end_of(&grace, 1).contains("the files changed again"));
    answers(&grace, (&bob, "approve"), 1).problem(409, "over");
    // Broken, and then back to what is active.
    house.edit("rules/database.toml", "ping.connected", "ping.conected");
    assert!(end_of(&grace, 2).contains("the files changed again"));
    until("they are refused", || rejected(&grace).contains("conected"));
    house.edit("rules/database.toml", "ping.conected", "ping.connected");
    waits(&grace, 3);
    house.edit("rules/database.toml", "350ms", "250ms");
    assert!(end_of(&grace, 3).contains("the files changed again"));
    until("nothing is refused any more", || rejected(&grace) == "null");
    // What was added and is taken back was not cut off.
    let file = house.config.path().join("rules/database.toml");
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, format!("{text}\n# a note\n")).expect("written");
    waits(&grace, 4);
    fs::write(&file, text).expect("written");
    assert!(end_of(&grace, 4).contains("the files changed again"));
    until("nothing is refused any more", || rejected(&grace) == "null");
    assert_eq!((generation(&grace), grace.get("/api/approvals")), (first, json!([])));
}

#[test]
fn a_restart_of_grace_is_no_way_around_an_approval() {
    let house = House::new("review");
    let grace = house.start();
    let bob = somebody_else(&grace, "bob", "approver");
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
    assert_eq!(answers(&grace, (&bob, "approve"), 2).status, 200);
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
    let ann = r#"{"name": "ann", "role": "approver", "person": "ann", "for": "30days"}"#;
    assert_eq!(grace.post("/api/tokens", ann).status, 201);
    let at = || grace.get("/api/health/status")["rejected"]["at"].clone();
    let before = at();
    house.edit("policies/access.toml", "admin = []", "admin = [ ]");
    until("they are refused still", || at() != before && rejected(&grace).contains("nobody is left"));
    assert_eq!((generation(&grace), grace.get("/api/approvals")), (first.clone(), json!([])));
    let bob = somebody_else(&grace, "bob", "approver");
    house.edit("policies/access.toml", "admin = [ ]", "admin = []");
    waits(&grace, 1);
    assert_eq!(answers(&grace, (&bob, "approve"), 1).status, 200);
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
fn files_that_leave_too_few_to_approve_the_next_ones_never_become_active() {
    let house = House::new("allow");
    let grace = house.start();
    let first = generation(&grace);
    let members = "approver = [\"socket\"]\nadmin    = [\"root\", \"owner\"]";
    house.edit(
        "policies/access.toml",
        members,
        "approver = [\"uid:4001\", \"uid:4002\"]\nadmin = [\"root\"]",
    );
    until("they are active", || generation(&grace) != first);
    let second = generation(&grace);
    let (one, four) =
        ("[\"activate\"], effect = \"allow\"", "[\"activate\"], effect = \"review\", approvers = 4");
    house.edit("policies/governance.toml", one, four);
    until("they are refused", || rejected(&grace).contains("fewer people are left who may approve"));
    assert_eq!(generation(&grace), second);
    // A fourth, by a token.
    somebody_else(&grace, "bob", "approver");
    house.edit("policies/governance.toml", four, &format!("{four} , expires = \"1h\""));
    until("they are active", || generation(&grace) != second);
    assert!(grace.log().contains("GR4307"), "{}", grace.log());
}

#[test]
fn who_may_read_no_more_hears_no_more() {
    let house = House::new("allow");
    let grace = house.start();
    let mut stream = open_stream(&grace, "connection: close\r\n");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    let access = "[role]\nadmin = [\"uid:4001\"]\n";
    fs::write(house.config.path().join("policies/access.toml"), access).expect("written");
    let mut heard = String::new();
    stream.read_to_string(&mut heard).expect("it ends");
    assert!(heard.starts_with("HTTP/1.1 200 OK"), "{heard}");
    let said = grace.ask("GET /api/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    said.problem(403, "forbidden");
}

#[test]
fn whoever_is_locked_out_finds_back_with_a_stop_and_a_start() {
    let house = House::new("allow");
    let grace = house.start();
    let bob = somebody_else(&grace, "bob", "approver");
    let carl = somebody_else(&grace, "carl", "admin");
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
    assert_eq!(answers(&grace, (&bob, "approve"), 1).status, 200);
    until("they are active", || generation(&grace) != second);
    let third = generation(&grace);
    // The last who could decide go.
    for name in ["bob", "carl"] {
        let gone = with_token(&grace, &carl, &format!("DELETE /api/tokens/{name}"), "");
        assert_eq!(gone.status, 200, "{gone:?}");
    }
    house.edit("policies/access.toml", "admin = []", "admin = [\"owner\"]");
    waits(&grace, 2);
    assert_eq!(generation(&grace), third, "running, she asks nobody less than before");
    drop(grace);
    let grace = house.start();
    assert_ne!(generation(&grace), third);
    assert!(grace.log().contains("judges no other files"), "{}", grace.log());
}
