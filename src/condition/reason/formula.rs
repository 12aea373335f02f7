//! Conditions as formulas over atoms.

use std::collections::BTreeMap;

use crate::condition::Symbol;
use crate::condition::check::Checked;
use crate::condition::reason::{Range, Reasoner};
use crate::condition::tree::{Arithmetic, Compare};
use crate::model::{Status, Value};

/// A condition, as far as logic goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Formula {
    Constant(bool),
    /// The atom of this number.
    Atom(usize),
    And(Vec<Formula>),
    Or(Vec<Formula>),
    Not(Box<Formula>),
}

impl Formula {
    pub(super) fn not(part: Self) -> Self {
        Self::Not(Box::new(part))
    }
}

/// Something that is true or false.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Atom {
    /// A name, or what is not understood.
    Free(String),
    /// A value held against a number.
    Number { value: String, range: Range, sign: Sign, with: f64 },
    /// A text that is this word.
    Word { value: String, range: Range, word: String },
}

/// The three comparisons that the other three deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Less,
    LessOrEqual,
    Equal,
}

pub(super) struct Builder<'r, 'a> {
    reasoner: &'r Reasoner<'a>,
    known: BTreeMap<String, usize>,
    atoms: Vec<Atom>,
    /// The mode that is seen, where it is known.
    mode: Option<String>,
}

impl<'r, 'a> Builder<'r, 'a> {
    pub(super) fn new(reasoner: &'r Reasoner<'a>) -> Self {
        Self { reasoner, known: BTreeMap::new(), atoms: Vec::new(), mode: None }
    }

    /// From now on this mode is seen.
    pub(super) fn at(&mut self, mode: Option<&str>) -> &mut Self {
        self.mode = mode.map(str::to_owned);
        self
    }

    pub(super) fn atoms(self) -> Vec<Atom> {
        self.atoms
    }

    pub(super) fn of(&mut self, checked: &Checked) -> Formula {
        match checked {
            Checked::Constant(Value::Bool(value)) => Formula::Constant(*value),
            Checked::Symbol(Symbol::Status(status)) => self.status(*status),
            Checked::And(parts) => Formula::And(parts.iter().map(|part| self.of(part)).collect()),
            Checked::Or(parts) => Formula::Or(parts.iter().map(|part| self.of(part)).collect()),
            Checked::Not(part) => Formula::not(self.of(part)),
            Checked::Compare(op, left, right) => self.compare(*op, left, right),
            other => self.free(other),
        }
    }

    /// The component's own status is what its conditions say: critical is asked before warn.
    fn status(&mut self, status: Status) -> Formula {
        let unknown = self.atom(Atom::Free("unknown".into()));
        let own =
            |this: &mut Self, condition: Option<&crate::condition::Condition>, name: &str| match condition {
                Some(condition) => this.of(&condition.checked),
                None => this.atom(Atom::Free(name.into())),
            };
        let known = Formula::not(unknown.clone());
        let (critical, warn) = (self.reasoner.critical, self.reasoner.warn);
        let degraded = |this: &mut Self| {
            if this.reasoner.never_warns { Formula::Constant(false) } else { own(this, warn, "warn") }
        };
        match status {
            Status::Unknown => unknown,
            Status::Critical => Formula::And(vec![known, own(self, critical, "critical")]),
            Status::Warn => {
                let fine = Formula::not(own(self, critical, "critical"));
                Formula::And(vec![known, fine, degraded(self)])
            }
            Status::Ok => {
                let (critical, warn) = (own(self, critical, "critical"), degraded(self));
                Formula::And(vec![known, Formula::not(critical), Formula::not(warn)])
            }
        }
    }

    /// What is well or degraded has not failed: such a reading clears the count.
    pub(super) fn failures(&mut self) -> Formula {
        let well = [Status::Ok, Status::Warn].map(|status| self.status(status));
        let none = Atom::Number {
            value: key(&Checked::Symbol(Symbol::Failures)),
            range: (self.reasoner.range)(&Symbol::Failures),
            sign: Sign::Equal,
            with: 0.0,
        };
        Formula::Or(vec![Formula::not(Formula::Or(well.into())), self.atom(none)])
    }

    fn compare(&mut self, op: Compare, left: &Checked, right: &Checked) -> Formula {
        let (op, left, right) = match op {
            // Seen from the other side, so that two forms of one thing are one atom.
            Compare::Greater => (Compare::Less, right, left),
            Compare::GreaterOrEqual => (Compare::LessOrEqual, right, left),
            _ => (op, left, right),
        };
        let formula = match (op, truth(left), truth(right)) {
            (_, Some(a), Some(b)) => Formula::Constant(a == b),
            (_, Some(value), None) => self.is(right, value),
            (_, None, Some(value)) => self.is(left, value),
            (Compare::Less, ..) => self.number(Sign::Less, left, right),
            (Compare::LessOrEqual, ..) => self.number(Sign::LessOrEqual, left, right),
            _ => self.equal(left, right),
        };
        if op == Compare::NotEqual { Formula::not(formula) } else { formula }
    }

