//! A comparison lowered once more, from Rhai's tree to one of our own over places, for whoever plays years of history.
//!
//! Rhai stays the language and the judge: what is worked out here is exactly what Rhai 1.27 says of the same values,
//! its relative epsilon and its checked arithmetic included, and a test holds them against each other on millions of
//! random pairs. Whatever is not among the few shapes here is left to Rhai.

use std::cmp::Ordering;

use crate::condition::check::Checked;
use crate::condition::sight::{Name, Sight};
use crate::condition::tree::{Arithmetic, Compare};
use crate::condition::{Truth, World};
use crate::model::{FactId, Value};

/// Rhai has a limit for texts; this is well below it.
const LONG: usize = 1_000;

/// A comparison of two operands.
#[derive(Debug)]
pub(super) struct Fast {
    op: Compare,
    left: Operand,
    right: Operand,
}

/// What is compared.
#[derive(Debug)]
enum Operand {
    Name(Name),
    Constant(Value),
    Minus(Box<Operand>),
    Arithmetic(Arithmetic, Box<(Operand, Operand)>),
}

impl Fast {
    /// The comparison that a leaf is; nothing where only Rhai can tell what it is worth.
    pub(super) fn of(checked: &Checked, facts: &[FactId]) -> Option<Self> {
        let Checked::Compare(op, left, right) = checked else { return None };
        Some(Self { op: *op, left: Operand::of(left, facts)?, right: Operand::of(right, facts)? })
    }

    /// What the leaf says; nothing where Rhai has to be asked.
    pub(super) fn eval<W: World>(&self, sight: &Sight<W>) -> Option<Truth> {
        let against = |left: &Value| self.right.with(sight, |right| compared(self.op, left, right));
        self.left.with(sight, against).flatten().unwrap_or(Some(Truth::Unknown))
    }

    /// Does it ask for nothing but facts in the row?
    pub(super) fn is_in_row(&self) -> bool {
        self.left.is_in_row() && self.right.is_in_row()
    }
}

impl Operand {
    fn of(checked: &Checked, facts: &[FactId]) -> Option<Self> {
        Some(match checked {
            Checked::Constant(value) => Self::Constant(value.clone()),
            Checked::Symbol(symbol) => Self::Name(Name::of(symbol, facts)),
            Checked::Minus(part) => Self::Minus(Box::new(Self::of(part, facts)?)),
            Checked::Arithmetic(op, left, right) => {
                Self::Arithmetic(*op, Box::new((Self::of(left, facts)?, Self::of(right, facts)?)))
            }
            // Logic inside a comparison is Rhai's.
            Checked::Not(_) | Checked::And(_) | Checked::Or(_) | Checked::Compare(..) => return None,
        })
    }

    fn is_in_row(&self) -> bool {
        match self {
            Self::Name(name) => name.place().is_some(),
            Self::Constant(_) => true,
            Self::Minus(part) => part.is_in_row(),
            Self::Arithmetic(_, sides) => sides.0.is_in_row() && sides.1.is_in_row(),
        }
    }

    /// Looks at the number or the text that it is; nothing where that cannot be told.
    #[inline]
    fn with<W: World, T>(&self, sight: &Sight<W>, look: impl FnOnce(&Value) -> T) -> Option<T> {
        match self {
            Self::Name(name) => sight.with(name, look),
            Self::Constant(value) => Some(look(value)),
            Self::Minus(_) | Self::Arithmetic(..) => Some(look(&self.number(sight)?.into())),
        }
    }

    /// The number that it is, or that comes of its parts.
    fn number<W: World>(&self, sight: &Sight<W>) -> Option<Number> {
        match self {
            Self::Name(name) => sight.with(name, Number::of).flatten(),
            Self::Constant(value) => Number::of(value),
            Self::Minus(part) => part.number(sight)?.minus(),
            Self::Arithmetic(op, sides) => worked_out(*op, sides.0.number(sight)?, sides.1.number(sight)?),
        }
    }
}

/// A number under way: no text is worked with.
#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Int(*number)),
            Value::Float(number) => Some(Self::Float(*number)),
            Value::Bool(_) | Value::Text(_) => None,
        }
    }

    fn minus(self) -> Option<Self> {
        match self {
            Self::Int(number) => number.checked_neg().map(Self::Int),
            Self::Float(number) => Some(Self::Float(-number)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as Rhai does it")]
    fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => Self::Int(number),
            Number::Float(number) => Self::Float(number),
        }
    }
}

/// Rhai's arithmetic: whole numbers are checked, everything with a float is a float. What is no number, as that which comes
/// of a division by nothing, cannot be told.
fn worked_out(op: Arithmetic, left: Number, right: Number) -> Option<Number> {
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let whole = match op {
            Arithmetic::Plus => left.checked_add(right),
            Arithmetic::Minus => left.checked_sub(right),
            Arithmetic::Times => left.checked_mul(right),
            Arithmetic::Over => left.checked_div(right),
            Arithmetic::Modulo => left.checked_rem(right),
        };
        return whole.map(Number::Int);
    }
    let (left, right) = (left.float(), right.float());
    let float = match op {
        Arithmetic::Plus => left + right,
        Arithmetic::Minus => left - right,
        Arithmetic::Times => left * right,
        Arithmetic::Over => left / right,
        Arithmetic::Modulo => left % right,
    };
    float.is_finite().then_some(Number::Float(float))
}

fn float(value: &Value) -> Option<f64> {
    Number::of(value).map(Number::float)
}

/// Rhai's comparisons. What has no order there (a text and a number), and a text that may be too long for it, is left to
/// Rhai.
fn compared(op: Compare, left: &Value, right: &Value) -> Option<Truth> {
    let holds = match (left, right) {
        (Value::Float(left), Value::Float(right)) => nearly(op, *left, *right),
        (Value::Int(left), Value::Int(right)) => ordered(op, left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => ordered(op, left.cmp(right)),
        (Value::Text(left), Value::Text(right)) if left.len().max(right.len()) < LONG => {
            ordered(op, left.cmp(right))
        }
        _ => nearly(op, float(left)?, float(right)?),
    };
    Some(holds.into())
}

fn ordered(op: Compare, order: Ordering) -> bool {
    let is = match order {
        Ordering::Less => 0b001,
        Ordering::Equal => 0b010,
        Ordering::Greater => 0b100,
    };
    op.orders() & is != 0
}

/// Rhai's comparison of floats, with its relative epsilon.
#[inline]
fn nearly(op: Compare, left: f64, right: f64) -> bool {
    let size = if left * right == 0.0 { 1.0 } else { left.abs().max(right.abs()) };
    let apart = left - right;
    // Numbers that lie well apart have their order, and need no division.
    if apart.abs() > size * (4.0 * f64::EPSILON) {
        return ordered(op, if apart > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    closely(op, left, right, size)
}

/// The same for numbers that are nearly, or quite, the same.
fn closely(op: Compare, left: f64, right: f64, size: f64) -> bool {
    // Nothing and no number at all: Rhai takes them for equal.
    if size == 0.0 {
        return matches!(op, Compare::Equal | Compare::LessOrEqual | Compare::GreaterOrEqual);
    }
    let (above, below) = ((left - right) / size, (right - left) / size);
    match op {
        Compare::Equal => (left - right).abs() / size <= f64::EPSILON,
        Compare::NotEqual => (left - right).abs() / size > f64::EPSILON,
        Compare::Greater => above > f64::EPSILON,
        Compare::GreaterOrEqual => above > -f64::EPSILON,
        Compare::Less => below > f64::EPSILON,
        Compare::LessOrEqual => below > -f64::EPSILON,
    }
}
