//! What people mean by a division of counts, which drops the rest: the same comparison without it.

use crate::condition::tree::{Arithmetic, Compare, Shape, Term};
use crate::model::Value;

/// What a comparison of a division means without dividing: `x / 100 == 5` is `x >= 500 && x < 600`.
pub(super) fn undivided(op: Compare, left: &Term, right: &Term) -> Option<String> {
    let Shape::Arithmetic(Arithmetic::Over, path, by) = &left.shape else { return None };
    let (Shape::Path(path), Shape::Literal(Value::Int(by))) = (&path.shape, &by.shape) else { return None };
    let Shape::Literal(Value::Int(with)) = right.shape else { return None };
    // Below nothing the rest is dropped in the other direction.
    if *by <= 0 || with <= 0 {
        return None;
    }
    let (from, to) = (with.checked_mul(*by)?, with.checked_add(1)?.checked_mul(*by)?);
    Some(match op {
        Compare::Equal => format!("{path} >= {from} && {path} < {to}"),
        Compare::NotEqual => format!("({path} < {from} || {path} >= {to})"),
        Compare::Less => format!("{path} < {from}"),
        Compare::LessOrEqual => format!("{path} < {to}"),
        Compare::Greater => format!("{path} >= {to}"),
        Compare::GreaterOrEqual => format!("{path} >= {from}"),
    })
}
