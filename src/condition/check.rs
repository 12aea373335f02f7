//! Types and units of every name, function, comparison and arithmetic, before anything runs.

use std::ops::Range;

use crate::condition::Fault;
use crate::condition::tree::{Arithmetic, Compare, Shape, Term};
use crate::condition::undivided::undivided;
use crate::condition::vocabulary::{Named, OtherSymbol, Symbol, Vocabulary};
use crate::model::{ComponentId, FactId, Span, Status, Type, Unit, Value};
use crate::say::{Code, meant, suggest};

/// A part of a condition whose names are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Checked {
    Constant(Value),
    Symbol(Symbol),
    And(Vec<Checked>),
    Or(Vec<Checked>),
    Not(Box<Checked>),
    Minus(Box<Checked>),
    Compare(Compare, Box<Checked>, Box<Checked>),
    Arithmetic(Arithmetic, Box<Checked>, Box<Checked>),
}

impl Checked {
    /// The names in it.
    pub(super) fn symbols<'c>(&'c self, found: &mut Vec<&'c Symbol>) {
        match self {
            Self::Constant(_) => {}
            Self::Symbol(symbol) => found.push(symbol),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.symbols(found)),
            Self::Not(part) | Self::Minus(part) => part.symbols(found),
            Self::Compare(_, left, right) | Self::Arithmetic(_, left, right) => {
                left.symbols(found);
                right.symbols(found);
            }
        }
    }
}

/// A checked part with its type. A number written in the condition fits any unit.
pub(super) struct Typed {
    pub(super) checked: Checked,
    pub(super) kind: Type,
    pub(super) literal: bool,
}

/// History is kept for a day; a longer window would silently see less than it says.
const LONGEST_WINDOW: Span = Span::minutes(24 * 60);

pub(super) fn check(term: &Term, vocabulary: &Vocabulary) -> Result<Checked, Vec<Fault>> {
    let mut checker = Checker { vocabulary, faults: Vec::new() };
    let typed = checker.term(term);
    if let Some(typed) = &typed
        && typed.kind != Type::Bool
    {
        let message = format!("a condition is true or false, and this is {}", typed.kind);
        checker.fault(Code::TypeMismatch, &term.span, message, "compare it with something");
    }
    match typed {
        Some(typed) if checker.faults.is_empty() => Ok(typed.checked),
        _ => Err(checker.faults),
    }
}

pub(super) struct Checker<'a> {
    vocabulary: &'a Vocabulary,
    pub(super) faults: Vec<Fault>,
}

