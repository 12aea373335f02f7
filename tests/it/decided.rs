//! What waits for people: asked, told, decided once by somebody else, and void when its ground is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::{Answer, Daemon, Said, until};
use crate::scenarios::laid_over;

/// The shipped files with edits: of which file, from what, to what.
pub(crate) struct House {
    config: tempfile::TempDir,
    data: Arc<tempfile::TempDir>,
}

impl House {
    pub(crate) fn new(edits: &[(&str, &str, &str)]) -> Self {
        let house = Self {
            config: laid_over(Path::new("/nowhere")),
            data: Arc::new(tempfile::tempdir().expect("a folder")),
        };
        for (file, from, to) in edits {
            house.edit(file, from, to);
        }
        house
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.config.path().join(file);
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains(from), "{file}: {from}");
        fs::write(&path, text.replace(from, to)).expect("written");
    }

    pub(crate) fn start(&self) -> Daemon {
        let config = self.config.path().to_str().expect("a path");
        Daemon::start_in(Arc::clone(&self.data), &["--allow-faults", "--config", config])
    }
}

/// A person with a token of their own.
pub(crate) struct Person<'d> {
    pub(crate) grace: &'d Daemon,
    pub(crate) secret: String,
}

pub(crate) fn person<'d>(grace: &'d Daemon, name: &str, role: &str, person: &str) -> Person<'d> {
    let body = json!({ "name": name, "role": role, "person": person }).to_string();
    let made = grace.post("/api/tokens", &body);
    assert_eq!(made.status, 201, "{made:?}");
    Person { grace, secret: made.json()["secret"].as_str().expect("a secret").to_owned() }
}

impl Person<'_> {
    fn post(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.grace.ask_tcp(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.secret,
            body.len()
        ))
    }

    /// Makes a token for somebody.
    pub(crate) fn makes(&self, name: &str, role: &str, person: &str) -> Self {
        let made = self.post("/api/tokens", &json!({ "name": name, "role": role, "person": person }));
        assert_eq!(made.status, 201, "{made:?}");
        Self { grace: self.grace, secret: made.json()["secret"].as_str().expect("a secret").to_owned() }
    }

    /// Asks for a restart; gives the number of the request for approval.
    pub(crate) fn asks_for_a_restart(&self, component: &str) -> u64 {
        let body = json!({ "component": component, "reason": "it looks odd" });
        let asked = self.post("/api/health/restart", &body);
        assert_eq!(asked.status, 202, "{asked:?}");
        asked.json()["approval"].as_u64().unwrap_or_else(|| panic!("{asked:?}"))
    }

    pub(crate) fn approves(&self, approval: u64) -> Answer {
        self.post(&format!("/api/approvals/{approval}/approve"), &json!({ "reason": "agreed" }))
    }
}

/// The entries of a kind that are about this request for approval.
fn of_approval(grace: &Daemon, kind: &str, approval: u64) -> Vec<Value> {
    let all = grace.get(&format!("/api/journal?kind={kind}&limit=1000"));
    let bodies = all.as_array().expect("a list").iter().map(|entry| entry["body"].clone());
    bodies.filter(|body| body["approval"] == approval).collect()
}

/// The acts that hands did on components, and the ends of acts by their number.
pub(crate) fn acts(grace: &Daemon) -> (Vec<u64>, Vec<u64>) {
    let number = |kind: &str| {
        let all = grace.get(&format!("/api/journal?kind={kind}&limit=1000"));
        let bodies = all.as_array().expect("a list").iter().map(|entry| entry["body"].clone());
        bodies.collect::<Vec<_>>()
    };
    let heals = number("intent").into_iter().filter(|body| body["proposal"]["act"]["act"] == "heal");
    let heals: Vec<u64> = heals.filter_map(|body| body["act"].as_u64()).collect();
    let ends = number("end").iter().filter_map(|body| body["act"].as_u64()).collect();
    (heals, ends)
}

