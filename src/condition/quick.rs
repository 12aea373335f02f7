//! The usual condition once more, for readings that are as they usually are: every one it asks for is there and of its
//! own type, and no measure lies so near a bound that Rhai's epsilon could count.
//!
//! Then logic has two values, and no comparison decides which other is asked: what is read by chance no processor can
//! guess, and a wrong guess takes longer than all comparisons of a condition. On any doubt there is no answer here, and
//! the condition is walked as ever (`eval`).

use crate::condition::check::Checked;
use crate::condition::fast::Fast;
use crate::condition::sight::{Name, Row};
use crate::condition::tree::{Arithmetic, Compare};
use crate::condition::{Symbol, Truth};
use crate::model::{FactId, Reading, Value};

/// A part told of itself that it can be told.
const KNOWN: u8 = 0b10;

/// ... and that it holds.
const HOLDS: u8 = 0b01;

/// Parts that hold together, or the opposite of it: `a || b` is not both `!a` and `!b`.
#[derive(Debug)]
pub(super) struct Quick {
    parts: Box<[Part]>,
    opposite: bool,
}

#[derive(Debug)]
enum Part {
    /// A fact that is true, or that is not.
    Flag {
        place: usize,
        holds: bool,
    },
    /// A measure that stands so to a number. Between `below` and `above` it is too near to be told.
    Measure {
        place: usize,
        below: f64,
        above: f64,
        wanted: u8,
    },
    /// The same of a measure taken so many times.
    Times {
        place: usize,
        times: f64,
        below: f64,
        above: f64,
        wanted: u8,
    },
    /// A count, taken so many times, that stands so to a number.
    Count {
        place: usize,
        times: i64,
        bound: i64,
        wanted: u8,
    },
    /// A count, taken so many times, that stands so to another one.
    Counts {
        left: usize,
        times: i64,
        right: usize,
        wanted: u8,
    },
    /// Whatever else is compared.
    Other {
        fast: Fast,
        opposite: bool,
    },
    Group(Quick),
}

impl Quick {
    /// A condition as this; nothing where it asks for more than facts in a row.
    pub(super) fn of(checked: &Checked, facts: &[FactId]) -> Option<Self> {
        Some(match part(checked, facts, false)? {
            Part::Group(quick) => quick,
            one => Self { parts: [one].into(), opposite: false },
        })
    }

    /// Does it hold? Nothing on any doubt.
    #[inline]
    pub(super) fn eval(&self, row: &[Reading]) -> Option<bool> {
        let said = self.ask(row);
        (said & KNOWN != 0).then_some(said & HOLDS != 0)
    }

    #[inline]
    fn ask(&self, row: &[Reading]) -> u8 {
        let said = self.parts.iter().fold(KNOWN | HOLDS, |said, part| said & part.ask(row));
        said ^ u8::from(self.opposite)
    }
}

impl Part {
    #[inline]
    fn ask(&self, row: &[Reading]) -> u8 {
        match self {
            Self::Flag { place, holds } => match row.get(*place) {
                Some(Reading::Value(Value::Bool(value))) => KNOWN | u8::from(value == holds),
                _ => 0,
            },
            Self::Measure { place, below, above, wanted } => match row.get(*place) {
                Some(Reading::Value(Value::Float(value))) => measured(*value, *below, *above, *wanted),
                _ => 0,
            },
            Self::Times { place, times, below, above, wanted } => match row.get(*place) {
                Some(Reading::Value(Value::Float(value))) => {
                    let value = value * times;
                    // What is too large for a number cannot be told.
                    if value.is_finite() { measured(value, *below, *above, *wanted) } else { 0 }
                }
                _ => 0,
            },
            Self::Count { place, times, bound, wanted } => match row.get(*place) {
                Some(Reading::Value(Value::Int(count))) => counted(*count, *times, *bound, *wanted),
                _ => 0,
            },
            Self::Counts { left, times, right, wanted } => match (row.get(*left), row.get(*right)) {
                (Some(Reading::Value(Value::Int(left))), Some(Reading::Value(Value::Int(right)))) => {
                    counted(*left, *times, *right, *wanted)
                }
                _ => 0,
            },
            Self::Other { fast, opposite } => match fast.eval(&Row(row).sight()) {
                Some(Truth::True) => KNOWN | u8::from(!opposite),
                Some(Truth::False) => KNOWN | u8::from(*opposite),
                Some(Truth::Unknown) | None => 0,
            },
            Self::Group(quick) => quick.ask(row),
        }
    }
}

