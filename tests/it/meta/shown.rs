//! What people see of a recommendation: rehearsed before it is shown, accepted, and in the figures.

use std::sync::Arc;

use grace::model::{Change, ComponentId, RuleId};
use grace::replay::advise::{NotAdvised, advised};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::histories::{bundle, files, journal, recorded_under};

/// The shipped test in which four of ten tries heal.
fn failing() -> String {
    let all = std::fs::read_to_string("rules/meta.test.toml").expect("there are tests");
    let begin = all.find("[test.ten_tries").expect("the test");
    let rest = &all[begin..];
    let end = rest[1..].find("[test.").map_or(rest.len(), |at| at + 1);
    rest[..end].to_owned()
}

/// A Grace that goes on from that history: it is of another year, and neither its readings nor its review shall be over.
fn goes_on() -> (tempfile::TempDir, Daemon) {
    let late = [
        ("policies/system.toml", "retention  = \"90days\"", "retention  = \"3000days\""),
        ("rules/meta.toml", "{ recommend = \"`", "{ review = \"3000days\", recommend = \"`"),
    ];
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    journal(&dir.path().join("data"), &recorded_under(&failing(), &late));
    let config = files(None, &late);
    let grace = Daemon::start_in(dir, &["--config", config.path().to_str().expect("a path")]);
    (config, grace)
}

