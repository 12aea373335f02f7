//! Conditions that can never hold, that always hold, and warnings that nobody ever sees.

use crate::condition::{Condition, Range, Reasoner, Settled, Symbol};
use crate::config::draft::Each;
use crate::config::lint::ways::leads;
use crate::config::lint::{Placed, Set, never_warns, ranges, warn};
use crate::config::reader::Item;
use crate::evaluate::{Component, What};
use crate::govern::Mode;
use crate::model::{ModeId, Value};
use crate::say::{Code, Diagnostic};

const NEVER: &str = "is a comparison turned round, or should `&&` be `||`?";
const ALWAYS: &str = "is a comparison turned round, or should `||` be `&&`?";

/// The conditions of a component's status.
pub(super) fn status(set: &Set, component: &Component) {
    let Some(draft) = set.drafts.iter().find(|draft| draft.each == Each::No && draft.id == component.id)
    else {
        return;
    };
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
pub(super) fn rule(set: &Set, placed: &Placed) {
    let Placed { component, statuses: (critical, warned), rule, each, .. } = *placed;
    let range = ranges(component, each);
    let reasoner =
        Reasoner { critical, warn: warned, never_warns: never_warns(component, each), range: &range };
    let Some(item) = placed.item("when") else { return };
    if !alone(&item, &rule.when, &reasoner) {
        return;
    }
    settled(&item, &rule.when, &reasoner);
    for (act, place) in placed.acts() {
        let until = place.value.as_table().and_then(|_| place.table()?.get("until"));
        let (Some(until), Some(condition)) = (until, &act.until) else { continue };
        if !reasoner.possible(&[(condition, true)]) {
            let message = "`until` can never be true, so the claim never ends by itself";
            warn(&until, Code::EndlessClaim, message, NEVER);
            continue;
        }
        settled(&until, condition, &reasoner);
        let modes = standing(set, &act.what).filter(|_| condition.symbols().contains(&&Symbol::Mode));
        let ever = modes.is_none_or(|modes| {
            modes.iter().any(|mode| reasoner.possible_at(&[(condition, true, Some(mode))]))
        });
        let both = !is_literal(condition) && reasoner.possible(&[(&rule.when, true), (condition, true)]);
        match (both, ever) {
            (true, _) => {
                let help = if ever {
                    "`until` should exclude what `when` says, such as `ok`"
                } else {
                    "`until` is asked at once, in the mode from before the claim: say what has to be well, such as `ok`"
                };
                let message = "`when` and `until` can be true at the same time: the mode would be claimed and given back at once";
                warn(&until, Code::Oscillation, message, help);
            }
            (false, false) => {
                let message = "`until` asks for a mode that cannot be while the claim stands, so the claim never ends by itself";
                warn(&until, Code::EndlessClaim, message, "say what has to be well, such as `ok`");
            }
            (false, true) if drives_itself(set, &act.what, (&rule.when, condition), &reasoner) => {
                let message = "`until` is true as soon as the claim is the mode: it would be claimed and given back, again and again";
                warn(&until, Code::Oscillation, message, "say what has to be well, such as `ok`");
            }
            (false, true) => {}
        }
    }
}

/// Is there a mode in which the claim is made, and whatever made it, `until` is true once the claim is the mode?
///
/// Claims of several rules need no look of their own: the highest is the mode, so in whatever circle they go, one of
/// them ends in the very mode that it claims.
fn drives_itself(
    set: &Set,
    what: &What,
    (when, until): (&Condition, &Condition),
    reasoner: &Reasoner,
) -> bool {
    let (What::SetMode(claimed), Some(modes)) = (what, set.modes) else { return false };
    if is_literal(until) || !until.symbols().contains(&&Symbol::Mode) {
        return false;
    }
    let below = modes.modes.iter().filter(|(_, mode)| mode.rank < modes.rank(claimed));
    below.filter(|(_, mode)| leads(&mode.to_rule, claimed)).any(|(from, _)| {
        let made = (when, true, Some(from.as_str()));
        reasoner.possible_at(&[made])
            && !reasoner.possible_at(&[made, (until, false, Some(claimed.as_str()))])
    })
}

/// The modes that can be while a claim stands: no lower one, unless an edge is missing from it to a higher one.
fn standing<'s>(set: &'s Set, what: &What) -> Option<Vec<&'s str>> {
    let (What::SetMode(claimed), Some(modes)) = (what, set.modes) else { return None };
    let rank = |id: &ModeId| modes.rank(id);
    let above = || modes.modes.keys().filter(|id| rank(id) >= rank(claimed));
    let can_be = |(id, mode): &(&'s ModeId, &'s Mode)| {
        let both = |to| leads(&mode.to_rule, to) && leads(&mode.to_person, to);
        rank(id) >= rank(claimed) || !above().all(both)
    };
    Some(modes.modes.iter().filter(can_be).map(|(id, _)| id.as_str()).collect())
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
            Symbol::ActionKind => Range::OneOf(policy.action.iter().map(|kind| kind.word()).collect()),
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
    if let Some(why) = condition.never_known() {
        item.error(Code::BadValue, why, "write another number");
        return false;
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

/// Parts that say nothing, whatever the readings are.
fn settled(item: &Item, condition: &Condition, reasoner: &Reasoner) {
    for Settled { place, always, share } in reasoner.settled(condition) {
        let text = condition.source().get(place.clone()).unwrap_or_default();
        let (code, when) = if always { (Code::AlwaysTrue, "always") } else { (Code::NeverTrue, "never") };
        let (message, help) = if share {
            let message = format!("`{text}` is {when} true: no share is more than 100 %");
            (message, "a ratio goes from 0 to 1: write 0.5, or `\"50%\"`")
        } else {
            let help = "a count is never below 0, and of a day no more than 256 are kept; leave the part out";
            (format!("`{text}` is {when} true: it is a count"), help)
        };
        let place = item.file.place(item.within(&place));
        item.file.problems.push(Diagnostic::warning(code, message).at(place).help(help));
    }
}

fn is_literal(condition: &Condition) -> bool {
    matches!(condition.source().trim(), "true" | "false")
}
