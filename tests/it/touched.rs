//! What a person needs to decide: what a request touches besides readings, and the whole act, also once it is decided.

use serde_json::{Value, json};

use crate::daemon::Daemon;
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
            "person claims observation_only",
        ],
    );
    let hold = json!({ "component": "all", "reason": "game day", "for": "30m" });
    let shown = asked(&grace, "/api/holds", &hold);
    touches(&shown, &["nobody could restart or scale database, ", "critical now: none"]);
    let silence = json!({ "component": "task_executor", "reason": "known", "for": "30m" });
    let shown = asked(&grace, "/api/silences", &silence);
    touches(&shown, &["nobody would hear from ", "suspicious/task_executor to oncall"]);
    // Once it is decided, and over: still all of it.
    for (approval, action, act, lasts) in [
        (1, "set_mode observation_only for 2h", "set_mode", 7_200_000),
        (3, "hold all for 30m", "hold", 1_800_000),
    ] {
        if approval == 3 {
            assert_eq!(ann.approves(3).status, 200);
        }
        let shown = grace.get(&format!("/api/approvals/{approval}"));
        assert_eq!((&shown["answer"], &shown["waiting"]), (&json!("approved"), &Value::Null), "{shown}");
        assert_eq!((&shown["action"], &shown["act"]["act"]), (&json!(action), &json!(act)), "{shown}");
        assert!(shown["act"].to_string().contains(&lasts.to_string()), "{shown}");
        let said = grace.grace(&["approve", &approval.to_string()]);
        assert!(said.out.contains(action) && said.out.contains("approved by token:ann"), "{said:?}");
    }
}
