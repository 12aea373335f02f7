//! Every closed gate is one that governance closes, and every proposed change turns its condition round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace::condition::Truth;
use grace::engine::{Bundle, Input, step, step_watched};
use grace::evaluate::Scene;
use grace::govern::Decision;
use grace::model::{ComponentId, Reading, RuleId};
use grace::record::Recorded;
use grace::replay::Suite;
use grace::replay::explain::{Change, Flip, Place, Question, Tick, explain};

use super::{compiled, shipped, ticks};

fn rules(bundle: &Bundle) -> Vec<(RuleId, ComponentId)> {
    let of = |component: &grace::evaluate::Component| {
        component.rules.iter().map(|rule| (rule.id.clone(), component.id.clone())).collect::<Vec<_>>()
    };
    bundle.components.values().flat_map(of).collect()
}

/// Every so manieth tick, and of a long history not more than forty, evenly spread.
fn some(all: Vec<Tick>, every: usize) -> impl Iterator<Item = Tick> {
    let every = every.max(all.len().div_ceil(40));
    all.into_iter().step_by(every)
}

/// What a rule's `when` says of a step.
fn truth(bundle: &Bundle, tick: &Tick, input: &Input, (rule, id): &(RuleId, ComponentId)) -> Truth {
    let step = step(bundle, &tick.before, input);
    let (mode, now, grid) = (&tick.before.governed.mode, step.state.now, bundle.system.interval);
    let scene = Scene { components: &bundle.components, mode, now, grid, meaning: input.meaning };
    let when = &bundle.components[id].rule(rule).unwrap().when;
    scene.ask(&step.state.health, id, when)
}

#[test]
fn the_first_closed_gate_is_the_one_by_which_governance_decides() {
    let (mut decisions, mut kinds) = (0, BTreeSet::new());
    for (name, history) in shipped().into_iter().chain(slow_tries()) {
        for tick in ticks(&history) {
            let mut watch = |desk: &grace::govern::Desk, state: &_, proposal: &_, about: &_| {
                let first = desk.inspect(state, proposal, about).into_iter().find_map(|gate| gate.shut);
                let decided = match desk.decide(&mut Clone::clone(state), proposal, about, &mut Vec::new()) {
                    Decision::Permitted(_) => None,
                    Decision::Withheld { gate, .. } => Some(gate),
                };
                assert_eq!(first, decided, "{name}, tick {}", tick.input.tick);
                decisions += 1;
                kinds.extend(first.map(|gate| serde_json::to_value(gate).unwrap()["gate"].to_string()));
            };
            let watched = step_watched(&tick.bundle, &tick.before, &tick.input, &mut watch);
            assert_eq!(watched.state, tick.step.state, "whoever looks on changes nothing");
            assert_eq!(watched.records, tick.step.records);
        }
    }
    assert!(decisions > 300, "{decisions}");
    for kind in [
        "stop",
        "blocked",
        "waiting_for",
        "mode",
        "approval",
        "in_flight",
        "backoff",
        "budget",
        "slow_try",
        "held",
    ] {
        assert!(kinds.contains(&format!("{kind:?}")), "no test meets {kind}: {kinds:?}");
    }
}

/// A mesh that no restart helps, and whose rule claims no mode for that.
fn slow_tries() -> Vec<(String, Vec<Recorded>)> {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["rules", "policies"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let from = entry.unwrap().path();
            if !from.to_str().unwrap().ends_with(".test.toml") {
                let text = std::fs::read_to_string(&from).unwrap();
                let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("on_failure")).collect();
                std::fs::write(dir.path().join(&from), text.join("\n")).unwrap();
            }
        }
    }
    let test = "[test.slow]\nstart = \"12:00:00\"\nend = \"13:00:00\"\n\
                given = [{ at = \"12:00:10\", set = { \"mesh.running\" = false } }]\n\
                expect = [{ at = \"12:00:00\", status = \"ok\" }]\n";
    std::fs::write(dir.path().join("rules/trigger_mesh.test.toml"), test).unwrap();
    let suite = Suite::load(dir.path(), &BTreeSet::new(), None);
    assert_eq!(suite.histories().len(), 1, "{:?}", suite.run().report);
    suite.histories()
}

