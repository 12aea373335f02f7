//! What a record cannot tell: other probes would have read something else, and another grid would have looked at other times.

use std::collections::BTreeSet;

use grace::config;
use grace::engine::Bundle;
use grace::record::Recorded;
use grace::replay::Suite;
use grace::replay::simulate::{Certainty, Odds, Plan, Simulation};

use crate::histories::{HANGS, bundle, files, recorded};

fn certain(history: Vec<Recorded>, rules: &Bundle) -> Vec<Certainty> {
    let (plan, mut odds) = (Plan::default(), Odds::default());
    for recorded in &history {
        odds.take(recorded);
    }
    let mut simulation = Simulation::new(rules, None, &plan, &odds);
    for recorded in history {
        simulation.take(&recorded).unwrap();
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

/// A service that Grace starts herself, and one fall of it that a restart ends.
const KEPT: &str = "[control]\nkind = \"process\"\nargv = [\"/bin/sleep\", \"600\"]\n\n[probe.port]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\n\n\
                    [status]\ncritical = '!port.connected'\n\n[rule.start]\nwhen = 'critical'\ndo = [\"restart\"]\n\
                    verify = { within = \"5s\" }\n";

const FALL: &str = r#"
[test.a_fall]
start = "12:00:00"
end   = "13:00:00"
given = [
    { at = "12:30:00", set = { "port.connected" = false } },
    { on = "restart", set = { "port.connected" = true } },
]
expect = [{ at = "12:30:00", act = "restart" }]
"#;

#[test]
fn what_another_control_would_have_achieved_is_unknown_from_its_first_act_on() {
    let dir = files(None, &[]);
    let path = |name: &str| dir.path().join("rules").join(name);
    std::fs::write(path("kept.toml"), KEPT).unwrap();
    std::fs::write(path("kept.test.toml"), FALL).unwrap();
    let (_, history) = Suite::load(dir.path(), &BTreeSet::new(), None).histories().remove(0);
    let played = |text: &str| {
        std::fs::write(path("kept.toml"), text).unwrap();
        certain(history.clone(), &config::load(dir.path()).unwrap().bundle)
    };
    let whole = |one: &Certainty| (one.exact, one.modelled, one.unknown) == (1.0, 0.0, 0.0);
    assert!(played(KEPT).iter().all(whole));
    let command = KEPT.replace(
        "\"process\"\nargv = [\"/bin/sleep\", \"600\"]",
        "\"command\"\nstart = [\"/bin/true\"]\nstop = [\"/bin/true\"]",
    );
    for other in
        [KEPT.replace("600", "601"), command, KEPT.replace("[control]\n", "[control]\nuser = \"nobody\"\n")]
    {
        let all = played(&other);
        let (own, others): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.component.as_str() == "kept");
        assert!(others.into_iter().all(whole), "{all:?}");
        let [own] = own.as_slice() else { panic!("{all:?}") };
        assert!((own.exact - 0.5).abs() < 0.01 && (own.unknown - 0.5).abs() < 0.01, "{other}: {own:?}");
        assert_eq!(own.why.as_deref(), Some("restart by another `control` than in the record"));
    }
    // An act that only these rules make has no rate either: the recorded one is another hand's.
    let sooner = KEPT.replace("600", "601").replace("'critical'\ndo", "'critical'\nafter = 2\ndo");
    let all = played(&sooner);
    let own = all.iter().find(|one| one.component.as_str() == "kept").unwrap();
    assert!(own.unknown > 0.0, "{own:?}");
}