pub(crate) fn all_end(grace: &Daemon) {
    until("every act ends", || {
        let (heals, ends) = acts(grace);
        heals.iter().all(|act| ends.contains(act))
    });
}

pub(crate) fn proven(grace: &Daemon) {
    let said: Said = grace.grace(&["prove"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn two_people_restart_a_critical_component_once() {
    let house = House::new(&[]);
    let grace = house.start();
    let (ann, also_ann) = (person(&grace, "ann", "admin", "ann"), person(&grace, "ann-2", "admin", "ann"));
    let bob = person(&grace, "bob", "approver", "bob");
    let approval = ann.asks_for_a_restart("task_executor");
    until("it is told", || grace.log().contains("approval 1 is wanted: restart of task_executor"));
    // Shown with everything that whoever decides should know.
    let shown = grace.get(&format!("/api/approvals/{approval}"));
    let waiting = &shown["waiting"];
    assert_eq!((&shown["answer"], &waiting["needs"]), (&json!("waiting"), &json!(1)), "{shown}");
    assert_eq!(waiting["then"]["status"], "ok", "{waiting}");
    let workers = waiting["then"]["facts"].as_object().expect("facts").iter();
    assert!(
        workers.into_iter().any(|(fact, value)| fact.ends_with(".workers") && *value == json!(3)),
        "{waiting}"
    );
    assert_eq!(
        (&waiting["reach"]["tier"], &waiting["reach"]["workers"]),
        (&json!(1), &json!(3)),
        "{waiting}"
    );
    assert!(waiting["may_decide"].as_str().expect("a sentence").contains("not token:ann"), "{waiting}");
    assert_eq!(grace.get("/api/approvals")[0]["act_hash"], waiting["act_hash"]);
    for verb in [&["approve", "--list"][..], &["approve", "1"]] {
        let said = grace.grace(verb);
        for word in ["restart of task_executor", "it looks odd", "token:ann", "tier 1, 3 workers", "0 of 1"] {
            assert!(said.code == Some(0) && said.out.contains(word), "{verb:?} {word}: {said:?}");
        }
    }
    // Refused to the asker, through a second token as well.
    ann.approves(approval).problem(403, "refused");
    also_ann.approves(approval).problem(403, "refused");
    // Who read another act does not give this one.
    let path = format!("/api/approvals/{approval}/approve");
    let other = json!({ "reason": "agreed", "act_hash": "0".repeat(64) });
    bob.post(&path, &other).problem(412, "stale");
    assert!(acts(&grace).0.is_empty());
    let done = bob.post(&path, &json!({ "reason": "agreed", "act_hash": waiting["act_hash"] }));
    assert_eq!((done.status, &done.json()["result"]), (200, &json!("success")), "{done:?}");
    assert_eq!(done.json()["outcome"], "healed", "it is verified: {done:?}");
    let (heals, ends) = acts(&grace);
    assert!(heals.len() == 1 && ends.contains(&heals[0]), "{heals:?} {ends:?}");
    let says = bob.approves(approval).problem(409, "over");
    assert!(says.contains("given already by token:bob"), "{says}");
    let said = grace.grace(&["approve", "1"]);
    assert!(said.out.contains("approved by token:bob"), "{said:?}");
    proven(&grace);
}

#[test]
fn what_nobody_answers_runs_out_and_says_so() {
    let house = House::new(&[("policies/governance.toml", "expires = \"15m\"", "expires = \"1s\"")]);
    let grace = house.start();
    let (ann, bob) = (person(&grace, "ann", "admin", "ann"), person(&grace, "bob", "approver", "bob"));
    let approval = ann.asks_for_a_restart("task_executor");
    until("it ends", || !of_approval(&grace, "approval_ended", approval).is_empty());
    let says = bob.approves(approval).problem(409, "over");
    assert!(says.contains("nobody approved in time"), "{says}");
    assert!(acts(&grace).0.is_empty());
    assert_eq!(grace.get("/api/approvals"), json!([]));
}

#[test]
fn fifty_who_decide_at_once_make_one_decision() {
    let house = House::new(&[]);
    let grace = house.start();
    let ann = person(&grace, "ann", "admin", "ann");
    let people: Vec<Person> = (0..10)
        .map(|number| person(&grace, &format!("p{number}"), "approver", &format!("p{number}")))
        .collect();
    for round in 0..3 {
        let before = acts(&grace).0.len();
        let approval = ann.asks_for_a_restart("task_executor");
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let asks = (0..50).map(|number| {
                let (who, word) = (&people[number % 10], ["approve", "deny"][(number + round) % 2]);
                let path = format!("/api/approvals/{approval}/{word}");
                scope.spawn(move || who.post(&path, &json!({ "reason": "so be it" })))
            });
            let asks: Vec<_> = asks.collect();
            asks.into_iter().map(|ask| ask.join().expect("answers")).collect()
        });
        let decided: Vec<&Answer> = answers.iter().filter(|answer| answer.status < 300).collect();
        assert_eq!(decided.len(), 1, "{decided:?}");
        assert!(
            answers.iter().all(|answer| [200, 202, 404, 409, 429].contains(&answer.status)),
            "{answers:?}"
        );
        let (yes, no) = (
            of_approval(&grace, "approved", approval).len(),
            of_approval(&grace, "approval_ended", approval).len(),
        );
        assert_eq!(yes + no, 1, "{yes} and {no}");
        let (heals, _) = acts(&grace);
        assert_eq!(heals.len() - before, yes, "an act exactly where it was approved");
        all_end(&grace);
    }
    proven(&grace);
}

#[test]
fn killed_around_a_decision_it_is_made_once_and_acted_on_once() {
    let house = House::new(&[(
        "policies/system.toml",
        "crash_loop = { max = 3, within = \"10m\" }",
        "crash_loop = { max = 1000, within = \"10m\" }",
    )]);
    // One that still waits is not asked for twice.
    let mut approvals = BTreeSet::new();
    let (mut ann, mut bob) = (String::new(), String::new());
    for round in 0..8_u64 {
        let mut grace = house.start();
        if round == 0 {
            ann = person(&grace, "ann", "admin", "ann").secret;
            bob = person(&grace, "bob", "approver", "bob").secret;
        }
        all_end(&grace);
        let approval = {
            let ann = Person { grace: &grace, secret: ann.clone() };
            ann.asks_for_a_restart("task_executor")
        };
        approvals.insert(approval);
        std::thread::scope(|scope| {
            let bob = Person { grace: &grace, secret: bob.clone() };
            // It may be dead before it answers.
            scope.spawn(move || {
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bob.approves(approval)))
            });
            std::thread::sleep(Duration::from_millis(round * 37 % 260));
            grace.signal("-KILL");
        });
        grace.wait();
    }
    let grace = house.start();
    let bob = Person { grace: &grace, secret: bob };
    for &approval in &approvals {
        if of_approval(&grace, "approved", approval).is_empty() {
            all_end(&grace);
            assert!(bob.approves(approval).status < 300, "approval {approval} still waits");
        }
        let (yes, no) = (
            of_approval(&grace, "approved", approval).len(),
            of_approval(&grace, "approval_ended", approval).len(),
        );
        assert_eq!((yes, no), (1, 0), "approval {approval}");
    }
    all_end(&grace);
    let (heals, ends) = acts(&grace);
    assert_eq!(heals.len(), approvals.len(), "one act for each: {heals:?} {approvals:?}");
    assert!(heals.iter().all(|act| ends.iter().filter(|end| *end == act).count() == 1), "{ends:?}");
    proven(&grace);
}

