//! Lowered conditions say what Rhai says: random pairs of condition and world, held against each other, with every word that
//! conditions of statuses, rules and policies have.
//!
//! A share of them is asked in every run; `GRACE_PAIRS=10000000 cargo test --release --test it lowered` asks ten million.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace::condition::{Condition, OtherSymbol, Symbol, TallySymbol, Truth, Vocabulary, World};
use grace::model::{ComponentId, FactId, FactNames, Facts, Reading, RuleId, Type, Unit, Value};

type Kind = fn() -> Type;

const FACTS: [(&str, Kind); 9] = [
    ("a.up", || Type::Bool),
    ("a.down", || Type::Bool),
    ("a.count", || Type::Count),
    ("a.other", || Type::Count),
    ("a.age_s", || Type::Measure(Some(Unit::Seconds))),
    ("a.idle_s", || Type::Measure(Some(Unit::Seconds))),
    ("a.load", || Type::Measure(None)),
    ("a.state", || Type::words(["ok", "warn", "bad"])),
    ("a.name", Type::any_text),
];

/// Every kind of word besides facts; `word` has an arm for each.
const WORDS: [&str; 25] = [
    "status",
    "failures",
    "tier",
    "component",
    "mode",
    "incidents",
    "heals",
    "failed_heals",
    "relapses",
    "signals",
    "spread",
    "spread_before",
    "unheard",
    "critical_now",
    "changed",
    "closed",
    "success_ratio",
    "relapse_ratio",
    "other's status",
    "other's failures",
    "other's fact",
    "by",
    "actor",
    "action.kind",
    "action.stricter",
];

/// Which word a symbol is. A new one finds its place here, and has to be asked then.
fn word(symbol: &Symbol) -> Option<&'static str> {
    let place = match symbol {
        Symbol::Fact(_) => return None,
        Symbol::Status(_) => 0,
        Symbol::Failures => 1,
        Symbol::Tier => 2,
        Symbol::Component => 3,
        Symbol::Mode => 4,
        Symbol::Incidents(_) => 5,
        Symbol::Heals(_) => 6,
        Symbol::FailedHeals(_) => 7,
        Symbol::Relapses(_) => 8,
        Symbol::Signals(_) => 9,
        Symbol::Spread(_) => 10,
        Symbol::SpreadBefore(_) => 11,
        Symbol::Unheard(_) => 12,
        Symbol::CriticalNow => 13,
        Symbol::Changed(_) => 14,
        Symbol::Tally(_, TallySymbol::Closed) => 15,
        Symbol::Tally(_, TallySymbol::SuccessRatio) => 16,
        Symbol::Tally(_, TallySymbol::RelapseRatio) => 17,
        Symbol::Other(_, OtherSymbol::Status) => 18,
        Symbol::Other(_, OtherSymbol::Failures) => 19,
        Symbol::Other(_, OtherSymbol::Fact(_)) => 20,
        Symbol::By => 21,
        Symbol::Actor => 22,
        Symbol::ActionKind => 23,
        Symbol::ActionStricter => 24,
    };
    Some(WORDS[place])
}

/// What conditions may be made of, by type.
#[derive(Default)]
struct Words {
    bools: Vec<String>,
    numbers: BTreeMap<&'static str, Vec<String>>,
    /// With the words that each can be; none is any text.
    texts: Vec<(String, Vec<String>)>,
}

impl Words {
    /// Every name and function that a vocabulary knows, and everything that other components can be asked.
    fn of(seen: &Vocabulary) -> Self {
        let mut words = Self::default();
        for (name, kind) in seen.listed() {
            words.add(name, &kind);
        }
        for function in seen.functions() {
            words.add(format!("{function}(threshold.window_s)"), &Type::Count);
        }
        if seen.sees_others() {
            words
                .add("component(\"web\").status".into(), &Type::words(["ok", "warn", "critical", "unknown"]));
            words.add("component(\"web\").failures".into(), &Type::Count);
            for (fact, kind) in FACTS {
                words.add(format!("component(\"web\").{fact}"), &kind());
            }
        }
        words
    }

    fn add(&mut self, name: String, kind: &Type) {
        let unit = match kind {
            Type::Bool => return self.bools.push(name),
            Type::Text { one_of } => {
                return self.texts.push((name, one_of.iter().map(ToString::to_string).collect()));
            }
            Type::Count => "count",
            Type::Measure(None) => "plain",
            Type::Measure(Some(unit)) => unit.word(),
        };
        self.numbers.entry(unit).or_default().push(name);
    }

    /// Each of them.
    fn all(&self) -> BTreeSet<String> {
        let texts = self.texts.iter().map(|(name, _)| name);
        self.bools.iter().chain(self.numbers.values().flatten()).chain(texts).cloned().collect()
    }
}

/// Random numbers, the same in every run; and the words that were picked with them.
struct Dice {
    state: u64,
    picked: BTreeSet<String>,
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
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

