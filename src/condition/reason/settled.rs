//! Parts of a condition that no reading decides: a count held against a number that it is never below, a share against
//! one beyond 100 %.

use std::ops::Range;

use crate::condition::check::Checked;
use crate::condition::reason::formula::{Builder, Formula};
use crate::condition::reason::{Range as Known, Reasoner, search};
use crate::condition::{Condition, Symbol, TallySymbol};

/// A part that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Where it stands.
    pub place: Range<usize>,
    /// It is always true; or never.
    pub always: bool,
    /// It is held against more than a share can be.
    pub share: bool,
}

/// More than any share, and still none that somebody writes who means a whole.
const MORE_THAN_ALL: f64 = 1.000_1;

impl Reasoner<'_> {
    /// The comparisons of counts and shares that are always true, or never, each with its place; none where the condition
    /// is nothing else. A count that is held against a threshold is left out: there somebody may have switched it off. So
    /// may a share against 0 % or 100 %; nobody means more.
    #[must_use]
    pub fn settled(&self, condition: &Condition) -> Vec<Settled> {
        let mut parts = Vec::new();
        leaves(&condition.checked, &mut parts);
        // Asked first, because places are dear.
        let said: Vec<Option<(bool, bool)>> = parts.iter().map(|part| self.says_nothing(part)).collect();
        if parts.len() < 2 || said.iter().all(Option::is_none) {
            return Vec::new();
        }
        let source = condition.source();
        let with_places = condition.leaves().into_iter().zip(said);
        let found = with_places
            .filter_map(|(place, said)| said.map(|(always, share)| Settled { place, always, share }));
        let off = |one: &Settled| asks_threshold(source.get(one.place.clone()).unwrap_or_default());
        found.filter(|one| one.share || !off(one)).collect()
    }

    /// Is it always true, or never; and is that because no share is so high?
    fn says_nothing(&self, part: &Checked) -> Option<(bool, bool)> {
        let mut symbols = Vec::new();
        part.symbols(&mut symbols);
        match symbols.as_slice() {
            [] => None,
            all if all.iter().all(|symbol| is_count(symbol)) => Some((self.always(part)?, false)),
            [symbol] if is_share(symbol) => {
                let up_to = |most: f64| {
                    let range = move |_: &Symbol| Known::Number { least: 0.0, most, whole: false };
                    Reasoner { range: &range, ..*self }.always(part)
                };
                up_to(MORE_THAN_ALL).filter(|_| up_to(f64::INFINITY).is_none()).map(|always| (always, true))
            }
            _ => None,
        }
    }

    fn always(&self, part: &Checked) -> Option<bool> {
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
            | Symbol::SpreadBefore(_)
            | Symbol::Unheard(_)
            | Symbol::CriticalNow
            | Symbol::Tally(_, TallySymbol::Closed)
    )
}

/// What is between nothing and the whole, where it is known.
fn is_share(symbol: &Symbol) -> bool {
    matches!(symbol, Symbol::Tally(_, TallySymbol::SuccessRatio | TallySymbol::RelapseRatio))
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