/// An approval that comes when it is void, and what is said then.
fn too_late(grace: &Daemon, approval: u64) -> String {
    until("it is void", || !of_approval(grace, "approval_ended", approval).is_empty());
    let said = grace.grace(&["approve", &approval.to_string(), "--reason", "agreed"]);
    assert_eq!(said.code, Some(4), "{said:?}");
    assert_eq!(of_approval(grace, "approval_ended", approval).len(), 1);
    said.err
}

#[test]
fn it_is_void_once_the_files_changed() {
    let house = House::new(&[]);
    let grace = house.start();
    let approval = person(&grace, "ann", "admin", "ann").asks_for_a_restart("task_executor");
    house.edit("policies/governance.toml", "policy.manual_mode", "# Anything else.\npolicy.manual_mode");
    let says = too_late(&grace, approval);
    assert!(says.contains("void: the rules changed"), "{says}");
    assert!(acts(&grace).0.is_empty());
    proven(&grace);
}

#[test]
fn it_is_void_once_the_component_is_well_again() {
    let house = House::new(&[]);
    let grace = house.start();
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    let status = |word: &str| {
        let checks = grace.get("/api/health/status")["health_checks"].clone();
        checks
            .as_array()
            .expect("checks")
            .iter()
            .any(|one| one["component"] == "database" && one["status"] == word)
    };
    until("it is critical", || status("critical"));
    let approval = person(&grace, "ann", "admin", "ann").asks_for_a_restart("database");
    let shown = grace.get(&format!("/api/approvals/{approval}"))["waiting"]["then"].clone();
    assert_eq!((&shown["status"], &shown["facts"]["ping.connected"]), (&json!("critical"), &json!(false)));
    assert_eq!(grace.grace(&["fault", "clear", "database"]).code, Some(0));
    let says = too_late(&grace, approval);
    assert!(says.contains("database was critical when it was asked, and is"), "{says}");
    assert!(acts(&grace).0.is_empty());
    proven(&grace);
}