    fn word(&mut self, all: &[String]) -> String {
        let word = all[self.below(all.len())].clone();
        self.picked.insert(word.clone());
        word
    }

    fn number(&mut self, words: &Words, unit: &str, depth: usize) -> String {
        let known = &words.numbers[unit];
        match self.below(if depth == 0 { 2 } else { 5 }) {
            0 => self.word(known),
            1 if unit == "count" => format!("{}", self.below(9)),
            1 => format!("{:?}", f64::from(u32::try_from(self.below(9)).unwrap()) / 2.0),
            2 => format!("-{}", self.word(known)),
            3 => format!(
                "({} {} {})",
                self.number(words, unit, depth - 1),
                self.pick(&["+", "-"]),
                self.number(words, unit, depth - 1)
            ),
            _ if unit == "count" => {
                format!(
                    "({} {} {})",
                    self.number(words, unit, depth - 1),
                    self.pick(&["*", "%"]),
                    self.number(words, unit, depth - 1)
                )
            }
            _ => format!(
                "({} {} {})",
                self.number(words, unit, depth - 1),
                self.pick(&["*", "/"]),
                self.number(words, "plain", depth - 1)
            ),
        }
    }

    /// A text, and what it is held against.
    fn text(&mut self, words: &Words) -> String {
        let (name, one_of) = &words.texts[self.below(words.texts.len())];
        self.picked.insert(name.clone());
        let any = ["ok", "web", "uid:0"].map(str::to_owned);
        let against = if one_of.is_empty() { &any[..] } else { one_of };
        let other = against[self.below(against.len())].clone();
        format!("{name} {} \"{other}\"", self.pick(&["==", "!="]))
    }

    fn condition(&mut self, words: &Words, depth: usize) -> String {
        let sign = self.pick(&["==", "!=", "<", "<=", ">", ">="]);
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => self.word(&words.bools),
            1 if !words.texts.is_empty() => self.text(words),
            1 | 2 => format!(
                "{} {} {}",
                self.word(&words.bools),
                self.pick(&["==", "!="]),
                self.word(&words.bools)
            ),
            3..=5 => {
                let units: Vec<&str> = words.numbers.keys().copied().collect();
                let unit = self.pick(&units);
                format!("{} {sign} {}", self.number(words, unit, 2), self.number(words, unit, 1))
            }
            6 => format!("!({})", self.condition(words, depth - 1)),
            7 => format!("({} && {})", self.condition(words, depth - 1), self.condition(words, depth - 1)),
            _ => format!("({} || {})", self.condition(words, depth - 1), self.condition(words, depth - 1)),
        }
    }

    /// A value of a fact; nothing where it could not be read.
    fn fact(&mut self, name: &str) -> Option<Value> {
        match name {
            _ if self.below(12) == 0 => None,
            "a.up" | "a.down" => Some(Value::Bool(self.below(2) == 0)),
            "a.count" | "a.other" => Some(Value::Int(self.whole())),
            "a.state" => Some(Value::text(self.pick(&["ok", "warn", "bad"]))),
            "a.name" => Some(Value::text(self.pick(&["ok", "web", ""]))),
            // A probe may give a whole number where a measure is declared.
            _ if self.below(6) == 0 => Some(Value::Int(self.whole())),
            _ => Value::float(self.float()),
        }
    }

    /// What another name is worth.
    fn told(&mut self, symbol: &Symbol) -> Option<Value> {
        match symbol {
            Symbol::Fact(fact) | Symbol::Other(_, OtherSymbol::Fact(fact)) => self.fact(fact.as_str()),
            _ if self.below(12) == 0 => None,
            Symbol::Status(_) | Symbol::Changed(_) | Symbol::ActionStricter => {
                Some(Value::Bool(self.below(2) == 0))
            }
            Symbol::Tally(_, TallySymbol::SuccessRatio | TallySymbol::RelapseRatio) => {
                Value::float(self.float())
            }
            Symbol::Other(_, OtherSymbol::Status) => Some(Value::text(self.pick(&["ok", "critical"]))),
            Symbol::Component => Some(Value::text(self.pick(&["web", "mail"]))),
            Symbol::Mode => Some(Value::text(self.pick(&["normal", "read_only"]))),
            Symbol::By => Some(Value::text(self.pick(&["rule", "person"]))),
            Symbol::Actor => Some(Value::text(self.pick(&["uid:0", "restart/web"]))),
            Symbol::ActionKind => Some(Value::text(self.pick(&["restart", "hold", "notify"]))),
            _ => Some(Value::Int(self.whole())),
        }
    }
}

/// A world of random values; some are not known. Every other time the facts come in the row by which conditions find them.
#[derive(Debug)]
struct Rolled {
    facts: Facts,
    told: Vec<(Symbol, Option<Value>)>,
}

