//! A condition as a tree: every part as it was written, with what it is worth. And the same condition with another
//! threshold, for whoever asks what would have been.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::condition::check::Checked;
use crate::condition::leaves::extent;
use crate::condition::tree::{Shape, Term};
use crate::condition::{Condition, Symbol, Truth, World, eval, lower, parse};
use crate::model::{Unit, Value};

/// A part of a condition, and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Part {
    /// The text, as it stands in the file.
    pub text: String,
    /// What it is.
    pub kind: PartKind,
    /// The sign between its parts, where it is a comparison or an arithmetic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub sign: Option<&'static str>,
    /// What it is worth; nothing means that it cannot be told.
    #[schema(value_type = Option<serde_json::Value>)]
    pub value: Option<Value>,
    /// The unit of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub unit: Option<Unit>,
    /// What a name stands for, where that is read.
    #[serde(skip)]
    #[schema(ignore)]
    pub symbol: Option<Symbol>,
    /// Its own parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub parts: Vec<Part>,
}

/// What a part of a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`
    Not,
    /// A comparison.
    Comparison,
    /// `+ - * / %`
    Arithmetic,
    /// A fact of the component's own probes.
    Fact,
    /// A threshold.
    Threshold,
    /// A function over history.
    History,
    /// Another name: a status, the mode, something of another component.
    Name,
    /// A value that stands there itself.
    Literal,
}

impl Part {
    /// Is it true?
    #[must_use]
    pub fn truth(&self) -> Truth {
        match &self.value {
            Some(Value::Bool(value)) => (*value).into(),
            _ => Truth::Unknown,
        }
    }
}

impl Condition {
    /// Every part of the condition with what it is worth in this world; the root is what [`Condition::eval`] says.
    pub fn explain(&self, world: &impl World) -> Option<Part> {
        let term = parse::parse(&self.source).ok()?;
        Some(part(&self.source, &term, &self.checked, world))
    }

    /// The same condition, were a threshold (`threshold.stale_s`) worth something else. Nothing where the condition
    /// does not hold anything against it; the window of a function over history stays as it is.
    #[must_use]
    pub fn supposing(&self, threshold: &str, value: &Value) -> Option<Self> {
        let term = parse::parse(&self.source).ok()?;
        let mut checked = Checked::clone(&self.checked);
        if !put(&term, &mut checked, threshold, value) {
            return None;
        }
        let node = Arc::new(lower::lower(&checked, &self.facts).ok()?);
        Some(Self { checked: Arc::new(checked), node, ..self.clone() })
    }
}

fn part(source: &str, term: &Term, checked: &Checked, world: &impl World) -> Part {
    let parts: Vec<Part> =
        pairs(term, checked).into_iter().map(|(term, checked)| part(source, term, checked, world)).collect();
    let text = source.get(extent(term, source)).unwrap_or_default().to_owned();
    let (kind, sign) = kind(term, checked);
    let truths = || parts.iter().map(Part::truth);
    let value = match kind {
        PartKind::And => known(truths().fold(Truth::True, Truth::and)),
        PartKind::Or => known(truths().fold(Truth::False, Truth::or)),
        PartKind::Not => truths().next().and_then(|truth| known(!truth)),
        _ => eval::value(checked, world),
    };
    let unit = match (&term.shape, parts.as_slice()) {
        (Shape::Path(name) | Shape::Member(_, name), _) => Unit::of_name(name),
        // A share of something is that thing; a length over a length has no unit.
        (Shape::Arithmetic(..), [left, right]) => match (left.unit, right.unit, sign) {
            (left, right, Some("/")) if left == right => None,
            (Some(Unit::Ratio), Some(unit), Some("*")) => Some(unit),
            (left, right, _) => left.or(right),
        },
        (Shape::Minus(_), [part]) => part.unit,
        _ => None,
    };
    let symbol = if let Checked::Symbol(symbol) = checked { Some(symbol.clone()) } else { None };
    Part { text, kind, sign, value, unit, symbol, parts }
}

fn known(truth: Truth) -> Option<Value> {
    match truth {
        Truth::True => Some(Value::Bool(true)),
        Truth::False => Some(Value::Bool(false)),
        Truth::Unknown => None,
    }
}

fn kind(term: &Term, checked: &Checked) -> (PartKind, Option<&'static str>) {
    match &term.shape {
        Shape::And(_) => (PartKind::And, None),
        Shape::Or(_) => (PartKind::Or, None),
        Shape::Not(_) => (PartKind::Not, None),
        Shape::Compare(op, ..) => (PartKind::Comparison, Some(op.sign())),
        Shape::Arithmetic(op, ..) => (PartKind::Arithmetic, Some(op.sign())),
        Shape::Minus(_) => (PartKind::Arithmetic, Some("-")),
        Shape::Literal(_) => (PartKind::Literal, None),
        Shape::Call(..) => (PartKind::History, None),
        Shape::Path(_) | Shape::Member(..) => match checked {
            Checked::Constant(_) => (PartKind::Threshold, None),
            Checked::Symbol(Symbol::Fact(_)) => (PartKind::Fact, None),
            _ => (PartKind::Name, None),
        },
    }
}

/// The parts of a part, as they were written and as they were understood.
fn pairs<'t>(term: &'t Term, checked: &'t Checked) -> Vec<(&'t Term, &'t Checked)> {
    match (&term.shape, checked) {
        (Shape::And(terms), Checked::And(parts)) | (Shape::Or(terms), Checked::Or(parts)) => {
            terms.iter().zip(parts).collect()
        }
        (Shape::Not(term), Checked::Not(part)) | (Shape::Minus(term), Checked::Minus(part)) => {
            vec![(term, part)]
        }
        (Shape::Compare(_, left, right), Checked::Compare(_, a, b))
        | (Shape::Arithmetic(_, left, right), Checked::Arithmetic(_, a, b)) => vec![(left, a), (right, b)],
        _ => Vec::new(),
    }
}

/// Puts another value where a threshold stands; answers whether it stands anywhere.
fn put(term: &Term, checked: &mut Checked, threshold: &str, value: &Value) -> bool {
    // Every place, not only the first.
    let all = |terms: &[Term], parts: &mut [Checked]| {
        terms.iter().zip(parts).fold(false, |any, (term, part)| put(term, part, threshold, value) | any)
    };
    match (&term.shape, checked) {
        (Shape::Path(name), Checked::Constant(constant)) if name == threshold => {
            *constant = value.clone();
            true
        }
        (Shape::And(terms), Checked::And(parts)) | (Shape::Or(terms), Checked::Or(parts)) => {
            all(terms, parts)
        }
        (Shape::Not(term), Checked::Not(part)) | (Shape::Minus(term), Checked::Minus(part)) => {
            put(term, part, threshold, value)
        }
        (Shape::Compare(_, left, right), Checked::Compare(_, a, b))
        | (Shape::Arithmetic(_, left, right), Checked::Arithmetic(_, a, b)) => {
            put(left, a, threshold, value) | put(right, b, threshold, value)
        }
        _ => false,
    }
}
