//! What a condition costs: native closures, lowered conditions, tuned Rhai, CEL and zen side by side, on the same random
//! facts.
//!
//! `cargo bench --bench conditions`; each figure is six conditions on one set of facts.
//!
//! Native means closures written by hand over the same row of readings, each behind a `Box<dyn Fn>` as whatever is made
//! at run time has to be, and knowing what is missing. CEL is the crate `cel`; zen is `zen-expression`, the language of
//! JSON rules (zen's engine itself brings a JavaScript engine along, and only walks from one such
//! expression to the next). Both get flat variables, in their own form and made before the clock runs; they do not know
//! Unknown.

#![expect(clippy::expect_used, reason = "a benchmark says what it means")]

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use grace::condition::{Condition, Truth, Vocabulary};
use grace::model::{FactId, FactNames, Facts, Reading, Type, Unit, Value};
use serde_json::json;

/// So many sets of facts.
const SETS: u32 = 2_000;

const CONDITIONS: [&str; 6] = [
    "!r.running || r.age_s > threshold.stale_s",
    "r.age_s > threshold.late_s",
    "p.latency_ms > threshold.slow_ms && r.running",
    "e.workers < e.wanted",
    "e.workers * 2 <= e.wanted || p.latency_ms * 0.5 > threshold.slow_ms",
    "r.running && r.age_s <= threshold.late_s && p.latency_ms <= threshold.slow_ms",
];

const THRESHOLDS: [(&str, f64); 3] = [("stale_s", 120.0), ("late_s", 60.0), ("slow_ms", 250.0)];

/// Facts as a probe gives them.
#[derive(Clone, Copy)]
struct Seen {
    running: bool,
    age_s: f64,
    latency_ms: f64,
    workers: i64,
    wanted: i64,
}

/// The names in their order, and so in the order of the readings in a row.
fn names() -> FactNames {
    ["e.wanted", "e.workers", "p.latency_ms", "r.age_s", "r.running"].map(FactId::from).into()
}

impl Seen {
    fn facts(&self, names: &FactNames) -> Facts {
        let Self { running, age_s, latency_ms, workers, wanted } = *self;
        let row = vec![
            Reading::from(wanted),
            Reading::from(workers),
            Reading::float(latency_ms),
            Reading::float(age_s),
            Reading::from(running),
        ];
        Facts::of(names, row).expect("names and readings fit")
    }

    /// For languages that take variables.
    fn json(&self) -> serde_json::Value {
        let Self { running, age_s, latency_ms, workers, wanted } = *self;
        let mut all = json!({
            "r_running": running, "r_age_s": age_s, "p_latency_ms": latency_ms,
            "e_workers": workers, "e_wanted": wanted,
        });
        if let Some(all) = all.as_object_mut() {
            all.extend(THRESHOLDS.map(|(name, value)| (format!("threshold_{name}"), value.into())));
        }
        all
    }
}

/// The same facts in every run.
fn seen() -> Vec<Seen> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |end: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        u32::try_from(seed % u64::from(end)).unwrap_or_default()
    };
    let mut one = || Seen {
        running: below(4) > 0,
        age_s: f64::from(below(2_000)) / 10.0,
        latency_ms: f64::from(below(6_000)) / 10.0,
        workers: i64::from(below(5)),
        wanted: 3,
    };
    (0..SETS).map(|_| one()).collect()
}

type Native = Box<dyn Fn(&[Reading]) -> Truth>;

fn flag(row: &[Reading], place: usize) -> Option<bool> {
    if let Some(Reading::Value(Value::Bool(value))) = row.get(place) { Some(*value) } else { None }
}

fn count(row: &[Reading], place: usize) -> Option<i64> {
    if let Some(Reading::Value(Value::Int(value))) = row.get(place) { Some(*value) } else { None }
}

fn measure(row: &[Reading], place: usize) -> Option<f64> {
    if let Some(Reading::Value(Value::Float(value))) = row.get(place) { Some(*value) } else { None }
}

/// The six conditions as somebody writes them who needs no rule files.
fn native() -> Vec<Native> {
    let told = |said: Option<bool>| said.map_or(Truth::Unknown, Truth::from);
    let [(_, stale), (_, late), (_, slow)] = black_box(THRESHOLDS);
    vec![
        Box::new(move |row| match flag(row, 4) {
            Some(false) => Truth::True,
            running => told(measure(row, 3).and_then(|age| Some(!running? || age > stale))),
        }),
        Box::new(move |row| told(measure(row, 3).map(|age| age > late))),
        Box::new(move |row| match measure(row, 2).map(|latency| latency > slow) {
            Some(false) => Truth::False,
            slow => told(flag(row, 4).and_then(|running| Some(slow? && running))),
        }),
        Box::new(move |row| told(count(row, 1).zip(count(row, 0)).map(|(workers, wanted)| workers < wanted))),
        Box::new(move |row| match count(row, 1).zip(count(row, 0)).map(|(have, want)| have * 2 <= want) {
            Some(true) => Truth::True,
            few => told(measure(row, 2).and_then(|latency| Some(few? || latency * 0.5 > slow))),
        }),
        Box::new(move |row| match flag(row, 4) {
            Some(false) => Truth::False,
            running => told(
                measure(row, 3)
                    .zip(measure(row, 2))
                    .and_then(|(age, latency)| Some(running? && age <= late && latency <= slow)),
            ),
        }),
    ]
}

