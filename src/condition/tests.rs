//! Each trap of Rhai that was measured has a test here, through the public door.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::{ComponentId, Reading, Span, Type, Unit};

/// A world of a few facts; whatever is not in it cannot be read.
struct Facts(BTreeMap<FactId, Reading>);

impl World for Facts {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        match symbol {
            Symbol::Fact(fact) => self.0.get(fact).and_then(Reading::value).cloned(),
            Symbol::Incidents(window) => Some(Value::Int(window.0 / 60_000)),
            Symbol::Mode => Some(Value::text("normal")),
            Symbol::Other(_, OtherSymbol::Status) => Some(Value::text("ok")),
            _ => None,
        }
    }
}

fn world() -> Facts {
    Facts(BTreeMap::from([
        (FactId::new("r", "running"), Reading::from(true)),
        (FactId::new("r", "age_s"), Reading::float(95.0)),
        (FactId::new("r", "latency_ms"), Reading::float(2.0)),
        (FactId::new("r", "workers"), Reading::from(3)),
        (FactId::new("r", "hurt"), Reading::Missing),
        (FactId::new("r", "nan_s"), Reading::float(f64::NAN)),
    ]))
}

fn vocabulary() -> Vocabulary {
    let others = BTreeMap::from([(
        ComponentId::from("database"),
        BTreeMap::from([(FactId::new("ping", "connected"), Type::Bool)]),
    )]);
    let mut seen = Vocabulary::of_rule(&["normal", "read_only"], Arc::new(others));
    for (fact, kind) in [
        ("running", Type::Bool),
        ("hurt", Type::Bool),
        ("age_s", Type::Measure(Some(Unit::Seconds))),
        ("nan_s", Type::Measure(Some(Unit::Seconds))),
        ("latency_ms", Type::Measure(Some(Unit::Milliseconds))),
        ("workers", Type::Count),
    ] {
        seen.fact(&FactId::new("r", fact), kind);
    }
    seen.threshold("stale_s", Value::Float(120.0));
    seen.threshold("slow_ms", Value::Float(1000.0));
    seen.threshold("few", Value::Int(2));
    seen
}

fn eval(source: &str) -> Truth {
    Condition::compile(source, &vocabulary())
        .unwrap_or_else(|faults| panic!("{source}: {faults:?}"))
        .eval(&world())
}

#[test]
fn conditions_say_what_they_say() {
    for (source, truth) in [
        ("true", Truth::True),
        ("r.running", Truth::True),
        ("!r.running", Truth::False),
        ("!r.running || r.age_s > threshold.stale_s", Truth::False),
        ("r.age_s > 60", Truth::True),
        ("r.age_s > threshold.stale_s * 0.5", Truth::True),
        ("r.workers >= threshold.few && r.workers < 4", Truth::True),
        ("-r.workers == -3", Truth::True),
        ("mode == \"normal\"", Truth::True),
        ("mode != \"read_only\"", Truth::True),
        ("incidents(900) >= 15", Truth::True),
        ("incidents(threshold.stale_s) == 2", Truth::True),
        ("component(\"database\").status == \"ok\"", Truth::True),
        ("r.running == true", Truth::True),
        ("r.workers * 2 > 5 && (r.age_s - 5.0) / 2 <= 45", Truth::True),
    ] {
        assert_eq!(eval(source), truth, "{source}");
    }
}

#[test]
fn logic_is_the_same_in_either_order() {
    for (source, truth) in [
        ("r.running || r.hurt", Truth::True),
        ("r.hurt || r.running", Truth::True),
        ("!r.running && r.hurt", Truth::False),
        ("r.hurt && !r.running", Truth::False),
        ("r.hurt || !r.running", Truth::Unknown),
        ("!r.hurt", Truth::Unknown),
        ("r.hurt && r.running", Truth::Unknown),
    ] {
        assert_eq!(eval(source), truth, "{source}");
    }
}

#[test]
fn a_number_that_is_not_finite_is_unknown_and_not_false() {
    for source in ["r.nan_s < 1.0", "!(r.nan_s < 1.0)", "r.nan_s == 0", "r.nan_s >= 0"] {
        assert_eq!(eval(source), Truth::Unknown, "{source}");
    }
}

#[test]
fn a_division_by_nothing_and_an_overflow_are_unknown() {
    for source in [
        "r.workers % 0 == 1",
        "r.workers * 9223372036854775807 > 0",
        "r.age_s / (r.age_s - r.age_s) > 0.5",
        "!(r.age_s / (r.age_s - r.age_s) <= 0.5)",
        "(r.age_s - r.age_s) / (r.age_s - r.age_s) == 1.0",
        "r.age_s * 1e308 * 1e308 > 0.5",
    ] {
        assert_eq!(eval(source), Truth::Unknown, "{source}");
    }
}

