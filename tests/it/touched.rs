//! What a person needs to decide: what a request touches besides readings, and the whole act, also once it is decided.

use serde_json::{Value, json};

use crate::daemon::{Daemon, until};
use crate::decided::{House, Person, person};

/// Everything that people ask of modes, holds and silences waits for somebody else.
const REVIEWED: (&str, &str, &str) = (
    "policies/governance.toml",
    "policy.manual_mode ",
    "policy.all = { by = \"person\", action = [\"set_mode\", \"release\", \"hold\", \"silence\"], effect = \"review\", approvers = 1, \
     expires = \"15m\" }\npolicy.manual_mode ",
);

fn asked(grace: &Daemon, path: &str, body: &Value) -> Value {
    let asked = grace.post(path, &body.to_string());
    assert_eq!(asked.status, 202, "{asked:?}");
    grace.get(&format!("/api/approvals/{}", asked.json()["approval"]))
}

/// The sentences about what is touched hold each of these.
#[track_caller]
fn touches(shown: &Value, all: &[&str]) {
    let said = shown["waiting"]["touches"].to_string();
    for words in all {
        assert!(said.contains(words), "{words}: {shown}");
    }
}

#[test]
fn who_decides_reads_what_it_touches_and_the_whole_act_stays_visible() {
    let house = House::new(&[REVIEWED]);
    let grace = house.start();
    let ann: Person<'_> = person(&grace, "ann", "approver", "ann");
    let mode = json!({ "mode": "observation_only", "reason": "a drill", "for": "2h" });
    let shown = asked(&grace, "/api/health/mode", &mode);
    touches(
        &shown,
        &[
            "the mode is normal, and would be observation_only",
            "it permits heal, control, write, and would permit control, write",
            "rules would not heal ",
            "critical now: none",
        ],
    );
    let said = grace.grace(&["approve", "1"]);
    assert!(said.out.contains("touches   the mode is normal, and would be observation_only"), "{said:?}");
    assert_eq!(ann.approves(1).status, 200);
    // The claim is there: what its release would do.
    let shown = asked(&grace, "/api/health/mode/release", &json!({ "claim": "person", "reason": "over" }));
    touches(
        &shown,
        &[
            "it ends the claim person: observation_only since ",
            "the mode observation_only of that claim permits control, write",
            "the mode is observation_only, and would be normal",
            "rules may again heal ",
        ],
    );
    assert!(!shown.to_string().contains("person claims observation_only"), "it ends: {shown}");
    let hold = json!({ "component": "all", "reason": "game day", "for": "30m" });
    let shown = asked(&grace, "/api/holds", &hold);
    touches(&shown, &["nobody could restart or scale database, ", "critical now: none"]);
    let silence = json!({ "component": "task_executor", "reason": "known", "for": "30m" });
    let shown = asked(&grace, "/api/silences", &silence);
    touches(
        &shown,
        &[
            "nobody would hear from ",
            "suspicious/task_executor to oncall",
            "oncall would hear of requests for approval, and broken glass, about task_executor only when it ends",
            "oncall would hear of tasks that nobody looks at about task_executor only when it ends",
        ],
    );
    // One that is shorter than what stands: it would change nothing.
    assert_eq!(ann.approves(3).status, 200);
    let shorter = json!({ "component": "all", "reason": "a try", "for": "5m" });
    let shown = asked(&grace, "/api/holds", &shorter);
    touches(&shown, &["it changes nothing: all stays held, longer than that, by uid:", ": game day"]);
    assert!(!shown["waiting"]["touches"].to_string().contains("nobody could restart"), "{shown}");
    let done = ann.approves(5).json();
    assert!(done["detail"].as_str().is_some_and(|says| says.contains("all stays held, longer")), "{done}");
    // And of silences.
    assert_eq!(ann.approves(4).status, 200);
    let shorter = json!({ "component": "task_executor", "reason": "a try", "for": "5m" });
    let shown = asked(&grace, "/api/silences", &shorter);
    touches(
        &shown,
        &["it changes nothing: task_executor stays silenced, longer than that, by uid:", ": known"],
    );
    let longer = json!({ "component": "all", "reason": "a long day", "for": "2h" });
    let shown = asked(&grace, "/api/holds", &longer);
    touches(&shown, &["nobody could restart or scale database, ", "it takes the place of the hold by uid:"]);
    let one = json!({ "component": "database", "reason": "a disk", "for": "2h" });
    touches(
        &asked(&grace, "/api/holds", &one),
        &["nobody could restart or scale database", "all is held besides, by"],
    );
    stay_whole(&grace);
}