    /// `name == true`
    fn is(&mut self, name: &Checked, value: bool) -> Formula {
        let formula = self.of(name);
        if value { formula } else { Formula::not(formula) }
    }

    fn equal(&mut self, left: &Checked, right: &Checked) -> Formula {
        let word = |side: &Checked| {
            if is_mode(side) { self.mode.clone() } else { text(side).map(str::to_owned) }
        };
        match (word(left), word(right)) {
            (Some(a), Some(b)) => Formula::Constant(a == b),
            (Some(word), None) => self.word(right, &word),
            (None, Some(word)) => self.word(left, &word),
            (None, None) => self.number(Sign::Equal, left, right),
        }
    }

    fn word(&mut self, value: &Checked, word: &str) -> Formula {
        let range = self.range(value);
        self.atom(Atom::Word { value: key(value), range, word: word.to_owned() })
    }

    /// `left sign right`, as a comparison of one value with a number.
    fn number(&mut self, sign: Sign, left: &Checked, right: &Checked) -> Formula {
        match (constant(left), constant(right)) {
            (Some(a), Some(b)) => Formula::Constant(match sign {
                Sign::Less => a < b,
                Sign::LessOrEqual => a <= b,
                #[expect(clippy::float_cmp, reason = "that is what is asked")]
                Sign::Equal => a == b,
            }),
            (None, Some(with)) => self.held_against(sign, left, with),
            // 3 < x says that x is not at most 3.
            (Some(with), None) => match sign {
                Sign::Less => Formula::not(self.held_against(Sign::LessOrEqual, right, with)),
                Sign::LessOrEqual => Formula::not(self.held_against(Sign::Less, right, with)),
                Sign::Equal => self.held_against(sign, right, with),
            },
            (None, None) => self.between(sign, left, right),
        }
    }

    fn held_against(&mut self, sign: Sign, value: &Checked, with: f64) -> Formula {
        let range = self.range(value);
        self.atom(Atom::Number { value: key(value), range, sign, with })
    }

    /// Two values: their difference held against 0, whichever stands first.
    fn between(&mut self, sign: Sign, left: &Checked, right: &Checked) -> Formula {
        let (a, b) = (key(left), key(right));
        if a == b {
            return Formula::Constant(sign != Sign::Less);
        }
        let number = |value: String, sign| Atom::Number { value, range: Range::Any, sign, with: 0.0 };
        if a < b {
            return self.atom(number(format!("{a} - {b}"), sign));
        }
        let value = format!("{b} - {a}");
        match sign {
            Sign::Equal => self.atom(number(value, sign)),
            Sign::Less => Formula::not(self.atom(number(value, Sign::LessOrEqual))),
            Sign::LessOrEqual => Formula::not(self.atom(number(value, Sign::Less))),
        }
    }

    fn free(&mut self, checked: &Checked) -> Formula {
        match self.range(checked) {
            Range::Fixed(Value::Bool(value)) => Formula::Constant(value),
            _ => self.atom(Atom::Free(key(checked))),
        }
    }

    fn range(&self, checked: &Checked) -> Range {
        match checked {
            Checked::Symbol(symbol) => (self.reasoner.range)(symbol),
            _ => Range::Any,
        }
    }

    fn atom(&mut self, atom: Atom) -> Formula {
        let next = self.atoms.len();
        let number = *self.known.entry(format!("{atom:?}")).or_insert(next);
        if number == next {
            self.atoms.push(atom);
        }
        Formula::Atom(number)
    }
}

fn is_mode(checked: &Checked) -> bool {
    matches!(checked, Checked::Symbol(Symbol::Mode))
}

/// What makes two parts the same.
fn key(checked: &Checked) -> String {
    format!("{checked:?}")
}

fn truth(checked: &Checked) -> Option<bool> {
    if let Checked::Constant(Value::Bool(value)) = checked { Some(*value) } else { None }
}

fn text(checked: &Checked) -> Option<&str> {
    if let Checked::Constant(Value::Text(text)) = checked { Some(text) } else { None }
}

/// The number that this always is.
fn constant(checked: &Checked) -> Option<f64> {
    Some(match checked {
        #[expect(clippy::cast_precision_loss, reason = "Rhai compares a count with a float in the same way")]
        Checked::Constant(Value::Int(number)) => *number as f64,
        Checked::Constant(Value::Float(number)) => *number,
        Checked::Minus(part) => -constant(part)?,
        Checked::Arithmetic(op, left, right) => {
            let (a, b) = (constant(left)?, constant(right)?);
            let result = match op {
                Arithmetic::Plus => a + b,
                Arithmetic::Minus => a - b,
                Arithmetic::Times => a * b,
                Arithmetic::Over => a / b,
                Arithmetic::Modulo => a % b,
            };
            return result.is_finite().then_some(result);
        }
        _ => return None,
    })
}
