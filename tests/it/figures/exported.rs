//! `grace export`: alerts that Prometheus takes and whose tests pass, and a dashboard; both name only what `/metrics` has.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::daemon::Daemon;
use crate::services::house::skip;

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("grace_") {
        let begins = text[..at].chars().next_back().is_none_or(|c| !is_name(c));
        let name: String = text[at..].chars().take_while(|c| is_name(*c)).collect();
        names.extend(Some(name).filter(|_| begins));
    }
    names
}

fn served(grace: &Daemon) -> BTreeSet<String> {
    let page = grace.ask("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").body;
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(['{', ' ']).next().expect("a name").to_owned()).collect()
}

#[test]
fn what_is_exported_names_only_what_is_measured() {
    let grace = Daemon::start();
    let served = served(&grace);
    for what in ["alerts", "dashboard"] {
        let told = grace.grace(&["export", what]);
        assert_eq!(told.code, Some(0), "{told:?}");
        let names = named(&told.out);
        assert!(names.len() >= 6, "{names:?}");
        let unknown: Vec<&String> = names.difference(&served).collect();
        assert!(unknown.is_empty(), "{what} names {unknown:?}, and there is {served:?}");
    }
    let dashboard: Value = serde_json::from_str(&grace.grace(&["export", "dashboard"]).out).expect("is JSON");
    let shown = named(&dashboard.to_string());
    // What only says which Grace or generation it is, and a time that an alert asks for, nobody draws.
    let undrawn = [
        "grace_generation_info",
        "grace_config_reloads_total",
        "grace_config_last_reload_success_timestamp_seconds",
    ];
    let missing: Vec<&String> =
        served.difference(&shown).filter(|name| !undrawn.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "nobody draws {missing:?}");
    let ids: BTreeSet<i64> =
        dashboard["panels"].as_array().expect("panels").iter().filter_map(|one| one["id"].as_i64()).collect();
    assert_eq!(ids.len(), dashboard["panels"].as_array().expect("panels").len());
}

/// What Prometheus' own judge says; nothing where it is not there.
fn promtool(dir: &Path, args: &[&str]) -> Option<Output> {
    match Command::new("promtool").args(args).current_dir(dir).output() {
        Ok(said) => Some(said),
        Err(why) => {
            skip(&format!("no promtool, which is in Debian's package `prometheus`: {why}"));
            None
        }
    }
}

#[test]
fn the_alerts_are_taken_and_their_tests_pass() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = crate::daemon::said(
        &crate::daemon::command(dir.path()).args(["export", "alerts"]).output().expect("runs"),
    );
    std::fs::write(dir.path().join("alerts.yml"), &told.out).expect("is written");
    std::fs::copy("tests/examples/prometheus/alerts.test.yml", dir.path().join("alerts.test.yml"))
        .expect("is there");
    for args in [&["check", "rules", "alerts.yml"][..], &["test", "rules", "alerts.test.yml"]] {
        let Some(said) = promtool(dir.path(), args) else { return };
        assert!(said.status.success(), "{args:?}: {said:?}");
    }
    let tests = std::fs::read_to_string(dir.path().join("alerts.test.yml")).expect("is there");
    for alert in told.out.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "no test for {alert}");
    }
}