#[test]
fn the_missing_facts_are_named() {
    let condition = Condition::compile("r.hurt || r.nan_s > 1", &vocabulary()).unwrap();
    assert_eq!(condition.missing(&world()), [FactId::new("r", "hurt"), FactId::new("r", "nan_s")]);
}

#[test]
fn a_condition_never_keeps_the_values_it_was_compiled_with() {
    let condition = Condition::compile("r.age_s > threshold.stale_s", &vocabulary()).unwrap();
    let mut facts = world();
    assert_eq!(condition.eval(&facts), Truth::False);
    facts.0.insert(FactId::new("r", "age_s"), Reading::float(121.0));
    assert_eq!(condition.eval(&facts), Truth::True);
}

#[test]
fn every_mistake_is_refused_with_its_code_and_place() {
    for (source, code, at) in [
        ("r.agee_s > 1", Code::UnknownFact, "r.agee_s"),
        ("running", Code::UnknownFact, "running"),
        ("r.age_s", Code::TypeMismatch, "r.age_s"),
        ("r.age_s > threshold.slow_ms", Code::UnitMismatch, ">"),
        ("r.age_s + r.latency_ms > 1", Code::UnitMismatch, "+"),
        ("r.age_s > r.workers", Code::UnitMismatch, ">"),
        ("r.running > 1", Code::TypeMismatch, ">"),
        ("true == 1", Code::TypeMismatch, "=="),
        ("1 < r.workers < 3", Code::TypeMismatch, "<"),
        ("\"5\" > 4", Code::TypeMismatch, ">"),
        ("1 != \"1\"", Code::TypeMismatch, "!="),
        ("mode == \"nomal\"", Code::NeverThatWord, "=="),
        ("mode > \"a\"", Code::TypeMismatch, ">"),
        ("r.workers / 2 > 1", Code::IntegerDivision, "/"),
        ("r.workers > 99999999999999999999", Code::BadValue, "99999999999999999999"),
        ("r.workers && r.running", Code::TypeMismatch, "r.workers"),
        ("incident(900) > 1", Code::UnknownFunction, "incident"),
        ("incidents() > 1", Code::TypeMismatch, "incidents"),
        ("incidents(r.age_s) > 1", Code::UnitMismatch, "r.age_s"),
        ("incidents(threshold.slow_ms) > 1", Code::UnitMismatch, "threshold.slow_ms"),
        ("incidents(90000) > 1", Code::BadValue, "9"),
        ("component(\"databse\").status == \"ok\"", Code::UnknownComponent, "\""),
        ("component(\"database\").ping.conected", Code::UnknownFact, "component(\"database\").ping.conected"),
        ("eval(\"1\")", Code::NotAllowed, "eval"),
        ("if true { true } else { false }", Code::NotAllowed, "if"),
        ("r.running ?? true", Code::NotAllowed, "?"),
        ("r?.running", Code::NotAllowed, "?."),
        ("[1, 2] == 3", Code::NotAllowed, "["),
        ("r[\"running\"]", Code::NotAllowed, "["),
        ("#{} == 3", Code::NotAllowed, "#"),
        ("`${r.age_s}` == \"1\"", Code::NotAllowed, "`"),
        ("r.running & r.hurt", Code::NotAllowed, "&"),
        ("r.running | r.hurt", Code::NotAllowed, "|"),
        ("r.running ^ r.hurt", Code::NotAllowed, "^"),
        ("r.workers ** 2 > 1", Code::NotAllowed, "**"),
        ("r.workers in 3", Code::UnknownFunction, ""),
        ("r.running.len()", Code::NotAllowed, ""),
        ("this", Code::NotAllowed, ""),
        ("print(1)", Code::NotAllowed, ""),
        ("let x = 1; x > 0", Code::NotAllowed, ""),
        ("true; false", Code::ConditionSyntax, ";"),
        ("r.running = false", Code::ConditionSyntax, ""),
        ("|x| x", Code::ConditionSyntax, ""),
        ("", Code::ConditionSyntax, ""),
        ("r.running &&", Code::ConditionSyntax, ""),
        ("'a' == \"a\"", Code::NotAllowed, ""),
        ("() < 1", Code::NotAllowed, ""),
    ] {
        let faults = Condition::compile(source, &vocabulary()).expect_err(source);
        let first = &faults[0];
        assert_eq!(first.code, code, "{source}: {}", first.message);
        let shown = &source[first.span.start.min(source.len())..first.span.end.min(source.len())];
        assert!(shown.starts_with(at) || at.starts_with(shown), "{source}: {shown:?} is not {at:?}");
    }
}

#[test]
fn a_misspelt_fact_is_told_the_right_name() {
    let faults = Condition::compile("r.agee_s > 1", &vocabulary()).expect_err("misspelt");
    assert_eq!(faults[0].help.as_deref(), Some("did you mean `r.age_s`?"));
}

