//! Runs a condition: Kleene's logic here, each comparison over places (`fast`), or else by Rhai.

use crate::condition::check::Checked;
use crate::condition::lower::{Leaf, Node, dynamic, leaf};
use crate::condition::parse::ENGINE;
use crate::condition::sight::Sight;
use crate::condition::{OtherSymbol, Symbol, Truth, World};
use crate::model::{FactId, Value};

pub(super) fn eval<W: World>(node: &Node, sight: &Sight<W>) -> Truth {
    match node {
        Node::Constant(value) => (*value).into(),
        Node::Name(name) => sight.with(name, told).unwrap_or(Truth::Unknown),
        Node::And(parts) => chain(parts, sight, Truth::False, Truth::and),
        Node::Or(parts) => chain(parts, sight, Truth::True, Truth::or),
        Node::Not(part) => !eval(part, sight),
        Node::Compare(fast, leaf) => fast.eval(sight).unwrap_or_else(|| by_rhai(leaf, sight.world)),
        Node::Leaf(leaf) => by_rhai(leaf, sight.world),
    }
}

fn told(value: &Value) -> Truth {
    if let Value::Bool(value) = value { (*value).into() } else { Truth::Unknown }
}

/// Parts in a row, up to one that decides.
fn chain<W: World>(
    parts: &[Node],
    sight: &Sight<W>,
    end: Truth,
    join: impl Fn(Truth, Truth) -> Truth,
) -> Truth {
    let mut result = !end;
    for part in parts {
        if result == end {
            break;
        }
        result = join(result, eval(part, sight));
    }
    result
}

fn by_rhai(leaf: &Leaf, world: &impl World) -> Truth {
    run::<bool>(leaf, world).map_or(Truth::Unknown, Truth::from)
}

/// The same by Rhai alone, which is the judge of what is faster; it finds every fact by its name.
pub(super) fn judge(node: &Node, world: &impl World) -> Truth {
    match node {
        Node::And(parts) => parts.iter().fold(Truth::True, |truth, part| truth.and(judge(part, world))),
        Node::Or(parts) => parts.iter().fold(Truth::False, |truth, part| truth.or(judge(part, world))),
        Node::Not(part) => !judge(part, world),
        Node::Compare(_, leaf) | Node::Leaf(leaf) => by_rhai(leaf, world),
        Node::Constant(_) | Node::Name(_) => eval(node, &Sight::by_name(world)),
    }
}

/// What a leaf is worth; nothing where something in it cannot be read.
fn run<T: rhai::Variant + Clone>(leaf: &Leaf, world: &impl World) -> Option<T> {
    let mut scope = leaf.scope.clone();
    for (name, symbol) in &leaf.slots {
        *scope.get_mut(name)? = dynamic(&world.read(symbol)?);
    }
    // An error that is left (an overflow, a division by nothing) means that it cannot be told.
    ENGINE.eval_ast_with_scope::<T>(&mut scope, &leaf.ast).ok()
}

/// What a part between two signs of logic is worth: true or false, a number or a text.
pub(super) fn value(checked: &Checked, world: &impl World) -> Option<Value> {
    match checked {
        Checked::Constant(value) => Some(value.clone()),
        Checked::Symbol(symbol) => world.read(symbol),
        other => {
            let found = run::<rhai::Dynamic>(&leaf(other).ok()?, world)?;
            let whole = || found.as_int().ok().map(Value::Int);
            let measure = || found.as_float().ok().and_then(Value::float);
            found.as_bool().ok().map(Value::Bool).or_else(whole).or_else(measure)
        }
    }
}

/// The facts that could not be read.
pub(super) fn missing(node: &Node, world: &impl World, found: &mut Vec<FactId>) {
    match node {
        Node::Constant(_) => {}
        Node::Name(name) => note(&name.symbol, world, found),
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| missing(part, world, found)),
        Node::Not(part) => missing(part, world, found),
        Node::Compare(_, leaf) | Node::Leaf(leaf) => {
            leaf.slots.iter().for_each(|(_, symbol)| note(symbol, world, found));
        }
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