#[test]
fn it_is_rehearsed_before_it_is_shown() {
    let (_config, grace) = goes_on();
    let said = grace.grace(&["recommendations", "--since", "3000d"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for part in [
        "1  task_executor  `restart` of task executor seldom heals (4 of 10 tries)",
        "open, since",
        "before: 4 of 10 tries healed (16.8 % to 68.7 % with 95 %); 50.0 % are expected",
        "since:  0 of 1 tries healed",
        "change: rules/task_executor.toml:22  2 becomes 3",
        "rehearsed on the last 3000d: ",
        "restart 11 -> ",
        "`grace recommendations accept 1 --reason R`",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let told: Value =
        serde_json::from_str(&grace.grace(&["recommendations", "--output", "json"]).out).expect("JSON");
    let one = &told["recommendations"][0];
    assert_eq!(one["change"], json!({"change": "after", "by": 1}));
    assert_eq!(
        one["rehearsal"]["edits"][0],
        json!({
            "file": "rules/task_executor.toml", "line": 22, "before": "2", "after": "3"
        })
    );
    assert_eq!(told["hits"]["hit_ratio"], Value::Null);
    // Over HTTP the same is said of the live files, to whoever asks for it.
    let asked = grace.get("/api/recommendations/1?rehearse=3000d");
    let (over_http, told) = (&asked["rehearsal"], &one["rehearsal"]);
    assert_eq!(over_http["edits"], told["edits"], "{asked}");
    assert!(over_http["ticks"].as_u64() > Some(10) && asked["not_rehearsed"].is_null(), "{asked}");
    let restarts = |found: &Value| {
        let all = found["actions"].as_array().expect("a list").iter();
        let one = all.clone().find(|one| one["action"] == "restart").expect("restarts");
        (one["before"].as_u64(), one["after"].as_u64())
    };
    let told: Value = serde_json::from_str(
        &grace.grace(&["recommendations", "show", "1", "--since", "3000d", "--output", "json"]).out,
    )
    .expect("JSON");
    assert_eq!(restarts(over_http), restarts(&told["recommendations"][0]["rehearsal"]));
    assert!(grace.get("/api/recommendations/1")["rehearsal"].is_null());
    let soon = "GET /api/recommendations/1?rehearse=soon HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    grace.ask(soon).problem(422, "invalid");
}

/// The change is an edit of the files, and whoever made it shall not be told to make it once more.
#[test]
fn what_was_changed_is_not_recommended_again() {
    let (config, grace) = goes_on();
    let file = config.path().join("rules/task_executor.toml");
    let text = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, text.replacen("after      = 2", "after      = 3", 1)).expect("written");
    let changed = || grace.get("/api/recommendations/1")["rule_changed"] == true;
    crate::daemon::until("the change is taken", changed);
    let said = grace.grace(&["recommendations", "--since", "3000d"]);
    assert!(said.out.contains("`restart` was changed since") && !said.out.contains("becomes"), "{said:?}");
    let asked = grace.get("/api/recommendations/1?rehearse=3000d");
    assert!(asked["rehearsal"].is_null() && asked["not_rehearsed"].as_str().is_some(), "{asked}");
}

#[test]
fn whoever_accepts_it_stands_in_the_journal_and_it_is_in_the_figures() {
    let (_config, grace) = goes_on();
    for (words, code, says) in [
        (vec!["recommendations", "show", "1", "--no-rehearsal"], 0, "change: after + 1"),
        (vec!["recommendations", "show", "7"], 2, "there is no recommendation 7"),
        (
            vec!["recommendations", "decline", "7", "--reason", "x"],
            2,
            "there is no recommendation 7; open are 1",
        ),
        (
            vec!["recommendations", "accept", "1", "--reason", "it restarts too early"],
            0,
            "now make the change",
        ),
        (vec!["recommendations"], 0, "accepted by uid:"),
        (vec!["events", "--pattern", "meta.*"], 0, "meta.recommendation_accepted"),
        (vec!["prove"], 0, "proved"),
        (vec!["report", "--since", "90d"], 0, "Healing rules"),
    ] {
        let said = grace.grace(&words);
        assert!(
            said.code == Some(code) && format!("{}{}", said.out, said.err).contains(says),
            "{words:?}: {said:?}"
        );
    }
    let one = grace.get("/api/recommendations/1");
    assert_eq!(
        json!([one["state"], one["answer_reason"], one["closed_after"]]),
        json!(["accepted", "it restarts too early", 0])
    );
    let figures = grace.get("/api/figures?since=3000d&component=task_executor");
    assert_eq!(
        figures["components"][0]["healings"],
        json!([{
            "rule": "restart", "action": "restart", "tries_counted": 11, "healed": 4,
            "success_percent": 36.363, "success_between_percent": [15.166, 64.619]
        }])
    );
    let page = grace.ask("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").body;
    assert!(page.contains("grace_recommendations{state=\"accepted\"} 1"), "{page}");
    assert!(page.contains("grace_recommendations_reviewed_total{verdict=\"helped\"} 0"), "{page}");
    let said = grace.grace(&["recommendations", "decline", "1", "--reason", "the disk was broken"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(grace.grace(&["recommendations"]).out.trim(), "nothing is recommended");
    assert!(grace.grace(&["recommendations", "--all"]).out.contains("declined by uid:"));
}

/// Each kind of change, made on the text of the shipped files as a person would make it.
#[test]
fn a_change_is_made_on_the_text_of_the_files_or_it_is_said_why_not() {
    let files = bundle(&[]);
    let of = |component: &str, rule: &str, change: &Change| {
        advised(&files, (&ComponentId::from(component), &RuleId::from(rule)), change)
    };
    let edit = |change: &Change| {
        let made = of("reflection_service", "restart", change).expect("it can be made");
        made.edits.into_iter().map(|edit| format!("{} -> {}", edit.before, edit.after)).collect::<Vec<_>>()
    };
    assert_eq!(edit(&Change::After { by: 2 }), ["2 -> 4"]);
    assert_eq!(edit(&Change::Threshold { name: "stale_s".into(), factor: 1.5 }), ["\"2m\" -> \"3m\""]);
    let made = of("reflection_service", "restart", &Change::NoHealing).expect("it can be made");
    assert!(!made.bundle.components["reflection_service"].rule(&"restart".into()).expect("there").heals());
    let why =
        |component, rule, change| of(component, rule, &change).map(|made| made.edits).expect_err("refused");
    assert!(matches!(why("reflection_service", "gone", Change::NoHealing), NotAdvised::Gone { .. }));
    assert!(matches!(why("nobody", "restart", Change::NoHealing), NotAdvised::Gone { .. }));
    let nowhere = Change::Threshold { name: "nowhere".into(), factor: 2.0 };
    assert!(matches!(why("reflection_service", "restart", nowhere), NotAdvised::NoPlace { .. }));
    // Whatever the notation of the file: `after` comes beside `do`.
    for (rules, line) in [
        ("[rule.restart]\nwhen = 'critical'\ndo   = [\"restart\"]\n", "after = 2\ndo "),
        ("[rule]\nrestart = { when = 'critical', do = [\"restart\"] }\n", "after = 2, do "),
        ("[rule]\nrestart.when = 'critical'\nrestart.do = [\"restart\"]\n", "restart.after = 2\nrestart.do "),
    ] {
        let mut all = files.files.clone();
        let web = "[component]\n[control]\nkind = \"process\"\nargv = [\"/bin/true\"]\n[probe.p]\nkind = \"process\"\n\
                   [status]\ncritical = '!p.running'\n";
        all.insert("rules/web.toml".into(), format!("{web}{rules}"));
        let files = grace::config::Folder::of(&all).compile(None).expect("valid").bundle;
        let (web, restart) = (ComponentId::from("web"), RuleId::from("restart"));
        let made = advised(&files, (&web, &restart), &Change::After { by: 1 }).expect("it can be made");
        assert!(
            made.bundle.files["rules/web.toml"].contains(line),
            "{}",
            made.bundle.files["rules/web.toml"]
        );
        assert_eq!(made.bundle.components["web"].rule(&restart).expect("there").after, 2);
    }
    let late = Change::After { by: 60 };
    assert!(matches!(why("reflection_service", "restart", late), NotAdvised::Invalid { .. }));
}
