//! Is there a value for each name that fits all that is said of it?

use std::collections::BTreeMap;

use crate::condition::reason::Range;
use crate::condition::reason::formula::{Atom, Sign};
use crate::model::Value;

/// So few whole numbers between two bounds are tried one by one.
const FEW: f64 = 64.0;

/// Is there anything that these atoms, as far as they are assigned, can all be true of?
pub(super) fn exist(atoms: &[Atom], assigned: &[Option<bool>]) -> bool {
    let mut numbers: BTreeMap<&str, Interval> = BTreeMap::new();
    let mut words: BTreeMap<&str, Vec<(&str, bool, &Range)>> = BTreeMap::new();
    for (atom, value) in atoms.iter().zip(assigned) {
        match (atom, value) {
            (Atom::Number { value: name, range, sign, with }, Some(holds)) => {
                numbers.entry(name).or_insert_with(|| Interval::of(range)).narrow(*sign, *with, *holds);
            }
            (Atom::Word { value: name, range, word }, Some(holds)) => {
                words.entry(name).or_default().push((word, *holds, range));
            }
            _ => {}
        }
    }
    numbers.values().all(Interval::holds_something) && words.values().all(|said| fits(said))
}

/// A text is one word at a time.
fn fits(said: &[(&str, bool, &Range)]) -> bool {
    let is = said.iter().filter(|(_, holds, _)| *holds).count();
    let as_known = said.iter().all(|(word, holds, range)| match range {
        Range::Fixed(Value::Text(known)) => (**known == **word) == *holds,
        _ => true,
    });
    let left = said.iter().all(|(.., range)| match range {
        Range::OneOf(known) => {
            known.iter().any(|one| said.iter().all(|(word, holds, _)| *holds == (one == word)))
        }
        _ => true,
    });
    is <= 1 && as_known && left
}

/// The numbers that are left.
struct Interval {
    /// The lower end, and whether it belongs to it.
    from: (f64, bool),
    to: (f64, bool),
    whole: bool,
    not: Vec<f64>,
}

impl Interval {
    fn of(range: &Range) -> Self {
        let new = |least, most, whole| Self { from: (least, true), to: (most, true), whole, not: Vec::new() };
        match range {
            Range::Number { least, most, whole } => new(*least, *most, *whole),
            #[expect(clippy::cast_precision_loss, reason = "a tier or a count of workers")]
            Range::Fixed(Value::Int(number)) => new(*number as f64, *number as f64, true),
            Range::Fixed(Value::Float(number)) => new(*number, *number, false),
            _ => new(f64::NEG_INFINITY, f64::INFINITY, false),
        }
    }

    fn narrow(&mut self, sign: Sign, with: f64, holds: bool) {
        match (sign, holds) {
            (Sign::Less, true) => self.below(with, false),
            (Sign::LessOrEqual, true) => self.below(with, true),
            (Sign::Less, false) => self.above(with, true),
            (Sign::LessOrEqual, false) => self.above(with, false),
            (Sign::Equal, true) => {
                self.below(with, true);
                self.above(with, true);
            }
            (Sign::Equal, false) => self.not.push(with),
        }
    }

    fn below(&mut self, end: f64, closed: bool) {
        if (end, closed) < self.to {
            self.to = (end, closed);
        }
    }

    fn above(&mut self, start: f64, closed: bool) {
        if (start, !closed) > (self.from.0, !self.from.1) {
            self.from = (start, closed);
        }
    }

    #[expect(clippy::float_cmp, reason = "the ends are numbers that the files name")]
    fn holds_something(&self) -> bool {
        let ((from, closed_from), (to, closed_to)) = (self.from, self.to);
        if !self.whole {
            return from < to || (from == to && closed_from && closed_to && !self.not.contains(&from));
        }
        let first = if closed_from { from.ceil() } else { from.floor() + 1.0 };
        let last = if closed_to { to.floor() } else { to.ceil() - 1.0 };
        if last - first > FEW {
            return true;
        }
        let mut number = first;
        while number <= last {
            if !self.not.contains(&number) {
                return true;
            }
            number += 1.0;
        }
        false
    }
}
