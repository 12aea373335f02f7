//! Conditions: single Rhai expressions, checked before they run, that yield True, False or Unknown.
//!
//! A condition is an expression and nothing else: no statements, loops, functions, closures, `if`, `switch`,
//! interpolation or indexing. What is left always ends, and says what it means on one line.
//!
//! Compiling goes through four files: `parse` asks Rhai for the syntax tree, `tree` accepts the few shapes a
//! condition may have, `check` (with `arithmetic`) knows every name's type and unit, and `lower` cuts the tree at `&&`, `||` and
//! `!`. Those three are Kleene's and walked here, because Rhai's are not symmetric; every leaf between them
//! (a comparison, an arithmetic) is evaluated by Rhai, or where it has one of the usual shapes by a closure that says the
//! same (`fast`). A leaf with an unreadable fact is Unknown and is not evaluated at all.
//!
//! `explain` shows a condition as a tree with the value of every part, and what it were with another threshold.
//! `reason` says what follows from conditions before any reading.
//!
//! Rhai compares floats with a relative epsilon of 2^-52: `0.1 + 0.2 == 0.3` is true. Readings are finite, so
//! no comparison here ever meets NaN or infinity.

mod arithmetic;
mod canonical;
mod check;
mod eval;
mod explain;
mod fast;
mod leaves;
mod lower;
mod parse;
mod reason;
mod tree;
mod truth;
mod undivided;
mod vocabulary;

use std::sync::Arc;

use crate::model::{FactId, Value};
use crate::say::Code;

pub use canonical::canonical;
pub use explain::{Part, PartKind};
pub use reason::{Range, Reasoner};
pub use truth::Truth;
pub use vocabulary::{OtherSymbol, Symbol, Vocabulary, reserved};

/// A problem inside a condition; the place is in bytes of the condition's own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of problem.
    pub code: Code,
    /// Where.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// What to write there instead, and whether nothing else can be meant.
    pub instead: Option<(String, bool)>,
}

/// Where a condition's names get their values. Nothing means that the value is not known.
pub trait World {
    /// The value behind a name.
    fn read(&self, symbol: &Symbol) -> Option<Value>;
}

/// A condition, checked and ready to run. It can be sent between threads and costs little to clone.
#[derive(Debug, Clone)]
pub struct Condition {
    source: Arc<str>,
    checked: Arc<check::Checked>,
    node: Arc<lower::Node>,
}

impl Condition {
    /// Checks and compiles a condition against the names it may use.
    ///
    /// # Errors
    /// Every problem in it, each with its place; none where it only uses a name whose declaration is broken.
    pub fn compile(source: &str, vocabulary: &Vocabulary) -> Result<Self, Vec<Fault>> {
        let tree = parse::parse(source)?;
        let checked = check::check(&tree, vocabulary)?;
        let node = lower::lower(&checked)?.into();
        Ok(Self { source: source.into(), checked: checked.into(), node })
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Is it true of this world? Total: whatever cannot be told is Unknown.
    pub fn eval(&self, world: &impl World) -> Truth {
        eval::eval(&self.node, world)
    }

    /// The same by Rhai alone, slower: what [`Condition::eval`] says must never differ from it.
    pub fn judge(&self, world: &impl World) -> Truth {
        eval::judge(&self.node, world)
    }

    /// The names it asks for; each as often as it does.
    #[must_use]
    pub fn symbols(&self) -> Vec<&Symbol> {
        let mut found = Vec::new();
        self.checked.symbols(&mut found);
        found
    }

    /// Why a part of it can never be known, whatever is read.
    #[must_use]
    pub fn never_known(&self) -> Option<&'static str> {
        arithmetic::divides_by_nothing(&self.checked).then_some(arithmetic::BY_NOTHING)
    }

    /// The facts whose silence may keep it from being known.
    pub fn missing(&self, world: &impl World) -> Vec<FactId> {
        let mut found = Vec::new();
        eval::missing(&self.node, world, &mut found);
        found.sort();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests;
