//! `grace explain` as people run it, on the shipped tests as histories.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::SCENARIO_3;
use crate::daemon::{Said, command, said};
use crate::scenarios::laid_over;

const SCENARIO_2: &str = "rules/database.test.toml::scenario_2_database_connection_lost";
const BUDGET: &str = "rules/budgets.test.toml::the_wait_between_tries_grows_up_to_five_minutes";

/// The binary in this directory, on a data directory that is not there.
fn grace(args: &[&str]) -> Said {
    let output: Output = command(Path::new("/nowhere/data"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap();
    said(&output)
}

fn asked(args: &[&str], history: &str) -> Said {
    grace(&[&["explain"], args, &["--history", history]].concat())
}

fn json(args: &[&str], history: &str) -> Value {
    let said = asked(&[args, &["--output", "json"]].concat(), history);
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn scenario_2_names_the_tick_the_facts_and_the_claim() {
    let said = asked(&["read_only/database", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(said.code, Some(0), "{said:?}");
    let first = said.out.lines().next().unwrap();
    assert!(first.starts_with("read_only/database acted: set_mode read_only"), "{first}");
    for part in [
        "tick 3 at 2024-10-04T14:01:00Z, mode normal",
        "database is critical since 2024-10-04T14:00:30Z, because `critical` is true, 2 failures in a row",
        "ping.connected      false",
        "ping.latency_ms     2000 ms",
        "threshold.broken_ms                                   1000 ms",
        "the mode changed from normal to read_only",
        "read_only/database claims read_only since 2024-10-04T14:01:00Z, until `ok || warn`",
        "two things are needed: with ping.latency_ms <= 1000 ms (it was 2000 ms), and ping.connected = true",
        "containment allows set_mode, always, decided",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    let told = json(&["read_only/database", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(
        (&told["format_version"], &told["tick"], &told["acted"]),
        (&1.into(), &3.into(), &true.into())
    );
    assert_eq!(told["claim"]["mode"], "read_only");
    assert_eq!(told["conditions"][1]["condition"], "critical");
    assert_eq!(told["conditions"][1]["tree"]["parts"][1]["parts"][0]["value"], 2000.0);
    assert_eq!(told["conditions"][1]["tree"]["parts"][1]["parts"][0]["unit"], "milliseconds");
}

#[test]
fn scenario_2_says_why_nothing_was_restarted() {
    let said = asked(&["restart/database", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains(
            "no rule of `database` does `restart`; there is: `at_once`, `attack`, `changed_program`"
        ),
        "{said:?}"
    );
    let said = asked(&["why-not", "restart/database", "--at", "14:01:00"], SCENARIO_2);
    let first = "no rule of database does restart; instead read_only/database acted: set_mode read_only, \
                 the mode changed from normal to read_only";
    assert_eq!((said.code, said.out.lines().next()), (Some(0), Some(first)), "{said:?}");
    // Half a minute later the rule only claims.
    let told = json(&["why-not", "restart/database", "--at", "14:01:30"], SCENARIO_2);
    assert_eq!((&told["could"], &told["acted"]), (&serde_json::json!([]), &false.into()), "{told}");
    assert_eq!(
        told["instead"],
        serde_json::json!([{ "rule": "read_only/database", "did": [], "claims": "read_only" }])
    );
    let told = json(&["why-not", "restart/reflection_service", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(told["acted"], false);
    let says = told["summary"].as_str().unwrap();
    assert_eq!(
        says,
        "restart/reflection_service did nothing: reflection service is ok, and `critical` is false"
    );
    let parent = gate(&told, "dependency");
    assert_eq!((&parent["state"], &parent["would"]), (&"not_asked".into(), &"closed".into()));
    assert_eq!(parent["opens"], "when database is no longer critical");
}

#[test]
fn an_action_that_nobody_did_is_asked_of_every_rule_that_does_it() {
    let told = json(&["why-not", "restart", "--at", "14:01:00"], SCENARIO_2);
    let could = told["could"].as_array().unwrap();
    let rules: Vec<&str> = could.iter().filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(rules, [SERVICE, EXECUTOR, MESH], "{told}");
    let says = "restart/reflection_service did nothing: reflection service is ok, and `critical` is false";
    assert_eq!((&could[0]["says"], &could[0]["acted"]), (&says.into(), &false.into()));
    assert_eq!(told["instead"][0]["did"][0]["what"], "set_mode read_only");
    let people = asked(&["why-not", "restart", "--at", "14:01:00"], SCENARIO_2).out;
    for part in ["none of the 3 rules that do restart did it; instead read_only/database acted", says] {
        assert!(people.contains(part), "{part}\n{people}");
    }
    // One that did it is told as well, and so is one that something stops.
    let told = json(&["why-not", "restart", "--at", "12:01:30"], BUDGET);
    assert!(told["could"][2]["says"].as_str().unwrap().contains("cooling down until 12:02:01.420"), "{told}");
    let told = json(&["why-not", "restart", "--at", "12:01:00"], BUDGET);
    assert_eq!((&told["acted"], &told["could"][2]["acted"]), (&true.into(), &true.into()), "{told}");
    assert_eq!(told["summary"], "restart/trigger_mesh did restart in this tick");
    // What is neither a rule nor an action stays a slip.
    let said = asked(&["why-not", "restrat/database"], SCENARIO_2);
    assert!(said.code == Some(2) && said.err.contains("there is no rule"), "{said:?}");
}

fn gate<'t>(told: &'t Value, name: &str) -> &'t Value {
    let gates = told["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("{name}: {gates:?}"))
}

const MESH_HELD: &str = "rules/people.test.toml::a_hold_stops_rules_until_a_person_ends_it";
const STOPPED: &str = "rules/reflection_service.test.toml::stop_file_stops_every_restart";
const PARENT: &str = "rules/reflection_service.test.toml::not_healed_for_the_databases_fault";
const NO_EFFECT: &str = "rules/reflection_service.test.toml::a_restart_that_changes_nothing_has_no_effect";
const UNREAD: &str = "rules/reflection_service.test.toml::a_missing_reading_is_unknown_and_never_a_failure";
const MESH: &str = "restart/trigger_mesh";
const SERVICE: &str = "restart/reflection_service";
const EXECUTOR: &str = "restart/task_executor";

/// History, rule, time, gate; then how it stands, what it says, and how it opens.
const GATES: &[(&str, &str, &str, &str, &str, &str, &str)] = &[
    (UNREAD, SERVICE, "12:00:30", "condition", "closed", "`critical` is unknown", ""),
    (
        SCENARIO_2,
        "read_only/database",
        "14:00:30",
        "readings",
        "closed",
        "pending: 1 of 2 readings",
        "next readings",
    ),
    (
        SCENARIO_2,
        "read_only",
        "14:03",
        "effort",
        "closed",
        "fired at 14:01:00, done for this firing",
        "new firing",
    ),
    (
        NO_EFFECT,
        SERVICE,
        "12:01:10",
        "effort",
        "closed",
        "verifying act 1 until 12:01:30",
        "whether it helped",
    ),
    (STOPPED, SERVICE, "12:01", "stop", "closed", "a file named STOP", "removes the file STOP"),
    (MESH_HELD, MESH, "12:01", "hold", "closed", "held by uid:1000", "grace hold trigger_mesh --end"),
    (
        SCENARIO_3,
        EXECUTOR,
        "16:10:30",
        "block",
        "closed",
        "blocked since 16:10:01",
        "grace unblock task_executor",
    ),
    (
        PARENT,
        SERVICE,
        "12:02",
        "dependency",
        "closed",
        "waiting for database",
        "database is no longer critical",
    ),
    (
        SCENARIO_3,
        EXECUTOR,
        "16:10:30",
        "mode",
        "closed",
        "observation_only is claimed by suspicious/task_executor since 16:10:01",
        "grace mode release suspicious/task_executor",
    ),
    (SCENARIO_3, EXECUTOR, "16:10:30", "policy", "open", "policy automatic_healing allows it", ""),
    (BUDGET, MESH, "12:01:30", "backoff", "closed", "cooling down until 12:02:01.420", "by itself"),
    (BUDGET, MESH, "12:02:05", "backoff", "not_asked", "cooling down", "by itself"),
    (BUDGET, MESH, "12:10:30", "budget", "closed", "3 of 3 used in 10m; frees at 12:11:00", "12:11:00"),
];

#[test]
fn every_gate_says_how_it_stands_and_how_it_opens() {
    for (history, rule, at, name, state, says, opens) in GATES {
        let told = json(&["why-not", rule, "--at", at], history);
        let found = gate(&told, name);
        assert_eq!(found["state"], *state, "{rule} {at}: {found}");
        assert!(found["says"].as_str().unwrap().contains(says), "{rule} {at}: {found}");
        assert!(found["opens"].as_str().unwrap_or_default().contains(opens), "{rule} {at}: {found}");
        // The gates of one rule stand in one order, whatever they say.
        let all = told["gates"].as_array().unwrap();
        let names: Vec<&str> = all.iter().filter_map(|gate| gate["gate"].as_str()).collect();
        let order =
            ["condition", "readings", "effort", "stop", "hold", "block", "dependency", "mode", "policy"];
        assert!(names.starts_with(&order), "{names:?}");
    }
    // What verifies is in flight: that is one thing to wait for.
    let told = json(&[SERVICE, "--at", "12:01:10"], NO_EFFECT);
    assert_eq!(told["flip"]["gates"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn what_fired_and_cannot_be_read_waits_for_a_reading() {
    let laid = laid_over(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/scenarios/unseen"));
    let dir = laid.path().to_str().unwrap();
    let history = format!("{dir}/rules/reflection_service.test.toml::what_cannot_be_read_is_not_tried_again");
    let told = json(&["why-not", SERVICE, "--at", "12:02:30", "--config", dir], &history);
    let found = gate(&told, "condition");
    assert_eq!((&found["state"], &found["decided"]), (&"closed".into(), &true.into()), "{found}");
    let says = |key: &str, part: &str| found[key].as_str().is_some_and(|says| says.contains(part));
    assert!(says("says", "so that it tries nothing") && says("opens", "with a reading"), "{found}");
}

#[test]
fn of_one_second_the_tick_counts_in_which_the_rule_acted() {
    let told = json(&["suspicious/task_executor", "--at", "16:10:01"], SCENARIO_3);
    assert_eq!((&told["tick"], &told["acted"]), (&28.into(), &true.into()), "tick 29 is of the same second");
    let did: Vec<&str> =
        told["did"].as_array().unwrap().iter().filter_map(|deed| deed["what"].as_str()).collect();
    assert!(
        did.contains(&"block") && did.contains(&"the mode changed from normal to observation_only"),
        "{did:?}"
    );
}

#[test]
fn an_act_is_explained_with_what_became_of_it() {
    let said = asked(&["1"], BUDGET);
    let first = said.out.lines().next().unwrap();
    assert!(
        first.starts_with("act 1, restart trigger_mesh, was made by restart/trigger_mesh, try 1 because"),
        "{first}"
    );
    assert!(said.out.contains("it ended at 2024-10-04T12:01:30Z: no_effect"), "{}", said.out);
    // The second told somebody of what waits.
    let told = json(&["3"], "rules/modes.test.toml::through_all_modes_and_back");
    assert!(told["summary"].as_str().unwrap().contains("uid:1000 asked for it"), "{told}");
    let policy = gate(&told, "policy");
    assert_eq!(policy["policies"][1]["effect"], "review");
    assert_eq!(policy["policies"][1]["decided"], true);
    assert_eq!(policy["policies"][1]["tree"]["text"], "tier == 1");
    assert_eq!(gate(&told, "approval")["state"], "open");
}

#[test]
fn what_has_no_answer_is_said_clearly() {
    for (args, history, says) in [
        (
            vec!["restart", "--at", "14:01"],
            SCENARIO_2,
            "`restart` can be one of `restart/reflection_service`, `restart/task",
        ),
        (vec!["read_onli/database"], SCENARIO_2, "did you mean `read_only`?"),
        (vec!["databas"], SCENARIO_2, "there is no rule `databas`: did you mean `database`?"),
        (vec!["restart/trigger_mess"], SCENARIO_2, "did you mean `restart/trigger_mesh`?"),
        (vec!["0"], SCENARIO_2, "there is no act 0: acts are numbered from 1 on"),
        (vec!["9"], SCENARIO_2, "there is no act 9 in the history; the newest is act 1"),
        (
            vec!["read_only", "--at", "16:00"],
            SCENARIO_2,
            "which goes from 2024-10-04T14:00:00Z to 2024-10-04T14:07:00Z",
        ),
        (vec!["read_only", "--at", "2030-01-01T00:00:00Z"], SCENARIO_2, "lies outside of the history"),
        (vec!["read_only", "--at", "soon"], SCENARIO_2, "write a time such as"),
        (vec!["1", "--at", "14:00"], SCENARIO_2, "an act has its own time"),
        (vec!["why-not"], SCENARIO_2, "say which rule"),
        (vec!["read_only", "database"], SCENARIO_2, "only `why-not` takes a rule behind it"),
        (vec!["GR2103"], SCENARIO_2, "a code has no time and no history"),
        (vec!["read_only"], "rules/database.test.toml", "name one of its tests behind `::`"),
    ] {
        let said = asked(&args, history);
        assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
        assert!(said.err.contains(says) && said.out.is_empty(), "{args:?}: {said:?}");
    }
}

#[test]
fn the_first_word_decides_whether_a_code_is_meant() {
    let said = grace(&["explain", "GR2103"]);
    assert!(said.out.starts_with("# GR2103: unknown name in a condition"), "{said:?}");
    let said = grace(&["explain", "GR9999"]);
    assert!(said.code == Some(2) && said.err.contains("there is no code `GR9999`"), "{said:?}");
    let said = grace(&["explain"]);
    assert!(said.code == Some(0) && said.out.lines().any(|line| line.starts_with("GR7002")), "{said:?}");
}
