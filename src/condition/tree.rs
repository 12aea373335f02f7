//! The few shapes a condition may have, taken from Rhai's syntax tree. Everything else is refused here.

use std::ops::Range;

use rhai::{Expr, FnCallExpr, Position};

use crate::condition::Fault;
use crate::model::Value;
use crate::say::Code;

/// A part of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) shape: Shape,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Literal(Value),
    /// `reflection.age_s`
    Path(String),
    /// `incidents(threshold.window_s)`
    Call(String, Vec<Term>),
    /// `component("database").ping.connected`
    Member(Box<Term>, String),
    And(Vec<Term>),
    Or(Vec<Term>),
    Not(Box<Term>),
    Minus(Box<Term>),
    Compare(Compare, Box<Term>, Box<Term>),
    Arithmetic(Arithmetic, Box<Term>, Box<Term>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

impl Compare {
    const ALL: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
    ];

    pub(super) fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("==", |(sign, _)| sign)
    }

    /// All orders that two values can have.
    pub(super) const ANY: u8 = 0b111;

    /// The orders of two values in which it holds: a bit for less, equal and greater.
    pub(super) fn orders(self) -> u8 {
        match self {
            Self::Less => 0b001,
            Self::Equal => 0b010,
            Self::LessOrEqual => 0b011,
            Self::Greater => 0b100,
            Self::NotEqual => 0b101,
            Self::GreaterOrEqual => 0b110,
        }
    }
}

impl Arithmetic {
    const ALL: [(&'static str, Self); 5] =
        [("+", Self::Plus), ("-", Self::Minus), ("*", Self::Times), ("/", Self::Over), ("%", Self::Modulo)];

    pub(super) fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("+", |(sign, _)| sign)
    }
}

/// Reads Rhai's trees against the text they came from.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
}

