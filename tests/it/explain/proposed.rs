//! What would have led elsewhere, of conditions that shipped files do not have: facts of others, arithmetic, windows,
//! policies, and the end of a claim.

use std::path::Path;

use serde_json::Value;

use crate::daemon::{command, said};
use crate::histories::{HANGS, files, reviewed};

const RULES: &str = "rules/reflection_service.toml";

/// An explanation of the service's rule at a time of the three hangs, under the shipped rules with some text replaced.
fn told(edits: &[(&str, &str, &str)], at: &str) -> (Value, String) {
    let dir = files(Some(HANGS), edits);
    let history = dir.path().join("rules/reflection_service.test.toml");
    let ask = |form: &str| {
        let mut grace = command(Path::new("/nowhere/data"));
        grace.args(["explain", "restart/reflection_service", "--at", at, "--output", form, "--history"]);
        let said = said(&grace.arg(&history).output().unwrap());
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out
    };
    (serde_json::from_str(&ask("json")).unwrap(), ask("human"))
}

#[test]
fn facts_of_another_component_are_proposed() {
    let edits = [(
        RULES,
        "when       = 'critical'",
        "when = 'critical && component(\"database\").ping.latency_ms > 50.0'",
    )];
    let (json, human) = told(&edits, "12:10:30");
    let change = &json["flip"]["changes"][0];
    assert_eq!(change["name"], "component(\"database\").ping.latency_ms", "{json}");
    assert_eq!(change["to"], "> 50 ms", "{json}");
    assert!(human.contains("component(\"database\").ping.latency_ms > 50 ms (it was "), "{human}");
}

#[test]
fn what_makes_another_component_ill_is_proposed_where_it_is_asked_how_that_is() {
    for asked in [
        "component(\"database\").status != \"ok\"",
        "critical && component(\"database\").status == \"critical\"",
    ] {
        let when = format!("when = '{asked}'");
        let (json, human) = told(&[(RULES, "when       = 'critical'", &when)], "12:10:30");
        let names: Vec<&str> = json["flip"]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert!(
            names.iter().all(|name| name.starts_with("component(\"database\").ping.")),
            "{asked}: {json}"
        );
        assert!(!names.is_empty() && human.contains("component(\"database\").ping."), "{asked}: {human}");
    }
}

#[test]
fn an_arithmetic_is_solved_for_its_facts() {
    for (critical, to) in [
        ("reflection.age_s * 2.0 + 20.0 > 120.0", "= 50.01 s"),
        ("200.0 - reflection.age_s < 120.0", "= 80.01 s"),
        ("-reflection.age_s < -90.0", "= 90.01 s"),
        ("threshold.stale_s / reflection.age_s < 2.0", "= 60.01 s"),
    ] {
        let written = format!("critical = '!reflection.running || {critical}'");
        let edits = [(
            RULES,
            "critical = '!reflection.running || reflection.age_s > threshold.stale_s'",
            written.as_str(),
        )];
        let (json, _) = told(&edits, "12:05:00");
        assert_eq!(json["truth"], "false", "{critical}: {json}");
        let changes = json["flip"]["changes"].as_array().unwrap();
        let [change] = changes.as_slice() else { panic!("{critical}: {changes:?}") };
        assert_eq!((&change["name"], &change["to"]), (&"reflection.age_s".into(), &to.into()), "{critical}");
    }
    // Counts are whole.
    let written = "critical = '!reflection.running || reflection.reflections * 2 > 7'";
    let edits =
        [(RULES, "critical = '!reflection.running || reflection.age_s > threshold.stale_s'", written)];
    let (json, _) = told(&edits, "12:05:00");
    let change = &json["flip"]["changes"][0];
    assert_eq!((&change["name"], &change["to"]), (&"reflection.reflections".into(), &"= 4".into()), "{json}");
}

