//! What a condition costs: native closures, lowered conditions and tuned Rhai side by side, on the same random facts.
//!
//! `cargo bench --bench conditions`; each figure is six conditions on one set of facts.

#![expect(clippy::expect_used, reason = "a benchmark says what it means")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use grace::condition::{Condition, Symbol, Truth, Vocabulary, World};
use grace::model::{FactId, Type, Unit, Value};

/// Facts as a probe gives them.
#[derive(Clone, Copy)]
struct Facts {
    running: bool,
    age_s: f64,
    latency_ms: f64,
    workers: i64,
    wanted: i64,
}

impl World for Facts {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        let Symbol::Fact(fact) = symbol else { return None };
        Some(match fact.as_str() {
            "r.running" => Value::Bool(self.running),
            "r.age_s" => Value::Float(self.age_s),
            "p.latency_ms" => Value::Float(self.latency_ms),
            "e.workers" => Value::Int(self.workers),
            "e.wanted" => Value::Int(self.wanted),
            _ => return None,
        })
    }
}

const CONDITIONS: [&str; 6] = [
    "!r.running || r.age_s > threshold.stale_s",
    "r.age_s > threshold.late_s",
    "p.latency_ms > threshold.slow_ms && r.running",
    "e.workers < e.wanted",
    "e.workers * 2 <= e.wanted || p.latency_ms * 0.5 > threshold.slow_ms",
    "r.running && r.age_s <= threshold.late_s && p.latency_ms <= threshold.slow_ms",
];

fn native(facts: &Facts) -> u32 {
    let Facts { running, age_s, latency_ms, workers, wanted } = *facts;
    let (stale_s, late_s, slow_ms) = black_box((120.0, 60.0, 250.0));
    u32::from(!running || age_s > stale_s)
        + u32::from(age_s > late_s)
        + u32::from(latency_ms > slow_ms && running)
        + u32::from(workers < wanted)
        + u32::from(workers * 2 <= wanted || latency_ms * 0.5 > slow_ms)
        + u32::from(running && age_s <= late_s && latency_ms <= slow_ms)
}

fn compiled() -> Vec<Condition> {
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
    for (name, value) in [("stale_s", 120.0), ("late_s", 60.0), ("slow_ms", 250.0)] {
        seen.threshold(name, Value::Float(value));
    }
    CONDITIONS.iter().map(|text| Condition::compile(text, &seen).expect(text)).collect()
}

/// The same facts in every run.
fn facts() -> Vec<Facts> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |end: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        u32::try_from(seed % u64::from(end)).unwrap_or_default()
    };
    let mut one = || Facts {
        running: below(4) > 0,
        age_s: f64::from(below(2_000)) / 10.0,
        latency_ms: f64::from(below(6_000)) / 10.0,
        workers: i64::from(below(5)),
        wanted: 3,
    };
    (0..10_000).map(|_| one()).collect()
}

fn conditions(c: &mut Criterion) {
    let (all, facts) = (compiled(), facts());
    let trues = |ask: &dyn Fn(&Condition, &Facts) -> Truth, facts: &Facts| {
        let holds = all.iter().filter(|condition| ask(condition, facts) == Truth::True);
        u32::try_from(holds.count()).unwrap_or_default()
    };
    for facts in &facts {
        let (lowered, rhai) = (trues(&|c, f| c.eval(f), facts), trues(&|c, f| c.judge(f), facts));
        assert!(native(facts) == lowered && lowered == rhai, "all three say the same");
    }
    let mut group = c.benchmark_group("six conditions");
    group.throughput(Throughput::Elements(10_000));
    group
        .bench_function("native", |b| b.iter(|| facts.iter().map(|one| native(black_box(one))).sum::<u32>()));
    group.bench_function("lowered", |b| {
        b.iter(|| facts.iter().map(|one| trues(&|c, f| c.eval(f), black_box(one))).sum::<u32>());
    });
    group.sample_size(10);
    group.bench_function("Rhai", |b| {
        b.iter(|| facts.iter().map(|one| trues(&|c, f| c.judge(f), black_box(one))).sum::<u32>());
    });
    group.finish();
}

criterion_group!(benches, conditions);
criterion_main!(benches);
