//! Conditions that can never hold, that always hold, and warnings that nobody ever sees.

use crate::condition::{Condition, Range, Reasoner, Symbol};
use crate::config::lint::{Placed, Set, never_warns, ranges, warn};
use crate::config::reader::Item;
use crate::evaluate::Component;
use crate::model::Value;
use crate::say::{Code, Diagnostic};

const NEVER: &str = "is a comparison turned round, or should `&&` be `||`?";
const ALWAYS: &str = "is a comparison turned round, or should `||` be `&&`?";

/// The conditions of a component's status.
pub(super) fn status(set: &Set, component: &Component) {
    let Some(draft) = set.drafts.iter().find(|draft| !draft.each && draft.id == component.id) else { return };
    let range = ranges(component, false);
    let bare = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
    let mut fine = true;
    for (item, condition) in [(&draft.critical, &component.critical), (&draft.warn, &component.warn)] {
        let (Some(item), Some(condition)) = (item, condition) else { continue };
        fine &= alone(item, condition, &bare);
    }
    let (Some(item), Some(critical), Some(warned)) = (&draft.warn, &component.critical, &component.warn)
    else {
        return;
    };
    if fine && !is_literal(warned) && !bare.possible(&[(warned, true), (critical, false)]) {
        let help = "critical is asked first: warn at less than what is critical";
        warn(item, Code::Shadowed, "whenever this is true, the component is critical already", help);
    }
}

/// The conditions of a rule.
pub(super) fn rule(placed: &Placed) {
    let Placed { component, statuses: (critical, warned), rule, each, .. } = *placed;
    let range = ranges(component, each);
    let reasoner =
        Reasoner { critical, warn: warned, never_warns: never_warns(component, each), range: &range };
    let Some(item) = placed.item("when") else { return };
    if !alone(&item, &rule.when, &reasoner) {
        return;
    }
    for (act, place) in placed.acts() {
        let until = place.value.as_table().and_then(|_| place.table()?.get("until"));
        let (Some(until), Some(condition)) = (until, &act.until) else { continue };
        if !reasoner.possible(&[(condition, true)]) {
            warn(
                &until,
                Code::EndlessClaim,
                "`until` can never be true, so the claim never ends by itself",
                NEVER,
            );
        } else if !is_literal(condition) && reasoner.possible(&[(&rule.when, true), (condition, true)]) {
            let help = "`until` should exclude what `when` says, such as `ok`";
            warn(
                &until,
                Code::Oscillation,
                "`when` and `until` can be true at the same time: the mode would be claimed and given back at once",
                help,
            );
        }
    }
}

/// The conditions of policies, for those whom they are about.
pub(super) fn policies(set: &Set) {
    let declared = (set.root)("policies/governance.toml").and_then(|root| root.table("policy"));
    for (name, _, item) in declared.iter().flat_map(crate::config::reader::Table::named) {
        let policy = set.policies.into_iter().flatten().find(|policy| policy.id.as_str() == name);
        let Some((policy, when)) = policy.and_then(|policy| Some((policy, item.table()?.get("when")?)))
        else {
            continue;
        };
        let by = policy.by.as_deref();
        let range = move |symbol: &Symbol| match symbol {
            Symbol::By => by.map_or(Range::Any, |by| Range::Fixed(Value::text(by))),
            Symbol::Tier => Range::Number { least: 1.0, most: 9.0, whole: true },
            _ => Range::Any,
        };
        let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
        if let Some(condition) = &policy.when {
            alone(&when, condition, &reasoner);
        }
    }
}

/// Can it be true, and can it be false? Says so where not. `true` and `false` alone are meant.
fn alone(item: &Item, condition: &Condition, reasoner: &Reasoner) -> bool {
    if is_literal(condition) {
        return true;
    }
    if !reasoner.possible(&[(condition, true)]) {
        let place = item.file.place(item.span.clone());
        let found = Diagnostic::error(Code::NeverTrue, format!("`{}` can never be true", item.name));
        item.file.problems.push(found.at(place).help(NEVER));
        return false;
    }
    if !reasoner.possible(&[(condition, false)]) {
        warn(item, Code::AlwaysTrue, format!("`{}` is always true", item.name), ALWAYS);
        return false;
    }
    true
}

fn is_literal(condition: &Condition) -> bool {
    matches!(condition.source().trim(), "true" | "false")
}
