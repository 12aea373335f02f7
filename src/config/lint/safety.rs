//! Acts that nobody verifies, or that no policy or mode allows.

use crate::condition::{Reasoner, Symbol};
use crate::config::lint::asked::Asked;
use crate::config::lint::{Placed, Set, never_warns, ranges, warn};
use crate::evaluate::What;
use crate::govern::{Policy, PolicyEffect};
use crate::model::{ActKind, HealStep, ModeId};
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
        if !Asked::of_rule(placed.component, kind).could_pass(policies) {
            let message = format!("no policy can allow a rule's `{}` of this component", kind.word());
            let help =
                "what nothing allows is denied: add it to a policy with `effect = \"allow\"` or \"review\"";
            placed.warn(Code::NothingAllows, Some(&item), message, help);
        }
    }
}

/// A receiver of approvals whom nobody may tell that something waits.
pub(super) fn approvals(set: &Set) {
    let Some(policies) = set.policies.filter(|_| set.whole) else { return };
    let root = (set.root)("policies/notify.toml");
    let Some(item) = root.and_then(|root| root.get("approvals")) else { return };
    for by in ["rule", "person"] {
        let asks = |policy: &&Policy| {
            matches!(policy.effect, PolicyEffect::Review { .. })
                && policy.by.as_deref().is_none_or(|whose| whose == by)
        };
        let told = Asked { by, kind: ActKind::Notify, component: None, mode: None, stricter: None };
        if policies.iter().any(|policy| asks(&policy)) && !told.could_pass(policies) {
            let message = format!("nobody is told of what a {by} has to have approved");
            let help = format!("add `notify` to a policy for each {by}, with `effect = \"allow\"`");
            warn(&item, Code::NothingAllows, message, help);
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
        What::Recommend(..) => ActKind::Recommend,
    }
}
