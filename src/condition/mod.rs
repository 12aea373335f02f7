//! Conditions: single Rhai expressions, checked before they run, that yield True, False or Unknown.
//!
//! A condition is an expression and nothing else: no statements, loops, functions, closures, `if`, `switch`,
//! interpolation or indexing. What is left always ends, and says what it means on one line.
//!
//! Compiling goes through four files: `parse` asks Rhai for the syntax tree, `tree` accepts the few shapes a
//! condition may have, `check` (with `arithmetic`) knows every name's type and unit, and `lower` cuts the tree at `&&`, `||` and
//! `!`. Those three are Kleene's and walked here, because Rhai's are not symmetric; every leaf between them
//! (a comparison, an arithmetic) is evaluated by Rhai, or where it has one of the usual shapes by a small tree that says the
//! same (`fast`). A name is a fact's place in the row of readings, or else looked up (`sight`). A leaf with an unreadable fact is Unknown and is not evaluated at all.
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
mod quick;
mod reason;
mod sight;
mod tree;
mod truth;
mod undivided;
mod vocabulary;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{FactId, FactNames, Facts, Reading, Value};
use crate::say::Code;

pub use canonical::canonical;
pub use explain::{Part, PartKind};
pub use reason::{Range, Reasoner, Settled};
pub use truth::Truth;
pub use vocabulary::{OtherSymbol, Symbol, TallySymbol, Vocabulary, reserved};

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

    /// The readings of the component's own facts in a row, where they have these very names.
    fn row(&self, _names: &FactNames) -> Option<&[Reading]> {
        None
    }
}

/// What a status sees: facts, and nothing else.
impl World for Facts {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        let Symbol::Fact(fact) = symbol else { return None };
        self.get(fact)?.value().cloned()
    }

    fn row(&self, names: &FactNames) -> Option<&[Reading]> {
        self.in_row(names)
    }
}

/// So many conditions of one text are told apart where they are shared: thresholds of that name may differ in every
/// file, and nobody should wait until all were held against all.
const KINDS: usize = 16;

/// A condition, checked and ready to run. It can be sent between threads and costs little to clone.
#[derive(Debug, Clone)]
pub struct Condition {
    source: Arc<str>,
    checked: Arc<check::Checked>,
    /// The facts that it can ask for by their places.
    facts: FactNames,
    node: Arc<lower::Node>,
    quick: Option<Arc<quick::Quick>>,
}

/// The same text that means the same: thresholds of one name may differ.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.checked == other.checked
    }
}

impl Condition {
    /// Checks and compiles a condition against the names it may use.
    ///
    /// # Errors
    /// Every problem in it, each with its place; none where it only uses a name whose declaration is broken.
    pub fn compile(source: &str, vocabulary: &Vocabulary) -> Result<Self, Vec<Fault>> {
        let tree = parse::parse(source)?;
        let checked = check::check(&tree, vocabulary)?;
        let facts = vocabulary.row();
        let node = lower::lower(&checked, &facts)?.into();
        let quick = quick::Quick::of(&checked, &facts).map(Arc::new);
        Ok(Self { source: source.into(), checked: checked.into(), facts, node, quick })
    }

    /// Becomes one of those that are known, if one says the same of the same names: what stands in memory once stays
    /// near the processor, however many components are watched alike.
    pub fn share(&mut self, known: &mut BTreeMap<Arc<str>, Vec<Self>>) {
        let alike = known.entry(Arc::clone(&self.source)).or_default();
        match alike.iter().find(|other| other.facts == self.facts && other.checked == self.checked) {
            Some(other) => *self = other.clone(),
            None if alike.len() < KINDS => alike.push(self.clone()),
            None => {}
        }
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Is it true of this world? Total: whatever cannot be told is Unknown.
    pub fn eval(&self, world: &impl World) -> Truth {
        let row = world.row(&self.facts).unwrap_or_default();
        let quick = self.quick.as_ref().and_then(|quick| quick.eval(row));
        quick.map_or_else(|| eval::eval(&self.node, &sight::Sight::new(world, row)), Truth::from)
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