#[test]
fn it_is_void_once_a_mode_forbids_it_whoever_asked() {
    let house = House::new(&[
        (
            "policies/modes.toml",
            "permits = [\"control\"], writes = \"reject\"",
            "permits = [], writes = \"reject\"",
        ),
        (
            "policies/governance.toml",
            "policy.automatic_healing = { by = \"rule\", action = [\"restart\", \"scale\"], effect = \"allow\" }",
            "policy.automatic_healing = { by = \"rule\", action = [\"restart\", \"scale\"], effect = \"review\" }",
        ),
    ]);
    let grace = house.start();
    let by_person = person(&grace, "ann", "admin", "ann").asks_for_a_restart("task_executor");
    assert_eq!(grace.grace(&["fault", "inject", "reflection_service", "stop"]).code, Some(0));
    until("the rule asks", || grace.get("/api/approvals").as_array().map(Vec::len) == Some(2));
    let by_rule = by_person + 1;
    let mode = json!({ "mode": "emergency", "reason": "somebody is inside" }).to_string();
    assert_eq!(grace.post("/api/health/mode", &mode).status, 200);
    for approval in [by_person, by_rule] {
        let says = too_late(&grace, approval);
        assert!(says.contains("a mode began that forbids it") && says.contains("emergency"), "{says}");
    }
    assert!(acts(&grace).0.is_empty());
    proven(&grace);
}

