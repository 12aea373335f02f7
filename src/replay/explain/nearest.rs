//! The nearest number for which a comparison holds, in the form that facts and files have.

use crate::model::{Unit, Value};

/// The number, where it is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "a change of so large a count is not told exactly")]
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Bool(_) | Value::Text(_) => None,
    }
}

/// The nearest whole number.
pub(super) fn count(sign: &str, bound: f64) -> Option<Value> {
    let near = match sign {
        ">" | "!=" => bound.floor() + 1.0,
        ">=" => bound.ceil(),
        "<" => bound.ceil() - 1.0,
        "<=" => bound.floor(),
        _ if bound.fract() == 0.0 => bound,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a whole number, and within 64 bits as just asked")]
    (near.abs() < 9e15).then_some(Value::Int(near as i64))
}

/// The nearest measure: a thousandth of the bound's size beyond it.
pub(super) fn measure(sign: &str, bound: f64) -> f64 {
    let size = if bound == 0.0 { 1.0 } else { 10f64.powf(bound.abs().log10().floor()) };
    match sign {
        ">" | "!=" => bound + size / 1000.0,
        "<" => bound - size / 1000.0,
        _ => bound,
    }
}

/// The nearest measure that a file can say: durations are whole milliseconds, sizes whole bytes, none is
/// below 0, and no share is more than the whole.
pub(super) fn written(sign: &str, bound: f64, unit: Option<Unit>) -> Option<Value> {
    let near = match unit {
        Some(Unit::Seconds) => number(&count(sign, bound * 1000.0)?)? / 1000.0,
        Some(Unit::Milliseconds | Unit::Bytes) => number(&count(sign, bound)?)?,
        Some(Unit::Ratio) | None => measure(sign, bound),
    };
    let most = if unit == Some(Unit::Ratio) { 1.0 } else { f64::INFINITY };
    Value::float(near).filter(|_| unit.is_none() || (0.0..=most).contains(&near))
}

/// The sign, read from the other side.
pub(super) fn mirrored(sign: &'static str) -> &'static str {
    match sign {
        ">" => "<",
        ">=" => "<=",
        "<" => ">",
        "<=" => ">=",
        same => same,
    }
}

/// The sign that is true where this one is not.
pub(super) fn negated(sign: &'static str) -> &'static str {
    match sign {
        ">" => "<=",
        ">=" => "<",
        "<" => ">=",
        "<=" => ">",
        "!=" => "==",
        _ => "!=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_value_lies_just_beyond_the_bound() {
        for (sign, bound, whole, near) in [
            (">", 120.0, false, 120.1),
            ("<", 120.0, false, 119.9),
            (">=", 120.0, false, 120.0),
            (">", 0.0, false, 0.001),
            ("<", 0.5, false, 0.4999),
            (">", 2.0, true, 3.0),
            ("<", 2.5, true, 2.0),
            (">=", 2.5, true, 3.0),
            ("<=", 2.5, true, 2.0),
            ("!=", 2.0, true, 3.0),
        ] {
            let found =
                if whole { count(sign, bound).as_ref().and_then(number) } else { Some(measure(sign, bound)) };
            assert!(found.is_some_and(|found| (found - near).abs() < 1e-9), "{sign} {bound}: {found:?}");
        }
        assert_eq!(count("==", 2.5), None, "no count is 2.5");
    }

    #[test]
    fn no_share_is_more_than_the_whole_or_less_than_nothing() {
        assert_eq!(written(">", 1.0, Some(Unit::Ratio)), None);
        assert_eq!(written("<", 0.0, Some(Unit::Ratio)), None);
        assert!(written(">", 0.9, Some(Unit::Ratio)).is_some() && written(">", 1.0, None).is_some());
    }
}
