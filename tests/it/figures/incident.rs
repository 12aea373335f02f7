//! `grace report --incident`: what happened, why, and what else was considered; what others wrote is text.

use std::path::Path;

use serde_json::Value;

use super::told::{NOON, Told, at, begun, ended, started, stopped};
use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, journal, recorded, recorded_under};

fn report(data: &Path, args: &[&str]) -> Said {
    said(&command(data).args(["report", "--incident"]).args(args).output().expect("runs"))
}

#[test]
fn an_incident_is_told_from_its_begin_to_its_end() {
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(HANGS));
    let human = report(dir.path(), &["2"]).out;
    for line in [
        "Incident 2 of reflection_service",
        "ok to critical, 1 in a row",
        "incident 2 began",
        "act 2: restart",
        "restart/reflection_service",
        "act 2 ended: healed",
        "incident 2 ended",
        "Why act 2 was made",
        "reflection.running",
        "Nothing was wanted that was not done.",
    ] {
        assert!(human.contains(line), "{line} is not in\n{human}");
    }
    for other in ["incident 1", "incident 3", "act 1", "act 3"] {
        assert!(!human.contains(other), "{other} in\n{human}");
    }
    let json: Value =
        serde_json::from_str(&report(dir.path(), &["2", "--output", "json"]).out).expect("is JSON");
    assert_eq!(json["component"], "reflection_service");
    assert_eq!(json["figures"]["incidents_ended"], 1, "{json:#}");
    let (began, ended) = (json["began"].as_str().expect("a time"), json["ended"].as_str().expect("a time"));
    let length = crate::figures::told::time(ended) - crate::figures::told::time(began);
    assert_eq!(json["figures"]["down_s"].as_f64(), Some(length.as_seconds()), "{json:#}");
    let first = &json["timeline"][0];
    assert_eq!(first["what"], "ok to critical, 1 in a row", "{json:#}");
    let markdown = report(dir.path(), &["2", "--output", "markdown"]).out;
    assert!(markdown.starts_with("## Incident 2 of reflection\\_service\n"), "{markdown}");
}

