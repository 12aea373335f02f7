//! What a record cannot tell: other probes would have read something else, and another grid would have looked at other times.

use std::collections::BTreeSet;

use grace::config;
use grace::engine::Bundle;
use grace::record::Recorded;
use grace::replay::Suite;
use grace::replay::simulate::{Certainty, Odds, Plan, Simulation};

use crate::histories::{HANGS, bundle, files, recorded};

fn certain(history: Vec<Recorded>, rules: &Bundle) -> Vec<Certainty> {
    let (plan, odds) = (Plan::default(), Odds::default());
    let mut simulation = Simulation::new(rules, None, &plan, &odds);
    for recorded in history {
        simulation.take(recorded).unwrap();
    }
    simulation.finish().certain
}

/// What is unknown, and why.
fn unknown(all: &[Certainty]) -> Vec<(String, Option<String>)> {
    assert!(all.iter().all(|one| one.exact == 0.0 || one.unknown == 0.0), "{all:?}");
    let of = all.iter().filter(|one| one.unknown > 0.0);
    of.map(|one| (one.component.to_string(), one.why.clone())).collect()
}

#[test]
fn a_probe_that_waits_for_another_time_makes_its_component_unknown_and_no_other() {
    let rules = bundle(&[("rules/reflection_service.toml", "timeout = \"2s\"", "timeout = \"1ms\"")]);
    let all = certain(recorded(HANGS), &rules);
    let why = "probe `reflection` has 1ms instead of the recorded 2s".to_owned();
    assert_eq!(unknown(&all), [("reflection_service".to_owned(), Some(why))]);
}

#[test]
fn another_grid_makes_everything_unknown() {
    let rules = bundle(&[("policies/system.toml", "interval   = \"30s\"", "interval   = \"10m\"")]);
    let all = certain(recorded(HANGS), &rules);
    let why = Some("a look every 10m, and every 30s in the record".to_owned());
    let seen: Vec<_> = unknown(&all).into_iter().filter(|(_, other)| *other == why).collect();
    assert_eq!(seen.len(), all.len(), "{all:?}");
    // What differs in the files of ticks besides the grid changes nothing of what was read.
    let same = bundle(&[("policies/system.toml", "interval   = \"30s\"", "interval   = \"30000ms\"")]);
    assert_eq!(unknown(&certain(recorded(HANGS), &same)), []);
}

const WEB: &str =
    "[probe.port]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\n[status]\ncritical = '!port.connected'\n";

#[test]
fn a_probe_of_another_address_is_another_probe() {
    let dir = files(Some(HANGS), &[]);
    let web = dir.path().join("rules/web.toml");
    std::fs::write(&web, WEB).unwrap();
    let suite = Suite::load(dir.path(), &BTreeSet::new(), None);
    let (_, history) = suite.histories().remove(0);
    assert_eq!(unknown(&certain(history.clone(), &config::load(dir.path()).unwrap().bundle)), []);
    for (from, to) in [(":9\"", ":22\""), (":9\"", ":9\"\nsend = \"a\"")] {
        std::fs::write(&web, WEB.replace(from, to)).unwrap();
        let all = certain(history.clone(), &config::load(dir.path()).unwrap().bundle);
        let why = Some("probe `port` is another one than in the record".to_owned());
        assert_eq!(unknown(&all), [("web".to_owned(), why)], "{to}");
    }
}