impl Checker<'_> {
    pub(super) fn fault(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: String,
        help: impl Into<String>,
    ) {
        self.faults.push(Fault { code, span: span.clone(), message, help: Some(help.into()), instead: None });
    }

    /// A name that is none of those there are.
    fn unknown(&mut self, code: Code, span: &Range<usize>, message: String, (word, known): (&str, &[&str])) {
        self.fault(code, span, message, suggest(word, known.iter().copied()));
        if let Some(fault) = self.faults.last_mut() {
            let meant = meant(word, known.iter().copied());
            // Thresholds have names that people choose: it may be the other end that is misspelt.
            let chosen = |word: &str| word.starts_with("threshold.");
            fault.instead = meant.map(|(word, sure)| (word.to_owned(), sure && !chosen(word)));
        }
    }

    /// Checks a part; nothing where it cannot be understood, and then a fault says why.
    fn term(&mut self, term: &Term) -> Option<Typed> {
        let typed = |checked, kind| Some(Typed { checked, kind, literal: false });
        match &term.shape {
            Shape::Literal(value) => Some(literal(value.clone())),
            Shape::Path(path) => self.path(path, &term.span),
            Shape::Call(name, args) => self.call(name, args, &term.span),
            Shape::Member(call, tail) => self.member(call, tail, &term.span),
            Shape::And(parts) => typed(Checked::And(self.logic(parts)?), Type::Bool),
            Shape::Or(parts) => typed(Checked::Or(self.logic(parts)?), Type::Bool),
            Shape::Not(part) => {
                let mut parts = self.logic(std::slice::from_ref(part))?;
                typed(Checked::Not(Box::new(parts.pop()?)), Type::Bool)
            }
            Shape::Minus(part) => self.minus(part),
            Shape::Compare(op, left, right) => self.compare(*op, left, right, &term.span),
            Shape::Arithmetic(op, left, right) => self.arithmetic(*op, left, right, &term.span),
        }
    }

    fn path(&mut self, path: &str, span: &Range<usize>) -> Option<Typed> {
        if let Some((named, kind)) = self.vocabulary.find(path) {
            let checked = match named {
                Named::Symbol(symbol) => Checked::Symbol(symbol),
                Named::Constant(value) => Checked::Constant(value),
            };
            return Some(Typed { checked, kind, literal: false });
        }
        if self.vocabulary.hides(path) {
            return None;
        }
        let known: Vec<&str> = self.vocabulary.names().collect();
        self.unknown(Code::UnknownFact, span, format!("there is no `{path}` here"), (path, &known));
        None
    }

    fn logic(&mut self, parts: &[Term]) -> Option<Vec<Checked>> {
        let mut all = Vec::new();
        for part in parts {
            let typed = self.term(part);
            match typed {
                Some(typed) if typed.kind == Type::Bool => all.push(typed.checked),
                Some(typed) => {
                    let message =
                        format!("`&&`, `||` and `!` take true or false, and this is {}", typed.kind);
                    self.fault(Code::TypeMismatch, &part.span, message, "compare it with something");
                }
                None => {}
            }
        }
        (all.len() == parts.len()).then_some(all)
    }

    fn minus(&mut self, part: &Term) -> Option<Typed> {
        let typed = self.term(part)?;
        if !is_number(&typed.kind) {
            let message = format!("`-` takes a number, and this is {}", typed.kind);
            self.fault(Code::TypeMismatch, &part.span, message, "leave it out");
            return None;
        }
        Some(Typed { checked: Checked::Minus(Box::new(typed.checked)), ..typed })
    }

    fn compare(&mut self, op: Compare, left: &Term, right: &Term, span: &Range<usize>) -> Option<Typed> {
        let before = self.faults.len();
        let (a, b) = (self.term(left), self.term(right));
        if let Some(plain) = undivided(op, left, right) {
            let of_division = |fault: &&mut Fault| fault.code == Code::IntegerDivision;
            for fault in self.faults.iter_mut().skip(before).filter(of_division) {
                fault.help = Some(format!("write `{plain}`; or make one side a float, such as `2.0`"));
            }
        }
        let (a, b) = (a?, b?);
        let fits = match (&a.kind, &b.kind) {
            (Type::Bool, Type::Bool) => self.plain_bools(&a, &b, op, span),
            (Type::Text { .. }, Type::Text { .. }) => self.texts(&a, &b, op, span),
            (x, y) if is_number(x) && is_number(y) => self.units(&a, &b, op.sign(), span).is_some(),
            (x, y) => {
                let message = format!("`{}` compares {x} with {y}", op.sign());
                let chained = [left, right].iter().any(|side| matches!(side.shape, Shape::Compare(..)));
                let help = if chained {
                    "comparisons do not chain: write `1 < x && x < 3`"
                } else {
                    "both sides must be of one type"
                };
                self.fault(Code::TypeMismatch, span, message, help);
                false
            }
        };
        let checked = Checked::Compare(op, Box::new(a.checked), Box::new(b.checked));
        fits.then_some(Typed { checked, kind: Type::Bool, literal: false })
    }

    /// `a == true` is fine; comparing logic with logic is better said with `&&`, `||` and `!`.
    fn plain_bools(&mut self, a: &Typed, b: &Typed, op: Compare, span: &Range<usize>) -> bool {
        let plain = |side: &Typed| matches!(side.checked, Checked::Constant(_) | Checked::Symbol(_));
        let fits = plain(a) && plain(b) && matches!(op, Compare::Equal | Compare::NotEqual);
        if !fits {
            let message = format!("`{}` compares true or false with true or false", op.sign());
            self.fault(Code::TypeMismatch, span, message, "say it with `&&`, `||` and `!`");
        }
        fits
    }

    /// Texts are compared for being the same; a word that the other side can never be is a mistake.
    fn texts(&mut self, a: &Typed, b: &Typed, op: Compare, span: &Range<usize>) -> bool {
        if !matches!(op, Compare::Equal | Compare::NotEqual) {
            let message = format!("`{}` does not compare texts", op.sign());
            self.fault(Code::TypeMismatch, span, message, "texts can be `==` or `!=`");
            return false;
        }
        for (side, other) in [(a, b), (b, a)] {
            if let (Type::Text { one_of }, Checked::Constant(Value::Text(word))) =
                (&side.kind, &other.checked)
                && !one_of.is_empty()
                && !one_of.contains(word)
            {
                let help = suggest(word, one_of.iter().map(AsRef::as_ref));
                self.fault(Code::NeverThatWord, span, format!("it is never `{word}`"), help);
                return false;
            }
        }
        true
    }

    fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: &Term,
        right: &Term,
        span: &Range<usize>,
    ) -> Option<Typed> {
        let (a, b) = (self.term(left), self.term(right));
        let (a, b) = (a?, b?);
        if !is_number(&a.kind) || !is_number(&b.kind) {
            let message = format!("`{}` takes numbers, and these are {} and {}", op.sign(), a.kind, b.kind);
            self.fault(Code::TypeMismatch, span, message, "texts and true or false have no arithmetic");
            return None;
        }
        let kind = match op {
            Arithmetic::Plus | Arithmetic::Minus | Arithmetic::Modulo => {
                self.units(&a, &b, op.sign(), span)?
            }
            Arithmetic::Times => self.product(&a, &b, span)?,
            Arithmetic::Over => self.quotient(&a, &b, span)?,
        };
        let literal = a.literal && b.literal;
        let checked = Checked::Arithmetic(op, Box::new(a.checked), Box::new(b.checked));
        Some(Typed { checked, kind, literal })
    }

    fn call(&mut self, name: &str, args: &[Term], span: &Range<usize>) -> Option<Typed> {
        let Some(function) = self.vocabulary.history().iter().find(|known| known.name == name) else {
            let mut known: Vec<&str> = self.vocabulary.history().iter().map(|known| known.name).collect();
            known.extend(self.vocabulary.others().map(|_| "component"));
            let help = if known.is_empty() {
                "conditions of rules can ask history; here nothing can be called".to_owned()
            } else if name == "component" {
                "ask it for something: `component(\"id\").status`".to_owned()
            } else {
                suggest(name, known)
            };
            self.fault(Code::UnknownFunction, span, format!("there is no function `{name}` here"), help);
            return None;
        };
        let window = self.window(name, args, span)?;
        let checked = Checked::Symbol((function.symbol)(window));
        Some(Typed { checked, kind: Type::Count, literal: false })
    }

    /// The window of a function over history: known at once, in seconds, and no longer than history is kept.
    fn window(&mut self, name: &str, args: &[Term], span: &Range<usize>) -> Option<Span> {
        let help = format!("write `{name}(threshold.window_s)` with `window_s = \"15m\"`");
        let [arg] = args else {
            self.fault(Code::TypeMismatch, span, format!("`{name}` takes one window"), help);
            return None;
        };
        let typed = self.term(arg)?;
        let in_seconds = typed.literal || unit(&typed.kind) == Some(Unit::Seconds);
        let seconds = match typed.checked {
            #[expect(clippy::cast_precision_loss, reason = "compared with a day")]
            Checked::Constant(Value::Int(seconds)) if in_seconds => seconds as f64,
            Checked::Constant(Value::Float(seconds)) if in_seconds => seconds,
            _ => {
                self.fault(Code::UnitMismatch, &arg.span, "a window is a threshold in seconds".into(), help);
                return None;
            }
        };
        if seconds <= 0.0 || seconds > LONGEST_WINDOW.as_seconds() {
            let message = format!("a window is longer than nothing and at most {LONGEST_WINDOW}");
            self.fault(Code::BadValue, &arg.span, message, help);
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most a day, as checked above")]
        Some(Span((seconds * 1000.0) as i64))
    }

    /// `component("database").status`, `.failures` or one of its facts.
    fn member(&mut self, call: &Term, tail: &str, span: &Range<usize>) -> Option<Typed> {
        let Some(others) = self.vocabulary.others() else {
            let message = "other components cannot be asked here".to_owned();
            self.fault(Code::UnknownFunction, span, message, "conditions of rules can");
            return None;
        };
        let asked = match &call.shape {
            Shape::Call(name, args) if name == "component" => args.as_slice(),
            _ => &[],
        };
        let [Term { shape: Shape::Literal(Value::Text(id)), span: at }] = asked else {
            let help = "write `component(\"database\").status`";
            self.fault(
                Code::UnknownFunction,
                &call.span,
                "only `component(\"id\")` has members".into(),
                help,
            );
            return None;
        };
        let id = ComponentId::from(&**id);
        let Some(facts) = others.get(&id) else {
            if self.vocabulary.hides_others() {
                return None;
            }
            let help = suggest(id.as_str(), others.keys().map(ComponentId::as_str));
            self.fault(Code::UnknownComponent, at, format!("there is no component `{id}`"), help);
            return None;
        };
        let fact = FactId::from(tail);
        let (symbol, kind) = match (tail, facts.get(&fact)) {
            ("status", _) => (OtherSymbol::Status, Type::words(Status::ALL.map(Status::word))),
            ("failures", _) => (OtherSymbol::Failures, Type::Count),
            (_, Some(kind)) => (OtherSymbol::Fact(fact), kind.clone()),
            (_, None) if self.vocabulary.hides_others() => return None,
            (_, None) => {
                let known = facts.keys().map(FactId::as_str).chain(["status", "failures"]);
                let help = suggest(tail, known);
                self.fault(Code::UnknownFact, span, format!("{id} has no `{tail}`"), help);
                return None;
            }
        };
        Some(Typed { checked: Checked::Symbol(Symbol::Other(id, symbol)), kind, literal: false })
    }
}

fn literal(value: Value) -> Typed {
    let kind = match &value {
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Count,
        Value::Float(_) => Type::Measure(None),
        Value::Text(_) => Type::any_text(),
    };
    Typed { checked: Checked::Constant(value), kind, literal: true }
}

fn is_number(kind: &Type) -> bool {
    matches!(kind, Type::Count | Type::Measure(_))
}

pub(super) fn unit(kind: &Type) -> Option<Unit> {
    match kind {
        Type::Measure(unit) => *unit,
        _ => None,
    }
}
