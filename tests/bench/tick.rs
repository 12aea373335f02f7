//! What a tick costs: the shipped rules, and a thousand components with twelve rules each.
//!
//! `cargo bench --bench tick`

#![expect(clippy::expect_used, reason = "a benchmark says what it means")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use grace::config;
use grace::engine::{Bundle, Input, State, adopt, step};
use grace::evaluate::{Component, Rule};
use grace::model::{ComponentId, Occasion, Reading, Readings, RuleId, Snapshot, Span, Time, Value};

const START: Time = Time(1_800_000_000_000);

fn shipped() -> Bundle {
    config::load(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the shipped files are valid").bundle
}

/// A thousand components like a shipped one, each with twelve rules.
fn large() -> Bundle {
    let mut bundle = shipped();
    let patterns: Vec<Component> = bundle.components.values().cloned().collect();
    bundle.components.clear();
    for number in 0..1000 {
        let mut component = patterns.get(number % patterns.len()).expect("four patterns").clone();
        component.id = ComponentId::from(format!("{}_{number}", component.id));
        component.depends_on.clear();
        let rules: Vec<Rule> = component.rules.clone();
        component.rules = (0..12)
            .map(|index| {
                let mut rule = rules.get(index % rules.len()).expect("a rule").clone();
                rule.id = RuleId::from(format!("{index:02}_{}", rule.id));
                rule
            })
            .collect();
        bundle.components.insert(component.id.clone(), component);
    }
    bundle
}

fn healthy(bundle: &Bundle, at: Time) -> Snapshot {
    let readings = |component: &Component| {
        let facts = component.facts.keys().map(|fact| {
            let name = fact.as_str();
            let reading = if name.ends_with("_s") || name.ends_with("_ms") {
                Reading::Value(Value::Float(1.0))
            } else if ["running", "connected", "routing"].iter().any(|word| name.ends_with(word)) {
                Reading::from(true)
            } else {
                Reading::from(3)
            };
            (fact.clone(), reading)
        });
        Readings { taken_at: at, occasion: Occasion::Grid, facts: facts.collect() }
    };
    bundle.components.values().map(|component| (component.id.clone(), readings(component))).collect()
}

fn ticks(c: &mut Criterion) {
    for (name, bundle) in [("tick, shipped rules", shipped()), ("tick, 1,000 components x 12 rules", large())]
    {
        let state = adopt(&bundle, None, &State::default(), START).state;
        let first = Input { tick: 1, now: START, snapshot: healthy(&bundle, START), ..Input::default() };
        let state = step(&bundle, &state, &first).state;
        let now = START + Span::seconds(30);
        let input = Input { tick: 2, now, snapshot: healthy(&bundle, now), ..Input::default() };
        c.bench_function(name, |b| b.iter(|| step(black_box(&bundle), black_box(&state), black_box(&input))));
    }
}

criterion_group!(benches, ticks);
criterion_main!(benches);
