//! A condition in one spelling, so that two can be compared by what they say and not by their blanks.

use crate::condition::parse::parse;
use crate::condition::tree::{Shape, Term};
use crate::model::Value;

/// The condition with every part in brackets and one blank between words; nothing where it is no condition.
#[must_use]
pub fn canonical(source: &str) -> Option<String> {
    parse(source).ok().map(|term| text(&term))
}

fn text(term: &Term) -> String {
    let joined = |parts: &[Term], sign| parts.iter().map(text).collect::<Vec<_>>().join(sign);
    match &term.shape {
        Shape::Literal(Value::Text(text)) => format!("{text:?}"),
        Shape::Literal(value) => format!("{value:?}"),
        Shape::Path(path) => path.clone(),
        Shape::Call(name, args) => format!("{name}({})", joined(args, ", ")),
        Shape::Member(call, tail) => format!("{}.{tail}", text(call)),
        Shape::And(parts) => format!("({})", joined(parts, " && ")),
        Shape::Or(parts) => format!("({})", joined(parts, " || ")),
        Shape::Not(part) => format!("!{}", text(part)),
        Shape::Minus(part) => format!("-{}", text(part)),
        Shape::Compare(op, left, right) => format!("({} {} {})", text(left), op.sign(), text(right)),
        Shape::Arithmetic(op, left, right) => format!("({} {} {})", text(left), op.sign(), text(right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_needless_brackets_say_nothing_and_words_do() {
        let one = canonical("!a.b||(c.d  >  5 && mode == \"x  y\")");
        assert_eq!(one, canonical(" ! a.b || c.d>5 && (mode==\"x  y\") "));
        assert_ne!(one, canonical("!a.b || c.d > 5 && mode == \"x y\""));
        assert_ne!(one, canonical("!a.b || c.d >= 5 && mode == \"x  y\""));
        assert_ne!(canonical("a - (b - c) > 1"), canonical("a - b - c > 1"));
        assert_eq!(canonical("a &&"), None);
    }
}
