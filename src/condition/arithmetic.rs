//! Sums, products and divisions: which units fit, and what a division of counts should have been.

use std::ops::Range;

use crate::condition::check::{Checked, Checker, Typed, unit};
use crate::condition::tree::Arithmetic;
use crate::model::{Type, Unit, Value};
use crate::say::Code;

/// What is said of `/ 0` and `% 0`.
pub(super) const BY_NOTHING: &str = "nothing can be divided by 0, so this is never known";

impl Checker<'_> {
    /// The common unit of two numbers, or a fault. A number written in the condition takes the other's.
    pub(super) fn units(&mut self, a: &Typed, b: &Typed, sign: &str, span: &Range<usize>) -> Option<Type> {
        let kind = match (unit(&a.kind), unit(&b.kind)) {
            (x, y) if x == y => wider(&a.kind, &b.kind),
            (Some(_), None) if b.literal => a.kind.clone(),
            (None, Some(_)) if a.literal => b.kind.clone(),
            _ => {
                let message = format!("`{sign}` takes one unit, and these are {} and {}", a.kind, b.kind);
                let help = "a name says its unit with its ending: `_s`, `_ms`, `_bytes`, `_ratio`";
                self.fault(Code::UnitMismatch, span, message, help);
                return None;
            }
        };
        Some(kind)
    }

    pub(super) fn product(&mut self, a: &Typed, b: &Typed, span: &Range<usize>) -> Option<Type> {
        match (unit(&a.kind), unit(&b.kind)) {
            (Some(Unit::Ratio), Some(_)) | (None, _) => {
                Some(if unit(&b.kind).is_some() { b.kind.clone() } else { wider(&a.kind, &b.kind) })
            }
            (_, None | Some(Unit::Ratio)) => Some(a.kind.clone()),
            _ => {
                let message = format!("`*` would multiply {} by {}", a.kind, b.kind);
                self.fault(Code::UnitMismatch, span, message, "one side must be without a unit");
                None
            }
        }
    }

    pub(super) fn quotient(&mut self, a: &Typed, b: &Typed, span: &Range<usize>) -> Option<Type> {
        match (unit(&a.kind), unit(&b.kind)) {
            (None, None) if a.kind == Type::Count && is_nothing(&b.checked) => {
                self.fault(Code::BadValue, span, BY_NOTHING.into(), "write another number");
                None
            }
            (None, None) if a.kind == Type::Count && b.kind == Type::Count => {
                let help =
                    "make one side a float, such as `2.0`, or multiply the other side of the comparison";
                let message = "a count divided by a count drops the rest: 5 / 2 is 2";
                self.fault(Code::IntegerDivision, span, message.into(), help);
                None
            }
            (Some(x), Some(y)) if x == y => Some(Type::Measure(None)),
            (_, None) => Some(Type::Measure(unit(&a.kind))),
            _ => {
                let message = format!("`/` would divide {} by {}", a.kind, b.kind);
                self.fault(
                    Code::UnitMismatch,
                    span,
                    message,
                    "both sides must have one unit, or the right none",
                );
                None
            }
        }
    }
}

/// Counts stay counts only among themselves.
fn wider(a: &Type, b: &Type) -> Type {
    if *a == Type::Count { b.clone() } else { a.clone() }
}

/// Is it 0, whatever is read?
fn is_nothing(checked: &Checked) -> bool {
    match checked {
        Checked::Constant(Value::Int(number)) => *number == 0,
        Checked::Constant(Value::Float(number)) => *number == 0.0,
        Checked::Minus(part) => is_nothing(part),
        _ => false,
    }
}

/// Does any part of it divide by 0?
pub(super) fn divides_by_nothing(checked: &Checked) -> bool {
    match checked {
        Checked::Constant(_) | Checked::Symbol(_) => false,
        Checked::And(parts) | Checked::Or(parts) => parts.iter().any(divides_by_nothing),
        Checked::Not(part) | Checked::Minus(part) => divides_by_nothing(part),
        Checked::Arithmetic(Arithmetic::Over | Arithmetic::Modulo, _, by) if is_nothing(by) => true,
        Checked::Compare(_, left, right) | Checked::Arithmetic(_, left, right) => {
            divides_by_nothing(left) || divides_by_nothing(right)
        }
    }
}