#[test]
fn what_was_healed_and_did_not_last_is_told_where_it_was_healed() {
    let test = r#"
[test.it_comes_back]
start = "12:00:00"
end   = "12:06:00"
given = [
    { at = "12:00:10", set = { "reflection.running" = false } },
    { on = "restart", set = { "reflection.running" = true } },
    { at = "12:03:40", set = { "reflection.running" = false } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(test));
    let told: Value =
        serde_json::from_str(&report(dir.path(), &["1", "--output", "json"]).out).expect("is JSON");
    let last = told["timeline"].as_array().and_then(|all| all.last()).expect("something happened");
    assert_eq!(last["what"], "what act 1 had healed did not last", "{told:#}");
    let ended = crate::figures::told::time(told["ended"].as_str().expect("it ended"));
    assert!(crate::figures::told::time(last["at"].as_str().expect("a time")) > ended, "{told:#}");
}

#[test]
fn what_waited_is_told_and_what_others_wrote_is_text() {
    let test = r#"
[test.it_does_not_start]
start = "12:00:00"
end   = "12:02:00"
given = [
    { at = "12:00:10", set = { "reflection.running" = false } },
    { on = "restart", fails = "<b>no</b> | \u001b[2J `rm`" },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(test));
    let human = report(dir.path(), &["1"]).out;
    assert!(human.contains("still open") && human.contains("act 1 ended: failed"), "{human}");
    assert!(human.contains("cooling down until") && human.contains("wait"), "{human}");
    assert!(!human.contains('\u{1b}'), "{human}");
    let html = report(dir.path(), &["1", "--html"]).out;
    assert!(html.contains("&lt;b&gt;no&lt;&#x2f;b&gt;") && !html.contains("<b>"), "{html}");
    let markdown = report(dir.path(), &["1", "--output", "markdown"]).out;
    assert!(markdown.contains("\\<b\\>no\\</b\\> \\| "), "{markdown}");
}

#[test]
fn what_is_being_sent_when_an_incident_ends_is_told_with_its_end() {
    let test = r#"
[test.it_is_well_again]
start = "12:00:00"
end   = "12:03:00"
given = [
    { at = "12:00:10", set = { "reflection.running" = false } },
    { at = "12:00:40", set = { "reflection.running" = true } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;
    let restart = "[rule.restart]\n";
    let well = "[rule.well]\nwhen = 'ok && incidents(90) > 0'\n\
        do = [{ notify = \"oncall\", text = \"it is well again\" }]\n\n[rule.restart]\n";
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded_under(test, &[("rules/reflection_service.toml", restart, well)]));
    let told: Value =
        serde_json::from_str(&report(dir.path(), &["1", "--output", "json"]).out).expect("is JSON");
    let timeline = told["timeline"].as_array().expect("a timeline");
    let place = |says: &str| {
        let all: Vec<usize> =
            (0..).zip(timeline).filter(|(_, one)| one.to_string().contains(says)).map(|(at, _)| at).collect();
        assert_eq!(all.len(), 1, "{says} in {told:#}");
        all[0]
    };
    let (ended, begun) = (place("incident 1 ended"), place("act 1: notify oncall"));
    let sent = place("oncall: sent");
    assert!(ended < begun && begun < sent && sent == timeline.len() - 1, "{told:#}");
}

/// More than a thousand readings in one incident, every one of which says something else than the one before.
#[test]
fn a_long_incident_is_told_with_its_end() {
    let reading = |number: usize| {
        let (seconds, value) =
            (number * 30 + 10, if number.is_multiple_of(2) { "false" } else { "\"missing\"" });
        let at = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{{ at = \"{at}\", set = {{ \"reflection.running\" = {value} }} }},\n")
    };
    let readings: String = (0..1_010).map(reading).collect();
    let test = format!(
        "[test.long]\nstart = \"00:00:00\"\nend = \"08:28:00\"\ngiven = [\n{readings}\
         {{ at = \"08:26:10\", set = {{ \"reflection.running\" = true }} }},\n]\n\
         expect = [{{ at = \"00:00:00\", status = \"ok\" }}]\n"
    );
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(&test));
    let told: Value =
        serde_json::from_str(&report(dir.path(), &["1", "--output", "json"]).out).expect("is JSON");
    let timeline = told["timeline"].as_array().expect("a timeline");
    let what = |event: Option<&Value>| event.expect("one")["what"].clone();
    assert_eq!((timeline.len(), &told["cut"]), (1_000, &Value::Bool(true)));
    assert_eq!(what(timeline.first()), "ok to critical, 1 in a row");
    // Its modes end with it.
    let end: Vec<Value> = timeline.iter().rev().take(5).map(|event| what(Some(event))).collect();
    assert!(end.contains(&"incident 1 ended".into()), "{end:?}");
    let left_out = &told["left_out"];
    assert_eq!((&left_out["after"], &left_out["unread"]), (&500.into(), &0.into()), "{left_out:#}");
    let said = format!("{} things are left out here", left_out["things"]);
    for form in [&["1"][..], &["1", "--html"]] {
        let page = report(dir.path(), form).out;
        assert!(page.contains(&said) && page.contains("incident 1 ended"), "{form:?}: no {said}");
    }
}

#[test]
fn an_incident_that_is_not_there_is_told_so() {
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(HANGS));
    let none = report(dir.path(), &["7"]);
    assert!(none.code == Some(2) && none.err.contains("no incident 7; the newest is 3"), "{none:?}");
    let two = report(dir.path(), &["1", "--component", "database"]);
    assert!(two.code == Some(2) && two.err.contains("cannot be used with"), "{two:?}");
}

/// The number of the incident of a component, and what is told of it.
fn incident_of(data: &Path, component: &str) -> (String, Value) {
    let told = (1..=3).map(|number| {
        let number = number.to_string();
        let out = report(data, &[&number, "--output", "json"]).out;
        (number, serde_json::from_str(&out).expect("is JSON"))
    });
    told.into_iter().find(|(_, told): &(_, Value)| told["component"] == component).expect(component)
}

#[test]
fn what_belongs_to_other_incidents_is_not_told() {
    let test = r#"
[test.three_at_once]
start = "12:00:00"
end   = "12:03:00"
given = [
    { at = "12:00:10", component = "reflection_service", set = { "reflection.running" = false } },
    { at = "12:00:10", component = "trigger_mesh", set = { "mesh.running" = false } },
    { at = "12:00:10", component = "database", set = { "ping.connected" = false } },
    { at = "12:00:50", ask = "unblock", component = "trigger_mesh" },
    { at = "12:00:52", ask = "unblock", component = "reflection_service" },
    { at = "12:00:54", ask = "approve", approval = 77 },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(test));
    let (number, own) = incident_of(dir.path(), "reflection_service");
    let timeline = own["timeline"].as_array().expect("a timeline");
    let about = |what: &str| timeline.iter().filter(|one| one["what"].as_str() == Some(what)).count();
    assert_eq!(about("a request was refused"), 1, "{own:#}");
    // What the database did to the mode holds for everybody; its claim and the alert about all are told elsewhere.
    assert_eq!((about("mode normal to read_only"), about("mode read_only claimed")), (1, 0), "{own:#}");
    let human = report(dir.path(), &[&number]).out;
    assert!(!human.contains("oncall") && !human.contains("77"), "{human}");
    let (number, _) = incident_of(dir.path(), "trigger_mesh");
    let human = report(dir.path(), &[&number]).out;
    assert!(human.contains("oncall: sent"), "its own alert is told with its end: {human}");
    let (_, database) = incident_of(dir.path(), "database");
    assert!(database.to_string().contains("mode read_only claimed"), "{database:#}");
}

/// A restart that never helps: three tries, and then a slow one every few minutes.
#[test]
fn of_many_acts_the_first_and_the_last_are_explained_and_the_others_counted() {
    let test = r#"
[test.nothing_helps]
start = "00:00:00"
end   = "02:20:00"
given = [
    { at = "00:00:10", set = { "reflection.running" = false } },
    { at = "00:04:10", ask = "mode", mode = "normal" },
]
expect = [{ at = "00:00:00", status = "ok" }]
"#;
    let dir = tempfile::tempdir().expect("a directory");
    let no_safe_mode = (
        "rules/reflection_service.toml",
        "on_failure = [{ set_mode = \"observation_only\", until = 'ok' }]",
        "",
    );
    let soon = ("policies/budgets.toml", "slow_try = \"15m\"", "slow_try = \"5m\"");
    journal(dir.path(), &recorded_under(test, &[no_safe_mode, soon]));
    let human = report(dir.path(), &["1"]).out;
    assert_eq!(human.matches("Why act ").count(), 20, "{human}");
    let (before, behind) = human.split_once(" more acts, from ").expect(&human);
    let more: usize = before.lines().last().and_then(|line| line.parse().ok()).expect(before);
    assert_eq!((before.matches("Why act ").count(), behind.matches("Why act ").count()), (10, 10), "{human}");
    let first = behind.split_whitespace().next().expect("a number");
    assert!(more > 5 && behind.contains(&format!("`grace explain {first}` explains act {first}")), "{human}");
    let explained = said(&command(dir.path()).args(["explain", first]).output().expect("runs"));
    assert!(explained.code == Some(0) && explained.out.contains("restart"), "{explained:?}");
}

/// Grace is away from 12:10 to 12:20, and her files declare the component no longer; later it is declared again.
#[test]
fn an_incident_whose_component_is_gone_was_left_open_and_a_start_is_told_when_grace_is_there() {
    use grace::model::Status::{Critical, Ok};
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = Told::new(dir.path());
    told.tick(NOON, &[]);
    told.then("12:10:00", "database", Critical, &[begun("database", 1)]);
    told.append(&[stopped(), started()]);
    told.tick(at("12:20:00"), &[]);
    told.statuses.remove("database");
    told.tick(at("12:21:00"), &[]);
    told.then("12:30:00", "database", Critical, &[begun("database", 2)]);
    told.then("12:31:00", "database", Ok, &[ended("database", 2, at("12:30:00"))]);
    drop(told);
    let said = report(dir.path(), &["1", "--output", "json"]);
    let json: Value = serde_json::from_str(&said.out).expect("is JSON");
    assert_eq!(
        (&json["left"], json["ended"].as_str()),
        (&true.into(), Some("2026-11-23T12:21:00Z")),
        "{json:#}"
    );
    let timeline = json["timeline"].as_array().expect("a timeline");
    let start = timeline.iter().find(|one| one["what"].to_string().contains("started")).expect("a start");
    assert_eq!(start["at"], "2026-11-23T12:20:00Z", "{json:#}");
    assert!(!json.to_string().contains("incident 2"), "{json:#}");
    let human = report(dir.path(), &["1"]).out;
    assert!(human.contains("left open at") && human.contains("no longer declared"), "{human}");
}

/// Who looks why nothing was done sees what stood before: of its own and of all, and nothing of others or that was over.
#[test]
fn what_stood_when_an_incident_began_is_told_first() {
    let test = r#"
[test.held]
start = "12:00:00"
end   = "12:08:00"
given = [
    { at = "12:00:35", ask = "hold", component = "trigger_mesh", actor = "uid:1" },
    { at = "12:00:40", ask = "hold", component = "reflection_service", actor = "uid:2" },
    { at = "12:00:45", ask = "silence", actor = "uid:3" },
    { at = "12:00:50", ask = "end_hold", component = "reflection_service", actor = "uid:2" },
    { at = "12:00:55", ask = "hold", component = "reflection_service", actor = "uid:4" },
    { at = "12:02:10", set = { "reflection.running" = false } },
    { at = "12:04:00", ask = "end_hold", component = "reflection_service", actor = "uid:4" },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;
    let dir = tempfile::tempdir().expect("a directory");
    journal(dir.path(), &recorded(test));
    let (_, told) = incident_of(dir.path(), "reflection_service");
    let timeline = told["timeline"].as_array().expect("a timeline");
    let by: Vec<&str> = timeline.iter().take(3).map(|one| one["by"].as_str().unwrap_or("nobody")).collect();
    assert_eq!(by, ["uid:3", "uid:4", "nobody"], "{told:#}");
    assert!(timeline[0]["at"].as_str() < told["began"].as_str(), "{told:#}");
    assert!(timeline.iter().all(|one| one["by"] != "uid:1"), "{told:#}");
}
