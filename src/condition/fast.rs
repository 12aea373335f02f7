//! A leaf lowered once more, from Rhai's tree to closures, for whoever plays years of history.
//!
//! Rhai stays the language and the judge: these closures say exactly what Rhai 1.27 says of the same values, its
//! relative epsilon and its checked arithmetic included, and a test holds them against each other on millions of
//! random pairs. Whatever is not among the few shapes here is left to Rhai.

use std::cmp::Ordering;
use std::fmt;

use crate::condition::check::Checked;
use crate::condition::tree::{Arithmetic, Compare};
use crate::condition::{Symbol, Truth};
use crate::model::Value;

/// Rhai has a limit for texts; this is well below it.
const LONG: usize = 1_000;

/// Reads what a name is worth.
pub(super) type Read<'r> = &'r dyn Fn(&Symbol) -> Option<Value>;

/// A number or a text under way; nothing where it cannot be told.
type Operand = Box<dyn Fn(Read) -> Option<Value> + Send + Sync>;

/// A leaf as a closure.
pub(super) struct Fast(Box<dyn Fn(Read) -> Option<Truth> + Send + Sync>);

impl fmt::Debug for Fast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fast(..)")
    }
}

impl Fast {
    /// The closure of a leaf; nothing where only Rhai can tell what it is worth.
    pub(super) fn of(checked: &Checked) -> Option<Self> {
        let Checked::Compare(op, left, right) = checked else { return None };
        let op = *op;
        Some(Self(match (&**left, &**right) {
            // What most conditions are: a fact held against a number.
            (Checked::Symbol(symbol), Checked::Constant(bound @ (Value::Int(_) | Value::Float(_)))) => {
                let (symbol, bound) = (symbol.clone(), bound.clone());
                Box::new(move |read| {
                    let Some(value) = read(&symbol) else { return Some(Truth::Unknown) };
                    compared(op, &value, &bound)
                })
            }
            (left, right) => {
                let (left, right) = (operand(left)?, operand(right)?);
                Box::new(move |read| match (left(read), right(read)) {
                    (Some(left), Some(right)) => compared(op, &left, &right),
                    _ => Some(Truth::Unknown),
                })
            }
        }))
    }

    /// What the leaf says; nothing where Rhai has to be asked.
    pub(super) fn eval(&self, read: Read) -> Option<Truth> {
        (self.0)(read)
    }
}

fn operand(checked: &Checked) -> Option<Operand> {
    Some(match checked {
        Checked::Constant(value) => {
            let value = value.clone();
            Box::new(move |_| Some(value.clone()))
        }
        Checked::Symbol(symbol) => {
            let symbol = symbol.clone();
            Box::new(move |read| read(&symbol))
        }
        Checked::Minus(part) => {
            let part = operand(part)?;
            Box::new(move |read| match part(read)? {
                Value::Int(number) => number.checked_neg().map(Value::Int),
                Value::Float(number) => Some(Value::Float(-number)),
                Value::Bool(_) | Value::Text(_) => None,
            })
        }
        Checked::Arithmetic(op, left, right) => {
            let (op, left, right) = (*op, operand(left)?, operand(right)?);
            Box::new(move |read| worked_out(op, &left(read)?, &right(read)?))
        }
        // Logic inside a comparison is Rhai's.
        Checked::Not(_) | Checked::And(_) | Checked::Or(_) | Checked::Compare(..) => return None,
    })
}

/// Rhai's arithmetic: whole numbers are checked, everything with a float is a float.
fn worked_out(op: Arithmetic, left: &Value, right: &Value) -> Option<Value> {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let whole = match op {
            Arithmetic::Plus => left.checked_add(*right),
            Arithmetic::Minus => left.checked_sub(*right),
            Arithmetic::Times => left.checked_mul(*right),
            Arithmetic::Over => left.checked_div(*right),
            Arithmetic::Modulo => left.checked_rem(*right),
        };
        return whole.map(Value::Int);
    }
    let (left, right) = (float(left)?, float(right)?);
    Some(Value::Float(match op {
        Arithmetic::Plus => left + right,
        Arithmetic::Minus => left - right,
        Arithmetic::Times => left * right,
        Arithmetic::Over => left / right,
        Arithmetic::Modulo => left % right,
    }))
}

#[expect(clippy::cast_precision_loss, reason = "as Rhai does it")]
fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Bool(_) | Value::Text(_) => None,
    }
}

/// Rhai's comparisons. What has no order there (a text and a number), and a text that may be too long for it, is left to
/// Rhai.
fn compared(op: Compare, left: &Value, right: &Value) -> Option<Truth> {
    let ordered = |order: Ordering| match op {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    };
    let holds = match (left, right) {
        (Value::Int(left), Value::Int(right)) => ordered(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => ordered(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) if left.len().max(right.len()) < LONG => {
            ordered(left.cmp(right))
        }
        _ => nearly(op, float(left)?, float(right)?),
    };
    Some(holds.into())
}

/// Rhai's comparison of floats, with its relative epsilon.
fn nearly(op: Compare, left: f64, right: f64) -> bool {
    let size = if left * right == 0.0 { 1.0 } else { left.abs().max(right.abs()) };
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
