//! Runs a condition: Kleene's logic here, each leaf by Rhai.

use crate::condition::lower::{Leaf, Node, dynamic};
use crate::condition::parse::ENGINE;
use crate::condition::{OtherSymbol, Symbol, Truth, World};
use crate::model::{FactId, Value};

pub(super) fn eval(node: &Node, world: &impl World) -> Truth {
    match node {
        Node::Constant(value) => (*value).into(),
        Node::Symbol(symbol) => match world.read(symbol) {
            Some(Value::Bool(value)) => value.into(),
            _ => Truth::Unknown,
        },
        Node::And(parts) => fold(parts, world, Truth::True, Truth::False, Truth::and),
        Node::Or(parts) => fold(parts, world, Truth::False, Truth::True, Truth::or),
        Node::Not(part) => !eval(part, world),
        Node::Leaf(leaf) => compare(leaf, world),
    }
}

/// Folds parts until the result can no longer change.
fn fold(
    parts: &[Node],
    world: &impl World,
    start: Truth,
    end: Truth,
    join: fn(Truth, Truth) -> Truth,
) -> Truth {
    let mut result = start;
    for part in parts {
        result = join(result, eval(part, world));
        if result == end {
            break;
        }
    }
    result
}

fn compare(leaf: &Leaf, world: &impl World) -> Truth {
    let mut scope = leaf.scope.clone();
    for (name, symbol) in &leaf.slots {
        let (Some(value), Some(place)) = (world.read(symbol), scope.get_mut(name)) else {
            return Truth::Unknown;
        };
        *place = dynamic(&value);
    }
    // An error that is left (an overflow, a division by nothing) means that it cannot be told.
    ENGINE.eval_ast_with_scope::<bool>(&mut scope, &leaf.ast).map_or(Truth::Unknown, Truth::from)
}

/// The facts that could not be read.
pub(super) fn missing(node: &Node, world: &impl World, found: &mut Vec<FactId>) {
    match node {
        Node::Constant(_) => {}
        Node::Symbol(symbol) => note(symbol, world, found),
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| missing(part, world, found)),
        Node::Not(part) => missing(part, world, found),
        Node::Leaf(leaf) => leaf.slots.iter().for_each(|(_, symbol)| note(symbol, world, found)),
    }
}

fn note(symbol: &Symbol, world: &impl World, found: &mut Vec<FactId>) {
    if world.read(symbol).is_some() {
        return;
    }
    match symbol {
        Symbol::Fact(fact) => found.push(fact.clone()),
        Symbol::Other(component, OtherSymbol::Fact(fact)) => {
            found.push(FactId::from(format!("{component}.{fact}")));
        }
        _ => {}
    }
}