impl Rolled {
    fn roll(dice: &mut Dice, names: &FactNames, condition: &Condition) -> Self {
        let mut one =
            |name: &FactId| (name.clone(), dice.fact(name.as_str()).map_or(Reading::Missing, Reading::Value));
        let mut facts: Facts = names.iter().map(&mut one).collect();
        if dice.below(2) == 0 {
            facts.name_by(names);
        }
        let mut told: Vec<(Symbol, Option<Value>)> = Vec::new();
        for symbol in condition.symbols() {
            let known = matches!(symbol, Symbol::Fact(_)) || told.iter().any(|(other, _)| other == symbol);
            if !known {
                told.push((symbol.clone(), dice.told(symbol)));
            }
        }
        Self { facts, told }
    }
}

impl World for Rolled {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        match symbol {
            Symbol::Fact(fact) => self.facts.get(fact)?.value().cloned(),
            _ => self.told.iter().find(|(other, _)| other == symbol)?.1.clone(),
        }
    }

    fn row(&self, names: &FactNames) -> Option<&[Reading]> {
        self.facts.in_row(names)
    }
}

fn names() -> FactNames {
    let mut names = FACTS.map(|(name, _)| FactId::from(name));
    names.sort();
    names.into()
}

/// What a status, a rule or a policy sees.
fn vocabulary(dice: &mut Dice, of: &str, names: &FactNames) -> Vocabulary {
    let facts: BTreeMap<FactId, Type> =
        FACTS.iter().map(|(name, kind)| (FactId::from(*name), kind())).collect();
    let modes = ["normal", "read_only"];
    let mut seen = match of {
        "policy" => Vocabulary::of_policy(&modes, Some(&["web", "mail"])),
        "rule" => Vocabulary::of_rule(&modes, Arc::new([(ComponentId::from("web"), facts.clone())].into())),
        _ => Vocabulary::of_status(),
    };
    if of == "rule" {
        seen.changes(&[FactId::from("a.down")]);
        seen.healing(&RuleId::from("restart"));
        seen.components(&Type::words(["web", "mail"]));
    }
    if of != "policy" {
        for (name, kind) in &facts {
            seen.fact(name, kind.clone());
        }
        seen.in_row(names);
    }
    seen.threshold("late_s", Value::Float(dice.float()));
    seen.threshold("window_s", Value::Float(900.0));
    seen.threshold("many", Value::Int(dice.whole()));
    seen.threshold("much", Value::Float(dice.float()));
    seen.threshold("least_ratio", Value::Float(dice.float()));
    seen
}

/// How often conditions with a word said true, false and unknown.
type Said = BTreeMap<String, [usize; 3]>;

fn count(said: &mut Said, words: impl IntoIterator<Item = String>, truth: Truth) {
    let place = match truth {
        Truth::True => 0,
        Truth::False => 1,
        Truth::Unknown => 2,
    };
    words.into_iter().for_each(|word| said.entry(word).or_default()[place] += 1);
}

#[test]
fn a_lowered_condition_never_differs_from_rhai() {
    const WORLDS: usize = 50;
    let pairs = std::env::var("GRACE_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let mut dice = Dice { state: 0x9e37_79b9_7f4a_7c15, picked: BTreeSet::new() };
    let (names, mut asked, mut refused) = (names(), 0_usize, 0_usize);
    let (mut said, mut kinds, mut wanted) = (Said::new(), Said::new(), BTreeSet::new());
    while asked < pairs {
        let of = dice.pick(&["status", "rule", "rule", "policy"]);
        let seen = vocabulary(&mut dice, of, &names);
        let words = Words::of(&seen);
        wanted.extend(words.all().into_iter().map(|word| format!("{of}: {word}")));
        dice.picked.clear();
        let text = dice.condition(&words, 2);
        let picked: Vec<String> = dice.picked.iter().map(|word| format!("{of}: {word}")).collect();
        let Ok(condition) = Condition::compile(&text, &seen) else {
            refused += 1;
            continue;
        };
        let of_kinds: Vec<&str> = condition.symbols().into_iter().filter_map(word).collect();
        for _ in 0..WORLDS {
            let world = Rolled::roll(&mut dice, &names, &condition);
            let (lowered, judged) = (condition.eval(&world), condition.judge(&world));
            assert_eq!(lowered, judged, "{text} with {world:?} and {seen:?}");
            count(&mut said, picked.iter().cloned(), lowered);
            count(&mut kinds, of_kinds.iter().map(|kind| (*kind).to_owned()), lowered);
            asked += 1;
        }
    }
    let dull: Vec<_> = said.iter().filter(|(_, said)| said.contains(&0)).collect();
    assert!(dull.is_empty(), "each word is part of each answer: {dull:?}");
    assert_eq!(said.into_keys().collect::<BTreeSet<_>>(), wanted, "each word is asked");
    let known: BTreeSet<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(kinds.into_keys().collect::<BTreeSet<_>>(), known, "each kind of word is asked");
    assert!(refused < asked / WORLDS, "most conditions are taken: {refused} were refused");
}