#[test]
fn with_as_many_readings_as_there_are_it_would_have_fired() {
    let (json, human) = told(&[], "12:10:00");
    let fewer = &json["flip"]["gates"][0]["fewer"];
    assert_eq!((&fewer["after"], &fewer["instead_of"]), (&1.into(), &2.into()), "{json}");
    assert!(human.contains("with `after = 1` instead of 2 it would have fired now: it acts"), "{human}");
    // Where a gate of governance is closed that is what it would have been at.
    let (file, line, review) = reviewed();
    let held = [(file, line.as_str(), review)];
    let (json, _) = told(&held, "12:10:00");
    let then = json["flip"]["gates"][0]["fewer"]["then"].as_str().unwrap();
    assert!(then.contains("policy automatic_healing asks for approval"), "{then}");
}

#[test]
fn a_policy_that_denies_says_where_the_same_would_be_allowed() {
    let (file, line, _) = reviewed();
    let denied = format!(
        "{line}\npolicy.not_now = {{ by = \"rule\", action = [\"restart\"], when = 'mode == \"normal\" || tier == 3', effect = \"deny\" }}"
    );
    let edits = [(file, line.as_str(), denied.as_str())];
    let (json, _) = told(&edits, "12:10:30");
    let gates = json["gates"].as_array().unwrap();
    let policy = gates.iter().find(|gate| gate["gate"] == "policy").unwrap();
    let opens = policy["opens"].as_str().unwrap();
    assert!(opens.starts_with("when policy not_now does not match: it would be allowed in mode "), "{opens}");
    assert!(opens.contains("in mode read_only") && !opens.contains("in mode normal"), "{opens}");
    assert!(!opens.contains("tier"), "no tier helps while the mode is normal: {opens}");
}

#[test]
fn a_claim_says_what_would_have_ended_it() {
    let mut grace = command(Path::new("/nowhere/data"));
    grace.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "explain",
        "read_only/database",
        "--at",
        "14:03",
        "--history",
    ]);
    let said =
        said(&grace.arg("rules/database.test.toml::scenario_2_database_connection_lost").output().unwrap());
    assert!(
        said.out.contains("ends otherwise: two things are needed: with ping.")
            || said.out.contains("ends otherwise: with "),
        "{said:?}"
    );
    assert!(said.out.contains("its claim ends, and the mode is normal"), "{said:?}");
}

#[test]
fn of_two_changes_that_are_needed_together_neither_is_larger_than_the_other_needs() {
    // One incident is behind it. A reading that is critical begins another, and two of them count.
    let mut grace = command(Path::new("/nowhere/data"));
    grace.args(["explain", "suspicious/task_executor", "--at", "16:04:30", "--output", "json", "--history"]);
    let said = said(&grace.arg("rules/hunter.test.toml::two_incidents_are_no_attack").output().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let changes = json["flip"]["changes"].as_array().unwrap_or_else(|| panic!("{json}"));
    let mut all: Vec<String> =
        changes.iter().map(|one| format!("{} {}", one["name"], one["to"]).replace('"', "")).collect();
    all.sort();
    assert_eq!(all, ["executor.workers == 0", "threshold.repeats <= 2"], "{json}");
}

#[test]
fn the_news_of_an_approval_is_no_act_of_the_rule_that_wants_one() {
    let (file, from, to) = reviewed();
    let dir = files(Some(HANGS), &[(file, &from, to)]);
    let history = dir.path().join("rules/reflection_service.test.toml");
    let ask = |what: &[&str]| {
        let mut grace = command(Path::new("/nowhere/data"));
        let said = said(&grace.arg("explain").args(what).arg("--history").arg(&history).output().unwrap());
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out
    };
    let news = ask(&["1"]);
    let says = "act 1, notify oncall, is the news of approval 1, which no rule has to ask for: approval 1 is wanted: \
                restart of reflection_service, for restart/reflection_service: ";
    assert!(news.starts_with(says), "{news}");
    for word in ["no other try", "was made by", "readings  ", "otherwise"] {
        assert!(!news.contains(word), "{word}: {news}");
    }
    // And the rule itself did not act by it.
    let rule = ask(&["restart/reflection_service", "--at", "12:10:30"]);
    assert!(
        rule.starts_with("restart/reflection_service did nothing: policy automatic_healing asks for"),
        "{rule}"
    );
}
