//! Acts that nobody verifies, that no policy or mode allows, or that undo each other.

use crate::condition::{Range, Reasoner, Symbol};
use crate::config::lint::{Placed, Set, never_warns, ranges};
use crate::evaluate::{Component, What};
use crate::govern::{Policy, PolicyEffect};
use crate::model::{ActKind, HealStep, ModeId, Value};
use crate::say::Code;

/// What of a rule is unsafe by itself, or can never be done.
pub(super) fn rule(set: &Set, placed: &Placed) {
    if placed.rule.heals() && placed.table.get("verify").is_none() {
        let help = "say how soon it must be well: `verify = { delay = \"5s\", within = \"30s\" }`";
        let message = format!("rule `{}` heals and does not say how success is seen", placed.rule.id);
        placed.warn(Code::NoVerification, None, message, help);
    }
    healing_mode(set, placed);
    let Some(policies) = set.policies.filter(|_| set.whole) else { return };
    for (act, item) in placed.acts() {
        let kind = kind(&act.what);
        if !could_be_allowed(policies, placed.component, kind) {
            let message = format!("no policy can allow a rule's `{}` of this component", kind.word());
            let help =
                "what nothing allows is denied: add it to a policy with `effect = \"allow\"` or \"review\"";
            placed.warn(Code::NothingAllows, Some(&item), message, help);
        }
    }
}

/// A heal act of a rule that only applies in modes that permit none.
fn healing_mode(set: &Set, placed: &Placed) {
    let Placed { component, statuses: (critical, warn), rule, each, .. } = *placed;
    let asks = || rule.when.symbols().contains(&&Symbol::Mode);
    let Some(modes) = set.modes.filter(|_| rule.heals() && asks()) else { return };
    let range = ranges(component, each);
    let reasoner = Reasoner { critical, warn, never_warns: never_warns(component, each), range: &range };
    let applies = |mode: &ModeId| reasoner.possible_at(&[(&rule.when, true, Some(mode.as_str()))]);
    let (heal, still): (Vec<_>, Vec<_>) = modes.modes.iter().partition(|(_, mode)| mode.permits.heal);
    // Where no mode permits it, somebody wants to be told and no more.
    if heal.is_empty() || heal.iter().any(|(id, _)| applies(id)) {
        return;
    }
    let only: Vec<String> =
        still.iter().filter(|(id, _)| applies(id)).map(|(id, _)| format!("`{id}`")).collect();
    if only.is_empty() {
        return;
    }
    for (act, item) in placed.acts().iter().filter(|(act, _)| matches!(act.what, What::Heal(_))) {
        let message = format!(
            "`when` only holds in {}, and there rules may not heal: `{}` is denied",
            only.join(", "),
            kind(&act.what).word()
        );
        let help = "leave the mode out of `when`, or let people be told instead: `{ notify = ... }`";
        placed.warn(Code::NothingAllows, Some(item), message, help);
    }
}

fn kind(what: &What) -> ActKind {
    match what {
        What::Heal(HealStep::Restart { .. }) => ActKind::Restart,
        What::Heal(HealStep::Scale { .. }) => ActKind::Scale,
        What::SetMode(_) => ActKind::SetMode,
        What::Block => ActKind::Block,
        What::Notify(..) => ActKind::Notify,
        What::Event(_) => ActKind::Event,
        What::Task(_) => ActKind::Task,
        What::Recommend(_) => ActKind::Recommend,
    }
}

/// Is there a policy that can let it pass, and none that always denies it?
fn could_be_allowed(policies: &[Policy], component: &Component, kind: ActKind) -> bool {
    let about = |policy: &&Policy| {
        policy.by.as_deref().is_none_or(|by| by == "rule") && policy.action.contains(&kind)
    };
    let range = |symbol: &Symbol| match symbol {
        Symbol::By => Range::Fixed(Value::text("rule")),
        Symbol::Tier => Range::Fixed(Value::Int(component.tier)),
        Symbol::Component => Range::Fixed(Value::text(component.id.as_str())),
        Symbol::ActionKind => Range::Fixed(Value::text(kind.word())),
        _ => Range::Any,
    };
    let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
    let can = |policy: &Policy, holds| match &policy.when {
        Some(when) => reasoner.possible(&[(when, holds)]),
        None => holds,
    };
    let passes = |policy: &Policy| policy.effect != PolicyEffect::Deny && can(policy, true);
    let stops = |policy: &Policy| policy.effect == PolicyEffect::Deny && !can(policy, false);
    policies.iter().filter(about).any(passes) && !policies.iter().filter(about).any(stops)
}

/// Rules of one component that want different numbers of workers at the same time. A shadow rule undoes nothing.
pub(super) fn pairs(placed: &[Placed]) {
    let placed: Vec<&Placed> = placed.iter().filter(|placed| !placed.rule.shadow).collect();
    for (at, one) in placed.iter().enumerate() {
        let others = placed.iter().skip(at + 1).filter(|other| other.component.id == one.component.id);
        for other in others {
            let (Some(a), Some(b)) = (workers(one), workers(other)) else { continue };
            if a != b && together(one, other) {
                let message = format!(
                    "rule `{}` wants {b} workers while rule `{}` wants {a}: each undoes what the other does",
                    other.rule.id, one.rule.id
                );
                let help = "let their conditions exclude each other";
                other.warn(Code::Undoing, other.item("when").as_ref(), message, help);
            }
        }
    }
}

/// The number of workers that a rule scales to.
fn workers(placed: &Placed) -> Option<u32> {
    placed.rule.acts.iter().find_map(|act| match act.what {
        What::Heal(HealStep::Scale { workers }) => Some(workers),
        _ => None,
    })
}

fn together(one: &Placed, other: &Placed) -> bool {
    let Placed { component, statuses: (critical, warn), .. } = *one;
    let range = ranges(component, one.each && other.each);
    let reasoner = Reasoner { critical, warn, never_warns: component.warn.is_none(), range: &range };
    reasoner.possible(&[(&one.rule.when, true), (&other.rule.when, true)])
}
