//! Cuts a checked condition at `&&`, `||` and `!`, and has Rhai compile each leaf between them over slots.

use rhai::{AST, Scope};

use crate::condition::check::Checked;
use crate::condition::fast::Fast;
use crate::condition::parse::{ENGINE, FINITE};
use crate::condition::sight::Name;
use crate::condition::{Fault, Symbol};
use crate::model::{FactId, Value};
use crate::say::Code;

/// A condition ready to run.
#[derive(Debug)]
pub(super) enum Node {
    Constant(bool),
    /// A name that is true or false by itself: no need to ask Rhai.
    Name(Name),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Not(Box<Node>),
    /// A comparison, in one of the few shapes that need no Rhai; and as Rhai has it, who is the judge.
    Compare(Fast, Box<Leaf>),
    /// A comparison that only Rhai can tell.
    Leaf(Box<Leaf>),
}

/// A comparison as Rhai has it, with a slot for each value it takes.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) slots: Vec<(String, Symbol)>,
    /// Holds the constants already, and a place for each slot.
    pub(super) scope: Scope<'static>,
    pub(super) ast: AST,
}

/// Lowers a condition about these facts.
pub(super) fn lower(checked: &Checked, facts: &[FactId]) -> Result<Node, Vec<Fault>> {
    let all = |parts: &[Checked]| parts.iter().map(|part| lower(part, facts)).collect::<Result<_, _>>();
    Ok(match checked {
        Checked::And(parts) => Node::And(all(parts)?),
        Checked::Or(parts) => Node::Or(all(parts)?),
        Checked::Not(part) => Node::Not(Box::new(lower(part, facts)?)),
        Checked::Constant(Value::Bool(value)) => Node::Constant(*value),
        Checked::Symbol(symbol) => Node::Name(Name::of(symbol, facts)),
        other => {
            let leaf = Box::new(leaf(other)?);
            match Fast::of(other, facts) {
                Some(fast) => Node::Compare(fast, leaf),
                None => Node::Leaf(leaf),
            }
        }
    })
}

/// One leaf.
pub(super) fn leaf(checked: &Checked) -> Result<Leaf, Vec<Fault>> {
    let mut writer = Writer::default();
    writer.write(checked);
    // The constants are variables, not literals: an optimiser could bake literals in, and a float would have
    // to be written and read back without losing a bit.
    let mut scope = Scope::new();
    for index in 0..writer.slots.len() {
        scope.push(slot(index), ());
    }
    for (index, value) in writer.constants.iter().enumerate() {
        scope.push_dynamic(constant(index), dynamic(value));
    }
    let ast = ENGINE.compile_expression_with_scope(&scope, &writer.text).map_err(|error| {
        vec![Fault {
            code: Code::ConditionSyntax,
            span: 0..1,
            message: format!("cannot be compiled: {error}"),
            help: None,
            instead: None,
        }]
    })?;
    let slots = writer.slots.into_iter().enumerate().map(|(index, symbol)| (slot(index), symbol)).collect();
    Ok(Leaf { slots, scope, ast })
}

fn slot(index: usize) -> String {
    format!("s{index}")
}

fn constant(index: usize) -> String {
    format!("c{index}")
}

/// A value as Rhai holds it.
pub(super) fn dynamic(value: &Value) -> rhai::Dynamic {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(value) => value.as_ref().into(),
    }
}

/// Writes a leaf as Rhai text over slots and constants.
#[derive(Default)]
struct Writer {
    text: String,
    slots: Vec<Symbol>,
    constants: Vec<Value>,
}

impl Writer {
    fn write(&mut self, checked: &Checked) {
        match checked {
            Checked::Constant(value) => {
                self.text.push_str(&constant(self.constants.len()));
                self.constants.push(value.clone());
            }
            Checked::Symbol(symbol) => {
                let known = self.slots.iter().position(|slot| slot == symbol);
                let index = known.unwrap_or_else(|| {
                    self.slots.push(symbol.clone());
                    self.slots.len() - 1
                });
                self.text.push_str(&slot(index));
            }
            Checked::Minus(part) => self.wrapped("-", part),
            Checked::Not(part) => self.wrapped("!", part),
            Checked::Compare(op, left, right) => self.pair(left, op.sign(), right),
            // Floats give infinity where whole numbers give an error.
            Checked::Arithmetic(op, left, right) => {
                self.text.push_str(FINITE);
                self.pair(left, op.sign(), right);
            }
            Checked::And(parts) => self.joined(parts, "&&"),
            Checked::Or(parts) => self.joined(parts, "||"),
        }
    }

    fn wrapped(&mut self, sign: &str, part: &Checked) {
        self.text.push_str(sign);
        self.text.push('(');
        self.write(part);
        self.text.push(')');
    }

    fn pair(&mut self, left: &Checked, sign: &str, right: &Checked) {
        self.text.push('(');
        self.write(left);
        self.text.extend([" ", sign, " "]);
        self.write(right);
        self.text.push(')');
    }

    fn joined(&mut self, parts: &[Checked], sign: &str) {
        self.text.push('(');
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.text.push_str(sign);
            }
            self.write(part);
        }
        self.text.push(')');
    }
}