/// A part, or its opposite.
fn part(checked: &Checked, facts: &[FactId], opposite: bool) -> Option<Part> {
    let all = |parts: &[Checked], opposite| -> Option<Box<[Part]>> {
        parts.iter().map(|one| part(one, facts, opposite)).collect()
    };
    Some(match checked {
        Checked::Symbol(symbol) => Part::Flag { place: place_of(symbol, facts)?, holds: !opposite },
        Checked::Not(inner) => part(inner, facts, !opposite)?,
        Checked::And(parts) => Part::Group(Quick { parts: all(parts, false)?, opposite }),
        Checked::Or(parts) => Part::Group(Quick { parts: all(parts, true)?, opposite: !opposite }),
        Checked::Compare(op, left, right) => match compared(*op, left, right, facts, opposite) {
            Some(part) => part,
            None => Part::Other { fast: Fast::of(checked, facts).filter(Fast::is_in_row)?, opposite },
        },
        Checked::Constant(_) | Checked::Minus(_) | Checked::Arithmetic(..) => return None,
    })
}

/// A comparison of one of the few shapes that most have: a fact, or so many times a fact, on the left.
fn compared(op: Compare, left: &Checked, right: &Checked, facts: &[FactId], opposite: bool) -> Option<Part> {
    let (symbol, times) = match left {
        Checked::Symbol(symbol) => (symbol, None),
        Checked::Arithmetic(Arithmetic::Times, symbol, times) => match (&**symbol, &**times) {
            (Checked::Symbol(symbol), Checked::Constant(times)) => (symbol, Some(times)),
            _ => return None,
        },
        _ => return None,
    };
    let place = place_of(symbol, facts)?;
    let wanted = if opposite { !op.orders() & Compare::ANY } else { op.orders() };
    Some(match (right, times) {
        (Checked::Constant(Value::Float(bound)), times) => {
            // Four times as far as Rhai's comparison, with whatever it rounds, can take two numbers for one.
            let near = (bound.abs() + 1.0) * 16.0 * f64::EPSILON;
            let (below, above) = (bound - near, bound + near);
            match times {
                None => Part::Measure { place, below, above, wanted },
                Some(Value::Float(times)) => Part::Times { place, times: *times, below, above, wanted },
                Some(_) => return None,
            }
        }
        (Checked::Constant(Value::Int(bound)), times) => {
            Part::Count { place, times: whole(times)?, bound: *bound, wanted }
        }
        (Checked::Symbol(right), times) => {
            Part::Counts { left: place, times: whole(times)?, right: place_of(right, facts)?, wanted }
        }
        _ => return None,
    })
}

/// So many times; once where nothing is said.
fn whole(times: Option<&Value>) -> Option<i64> {
    match times {
        None => Some(1),
        Some(Value::Int(times)) => Some(*times),
        Some(_) => None,
    }
}

fn place_of(symbol: &Symbol, facts: &[FactId]) -> Option<usize> {
    Name::of(symbol, facts).place()
}

#[inline]
fn measured(value: f64, below: f64, above: f64, wanted: u8) -> u8 {
    let is = u8::from(value < below) | u8::from(value > above) << 2;
    u8::from(is != 0) << 1 | u8::from(is & wanted != 0)
}

#[inline]
fn counted(left: i64, times: i64, right: i64, wanted: u8) -> u8 {
    let (left, over) = left.overflowing_mul(times);
    let is = u8::from(left < right) | u8::from(left == right) << 1 | u8::from(left > right) << 2;
    u8::from(!over) << 1 | u8::from(is & wanted != 0)
}
