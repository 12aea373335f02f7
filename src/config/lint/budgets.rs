//! Conditions that wait for more tries than the budgets ever let end in their window.
//!
//! People's tries count in `heals(w)` as well and no budget holds them, so this is a warning: by rules alone it cannot
//! be. Slow tries are tries too, one in each `slow_try`, however much of the budgets is spent.

use crate::condition::{Condition, Range, Reasoner, Symbol};
use crate::config::lint::{Placed, Set, never_warns, ranges, warn};
use crate::config::reader::Item;
use crate::evaluate::History;
use crate::govern::Brakes;
use crate::model::{Span, Time};
use crate::say::Code;

/// The conditions of a rule: when it applies, and when its claims end.
pub(super) fn rule(set: &Set, placed: &Placed) {
    if let Some(item) = placed.item("when") {
        condition(set, placed, &item, &placed.rule.when);
    }
    for (act, item) in placed.acts() {
        let until = item.value.as_table().and_then(|_| item.table()?.get("until"));
        if let (Some(item), Some(until)) = (until, &act.until) {
            condition(set, placed, &item, until);
        }
    }
}

fn condition(set: &Set, placed: &Placed, item: &Item, condition: &Condition) {
    let Some(window) = condition.symbols().into_iter().find_map(tries) else { return };
    let Placed { component, statuses: (critical, warned), each, .. } = *placed;
    let known = ranges(component, each);
    let possible = |range: &dyn Fn(&Symbol) -> Range| {
        let never_warns = never_warns(component, each);
        Reasoner { critical, warn: warned, never_warns, range }.possible(&[(condition, true)])
    };
    let braked = |symbol: &Symbol| match tries(symbol) {
        Some(window) => {
            Range::Number { least: 0.0, most: f64::from(most_tries(set.brakes, window)), whole: true }
        }
        None => known(symbol),
    };
    // Of what is never true at all it is told already.
    if possible(&known) && !possible(&braked) {
        let message = format!(
            "by rules alone `{}` is never true: the budgets let at most {} tries end in {window}",
            item.name,
            most_tries(set.brakes, window)
        );
        let help = "people's tries count as well; ask for fewer, or in a longer time";
        warn(item, Code::OutOfReach, message, help);
    }
}

/// The window, where tries are counted in it.
fn tries(symbol: &Symbol) -> Option<Span> {
    match symbol {
        Symbol::Heals(window) | Symbol::FailedHeals(window) | Symbol::Relapses(window) => Some(*window),
        _ => None,
    }
}

/// So many automatic tries of one component can end in a window.
///
/// Those that end in it begin in it, but for those in flight as it opens. As many as can be begin where nothing was
/// spent before and each comes as early as it may: a later one leaves its followers no more room.
fn most_tries(brakes: &Brakes, window: Span) -> u16 {
    let mut begun: Vec<Time> = Vec::new();
    let (mut next, end) = (Time(0), Time(0) + window);
    while next < end && begun.len() < usize::from(History::MOST) {
        begun.push(next);
        next = earliest(brakes, &begun).unwrap_or(next);
    }
    let in_flight = usize::try_from(brakes.component_in_flight).unwrap_or(usize::MAX);
    let all = begun.len().saturating_add(in_flight);
    u16::try_from(all).unwrap_or(u16::MAX).min(History::MOST)
}

/// When the next try may begin: each budget has to have room, or it is time for a slow try.
fn earliest(brakes: &Brakes, begun: &[Time]) -> Option<Time> {
    let last = *begun.last()?;
    let slow = last + brakes.slow_try;
    let frees = brakes.budgets.iter().filter_map(|budget| {
        let over = begun.len().checked_sub(usize::try_from(budget.max).unwrap_or(usize::MAX))?;
        Some((*begun.get(over)? + budget.within).min(slow))
    });
    Some(frees.fold(last, Time::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::govern::Budget;

    #[test]
    fn slow_tries_and_those_in_flight_count_as_well() {
        let shipped = Brakes::default();
        // 3 at once and one in flight; then 3 every 10 minutes up to 8; then one each 15 minutes.
        for (minutes, most) in [(1, 4), (10, 4), (11, 7), (20, 7), (21, 9), (35, 9), (36, 10), (60, 11)] {
            assert_eq!(most_tries(&shipped, Span::minutes(minutes)), most, "{minutes} minutes");
        }
        let tight = Brakes {
            budgets: vec![Budget { max: 1, within: Span::minutes(360) }],
            slow_try: Span::minutes(2),
            component_in_flight: 2,
            ..Brakes::default()
        };
        assert_eq!(most_tries(&tight, Span::minutes(10)), 7);
        let wide = Brakes { budgets: vec![Budget { max: 1000, within: Span::seconds(1) }], ..tight };
        assert_eq!(most_tries(&wide, Span::minutes(10)), History::MOST);
    }
}