impl Reader<'_> {
    /// The condition's part that this Rhai expression is.
    pub(super) fn term(&self, expr: &Expr) -> Result<Term, Fault> {
        let start = self.byte(expr.start_position());
        let shape = match expr {
            Expr::BoolConstant(value, _) => Shape::Literal(Value::Bool(*value)),
            Expr::IntegerConstant(value, _) => Shape::Literal(Value::Int(*value)),
            Expr::FloatConstant(value, _) => return self.float(**value, start),
            Expr::StringConstant(text, _) => Shape::Literal(Value::text(text)),
            Expr::Variable(name, _, _) => Shape::Path(name.1.to_string()),
            Expr::Dot(pair, flags, place) => {
                if !flags.is_empty() && flags.contains(rhai::ASTFlags::NEGATED) {
                    return Err(self.refuse(
                        *place,
                        2,
                        "`?.`",
                        "a fact that is missing is Unknown by itself",
                    ));
                }
                return self.dotted(&pair.lhs, &pair.rhs, start);
            }
            Expr::And(terms, _) => Shape::And(self.terms(terms.iter())?),
            Expr::Or(terms, _) => Shape::Or(self.terms(terms.iter())?),
            Expr::FnCall(call, place) => return self.call(call, *place, start),
            other => return Err(self.refuse(other.position(), 1, kind_of(other), ALLOWED)),
        };
        let length = match &shape {
            Shape::Path(name) => name.len(),
            _ => 1,
        };
        Ok(Term { shape, span: start..start + length })
    }

    fn terms<'e>(&self, exprs: impl Iterator<Item = &'e Expr>) -> Result<Vec<Term>, Fault> {
        exprs.map(|expr| self.term(expr)).collect()
    }

    /// A whole number too large for 64 bits silently becomes a float in Rhai; here it is refused.
    fn float(&self, value: f64, start: usize) -> Result<Term, Fault> {
        let text: String = self
            .source
            .get(start..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_ascii_digit() || "_.eE".contains(*c))
            .collect();
        let span = start..start + text.len().max(1);
        let whole = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '_');
        match Value::float(value) {
            Some(value) if !whole => Ok(Term { shape: Shape::Literal(value), span }),
            _ => Err(Fault {
                code: Code::BadValue,
                span,
                message: format!("the number `{text}` is too large"),
                help: Some("whole numbers end at 9223372036854775807".into()),
                instead: None,
            }),
        }
    }

    /// `a.b.c`: a path of names, or a member of what a call gives.
    fn dotted(&self, left: &Expr, right: &Expr, start: usize) -> Result<Term, Fault> {
        let base = self.term(left)?;
        let mut names = Vec::new();
        self.members(right, &mut names)?;
        let tail = names.join(".");
        let shape = match base.shape {
            Shape::Path(head) => Shape::Path(format!("{head}.{tail}")),
            Shape::Call(..) => Shape::Member(Box::new(base), tail.clone()),
            _ => return Err(self.refuse(left.position(), 1, "a member of this", ALLOWED)),
        };
        let end = match &shape {
            Shape::Path(path) => start + path.len(),
            _ => self.end_of(right, &tail),
        };
        Ok(Term { shape, span: start..end })
    }

    fn end_of(&self, right: &Expr, tail: &str) -> usize {
        self.byte(right.start_position()) + tail.len()
    }

    fn members(&self, expr: &Expr, names: &mut Vec<String>) -> Result<(), Fault> {
        match expr {
            Expr::Property(parts, _) => {
                names.push(parts.2.to_string());
                Ok(())
            }
            Expr::Dot(pair, _, _) => {
                self.members(&pair.lhs, names)?;
                self.members(&pair.rhs, names)
            }
            other => Err(self.refuse(other.start_position(), 1, "calling a method", ALLOWED)),
        }
    }

    fn call(&self, call: &FnCallExpr, place: Position, start: usize) -> Result<Term, Fault> {
        let name = call.name.as_str();
        if call.op_token.is_none() {
            let args = self.terms(call.args.iter())?;
            return Ok(Term { shape: Shape::Call(name.to_owned(), args), span: start..start + name.len() });
        }
        let at = self.byte(place);
        let span = at..at + name.len();
        let shape = match call.args.as_slice() {
            [one] if name == "!" => Shape::Not(Box::new(self.term(one)?)),
            [one] if name == "-" => Shape::Minus(Box::new(self.term(one)?)),
            [left, right] => self.binary(name, left, right, place)?,
            _ => return Err(self.refuse(place, name.len(), &format!("`{name}`"), ALLOWED)),
        };
        Ok(Term { shape, span })
    }

    fn binary(&self, sign: &str, left: &Expr, right: &Expr, place: Position) -> Result<Shape, Fault> {
        if let Some((_, op)) = Compare::ALL.iter().find(|(known, _)| *known == sign) {
            return Ok(Shape::Compare(*op, Box::new(self.term(left)?), Box::new(self.term(right)?)));
        }
        if let Some((_, op)) = Arithmetic::ALL.iter().find(|(known, _)| *known == sign) {
            return Ok(Shape::Arithmetic(*op, Box::new(self.term(left)?), Box::new(self.term(right)?)));
        }
        let help = match sign {
            "&" => "write `&&`",
            "|" => "write `||`",
            _ => ALLOWED,
        };
        Err(self.refuse(place, sign.len(), &format!("`{sign}`"), help))
    }

    fn refuse(&self, place: Position, length: usize, what: &str, help: &str) -> Fault {
        let at = self.byte(place);
        Fault {
            code: Code::NotAllowed,
            span: at..at + length,
            message: format!("{what} is not allowed in a condition"),
            help: Some(help.to_owned()),
            instead: None,
        }
    }

    /// Where a place of Rhai's (line and column, in characters) lies in the text.
    pub(super) fn byte(&self, place: Position) -> usize {
        let line = place.line().unwrap_or(1).saturating_sub(1);
        let before: usize = self.source.split_inclusive('\n').take(line).map(str::len).sum();
        let text = self.source.get(before..).unwrap_or_default();
        let column = place.position().unwrap_or(1).saturating_sub(1);
        before + text.char_indices().nth(column).map_or(text.len(), |(byte, _)| byte)
    }
}

pub(super) const ALLOWED: &str = "a condition is one expression of names, numbers, texts, comparisons, `+ - * / %`, `&& || !` \
     and functions over history such as `incidents(w)`";

fn kind_of(expr: &Expr) -> &'static str {
    match expr {
        Expr::InterpolatedString(..) => "a text with `${...}`",
        Expr::Array(..) => "a list",
        Expr::Map(..) => "a map",
        Expr::Unit(..) => "`()`",
        Expr::ThisPtr(..) => "`this`",
        Expr::CharConstant(..) => "a single character (texts take double quotes)",
        Expr::MethodCall(..) => "calling a method",
        Expr::Stmt(..) => "a statement",
        Expr::Index(..) => "indexing",
        Expr::Coalesce(..) => "`??`",
        _ => "this",
    }
}
