//! The leaves of a condition: its parts between `&&`, `||` and `!`, each true, false or unknown by itself. Whoever
//! wants to know what a test has seen of a condition asks them one by one.

use std::ops::Range;

use crate::condition::lower::Node;
use crate::condition::sight::Sight;
use crate::condition::tree::{Shape, Term};
use crate::condition::{Condition, Truth, World, eval, parse};
use crate::model::Value;

impl Condition {
    /// Where each leaf stands in the condition's text, in the order of writing. Constants are none: they never
    /// change.
    #[must_use]
    pub fn leaves(&self) -> Vec<Range<usize>> {
        // It was parsed before; places are wanted so rarely that nobody keeps them.
        let Ok(tree) = parse::parse(&self.source) else { return Vec::new() };
        let mut terms = Vec::new();
        collect_terms(&tree, &mut terms);
        let nodes = self.nodes();
        let changing = terms.iter().zip(nodes).filter(|(_, node)| !matches!(node, Node::Constant(_)));
        changing.map(|(term, _)| extent(term, &self.source)).collect()
    }

    /// What each leaf says of this world, in the order of [`Condition::leaves`].
    pub fn each_leaf(&self, world: &impl World) -> Vec<Truth> {
        let changing = self.nodes().into_iter().filter(|node| !matches!(node, Node::Constant(_)));
        let sight = Sight::new(world, world.row(&self.facts).unwrap_or_default());
        changing.map(|node| eval::eval(node, &sight)).collect()
    }

    fn nodes(&self) -> Vec<&Node> {
        let mut nodes = Vec::new();
        collect_nodes(&self.node, &mut nodes);
        nodes
    }
}

fn collect_nodes<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| collect_nodes(part, found)),
        Node::Not(part) => collect_nodes(part, found),
        Node::Constant(_) | Node::Name(_) | Node::Compare(..) | Node::Leaf(_) => found.push(node),
    }
}

/// The same walk over the tree as it was written.
fn collect_terms<'t>(term: &'t Term, found: &mut Vec<&'t Term>) {
    match &term.shape {
        Shape::And(parts) | Shape::Or(parts) => parts.iter().for_each(|part| collect_terms(part, found)),
        Shape::Not(part) => collect_terms(part, found),
        _ => found.push(term),
    }
}

/// From the first letter of a part to its last; a sign's own place is only the sign's.
pub(super) fn extent(term: &Term, source: &str) -> Range<usize> {
    let start = term.span.start;
    match &term.shape {
        Shape::Compare(_, left, right) | Shape::Arithmetic(_, left, right) => {
            extent(left, source).start..extent(right, source).end
        }
        Shape::Minus(part) | Shape::Not(part) => start..extent(part, source).end,
        Shape::And(parts) | Shape::Or(parts) => {
            let first = parts.first().map_or(start, |part| extent(part, source).start);
            first..parts.last().map_or(term.span.end, |part| extent(part, source).end)
        }
        Shape::Call(_, args) => {
            let from = args.last().map_or(term.span.end, |arg| extent(arg, source).end);
            start..until(source, from, ')')
        }
        Shape::Literal(Value::Text(_)) => start..until(source, start + 1, '"'),
        Shape::Literal(_) => start..word_end(source, start),
        Shape::Path(_) | Shape::Member(..) => term.span.clone(),
    }
}

fn until(source: &str, from: usize, sign: char) -> usize {
    let rest = source.get(from..).unwrap_or_default();
    rest.find(sign).map_or(source.len(), |at| from + at + 1)
}

fn word_end(source: &str, start: usize) -> usize {
    // A number may have its sign.
    let start = start + usize::from(source.get(start..).is_some_and(|rest| rest.starts_with('-')));
    let rest = source.get(start..).unwrap_or_default();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    start + end.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Symbol, Vocabulary};
    use crate::model::{FactId, Type};

    struct Down;

    impl World for Down {
        fn read(&self, symbol: &Symbol) -> Option<Value> {
            (*symbol == Symbol::Fact(FactId::from("a.up"))).then_some(Value::Bool(false))
        }
    }

    #[test]
    fn each_leaf_has_its_place_and_its_own_truth() {
        let mut seen = Vocabulary::of_status();
        seen.fact(&FactId::from("a.up"), Type::Bool);
        seen.fact(&FactId::from("a.count"), Type::Count);
        seen.threshold("many", Value::Int(100));
        seen.threshold("flag", Value::Bool(true));
        let text =
            "!a.up || threshold.flag && (a.count + 1 > threshold.many || 5 == a.count || a.count > -5)";
        let condition = Condition::compile(text, &seen).expect(text);
        let leaves: Vec<&str> = condition.leaves().into_iter().map(|span| &text[span]).collect();
        assert_eq!(leaves, ["a.up", "a.count + 1 > threshold.many", "5 == a.count", "a.count > -5"]);
        assert_eq!(
            condition.each_leaf(&Down),
            [Truth::False, Truth::Unknown, Truth::Unknown, Truth::Unknown]
        );
    }
}
