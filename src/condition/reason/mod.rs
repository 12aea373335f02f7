//! What can be said of conditions before any reading: can one be true, can several hold at once?
//!
//! A condition becomes a `formula` over atoms: comparisons of one value with a number or a word, and names that are
//! true or false. `search` assigns the atoms one after the other and asks `values` whether any value fits what was
//! assigned. What is not understood (two facts multiplied, say) is an atom that may be anything, so the answer
//! "impossible" is always proven, and any doubt is answered with "possible".
//!
//! Kleene's logic is safe here: a condition that is True while facts are missing is true for any values of them.

mod formula;
mod search;
mod settled;
mod values;

use crate::condition::{Condition, Symbol};
use crate::model::Value;

use formula::{Builder, Formula};
pub use settled::Settled;

/// What the files know of a value before it is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Range {
    /// A number not below the first and not above the second; whole or not.
    Number {
        /// It is never less.
        least: f64,
        /// It is never more.
        most: f64,
        /// It has no fraction.
        whole: bool,
    },
    /// Always this.
    Fixed(Value),
    /// One of these words.
    OneOf(Vec<&'static str>),
    /// Anything.
    Any,
}

impl Range {
    /// A number of things: 0, 1, 2, ...
    pub const COUNT: Self = Self::Number { least: 0.0, most: f64::INFINITY, whole: true };
}

/// What conditions are held against.
pub struct Reasoner<'a> {
    /// When the component is critical; none where it cannot be told.
    pub critical: Option<&'a Condition>,
    /// When it is degraded; none where that cannot be told.
    pub warn: Option<&'a Condition>,
    /// Nothing says when it is degraded: then it never is.
    pub never_warns: bool,
    /// What is known of a value.
    pub range: &'a dyn Fn(&Symbol) -> Range,
}

impl Reasoner<'_> {
    /// Can all of these be as they are said to be, at the same time? Yes, where nobody can tell.
    #[must_use]
    pub fn possible(&self, claims: &[(&Condition, bool)]) -> bool {
        let anywhere: Vec<_> = claims.iter().map(|(condition, holds)| (*condition, *holds, None)).collect();
        self.possible_at(&anywhere)
    }

    /// The same, where some of them see a mode that is known; the others all see one and the same.
    #[must_use]
    pub fn possible_at(&self, claims: &[(&Condition, bool, Option<&str>)]) -> bool {
        let mut builder = Builder::new(self);
        let parts = claims.iter().map(|(condition, holds, mode)| {
            let formula = builder.at(*mode).of(&condition.checked);
            if *holds { formula } else { Formula::not(formula) }
        });
        let mut parts: Vec<Formula> = parts.collect();
        if claims.iter().any(|(condition, ..)| condition.symbols().contains(&&Symbol::Failures)) {
            parts.push(builder.failures());
        }
        let formula = Formula::And(parts);
        search::satisfiable(&formula, &builder.atoms())
    }
}

#[cfg(test)]
mod tests;