/// A rule's claim that nothing ends, under a person's lower mode; and what STOP, holds and blocks stop whatever the mode.
#[test]
fn what_stands_and_what_is_stopped_all_the_same_is_told() {
    let endless = (
        "rules/database.toml",
        "{ set_mode = \"read_only\", until = 'ok || warn' }",
        "{ set_mode = \"observation_only\" }",
    );
    let house = House::new(&[REVIEWED, endless]);
    let grace = house.start();
    let ann: Person<'_> = person(&grace, "ann", "approver", "ann");
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    until("the rule claims it", || grace.get("/api/health/mode")["mode"] == "observation_only");
    assert_eq!(grace.grace(&["fault", "clear", "database"]).code, Some(0));
    let lower =
        asked(&grace, "/api/health/mode", &json!({ "mode": "read_only", "reason": "it was looked at" }));
    let ends = "it ends the claim read_only/database: observation_only since ";
    touches(&lower, &[ends, "writes are done at once, and would be queued", "rules may again heal "]);
    assert!(!lower.to_string().contains("read_only/database claims"), "{lower}");
    // What stops them is looked at when somebody reads it.
    let again = || grace.get("/api/approvals/1");
    std::fs::write(grace.data().join("STOP"), "").expect("written");
    touches(&again(), &["all the same: a file named STOP lies in the data directory"]);
    assert!(!again().to_string().contains("rules may again heal"), "{}", again());
    std::fs::remove_file(grace.data().join("STOP")).expect("removed");
    asked(&grace, "/api/holds", &json!({ "component": "trigger_mesh", "reason": "a cable", "for": "30m" }));
    assert_eq!(ann.approves(2).status, 200);
    let held = "rules would not heal trigger_mesh all the same: trigger_mesh is held by uid:";
    touches(&again(), &["rules may again heal ", held]);
    assert_eq!(ann.approves(1).status, 200);
    // From there to emergency and back: people would see writes come back.
    asked(&grace, "/api/health/mode", &json!({ "mode": "emergency", "reason": "an attack" }));
    assert_eq!(ann.approves(3).status, 200);
    let back = asked(&grace, "/api/health/mode", &json!({ "mode": "read_only", "reason": "over" }));
    touches(
        &back,
        &["it permits control, and would permit heal, control", "writes are refused, and would be queued"],
    );
    // The end of one hold under another.
    asked(&grace, "/api/holds", &json!({ "component": "all", "reason": "game day", "for": "2h" }));
    assert_eq!(ann.approves(5).status, 200);
    let ended = grace.ask("DELETE /api/holds/trigger_mesh HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(ended.status, 202, "{ended:?}");
    let shown = grace.get("/api/approvals/6");
    touches(&shown, &["it ends the hold by uid:", "all is held by uid:", ": game day"]);
    let done = ann.approves(6).json();
    let detail = done["detail"].as_str().unwrap_or_default();
    assert!(detail.starts_with("done: end hold trigger_mesh; all is held by uid:"), "{done}");
    // What tells of several is heard where one of them is silenced, and of all nobody hears.
    let one =
        asked(&grace, "/api/silences", &json!({ "component": "database", "reason": "known", "for": "30m" }));
    let said = one["waiting"]["touches"].to_string();
    let (silent, heard) =
        said.split_once("heard, where it tells of others that nobody silenced: ").expect("told");
    assert!(
        !silent.contains("at_once/database") && heard.starts_with("at_once/database to oncall"),
        "{said}"
    );
    let all = asked(&grace, "/api/silences", &json!({ "component": "all", "reason": "known", "for": "30m" }));
    touches(&all, &["nobody would hear from at_once/database to oncall"]);
}

/// The mode stays as it is, and ends sooner: that is what has to be approved.
#[test]
fn a_shorter_claim_of_the_same_mode_tells_what_it_ends_and_what_comes_after() {
    let house = House::new(&[REVIEWED]);
    let grace = house.start();
    let ann: Person<'_> = person(&grace, "ann", "approver", "ann");
    let mode = |reason: &str, lasts: &str| {
        let body = json!({ "mode": "observation_only", "reason": reason, "for": lasts });
        asked(&grace, "/api/health/mode", &body)
    };
    let first = mode("a drill", "2h");
    touches(&first, &["once it is over, after 2h, the mode would be normal"]);
    assert!(!first.to_string().contains("takes the place"), "{first}");
    assert_eq!(ann.approves(1).status, 200);
    let shorter = mode("nearly done", "5m");
    let says = [
        "the mode is observation_only, and stays so",
        "it takes the place of the claim person: observation_only since ",
        ": a drill",
        "once it is over, after 5m, the mode would be normal",
    ];
    touches(&shorter, &says);
    let normal = json!({ "mode": "normal", "reason": "done" });
    let over = asked(&grace, "/api/health/mode", &normal);
    touches(&over, &["and would be normal", "it ends the claim person: observation_only since "]);
    assert!(!over.to_string().contains("once it is over"), "{over}");
}

/// Once it is decided, and over: still all of it.
fn stay_whole(grace: &Daemon) {
    for (approval, action, act, lasts) in [
        (1, "set_mode observation_only for 2h", "set_mode", 7_200_000),
        (3, "hold all for 30m", "hold", 1_800_000),
    ] {
        let shown = grace.get(&format!("/api/approvals/{approval}"));
        assert_eq!((&shown["answer"], &shown["waiting"]), (&json!("approved"), &Value::Null), "{shown}");
        assert_eq!((&shown["action"], &shown["act"]["act"]), (&json!(action), &json!(act)), "{shown}");
        assert!(shown["act"].to_string().contains(&lasts.to_string()), "{shown}");
        let said = grace.grace(&["approve", &approval.to_string()]);
        assert!(said.out.contains(action) && said.out.contains("approved by token:ann"), "{said:?}");
    }
}

/// What a rule wants is refused, and stays so as long as the rule wants it.
#[test]
fn what_is_decided_is_over_whatever_act_was_read_and_is_told_by_its_name() {
    let healing = "policy.automatic_healing = { by = \"rule\", action = [\"restart\", \"scale\"], effect = ";
    let (from, to) = (format!("{healing}\"allow\""), format!("{healing}\"review\""));
    let house = House::new(&[("policies/governance.toml", &from, &to)]);
    let grace = house.start();
    assert_eq!(grace.grace(&["fault", "inject", "reflection_service", "stop"]).code, Some(0));
    until("the rule asks", || grace.get("/api/approvals").as_array().map(Vec::len) == Some(1));
    assert_eq!(grace.grace(&["deny", "1", "--reason", "not tonight"]).code, Some(0));
    let other = json!({ "reason": "agreed", "act_hash": "0".repeat(64) }).to_string();
    let says = grace.post("/api/approvals/1/approve", &other).problem(409, "over");
    assert!(says.contains("void: refused by uid:"), "{says}");
    // What only names it by its number says what it is about.
    let about = "restart of reflection_service, asked by restart/reflection_service: ";
    let is_about = |one: &Value| one["about"].as_str().is_some_and(|says| says.starts_with(about));
    for kind in ["approval_ended", "refused"] {
        let entries = grace.get(&format!("/api/journal?kind={kind}"));
        assert!(is_about(&entries[0]), "{entries}");
    }
    let events = grace.get("/api/events?pattern=governance.approval_ended");
    assert!(is_about(&events[0]) && events[0]["subject"] == "reflection_service", "{events}");
    assert_eq!(grace.get("/api/events?pattern=governance.approval_asked")[0]["about"], Value::Null);
    for verb in [
        &["events", "--pattern", "governance.approval_ended"][..],
        &["audit", "query", "--kind", "approval_ended"],
    ] {
        let said = grace.grace(verb);
        assert!(said.out.contains(about) && said.out.contains("not tonight"), "{said:?}");
    }
}