fn compiled(names: &FactNames) -> Vec<Condition> {
    let mut seen = Vocabulary::of_status();
    for (name, kind) in [
        ("r.running", Type::Bool),
        ("r.age_s", Type::Measure(Some(Unit::Seconds))),
        ("p.latency_ms", Type::Measure(Some(Unit::Milliseconds))),
        ("e.workers", Type::Count),
        ("e.wanted", Type::Count),
    ] {
        seen.fact(&FactId::from(name), kind);
    }
    seen.in_row(names);
    for (name, value) in THRESHOLDS {
        seen.threshold(name, Value::Float(value));
    }
    CONDITIONS.iter().map(|text| Condition::compile(text, &seen).expect(text)).collect()
}

/// The conditions with flat names.
fn flat(text: &str) -> String {
    ["r", "p", "e", "threshold"].iter().fold(text.to_owned(), |text, of| {
        let name = |before: &str| (format!("{before}{of}."), format!("{before}{of}_"));
        let text = text.strip_prefix(&format!("{of}.")).map_or(text.clone(), |rest| format!("{of}_{rest}"));
        [" ", "!"].into_iter().map(name).fold(text, |text, (dotted, flat)| text.replace(&dotted, &flat))
    })
}

fn in_cel() -> Vec<cel::Program> {
    CONDITIONS.iter().map(|text| cel::Program::compile(&flat(text)).expect(text)).collect()
}

fn variables<'p>(root: &'p cel::Context<'_, 'p>, seen: &Seen) -> cel::Context<'p, 'p> {
    let mut inner = root.new_inner_scope();
    for (name, value) in seen.json().as_object().expect("an object") {
        let value = match (value.as_bool(), value.as_i64(), value.as_f64()) {
            (Some(value), ..) => cel::Value::Bool(value),
            (_, Some(value), _) => cel::Value::Int(value),
            (.., value) => cel::Value::Float(value.expect("a number")),
        };
        inner.add_variable_from_value(name.clone(), value);
    }
    inner
}

type Zen = zen_expression::Expression<zen_expression::expression::Standard>;

fn in_zen() -> Vec<Zen> {
    let says = |text: &&str| flat(text).replace("&&", "and").replace("||", "or").replace('!', "not ");
    let compiled = |text: &&str| zen_expression::Isolate::new().compile_standard(&says(text)).expect(text);
    CONDITIONS.iter().map(compiled).collect()
}

fn sum(all: impl Iterator<Item = bool>) -> usize {
    all.filter(|holds| *holds).count()
}

fn time(group: &mut BenchmarkGroup<WallTime>, name: &str, mut ask: impl FnMut() -> usize) {
    group.bench_function(name, |b| b.iter(&mut ask));
}

fn conditions(c: &mut Criterion) {
    let (names, seen) = (names(), seen());
    let facts: Vec<Facts> = seen.iter().map(|seen| seen.facts(&names)).collect();
    let (natives, all) = black_box((native(), compiled(&names)));
    let (in_cel, in_zen) = (in_cel(), in_zen());
    let root = cel::Context::default();
    let contexts: Vec<_> = seen.iter().map(|seen| variables(&root, seen)).collect();
    let variable = |seen: &Seen| serde_json::from_value(seen.json()).expect("a variable");
    let scopes: Vec<_> = seen.iter().map(|seen| zen_expression::Scope::new(variable(seen))).collect();
    let mut vm = zen_expression::vm::VM::new();

    let native = |facts: &Facts| {
        let row = facts.in_row(&names).unwrap_or_default();
        sum(natives.iter().map(|ask| ask(row) == Truth::True))
    };
    let lowered = |facts: &Facts| sum(all.iter().map(|condition| condition.eval(facts) == Truth::True));
    let rhai = |facts: &Facts| sum(all.iter().map(|condition| condition.judge(facts) == Truth::True));
    let cel = |context: &cel::Context| {
        sum(in_cel.iter().map(|one| matches!(one.execute(context), Ok(cel::Value::Bool(true)))))
    };
    let mut zen = |scope: &zen_expression::Scope| {
        let holds = |one: &Zen| {
            one.evaluate_with_scope(scope, &mut vm).is_ok_and(|said| said.as_bool() == Some(true))
        };
        sum(in_zen.iter().map(holds))
    };
    for ((facts, context), scope) in facts.iter().zip(&contexts).zip(&scopes) {
        let said = native(facts);
        assert!(said == lowered(facts) && said == rhai(facts), "all say the same");
        assert!(said == cel(context) && said == zen(scope), "all say the same");
    }
    let mut group = c.benchmark_group("six conditions");
    group.throughput(Throughput::Elements(SETS.into()));
    time(&mut group, "native", || facts.iter().map(|one| native(black_box(one))).sum());
    time(&mut group, "lowered", || facts.iter().map(|one| lowered(black_box(one))).sum());
    group.sample_size(20);
    time(&mut group, "Rhai", || facts.iter().map(|one| rhai(black_box(one))).sum());
    time(&mut group, "CEL", || contexts.iter().map(|one| cel(black_box(one))).sum());
    time(&mut group, "zen", || scopes.iter().map(|one| zen(black_box(one))).sum());
    group.finish();
}

criterion_group!(benches, conditions);
criterion_main!(benches);
