//! Looks for values that make a formula true.

use crate::condition::Truth;
use crate::condition::reason::formula::{Atom, Formula};
use crate::condition::reason::values;

/// After so many tries the answer is "possible": files of people never come near it.
const MOST_TRIES: usize = 20_000;

/// Is there anything that makes it true? Yes, where it takes too long to tell.
pub(super) fn satisfiable(formula: &Formula, atoms: &[Atom]) -> bool {
    let mut search = Search { formula, atoms, assigned: vec![None; atoms.len()], tries: 0 };
    search.from(0)
}

struct Search<'f> {
    formula: &'f Formula,
    atoms: &'f [Atom],
    assigned: Vec<Option<bool>>,
    tries: usize,
}

impl Search<'_> {
    /// Tries both for every atom from this one on.
    fn from(&mut self, next: usize) -> bool {
        self.tries += 1;
        if self.tries > MOST_TRIES {
            return true;
        }
        if !values::exist(self.atoms, &self.assigned) {
            return false;
        }
        match self.value(self.formula) {
            Truth::True => return true,
            Truth::False => return false,
            Truth::Unknown => {}
        }
        [true, false].into_iter().any(|value| {
            let Some(place) = self.assigned.get_mut(next) else { return true };
            *place = Some(value);
            let found = self.from(next + 1);
            if let Some(place) = self.assigned.get_mut(next) {
                *place = None;
            }
            found
        })
    }

    fn value(&self, formula: &Formula) -> Truth {
        match formula {
            Formula::Constant(value) => (*value).into(),
            Formula::Atom(number) => match self.assigned.get(*number) {
                Some(Some(value)) => (*value).into(),
                _ => Truth::Unknown,
            },
            Formula::And(parts) => parts.iter().fold(Truth::True, |all, part| all.and(self.value(part))),
            Formula::Or(parts) => parts.iter().fold(Truth::False, |any, part| any.or(self.value(part))),
            Formula::Not(part) => !self.value(part),
        }
    }
}
