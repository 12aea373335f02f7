//! Parts of a condition that no reading decides: a count held against a number that it is never below.

use std::ops::Range;

use crate::condition::check::Checked;
use crate::condition::reason::formula::{Builder, Formula};
use crate::condition::reason::{Reasoner, search};
use crate::condition::{Condition, Symbol, TallySymbol};

impl Reasoner<'_> {
    /// The comparisons of counts that are always true, or never, each with its place; none where the condition is
    /// nothing else. A part that asks a threshold is left out: there somebody may have switched it off.
    #[must_use]
    pub fn settled(&self, condition: &Condition) -> Vec<(Range<usize>, bool)> {
        let mut parts = Vec::new();
        leaves(&condition.checked, &mut parts);
        // Asked first, because places are dear.
        let said: Vec<Option<bool>> = parts.iter().map(|part| self.always(part)).collect();
        if parts.len() < 2 || said.iter().all(Option::is_none) {
            return Vec::new();
        }
        let source = condition.source();
        let with_places = condition.leaves().into_iter().zip(said);
        let found = with_places.filter_map(|(place, said)| Some((place, said?)));
        found.filter(|(place, _)| !asks_threshold(source.get(place.clone()).unwrap_or_default())).collect()
    }

    fn always(&self, part: &Checked) -> Option<bool> {
        let mut symbols = Vec::new();
        part.symbols(&mut symbols);
        if symbols.is_empty() || !symbols.into_iter().all(is_count) {
            return None;
        }
        let can = |holds: bool| {
            let mut builder = Builder::new(self);
            let formula = builder.of(part);
            let formula = if holds { formula } else { Formula::not(formula) };
            search::satisfiable(&formula, &builder.atoms())
        };
        match (can(true), can(false)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    }
}

fn leaves<'c>(checked: &'c Checked, found: &mut Vec<&'c Checked>) {
    match checked {
        Checked::And(parts) | Checked::Or(parts) => parts.iter().for_each(|part| leaves(part, found)),
        Checked::Not(part) => leaves(part, found),
        // It has no place either.
        Checked::Constant(_) => {}
        other => found.push(other),
    }
}

/// What is always known, and never below nothing.
fn is_count(symbol: &Symbol) -> bool {
    matches!(
        symbol,
        Symbol::Failures
            | Symbol::Incidents(_)
            | Symbol::Heals(_)
            | Symbol::FailedHeals(_)
            | Symbol::Relapses(_)
            | Symbol::Signals(_)
            | Symbol::Spread(_)
            | Symbol::Tally(_, TallySymbol::Closed)
    )
}

/// Does it name a threshold, but as the window of a function?
fn asks_threshold(part: &str) -> bool {
    let mut depth = 0_u32;
    let outside: String = part
        .chars()
        .filter(|letter| {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
        .collect();
    outside.contains("threshold.")
}