/// The files with one threshold worth something else.
fn rewritten(bundle: &Bundle, file: &str, name: &str, value: &grace::model::Value) -> Arc<Bundle> {
    let mut files = bundle.files.clone();
    let key = name.strip_prefix("threshold.").unwrap();
    let number = serde_json::to_string(value).unwrap();
    let text = match key.rsplit('_').next() {
        Some("s") => format!("\"{}ms\"", (number.parse::<f64>().unwrap() * 1000.0).round()),
        Some("ms") => format!("\"{}ms\"", number.parse::<f64>().unwrap()),
        _ => number,
    };
    let line = |line: &str| {
        let is_it = line.split_once('=').is_some_and(|(before, _)| before.trim() == key);
        if is_it { format!("{key} = {text}") } else { line.to_owned() }
    };
    let text = files[file].lines().map(line).collect::<Vec<_>>().join("\n");
    assert_ne!(text, files[file], "{name} stands in {file}");
    files.insert(file.to_owned(), text);
    compiled(&files)
}

/// The rules and the input of a tick with these changes.
fn changed(tick: &Tick, changes: &[Change]) -> (Arc<Bundle>, Input) {
    let (mut bundle, mut input) = (Arc::clone(&tick.bundle), tick.input.clone());
    for change in changes {
        match change.of {
            Place::Reading => {
                let (id, fact) = change.fact.clone().unwrap();
                let last = || tick.step.state.health.components[&id].last.clone();
                let readings = input.snapshot.entry(id.clone()).or_insert_with(last);
                assert!(readings.facts.contains_key(&fact), "{change:?}");
                readings.facts.insert(fact, Reading::Value(change.tried.clone()));
            }
            Place::Threshold => {
                let file = change.file.as_ref().unwrap();
                bundle = rewritten(&bundle, file, &change.name, &change.tried);
            }
        }
    }
    (bundle, input)
}

#[test]
fn what_is_proposed_to_end_a_claim_really_ends_it() {
    let mut ended = 0;
    for (name, history) in shipped() {
        for tick in some(ticks(&history), 5) {
            for rule in rules(&tick.bundle) {
                let told = explain(&tick, &Question::Rule(rule.0.clone(), rule.1.clone())).unwrap();
                let Some(claim) = &told.claim else { continue };
                let Some(Flip::Change { changes, .. }) = &claim.ends else { continue };
                let (bundle, input) = changed(&tick, changes);
                let step = step(&bundle, &tick.before, &input);
                let mut claims = step.state.governed.claims.keys().map(ToString::to_string);
                assert!(claims.all(|key| key != claim.key), "{name}, tick {}: {changes:?}", tick.input.tick);
                ended += 1;
            }
        }
    }
    assert!(ended > 10, "{ended}");
}

#[test]
fn what_is_proposed_really_turns_the_condition_round() {
    let mut turned: BTreeMap<(Place, usize, bool), usize> = BTreeMap::new();
    for (name, history) in shipped() {
        for tick in some(ticks(&history), 7) {
            for rule in rules(&tick.bundle) {
                let told = explain(&tick, &Question::Rule(rule.0.clone(), rule.1.clone())).unwrap();
                let before = truth(&tick.bundle, &tick, &tick.input, &rule);
                assert_eq!(told.truth, Some(word(before)), "{name}, tick {}: {rule:?}", tick.input.tick);
                assert_eq!(told.conditions[0].truth, word(before), "the tree says the same");
                // What did not act was stopped by one gate, and what was not stopped acted.
                let decided = told.gates.iter().filter(|gate| gate.decided).count();
                assert!(
                    decided == 1 || told.acted,
                    "{name}, tick {}: {rule:?} {:?}",
                    tick.input.tick,
                    told.gates
                );
                let Some(Flip::Change { changes, .. }) = &told.flip else { continue };
                let (bundle, input) = changed(&tick, changes);
                let wanted = if told.acted { Truth::False } else { Truth::True };
                let after = truth(&bundle, &tick, &input, &rule);
                assert_eq!(after, wanted, "{name}, tick {}: {rule:?} {changes:?}", tick.input.tick);
                assert_ne!(before, after);
                *turned.entry((changes[0].of, changes.len(), told.acted)).or_default() += 1;
            }
        }
    }
    for (of, changes) in [(Place::Reading, 1), (Place::Threshold, 1), (Place::Threshold, 2)] {
        let found: usize = [true, false].iter().filter_map(|acted| turned.get(&(of, changes, *acted))).sum();
        assert!(found > 0, "{of:?} {changes}: {turned:?}");
    }
    assert!(turned.iter().any(|((.., acted), _)| *acted), "some that acted would not have: {turned:?}");
}

fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}
