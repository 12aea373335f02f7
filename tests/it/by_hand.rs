//! What people do by hand: it obeys modes, holds and policies, spends no budget, and the journal names who did it.

use grace::engine::{Input, State, adopt, step};
use grace::model::{Asked, Meaning, Request, Time};
use serde_json::{Value, json};

use crate::daemon::{Answer, Daemon, until};
use crate::decided::House;
use crate::histories::bundle;

fn delete(grace: &Daemon, path: &str) -> Answer {
    grace.ask(&format!("DELETE {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
}

fn entries(grace: &Daemon, kind: &str) -> Vec<Value> {
    grace.get(&format!("/api/journal?kind={kind}&limit=1000")).as_array().expect("a list").clone()
}

#[test]
fn a_rule_is_run_by_hand_as_the_persons_act() {
    let grace = Daemon::start();
    let path = "/api/rules/restart/task_executor/run";
    let asked = grace.post(path, r#"{"reason": "it looks odd"}"#);
    assert_eq!(asked.status, 202, "{asked:?}");
    let glass = json!({ "reason": "alone", "break_glass": true }).to_string();
    let done = grace.post("/api/approvals/1/approve", &glass);
    assert_eq!((done.status, &done.json()["result"]), (200, &json!("success")), "{done:?}");
    let action = &done.json()["action"];
    assert!(
        action["rule"].is_null() && action["actor"].as_str().is_some_and(|who| who.starts_with("uid:")),
        "{action}"
    );
    grace.post("/api/rules/restrt/task_executor/run", "{}").problem(404, "not_found");
    grace.post("/api/rules/restart/executor/run", "{}").problem(404, "not_found");
    // A hold stops it, and nothing of it is done.
    grace.post("/api/holds", r#"{"component": "task_executor", "reason": "moving"}"#);
    grace.post(path, "{}").problem(409, "refused");
    let said = grace.grace(&["do", "restart/task_executor"]);
    assert!(said.code == Some(4) && said.err.contains("held by"), "{said:?}");
    assert_eq!(grace.grace(&["do", "restart"]).code, Some(2));
    let heals = |entry: &&Value| entry["body"]["proposal"]["act"]["act"] == "heal";
    assert_eq!(entries(&grace, "intent").iter().filter(heals).count(), 1);
}

const BOTH: (&str, &str, &str) = (
    "rules/trigger_mesh.toml",
    "do         = [\"restart\"]",
    "do         = [{ set_mode = \"observation_only\", until = 'ok' }, \"restart\"]",
);

/// One part has to be approved: the other was done at once, for ever, and nobody was told.
#[test]
fn of_a_rule_that_is_run_by_hand_all_is_done_or_nothing_and_each_part_is_told() {
    let house = House::new(&[BOTH]);
    let grace = house.start();
    for verb in [&["do", "restart/trigger_mesh", "--dry-run"][..], &["do", "restart/trigger_mesh"]] {
        let said = grace.grace(verb);
        let says = [
            "set_mode observation_only may be done now; restart has to be approved first, says policy manual_restart",
            "none of it is done; `grace restart trigger_mesh` asks for that part alone",
        ];
        assert!(said.code == Some(4) && says.iter().all(|words| said.err.contains(words)), "{said:?}");
        assert_eq!((grace.get("/api/approvals"), entries(&grace, "claimed").len()), (json!([]), 0));
    }
    grace.post("/api/rules/restart/trigger_mesh/run", "{}").problem(403, "refused");
    // What stops the second part as the first one leaves it stops both.
    let free = ("policies/governance.toml", "when = 'tier == 1'", "when = 'tier == 7'");
    let tied = ("policies/modes.toml", "permits = [\"control\", \"write\"]", "permits = [\"write\"]");
    let house = House::new(&[BOTH, free, tied]);
    let grace = house.start();
    let said = grace.grace(&["do", "restart/trigger_mesh"]);
    assert!(said.code == Some(4) && said.err.contains("restart may not: "), "{said:?}");
    assert_eq!(grace.get("/api/health/mode")["mode"], "normal");
}

#[test]
fn whoever_runs_a_rule_by_hand_is_told_of_the_claim_that_stays() {
    let free = ("policies/governance.toml", "when = 'tier == 1'", "when = 'tier == 7'");
    let house = House::new(&[BOTH, free]);
    let grace = house.start();
    let alone = grace.grace(&["do", "read_only/database", "--dry-run"]);
    assert!(alone.out.contains("person claims read_only until a person ends it"), "{alone:?}");
    for verb in [&["do", "restart/trigger_mesh", "--dry-run"][..], &["do", "restart/trigger_mesh"]] {
        let said = grace.grace(verb);
        let says = "besides, set_mode observation_only: the mode is observation_only; person claims observation_only \
                    until a person ends it: `grace mode normal`";
        assert!(said.code == Some(0) && said.out.contains(says), "{said:?}");
    }
    // As it was recorded: the first part at once, and the second waits.
    let bundle = bundle(&[BOTH]);
    let request = Request::Run { rule: "restart".into(), component: "trigger_mesh".into() };
    for (meaning, mode) in [(Meaning::VOID, "observation_only"), (Meaning::VOTES, "normal")] {
        let state = adopt(&bundle, None, &State::default(), Time(0)).state;
        let asked = vec![Asked::by("uid:1000".into(), "a try".into(), request.clone())];
        let next =
            step(&bundle, &state, &Input { tick: 1, now: Time(1000), asked, meaning, ..Input::default() });
        assert_eq!(next.state.governed.mode.as_str(), mode, "{:?}", next.answers);
    }
}

#[test]
fn what_a_silence_keeps_back_is_told_when_it_ends() {
    let grace = Daemon::start();
    let said = grace.grace(&["silence", "trigger_mesh", "--reason", "known", "--for", "1h"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(grace.get("/api/silences")[0]["component"], "trigger_mesh");
    let listed = grace.grace(&["silence"]);
    assert!(listed.out.contains("trigger_mesh") && listed.out.contains("known"), "{listed:?}");
    assert_eq!(grace.get("/api/health/status")["silences"].as_array().map(Vec::len), Some(1));
    delete(&grace, "/api/silences/all").problem(404, "not_found");
    assert_eq!(grace.grace(&["silence", "trigger_mesh", "--end"]).code, Some(0));
    assert_eq!(grace.get("/api/silences"), json!([]));
    let short = json!({ "component": "all", "reason": "a game day", "for": "1s" });
    assert_eq!(grace.post("/api/silences", &short.to_string()).status, 200);
    until("it ends by itself", || entries(&grace, "silence_ended").len() == 2);
}

#[test]
fn of_two_holds_or_silences_the_longer_stays_and_who_asks_for_less_is_told_so() {
    let grace = Daemon::start();
    for (verb, is) in [("hold", "held"), ("silence", "silenced")] {
        let all = format!("/api/{verb}s");
        let ask = |reason: &str, lasts: &str| {
            let said = grace.grace(&[verb, "trigger_mesh", "--reason", reason, "--for", lasts]);
            assert_eq!(said.code, Some(0), "{said:?}");
            said.out
        };
        assert!(!ask("moving disks", "10m").contains("before"));
        let longer = ask("a new disk", "ever");
        let before = format!("before, it was {is} by uid:");
        assert!(longer.contains(&before) && longer.contains("moving disks"), "{longer}");
        let shorter = ask("a try", "1s");
        assert!(shorter.contains(&format!("stays {is}")) && shorter.contains("a new disk"), "{shorter}");
        assert!(shorter.contains(&format!("`grace {verb} trigger_mesh --end`")), "{shorter}");
        let stands = grace.get(&all);
        assert_eq!(
            (stands[0]["reason"].as_str(), &stands[0]["until"]),
            (Some("a new disk"), &Value::Null),
            "{stands}"
        );
        assert_eq!((stands.as_array().map(Vec::len), entries(&grace, is).len()), (Some(1), 2), "{stands}");
        assert_eq!(grace.grace(&[verb, "trigger_mesh", "--end"]).code, Some(0));
        ask("a try", "1s");
        until("it ends by itself", || grace.get(&all) == json!([]));
    }
}

#[test]
fn who_claims_for_a_shorter_time_what_is_claimed_waits_for_a_second_person() {
    let grace = Daemon::start();
    let claim = |lasts: &[&str]| {
        let words = [&["mode", "read_only", "--reason", "a try"], lasts].concat();
        grace.grace(&words).code
    };
    assert_eq!(claim(&["--for", "1h"]), Some(0));
    assert_eq!(claim(&["--for", "2h"]), Some(0), "longer is no way out");
    assert_eq!(claim(&["--for", "1s", "--dry-run"]), Some(5));
    assert_eq!(claim(&["--for", "1s"]), Some(5), "a second later the mode would be normal");
    assert_eq!(claim(&[]), Some(0));
    assert_eq!(claim(&["--for", "2h"]), Some(5));
    assert_eq!(grace.get("/api/health/mode")["mode"], "read_only");
}

#[test]
fn of_several_holds_the_one_that_lasts_longest_is_named() {
    let grace = Daemon::start();
    let hold = |what: &str, reason: &str, lasts: &str| {
        assert_eq!(grace.grace(&["hold", what, "--reason", reason, "--for", lasts]).code, Some(0));
    };
    hold("trigger_mesh", "a minute", "1m");
    hold("all", "the whole evening", "2h");
    let said = grace.grace(&["restart", "trigger_mesh", "--reason", "a try"]);
    assert!(said.code != Some(0) && format!("{said:?}").contains("the whole evening"), "{said:?}");
}

#[test]
fn an_act_of_two_kinds_is_approved_by_as_many_as_either_asks_for() {
    let two = "policy.manual_scale = { by = \"person\", action = [\"scale\"], effect = \"review\", approvers = 2, \
               expires = \"15m\" }\npolicy.manual_restart";
    let house = House::new(&[
        ("policies/governance.toml", "policy.manual_restart", two),
        ("rules/task_executor.toml", "[\"restart\"]", "[\"restart\", { scale = 3 }]"),
    ]);
    let grace = house.start();
    let asked = grace.post("/api/rules/restart/task_executor/run", r#"{"reason": "it looks odd"}"#);
    assert_eq!(asked.status, 202, "{asked:?}");
    let waits = grace.get("/api/approvals/1");
    assert_eq!(
        (&waits["waiting"]["needs"], &waits["policy"]),
        (&json!(2), &json!("manual_scale")),
        "{waits}"
    );
}
