//! Lowered conditions say what Rhai says: random pairs of condition and facts, held against each other.
//!
//! A share of them is asked in every run; `GRACE_PAIRS=10000000 cargo test --release --test it lowered` asks ten million.

use grace::condition::{Condition, Truth, Vocabulary};
use grace::model::{FactId, FactNames, Facts, Reading, Type, Unit, Value};

type Kind = fn() -> Type;

const FACTS: [(&str, Kind); 8] = [
    ("a.up", || Type::Bool),
    ("a.down", || Type::Bool),
    ("a.count", || Type::Count),
    ("a.other", || Type::Count),
    ("a.age_s", || Type::Measure(Some(Unit::Seconds))),
    ("a.idle_s", || Type::Measure(Some(Unit::Seconds))),
    ("a.load", || Type::Measure(None)),
    ("a.state", || Type::words(["ok", "warn", "bad"])),
];

/// Random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Whole numbers as they come, and those at which arithmetic overflows.
    fn whole(&mut self) -> i64 {
        match self.below(8) {
            0 => self.pick(&[0, 1, -1, i64::MAX, i64::MIN, i64::MAX - 1, 1 << 53, (1 << 53) + 1]),
            1 => i64::from_ne_bytes(self.next().to_ne_bytes()),
            _ => i64::try_from(self.below(9)).unwrap() - 2,
        }
    }

    /// Floats as they come, and those around which comparisons turn.
    fn float(&mut self) -> f64 {
        let float = match self.below(8) {
            0 => self.pick(&[0.0, -0.0, 1e-20, 1e308, -1e308, f64::MIN_POSITIVE, 0.1 + 0.2, 0.3]),
            1 => f64::from_bits(self.next()),
            2 => 2.0 * (1.0 + f64::EPSILON * f64::from(u32::try_from(self.below(12)).unwrap())),
            _ => f64::from(u32::try_from(self.below(9)).unwrap()) / 2.0,
        };
        if float.is_finite() { float } else { 1.0 }
    }

    fn number(&mut self, unit: &str, depth: usize) -> String {
        let facts: &[&str] = match unit {
            "s" => &["a.age_s", "a.idle_s", "threshold.late_s"],
            "count" => &["a.count", "a.other", "threshold.many"],
            _ => &["a.load", "threshold.much"],
        };
        match self.below(if depth == 0 { 2 } else { 5 }) {
            0 => self.pick(facts).to_owned(),
            1 if unit == "count" => format!("{}", self.below(9)),
            1 => format!("{:?}", f64::from(u32::try_from(self.below(9)).unwrap()) / 2.0),
            2 => format!("-{}", self.pick(facts)),
            3 => format!(
                "({} {} {})",
                self.number(unit, depth - 1),
                self.pick(&["+", "-"]),
                self.number(unit, depth - 1)
            ),
            _ if unit == "count" => {
                format!(
                    "({} {} {})",
                    self.number(unit, depth - 1),
                    self.pick(&["*", "%"]),
                    self.number(unit, depth - 1)
                )
            }
            _ => format!(
                "({} {} {})",
                self.number(unit, depth - 1),
                self.pick(&["*", "/"]),
                self.number("plain", depth - 1)
            ),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        let sign = self.pick(&["==", "!=", "<", "<=", ">", ">="]);
        match self.below(if depth == 0 { 6 } else { 10 }) {
            0 => self.pick(&["a.up", "a.down"]).to_owned(),
            1 => format!("a.state {} \"{}\"", self.pick(&["==", "!="]), self.pick(&["ok", "warn", "bad"])),
            2 => format!("a.up {} a.down", self.pick(&["==", "!="])),
            unit @ 3..=5 => {
                let unit = ["s", "count", "plain"][unit - 3];
                format!("{} {sign} {}", self.number(unit, 2), self.number(unit, 1))
            }
            6 => format!("!({})", self.condition(depth - 1)),
            7 => format!("({} && {}) == a.up", self.condition(depth - 1), self.condition(depth - 1)),
            8 => format!("({} && {})", self.condition(depth - 1), self.condition(depth - 1)),
            _ => format!("({} || {})", self.condition(depth - 1), self.condition(depth - 1)),
        }
    }
}

/// Random readings; some are missing. Every other time they come in the row by which conditions find them.
fn roll(dice: &mut Dice, names: &FactNames) -> Facts {
    let value = |dice: &mut Dice, name: &str| match name {
        _ if dice.below(12) == 0 => None,
        "a.up" | "a.down" => Some(Value::Bool(dice.below(2) == 0)),
        "a.count" | "a.other" => Some(Value::Int(dice.whole())),
        "a.state" => Some(Value::text(dice.pick(&["ok", "warn", "bad"]))),
        // A probe may give a whole number where a measure is declared.
        _ if dice.below(6) == 0 => Some(Value::Int(dice.whole())),
        _ => Value::float(dice.float()),
    };
    let mut one =
        |name: &FactId| (name.clone(), value(dice, name.as_str()).map_or(Reading::Missing, Reading::Value));
    let mut facts: Facts = names.iter().map(&mut one).collect();
    if dice.below(2) == 0 {
        facts.name_by(names);
    }
    facts
}

fn names() -> FactNames {
    let mut names = FACTS.map(|(name, _)| FactId::from(name));
    names.sort();
    names.into()
}

fn vocabulary(dice: &mut Dice, names: &FactNames) -> Vocabulary {
    let mut seen = Vocabulary::of_status();
    for (name, kind) in FACTS {
        seen.fact(&FactId::from(name), kind());
    }
    seen.in_row(names);
    seen.threshold("late_s", Value::Float(dice.float()));
    seen.threshold("many", Value::Int(dice.whole()));
    seen.threshold("much", Value::Float(dice.float()));
    seen
}

#[test]
fn a_lowered_condition_never_differs_from_rhai() {
    const WORLDS: usize = 50;
    let pairs = std::env::var("GRACE_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let (mut dice, names) = (Dice(0x9e37_79b9_7f4a_7c15), names());
    let (mut asked, mut refused, mut said) = (0_usize, 0_usize, [0_usize; 3]);
    while asked < pairs {
        let seen = vocabulary(&mut dice, &names);
        let text = dice.condition(2);
        let Ok(condition) = Condition::compile(&text, &seen) else {
            refused += 1;
            continue;
        };
        for _ in 0..WORLDS {
            let facts = roll(&mut dice, &names);
            let (lowered, judged) = (condition.eval(&facts), condition.judge(&facts));
            assert_eq!(lowered, judged, "{text} with {facts:?} and {seen:?}");
            said[match lowered {
                Truth::True => 0,
                Truth::False => 1,
                Truth::Unknown => 2,
            }] += 1;
            asked += 1;
        }
    }
    assert!(said.iter().all(|count| *count > asked / 20), "each answer is asked for: {said:?}");
    assert!(refused < asked / WORLDS, "most conditions are taken: {refused} were refused");
}
