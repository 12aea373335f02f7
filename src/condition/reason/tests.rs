use super::*;
use crate::condition::Vocabulary;
use crate::model::{FactId, Type, Unit};

fn vocabulary() -> Vocabulary {
    let mut seen = Vocabulary::of_rule(&["normal", "read_only"], std::sync::Arc::default());
    let facts = [
        ("http.latency_ms", Type::Measure(Some(Unit::Milliseconds))),
        ("http.slowest_ms", Type::Measure(Some(Unit::Milliseconds))),
        ("http.status_code", Type::Count),
        ("http.answered", Type::Bool),
        ("check.state", Type::words(["ok", "warning", "critical"])),
    ];
    for (name, kind) in facts {
        seen.fact(&FactId::from(name), kind);
    }
    seen.threshold("slow_ms", Value::Float(250.0));
    seen.threshold("few", Value::Int(0));
    seen
}

fn range(symbol: &Symbol) -> Range {
    match symbol {
        Symbol::Fact(fact) if fact.as_str().ends_with("_ms") => {
            Range::Number { least: 0.0, most: f64::INFINITY, whole: false }
        }
        Symbol::Fact(fact) if fact.as_str().ends_with("_code") => Range::COUNT,
        Symbol::Failures | Symbol::Incidents(_) => Range::COUNT,
        Symbol::Tier => Range::Fixed(Value::Int(2)),
        Symbol::By => Range::Fixed(Value::text("rule")),
        _ => Range::Any,
    }
}

fn compile(source: &str) -> Condition {
    Condition::compile(source, &vocabulary()).unwrap_or_else(|faults| panic!("{source}: {faults:?}"))
}

/// Can it be true, and can it be false, where the component is critical and degraded like this?
fn both(source: &str) -> (bool, bool) {
    let (critical, warn) = (compile("!http.answered"), compile("http.latency_ms > threshold.slow_ms"));
    let reasoner =
        Reasoner { critical: Some(&critical), warn: Some(&warn), never_warns: false, range: &range };
    let condition = compile(source);
    (reasoner.possible(&[(&condition, true)]), reasoner.possible(&[(&condition, false)]))
}

#[test]
fn what_contradicts_itself_is_never_true() {
    for source in [
        "http.latency_ms > 5 && http.latency_ms < 3",
        "http.latency_ms > 5 && 3 > http.latency_ms",
        "http.latency_ms < 0",
        "http.latency_ms > threshold.slow_ms * 2 && http.latency_ms <= 500",
        "http.status_code > 200 && http.status_code < 201",
        "http.status_code == 200 && http.status_code == 500",
        "failures < 0 || failures == 1 && failures != 1",
        "http.answered && !http.answered",
        "http.answered == false && http.answered != false",
        "http.latency_ms > http.slowest_ms && http.slowest_ms > http.latency_ms",
        "http.latency_ms * 2.0 > 8 && http.latency_ms * 2.0 < 4",
        "check.state == \"ok\" && check.state == \"critical\"",
        "critical && ok",
        "warn && http.latency_ms < 100",
        "critical && http.answered",
        "ok && !http.answered",
        "unknown && (ok || warn || critical)",
        "ok && failures > 0",
        "failures > 0 && (warn || ok)",
        "tier == 1",
    ] {
        assert!(!both(source).0, "{source}");
    }
}

#[test]
fn what_leaves_nothing_out_is_always_true() {
    for source in [
        "http.latency_ms > 1 || http.latency_ms < 5",
        "http.latency_ms >= 0",
        "failures >= 0",
        "!(critical && ok)",
        "ok || warn || critical || unknown",
        "tier == 2",
        "http.latency_ms <= http.slowest_ms || http.slowest_ms < http.latency_ms",
    ] {
        assert!(!both(source).1, "{source}");
    }
}

#[test]
fn what_may_be_is_left_alone() {
    for source in [
        "critical",
        "http.latency_ms > 3 && http.latency_ms < 5",
        "http.latency_ms > 3 && http.slowest_ms < 3",
        "http.status_code != 200",
        "http.status_code > 200 && http.status_code < 202",
        "check.state != \"ok\" && check.state != \"warning\"",
        "critical || ok",
        "critical && http.latency_ms > 100",
        "unknown && http.answered",
        "incidents(900) >= 3 && critical",
        "component == \"web\" || mode == \"normal\"",
        "http.latency_ms + http.slowest_ms > 5",
    ] {
        assert_eq!(both(source), (true, true), "{source}");
    }
}

#[test]
fn a_part_that_no_reading_decides_is_found_where_it_stands() {
    let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
    for (source, found) in [
        ("critical && incidents(900) >= -1", vec![("incidents(900) >= -1", true)]),
        ("critical || failures < 0 && ok", vec![("failures < 0", false)]),
        ("failures >= 0", vec![]),
        ("critical && failures > 0 && incidents(900) != 3", vec![]),
        ("critical && tier == 2", vec![]),
        ("critical && failures >= threshold.few", vec![]),
        ("true && critical && !(failures <= -1)", vec![("failures <= -1", false)]),
    ] {
        let condition = compile(source);
        let settled = reasoner.settled(&condition);
        let settled: Vec<_> = settled.into_iter().map(|one| (&source[one.place], one.always)).collect();
        assert_eq!(settled, found, "{source}");
    }
}

#[test]
fn a_long_condition_ends_in_possible() {
    let atoms: Vec<String> = (0..40).map(|n| format!("http.status_code != {n}")).collect();
    let pairs: Vec<String> =
        (0..18).map(|n| format!("(failures == {n} || http.status_code == {n})")).collect();
    assert!(both(&atoms.join(" && ")).0);
    // Whatever is said of it, it is said soon.
    let _ = both(&pairs.join(" && "));
}

#[test]
fn a_condition_is_held_against_the_mode_that_is_known() {
    let (below, above) = (compile("mode == \"normal\" && !http.answered"), compile("mode != \"normal\""));
    let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
    for (condition, mode, possible) in [
        (&below, Some("normal"), true),
        (&below, Some("read_only"), false),
        (&below, None, true),
        (&above, Some("normal"), false),
        (&above, Some("read_only"), true),
    ] {
        assert_eq!(reasoner.possible_at(&[(condition, true, mode)]), possible, "{mode:?}");
    }
    // One sees the mode from before, the other the mode from after.
    assert!(reasoner.possible_at(&[(&below, true, None), (&above, true, Some("read_only"))]));
    assert!(!reasoner.possible(&[(&below, true), (&above, true)]));
}

#[test]
fn a_word_is_one_of_those_that_are_known() {
    let known = |symbol: &Symbol| match symbol {
        Symbol::Mode => Range::OneOf(vec!["normal", "read_only"]),
        other => range(other),
    };
    let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &known };
    let possible = |source: &str| reasoner.possible(&[(&compile(source), true)]);
    assert!(possible("mode != \"normal\""));
    assert!(!possible("mode != \"normal\" && mode != \"read_only\""));
}