#[test]
fn broken_glass_is_loud() {
    let grace = Daemon::start();
    grace.post("/api/health/restart", &json!({ "component": "task_executor" }).to_string());
    let said = grace.grace(&["approve", "1", "--reason", "nobody is awake", "--break-glass"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let log = grace.log();
    assert!(
        log.contains("broke the glass for approval 1, restart of task_executor: nobody is awake"),
        "{log}"
    );
    // Both were told: what was asked, and how it was given.
    let told = grace.get("/api/journal?kind=intent&limit=100");
    let told = told.as_array().expect("a list").iter();
    let told = told.filter(|entry| entry["body"]["proposal"]["act"]["approval"] == 1).count();
    assert_eq!(told, 2);
}

#[test]
fn one_of_two_does_not_make_it_approved() {
    let house = House::new(&[("policies/governance.toml", "approvers = 1", "approvers = 2")]);
    let grace = house.start();
    let ann = person(&grace, "ann", "admin", "ann");
    let (bob, cid) = (person(&grace, "bob", "approver", "bob"), person(&grace, "cid", "approver", "cid"));
    let answer = |approval: u64| {
        let shown = grace.get(&format!("/api/approvals/{approval}"));
        let rows = grace.get("/api/approvals");
        let waits = rows.as_array().expect("a list").iter().any(|row| row["approval"] == approval);
        (shown["answer"].as_str().expect("an answer").to_owned(), shown["answered_by"].clone(), waits)
    };
    let says = |word: &str, by: &str, waits: bool| (word.to_owned(), json!(by), waits);
    let approval = ann.asks_for_a_restart("task_executor");
    assert_eq!(bob.approves(approval).status, 200);
    assert_eq!(answer(approval), says("waiting", "token:bob", true));
    assert_eq!(cid.approves(approval).status, 200);
    assert_eq!(answer(approval), says("approved", "token:cid", false));
    // Approved by one, refused by the other.
    let approval = ann.asks_for_a_restart("task_executor");
    assert_eq!(bob.approves(approval).status, 200);
    let denied = cid.post(&format!("/api/approvals/{approval}/deny"), &json!({ "reason": "not now" }));
    assert_eq!(denied.status, 200, "{denied:?}");
    assert_eq!(answer(approval), says("ended", "token:cid", false));
    all_end(&grace);
}

#[test]
fn what_was_asked_with_a_token_that_has_ended_is_void() {
    let house = House::new(&[]);
    let grace = house.start();
    let short = person(&grace, "ann-short", "operator", "ann");
    let (ann, bob) = (person(&grace, "ann", "approver", "ann"), person(&grace, "bob", "approver", "bob"));
    let approval = short.asks_for_a_restart("task_executor");
    assert_eq!(ann.approves(approval).status, 403, "her own request");
    assert_eq!(grace.grace(&["token", "revoke", "ann-short"]).code, Some(0));
    let says = bob.approves(approval).problem(409, "over");
    assert!(says.contains("the token `ann-short`, with which it was asked, has ended"), "{says}");
    assert!(acts(&grace).0.is_empty());
    proven(&grace);
}

#[test]
fn glass_is_only_broken_where_nobody_else_may_decide() {
    let house = House::new(&[]);
    let grace = house.start();
    let ann = person(&grace, "ann", "admin", "ann");
    person(&grace, "bob", "approver", "bob");
    let approval = ann.asks_for_a_restart("task_executor");
    let glass = json!({ "reason": "in a hurry", "break_glass": true });
    let refused = ann.post(&format!("/api/approvals/{approval}/approve"), &glass);
    let says = refused.problem(403, "refused");
    assert!(says.contains("the glass is for whoever is alone, and bob has a token to decide with"), "{says}");
    assert_eq!(grace.grace(&["token", "revoke", "bob"]).code, Some(0));
    assert_eq!(ann.post(&format!("/api/approvals/{approval}/approve"), &glass).status, 200);
    all_end(&grace);
    proven(&grace);
}

#[test]
fn a_token_of_a_user_of_this_machine_is_that_user() {
    let house = House::new(&[]);
    let grace = house.start();
    // The one who runs the tests asks over the socket, and has a token under their name.
    let me = nix::unistd::User::from_uid(nix::unistd::Uid::current()).expect("asked").expect("is known");
    let mine = person(&grace, "mine", "approver", &me.name);
    let tokens = grace.get("/api/tokens");
    assert_eq!(tokens[0]["person"], format!("uid:{}", me.uid), "{tokens}");
    let body = json!({ "component": "task_executor", "reason": "it looks odd" }).to_string();
    let asked = grace.post("/api/health/restart", &body);
    let approval = asked.json()["approval"].as_u64().expect("it waits");
    assert_eq!(mine.approves(approval).status, 403, "the same person");
}
