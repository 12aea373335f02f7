//! Heal acts that another act takes back: one of another rule, one of the same rule, or the status that they bring.

use crate::condition::{Range, Reasoner, Symbol};
use crate::config::lint::asked::Asked;
use crate::config::lint::{Placed, Set, never_warns, ranges};
use crate::config::reader::Item;
use crate::evaluate::{self, What};
use crate::model::{ActKind, HealStep, ModeId, ProbeKind, Value, Whose};
use crate::say::Code;

/// What of a rule stands in the way of its own heal act.
pub(super) fn rule(set: &Set, placed: &Placed) {
    if placed.rule.shadow {
        return;
    }
    brought(placed);
    let acts = placed.acts();
    let heal = acts.iter().find(|(act, _)| matches!(act.what, What::Heal(_)));
    let (Some((_, item)), Some(policies)) = (heal, set.policies.filter(|_| set.whole)) else { return };
    // What tightens is done in the step that decides it, and before anything acts, wherever it stands in `do`.
    let surely = |kind| Asked::of_rule(placed.component, kind).surely_passes(policies);
    for act in &placed.rule.acts {
        match &act.what {
            What::Block if surely(ActKind::Block) => {
                let message = "`block` in the same `do` comes first, and what is blocked no rule heals: this is refused until a person lifts the block";
                let help = "block when the healing has failed: `on_failure = [\"block\"]`";
                placed.warn(Code::NothingAllows, Some(item), message.into(), help);
            }
            What::SetMode(mode) if surely(ActKind::SetMode) && bars(set, placed, act, mode) => {
                let message = format!(
                    "the claim of `{mode}` in the same `do` comes first, and that mode permits no `heal`: this is refused while the claim stands"
                );
                let help = format!(
                    "claim it when the healing has failed: `on_failure = [{{ set_mode = \"{mode}\" }}]`"
                );
                placed.warn(Code::NothingAllows, Some(item), message, help);
            }
            _ => {}
        }
    }
}

/// Does this claim keep the rule from healing for as long as it fires?
fn bars(set: &Set, placed: &Placed, act: &evaluate::Item, mode: &ModeId) -> bool {
    let Some(modes) = set.modes.filter(|modes| !modes.permits(mode).heal) else { return false };
    let Some(until) = &act.until else { return true };
    let Placed { component, statuses: (critical, warn), rule, each, .. } = *placed;
    let range = ranges(component, each);
    let reasoner = Reasoner { critical, warn, never_warns: never_warns(component, each), range: &range };
    // A claim that can end while the rule fires lets it heal after all.
    !modes
        .modes
        .keys()
        .any(|seen| reasoner.possible_at(&[(&rule.when, true, None), (until, true, Some(seen.as_str()))]))
}

/// Workers whose number is itself what is wrong.
fn brought(placed: &Placed) {
    let Some((workers, item)) = last_step(placed) else { return };
    let Placed { component, statuses: (critical, warn), rule, each, .. } = *placed;
    let known = ranges(component, each);
    let range = |symbol: &Symbol| match symbol {
        Symbol::Fact(fact) if counts_workers(placed, fact.as_str()) => {
            Range::Fixed(Value::Int(i64::from(workers)))
        }
        other => known(other),
    };
    let with = Reasoner { critical, warn, never_warns: never_warns(component, each), range: &range };
    let without = Reasoner { range: &known, ..with };
    // Of what is always so it is told already.
    let comes = |condition| !with.possible(&[(condition, false)]) && without.possible(&[(condition, false)]);
    if critical.is_some_and(comes) {
        let message = format!(
            "with {workers} of its workers the component is critical: this brings what it should heal"
        );
        placed.warn(Code::Undoing, Some(&item), message, "compare it with `critical` in `[status]`");
    } else if comes(&rule.when) {
        let message =
            format!("with {workers} of its workers `when` is still true: no try of this rule can succeed");
        placed.warn(Code::Undoing, Some(&item), message, "bring another number, or ask `when` for another");
    }
}

/// Is it a fact that says how many workers there are, where Grace herself starts them?
fn counts_workers(placed: &Placed, fact: &str) -> bool {
    placed.component.probes.iter().any(|probe| {
        let own = matches!(probe.kind, ProbeKind::Builtin | ProbeKind::Process(Whose::Own));
        let name = fact.strip_prefix(&*probe.name).and_then(|rest| rest.strip_prefix('.'));
        own && matches!(name, Some("workers" | "wanted"))
    })
}

/// The number of workers that there are after a rule's last step, and where that stands.
fn last_step<'a>(placed: &Placed<'_, 'a>) -> Option<(u32, Item<'a>)> {
    let acts = placed.acts().into_iter().take(placed.rule.acts.len());
    let (act, item) = acts.filter(|(act, _)| matches!(act.what, What::Heal(_))).last()?;
    Some((workers(&act.what)?, item))
}

fn workers(what: &What) -> Option<u32> {
    match what {
        What::Heal(HealStep::Scale { workers }) => Some(*workers),
        What::Heal(HealStep::Restart { workers }) => *workers,
        _ => None,
    }
}

/// Rules of one component that bring different numbers of workers at the same time.
pub(super) fn pairs(placed: &[Placed]) {
    // A shadow rule undoes nothing.
    let placed: Vec<&Placed> = placed.iter().filter(|placed| !placed.rule.shadow).collect();
    for (at, one) in placed.iter().enumerate() {
        let others = placed.iter().skip(at + 1).filter(|other| other.component.id == one.component.id);
        for other in others {
            let (Some(a), Some(b)) = (last_number(one), last_number(other)) else { continue };
            if a.0 != b.0 && together(one, other) {
                let message = format!(
                    "rule `{}` {} while rule `{}` {}: each undoes what the other does",
                    other.rule.id, b.1, one.rule.id, a.1
                );
                let help = "let their conditions exclude each other";
                other.warn(Code::Undoing, other.item("when").as_ref(), message, help);
            }
        }
    }
}

/// How many workers there are after a rule's last step, and in words.
fn last_number(placed: &Placed) -> Option<(u32, String)> {
    let mut heals = placed.rule.acts.iter().filter(|act| matches!(act.what, What::Heal(_)));
    let what = &heals.next_back()?.what;
    let number = workers(what)?;
    let words = match what {
        What::Heal(HealStep::Restart { .. }) => format!("restarts with {number}"),
        _ => format!("wants {number} workers"),
    };
    Some((number, words))
}

fn together(one: &Placed, other: &Placed) -> bool {
    let Placed { component, statuses: (critical, warn), .. } = *one;
    let range = ranges(component, one.each && other.each);
    let reasoner = Reasoner { critical, warn, never_warns: component.warn.is_none(), range: &range };
    reasoner.possible(&[(&one.rule.when, true), (&other.rule.when, true)])
}
