//! `grace report`, the API, `/metrics` and `grace status` tell the same, to the last digit: the figures computed by hand.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use grace::figures::Figures;
use serde_json::Value;

use super::by_hand;
use crate::daemon::{Answer, Daemon, Said, command, said, until};
use crate::scenarios::laid_over;

const WINDOW: [&str; 4] = ["--since", "2026-11-23T12:00:00Z", "--until", "2026-11-23T14:00:00Z"];

fn report(data: &Path, more: &[&str]) -> Said {
    said(&command(data).arg("report").args(more).output().expect("runs"))
}

fn json(data: &Path, more: &[&str]) -> Value {
    let told = report(data, &[&["--output", "json"], more].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    serde_json::from_str(&told.out).expect("is JSON")
}

fn get(grace: &Daemon, path: &str) -> Answer {
    grace.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
}

/// A Grace that goes on from the history by hand; the ticks of her own come seldom.
///
/// That history is made up, and its entries stand in no tick: whoever looks whether the journal is whole finds that, and Grace
/// would act on it.
fn goes_on() -> (tempfile::TempDir, Daemon) {
    let config = laid_over(Path::new("/nowhere"));
    fs::remove_file(config.path().join("rules/grace.toml")).expect("removed");
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let data = dir.path().join("data");
    let told = by_hand::write(&data);
    told.keep_state();
    drop(told);
    let flags = ["--interval", "30s", "--config", config.path().to_str().expect("a path")];
    let grace = Daemon::start_in(dir, &flags);
    (config, grace)
}

#[test]
fn report_and_api_and_metrics_are_what_was_computed_by_hand() {
    let (_config, grace) = goes_on();
    let told = json(&grace.data(), &WINDOW);
    let figures: Figures = serde_json::from_value(told.clone()).expect("figures");
    by_hand::all(&figures, None);
    let path = "/api/figures?since=2026-11-23T12:00:00Z&until=2026-11-23T14:00:00Z";
    assert_eq!(get(&grace, path).json(), told);
    let file = grace.dir.path().join("entries.jsonl");
    let name = file.to_str().expect("a name");
    assert_eq!(grace.grace(&["audit", "export", "--entries", "--to", name]).code, Some(0));
    assert_eq!(json(&grace.data(), &[&WINDOW[..], &["--export", name]].concat()), told);
    // What she added since is neither down nor planned, and no incident.
    let page = get(&grace, "/metrics").body;
    for line in [
        "grace_component_seconds_total{component=\"database\",status=\"critical\"} 165.0",
        "grace_component_seconds_total{component=\"task_executor\",status=\"critical\"} 290.0",
        "grace_component_seconds_total{component=\"task_executor\",status=\"planned\"} 910.0",
        "grace_component_seconds_total{component=\"task_executor\",status=\"warn\"} 30.0",
        "grace_component_consecutive_failures{component=\"database\"} 0",
        "grace_incidents_total{component=\"database\"} 2",
        "grace_incident_recovery_seconds_sum{component=\"database\"} 165.0",
        "grace_incident_recovery_seconds_count{component=\"database\"} 2",
        "grace_incident_recovery_seconds_bucket{component=\"database\",le=\"30\"} 0",
        "grace_incident_recovery_seconds_bucket{component=\"database\",le=\"60\"} 1",
        "grace_incident_recovery_seconds_bucket{component=\"database\",le=\"120\"} 2",
        "grace_healing_actions_total{component=\"database\",outcome=\"healed\"} 2",
        "grace_healing_actions_total{component=\"database\",outcome=\"no_effect\"} 1",
        "grace_healing_relapses_total{component=\"database\"} 1",
        "grace_healing_downtime_seconds_total{component=\"database\",tries=\"ended\"} 165.0",
        "grace_healing_downtime_seconds_total{component=\"task_executor\",tries=\"caused\"} 30.0",
        "grace_mode_seconds_total{mode=\"read_only\"} 600.0",
        "grace_mode_transitions_total{from=\"normal\",to=\"read_only\"} 1",
        "grace_mode_transitions_total{from=\"read_only\",to=\"normal\"} 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
}

/// Every total since the journal's begin is the same on both, whatever she did since.
#[test]
fn totals_of_metrics_are_those_of_the_whole_journal() {
    let (_config, grace) = goes_on();
    let ticks = |page: &str| {
        page.lines().find_map(|line| line.strip_prefix("grace_ticks_total ")).map(ToOwned::to_owned)
    };
    for _ in 0..20 {
        let page = get(&grace, "/metrics").body;
        let told = get(&grace, "/api/figures?since=2026-11-23T12:00:00Z").json();
        if ticks(&page) != ticks(&get(&grace, "/metrics").body) {
            continue;
        }
        let is = |line: String| assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        let number = |value: &Value| format!("{:?}", value.as_f64().expect("a number"));
        let there = |one: &&Value| one["component"] != "grace";
        // Her file was there when the history was written, and is gone: a scrape tells of what is declared.
        for one in told["components"].as_array().expect("components").iter().filter(there) {
            let name = one["component"].as_str().expect("a name");
            for (status, key) in [
                ("warn", "warn_s"),
                ("critical", "down_s"),
                ("planned", "planned_s"),
                ("unknown", "unknown_s"),
            ] {
                let series =
                    format!("grace_component_seconds_total{{component=\"{name}\",status=\"{status}\"}}");
                is(format!("{series} {}", number(&one[key])));
            }
            is(format!("grace_incidents_total{{component=\"{name}\"}} {}", one["incidents_begun"]));
        }
        for one in told["modes"]["times"].as_array().expect("modes") {
            let mode = one["mode"].as_str().expect("a name");
            is(format!("grace_mode_seconds_total{{mode=\"{mode}\"}} {}", number(&one["time_s"])));
        }
        is(format!("grace_unobserved_seconds_total {}", number(&told["unobserved_s"])));
        return;
    }
    panic!("ticks come too fast to compare");
}

#[test]
fn people_read_the_same_digits_in_every_form() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    drop(by_hand::write(&data));
    let human = report(&data, &[]).out;
    let markdown = report(&data, &["--output", "markdown"]).out;
    let html = report(&data, &["--html"]).out;
    for text in [&human, &markdown, &html] {
        for figure in ["97.477 %", "94.876 %", "33.333 %", "2m 45s", "15m 10s", "1m 22s 500ms", "24 a day"] {
            assert!(text.contains(figure), "{figure} is not in\n{text}");
        }
        assert!(text.contains("stepped 1 times, by 1h forward"), "{text}");
    }
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{html}");
    for outside in ["<script", "http:", "https:", "src=", "href=", "url("] {
        assert!(!html.contains(outside), "{outside} in\n{html}");
    }
    let short = report(&data, &["--output", "short", "--component", "database"]).out;
    assert!(
        short.starts_with("database uptime 97.477 %, recovery 1m 22s 500ms, success 33.333 %\n"),
        "{short}"
    );
    let file = dir.path().join("report.md");
    let both = format!("markdown={}", file.display());
    assert_eq!(report(&data, &["--output", "human", "--output", &both]).out, human);
    assert_eq!(std::fs::read_to_string(&file).expect("is written"), markdown);
}

#[test]
fn a_report_that_cannot_be_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    drop(by_hand::write(&data));
    for (args, says) in [
        (&["--component", "databse"][..], "did you mean `database`?"),
        (&["--since", "2027-01-01T00:00:00Z"], "the last tick was at 2026-11-23T14:00:00Z"),
        (&["--since", "2026-11-01T00:00:00Z", "--until", "2026-11-02T00:00:00Z"], "the journal begins at"),
        (&["--since", "soon"], "neither a duration"),
        (&["--until", "soon"], "write a time"),
        (&["--export", "nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (&["--export", "Cargo.toml"], "grace audit export --entries"),
        (&["--output", "sarif"], "does not write `sarif`"),
    ] {
        let told = report(&data, args);
        assert!(told.code == Some(2) && told.err.contains(says), "{args:?}: {told:?}");
        assert_eq!(told.out, "", "{args:?}");
    }
}

#[test]
fn the_api_tells_what_is_wrong_with_a_window() {
    let grace = Daemon::start();
    for (query, code, status) in [
        ("since=soon", "invalid", 422),
        ("until=soon", "invalid", 422),
        ("since=2100-01-01T00:00:00Z", "invalid", 422),
        ("component=nothing_like_it", "not_found", 404),
        ("sinse=1h", "invalid", 400),
    ] {
        get(&grace, &format!("/api/figures?{query}")).problem(status, code);
    }
    // Between its first two ticks there is no time yet, and so no uptime.
    until("a status tells the uptime of the last day", || {
        let status = grace.grace(&["status"]).out;
        status.contains("UP 24H") && status.contains("100.000 %")
    });
}
