//! Policies and ceilings that never decide anything, because another always comes first.

use std::collections::BTreeSet;

use crate::condition::{Range, Reasoner, Symbol};
use crate::config::lint::{Set, warn};
use crate::config::reader::Table;
use crate::govern::{Policy, PolicyEffect};
use crate::model::{ActKind, Value};
use crate::say::Code;

/// What allows or asks, and is always denied by others.
pub(super) fn policies(set: &Set) {
    let Some(policies) = set.policies else { return };
    let declared = (set.root)("policies/governance.toml").and_then(|root| root.table("policy"));
    for (name, _, item) in declared.iter().flat_map(Table::named) {
        let policy = policies.iter().find(|policy| policy.id.as_str() == name);
        let Some(policy) = policy.filter(|policy| policy.effect != PolicyEffect::Deny) else { continue };
        let hides = |kind: ActKind| policies.iter().find(|other| denies(other, policy, kind));
        let hiding: Option<Vec<&Policy>> = policy.action.iter().map(|kind| hides(*kind)).collect();
        let Some([first, ..]) = hiding.as_deref() else { continue };
        let message = format!("policy `{name}` decides nothing: `{}` denies all that it is about", first.id);
        let help = "deny beats review and allow: narrow the one that denies, or leave this one out";
        let effect = item.table().and_then(|table| table.get("effect"));
        warn(effect.as_ref().unwrap_or(&item), Code::HiddenPolicy, message, help);
    }
}

/// Does `other` deny such an act whenever `policy` applies to it?
fn denies(other: &Policy, policy: &Policy, kind: ActKind) -> bool {
    let as_wide = other.by.is_none() || other.by == policy.by;
    if other.effect != PolicyEffect::Deny || !as_wide || !other.action.contains(&kind) {
        return false;
    }
    let Some(denied) = &other.when else { return true };
    let by = policy.by.as_deref();
    let range = move |symbol: &Symbol| match symbol {
        Symbol::By => by.map_or(Range::Any, |by| Range::Fixed(Value::text(by))),
        Symbol::ActionKind => Range::Fixed(Value::text(kind.word())),
        Symbol::Tier => Range::Number { least: 1.0, most: 9.0, whole: true },
        _ => Range::Any,
    };
    let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
    // Its own condition comes first, so that one which can never be true is told as that alone.
    let own = policy.when.as_ref();
    let applies: Vec<_> = own.map(|when| (when, true)).into_iter().collect();
    let escapes: Vec<_> = applies.iter().copied().chain([(denied, false)]).collect();
    reasoner.possible(&applies) && !reasoner.possible(&escapes)
}

/// What asks for approval or denies, and is about one tier, which no component has. A policy may speak of the usual
/// tiers, 1 and 2, before there is such a component; and `tier > 2` is about whatever comes.
pub(super) fn tiers(set: &Set) {
    let Some(policies) = set.policies.filter(|_| set.whole) else { return };
    let mut tiers: BTreeSet<i64> = set.components.values().map(|component| component.tier).collect();
    tiers.extend([1, 2]);
    let declared = (set.root)("policies/governance.toml").and_then(|root| root.table("policy"));
    for (name, _, item) in declared.iter().flat_map(Table::named) {
        let policy = policies.iter().find(|policy| policy.id.as_str() == name);
        let Some(policy) = policy.filter(|policy| policy.effect != PolicyEffect::Allow) else { continue };
        let Some(condition) = policy.when.as_ref().filter(|when| when.symbols().contains(&&Symbol::Tier))
        else {
            continue;
        };
        let applies = |tier: &i64| {
            let range = |symbol: &Symbol| match symbol {
                Symbol::Tier => Range::Fixed(Value::Int(*tier)),
                _ => Range::Any,
            };
            let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
            reasoner.possible(&[(condition, true)])
        };
        let about: Vec<i64> = (1..=9).filter(applies).collect();
        if let [tier] = about.as_slice()
            && !tiers.contains(tier)
        {
            let message = format!("policy `{name}` decides nothing: no component has tier {tier}");
            let help = "compare it with `tier` in the `[component]` of the rule files";
            let when = item.table().and_then(|table| table.get("when"));
            warn(when.as_ref().unwrap_or(&item), Code::HiddenPolicy, message, help);
        }
    }
}

/// Ceilings that a tighter one hides.
pub(super) fn budgets(set: &Set) {
    let root = (set.root)("policies/budgets.toml");
    let Some(component) = root.and_then(|root| root.table("component")) else { return };
    let items = component.get("budget").map(|item| item.items()).unwrap_or_default();
    let all = &set.brakes.budgets;
    // What of them cannot be read is told already.
    if items.len() == all.len() {
        for (at, (budget, item)) in std::iter::zip(all, &items).enumerate() {
            let tighter = all.iter().enumerate().find(|(other, tight)| {
                let same = tight.max == budget.max && tight.within == budget.within;
                *other != at
                    && tight.max <= budget.max
                    && tight.within >= budget.within
                    && (!same || *other < at)
            });
            let Some((_, tight)) = tighter else { continue };
            let message = format!(
                "{} tries in {} are never reached: another budget allows {} in {}",
                budget.max, budget.within, tight.max, tight.within
            );
            warn(item, Code::HiddenBudget, message, "a longer time needs more tries; or leave it out");
        }
    }
    let (own, overall) = (set.brakes.component_in_flight, set.brakes.overall_in_flight);
    if let (Some(item), true) = (component.get("in_flight"), own > overall) {
        let message =
            format!("rules never have {own} acts in flight on one component: {overall} are allowed in all");
        warn(&item, Code::HiddenBudget, message, "`overall.in_flight` is at least as much");
    }
}