#[test]
fn all_mistakes_are_found_at_once() {
    let faults = Condition::compile("r.agee_s > 1 && r.runing", &vocabulary()).expect_err("misspelt");
    assert_eq!(faults.len(), 2);
}

#[test]
fn bombs_are_refused_quickly() {
    let long = vec!["r.running"; 10_000].join(" && ");
    let deep = format!("{}true{}", "(".repeat(1_000), ")".repeat(1_000));
    let nots = format!("{}true", "!".repeat(4_000));
    let lines = "let x = 1;\n".repeat(10_000);
    for bomb in [long, deep, nots, lines] {
        assert!(Condition::compile(&bomb, &vocabulary()).is_err());
    }
}

#[test]
fn forty_operands_in_a_row_are_fine() {
    assert_eq!(eval(&vec!["r.running"; 40].join(" && ")), Truth::True);
}

#[test]
fn a_condition_of_many_lines_keeps_its_places() {
    let source = "r.running\n  && r.ageé > 1";
    let faults = Condition::compile(source, &vocabulary()).expect_err("no such fact");
    assert!(faults[0].span.start >= source.find("r.age").unwrap());
}

#[test]
fn history_windows_are_spans() {
    assert_eq!(Symbol::Incidents(Span::minutes(15)), Symbol::Incidents(Span::seconds(900)));
}

/// What a tree says on one line: `text=value` of each part, the outer ones first.
fn lines(part: &Part, found: &mut Vec<String>) {
    let value = part.value.as_ref().map_or("unknown".to_owned(), Value::to_string);
    let unit = part.unit.map_or("", Unit::word);
    found.push(format!("{}={value} {unit}", part.text).trim_end().to_owned());
    part.parts.iter().for_each(|part| lines(part, found));
}

#[test]
fn every_part_of_a_condition_has_its_text_and_its_value() {
    let text = "!r.running || (r.age_s + 5 > threshold.stale_s && r.hurt) || incidents(900) >= 3";
    let condition = Condition::compile(text, &vocabulary()).expect(text);
    let mut found = Vec::new();
    lines(&condition.explain(&world()).expect("a tree"), &mut found);
    let expected = [
        "!r.running || (r.age_s + 5 > threshold.stale_s && r.hurt) || incidents(900) >= 3=true",
        "!r.running=false",
        "r.running=true",
        "r.age_s + 5 > threshold.stale_s && r.hurt=false",
        "r.age_s + 5 > threshold.stale_s=false",
        "r.age_s + 5=100 seconds",
        "r.age_s=95 seconds",
        "5=5",
        "threshold.stale_s=120 seconds",
        "r.hurt=unknown",
        "incidents(900) >= 3=true",
        "incidents(900)=15",
        "3=3",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_root_of_the_tree_is_what_the_condition_says() {
    let (mut trues, mut unknowns) = (0, 0);
    for text in [
        "r.running",
        "!r.running",
        "r.hurt",
        "!r.hurt",
        "r.hurt || r.running",
        "r.hurt && !r.running",
        "r.age_s > threshold.stale_s",
        "r.age_s * 2 > threshold.stale_s",
        "-r.age_s < 0.0",
        "mode == \"normal\"",
        "r.nan_s > 1",
        "r.workers % 2 == 1",
        "component(\"database\").status == \"ok\"",
        "r.running == true",
        "r.workers >= threshold.few && (r.hurt || r.age_s / 2 > 40)",
        "true",
        "r.workers * 9223372036854775807 > 1",
    ] {
        let condition =
            Condition::compile(text, &vocabulary()).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        let truth = condition.eval(&world());
        assert_eq!(condition.explain(&world()).expect(text).truth(), truth, "{text}");
        trues += usize::from(truth == Truth::True);
        unknowns += usize::from(truth == Truth::Unknown);
    }
    assert!(trues > 5 && unknowns > 2, "{trues} {unknowns}");
}

#[test]
fn a_threshold_can_be_supposed_in_every_place_but_a_window() {
    let text =
        "r.age_s > threshold.stale_s || threshold.stale_s < 100 || incidents(threshold.stale_s) > 1000";
    let condition = Condition::compile(text, &vocabulary()).expect(text);
    assert_eq!(condition.eval(&world()), Truth::False);
    let lower = condition.supposing("threshold.stale_s", &Value::Float(94.0)).expect("it asks for it");
    let mut found = Vec::new();
    lines(&lower.explain(&world()).expect("a tree"), &mut found);
    assert!(found.contains(&"r.age_s > threshold.stale_s=true".to_owned()), "{found:?}");
    assert!(found.contains(&"threshold.stale_s < 100=true".to_owned()), "{found:?}");
    assert!(found.contains(&"incidents(threshold.stale_s)=2".to_owned()), "{found:?}");
    assert!(condition.supposing("threshold.few", &Value::Int(1)).is_none());
}
