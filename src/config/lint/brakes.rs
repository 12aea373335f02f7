//! Times and counts that do not fit together: below a tick, beyond a budget, longer than what waits for them.

use crate::condition::Symbol;
use crate::config::lint::{Placed, Set, error, warn};
use crate::config::reader::{Item, Table};
use crate::evaluate::History;
use crate::model::{Span, Value};
use crate::say::Code;

/// No tick is shorter.
const SHORTEST: Span = Span(100);

/// What of a rule does not fit the tick and the brakes.
pub(super) fn rule(set: &Set, placed: &Placed) {
    let Placed { rule, .. } = placed;
    windows(set, placed);
    beyond_history(placed);
    let budget = set.brakes.budgets.iter().find(|budget| budget.max < rule.attempts);
    if let (Some(item), Some(budget), true) = (placed.item("attempts"), budget, rule.heals()) {
        let message = format!(
            "{} tries, and a budget allows {} in {}: the others would be slow tries",
            rule.attempts, budget.max, budget.within
        );
        warn(&item, Code::OutOfReach, message, "the budgets stand in policies/budgets.toml");
    }
    let cap = set.brakes.backoff.cap;
    if let (Some(item), true) = (placed.item("verify"), rule.verify.within > cap) {
        let message =
            format!("the verification takes {}, and no backoff is longer than {cap}", rule.verify.within);
        warn(&item, Code::SlowVerification, message, "shorten `within`, or lengthen `backoff.cap`");
    }
}

/// Windows over history that are too short to see anything.
fn windows(set: &Set, placed: &Placed) {
    let Some(item) = placed.item("when") else { return };
    let when = &placed.rule.when;
    let short = when.symbols().into_iter().filter_map(window).find(|window| *window < set.system.interval);
    if let Some(window) = short {
        let named = threshold_of(set, placed, window);
        let what = named.map_or_else(
            || format!("a window of {window}"),
            |name| format!("a window of {window} (`threshold.{name}`)"),
        );
        below_tick(set, &item, &what);
    }
}

/// Who failed before is asked whether that was told then, and so of what was before: windows for which history is too short.
fn beyond_history(placed: &Placed) {
    let when = placed.item("when").map(|item| (&placed.rule.when, item));
    let acts = placed.acts().into_iter();
    let untils = acts.filter_map(|(act, item)| Some((act.until.as_ref()?, item.table()?.get("until")?)));
    for (condition, item) in when.into_iter().chain(untils) {
        let asked = condition.symbols().into_iter().filter(|symbol| looks_back(symbol));
        let Some(window) = asked.filter_map(window).find(|window| *window > History::BEFORE) else {
            continue;
        };
        let message = format!(
            "`spread_before` and `unheard` look four windows back, and history is kept for {}: a window of {window} is cut",
            History::KEPT
        );
        error(&item, Code::BadValue, message, format!("write {} or less", History::BEFORE));
    }
}

/// The threshold that says how long a window is, where one does: the file that holds the condition is often another's.
fn threshold_of<'s>(set: &'s Set, placed: &Placed, window: Span) -> Option<&'s str> {
    let Placed { rule, .. } = placed;
    let draft = set.drafts.iter().find(|draft| *rule.file == *format!("rules/{}.toml", draft.id))?;
    let is_it = |value: &Value| matches!(value, Value::Float(s) if (s - window.as_seconds()).abs() < 0.001);
    let said = |name: &str| rule.when.source().contains(&format!("(threshold.{name})"));
    draft.thresholds.iter().find(|(name, value)| is_it(value) && said(name)).map(|(name, _)| name.as_str())
}

fn window(symbol: &Symbol) -> Option<Span> {
    match symbol {
        Symbol::Incidents(window)
        | Symbol::Heals(window)
        | Symbol::FailedHeals(window)
        | Symbol::Relapses(window)
        | Symbol::Signals(window)
        | Symbol::Spread(window)
        | Symbol::SpreadBefore(window)
        | Symbol::Unheard(window) => Some(*window),
        _ => None,
    }
}

/// Does it ask more of history than its window?
fn looks_back(symbol: &Symbol) -> bool {
    matches!(symbol, Symbol::SpreadBefore(_) | Symbol::Unheard(_))
}

/// Probes that may hold up the next tick.
pub(super) fn probes(set: &Set) {
    // That the tick itself is too short is told already.
    if set.system.interval < SHORTEST {
        return;
    }
    for draft in set.drafts {
        let named = draft.probes.iter().filter(|probe| probe.timeout >= set.system.interval);
        for probe in named {
            let Some(item) = draft.probe_items.iter().find(|(name, _)| *name == probe.name) else { continue };
            let message = format!(
                "this probe may take {}, and a tick comes every {}",
                probe.timeout, set.system.interval
            );
            let timeout = item.1.table().and_then(|table| table.get("timeout"));
            warn(
                timeout.as_ref().unwrap_or(&item.1),
                Code::SlowProbe,
                message,
                "give it a shorter `timeout`",
            );
        }
    }
}

/// The lengths in `budgets.toml` and `system.toml`, and the approvals of `governance.toml`.
pub(super) fn policies(set: &Set) {
    let budgets = (set.root)("policies/budgets.toml");
    let table = |key| budgets.as_ref().and_then(|root| root.table(key));
    if let Some(component) = table("component") {
        for budget in component.get("budget").map(|item| item.items()).unwrap_or_default() {
            length(set, budget.table().as_ref(), "within");
        }
        length(set, Some(&component), "slow_try");
    }
    // A shorter `base` works: the end of a process wakes a tick of its own.
    length(set, table("backoff").as_ref(), "reset");
    // `crash_loop.within` is no such length: lives of Grace are counted, and several fit between two ticks.
    length(set, (set.root)("policies/system.toml").as_ref(), "retention");
    let policies = (set.root)("policies/governance.toml").and_then(|root| root.table("policy"));
    for (_, _, item) in policies.iter().flat_map(Table::named) {
        length(set, item.table().as_ref(), "expires");
    }
}

fn length(set: &Set, table: Option<&Table>, key: &'static str) {
    let Some(item) = table.and_then(|table| table.get(key)) else { return };
    let read = item.value.as_str().and_then(crate::config::duration);
    if let Some(length) = read.filter(|length| *length > Span::ZERO && *length < set.system.interval) {
        below_tick(set, &item, &format!("`{key}` of {length}"));
    }
}

pub(super) fn below_tick(set: &Set, item: &Item, what: &str) {
    let message = format!("{what} is shorter than a tick, which comes every {}", set.system.interval);
    let help = format!("write {} or longer", set.system.interval);
    warn(item, Code::BelowTick, message, help);
}
