//! Why an action was not done: which rules could have done it, how each of them stood, and what rules did instead.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::Bundle;
use crate::model::{ActKind, By, ComponentId, GenerationId, ModeId, RuleId};
use crate::replay::Contradiction;
use crate::replay::explain::name::can_do;
use crate::replay::explain::{Case, Deed, Idle, Met, Tick, deeds, rule_named, shape};

/// Of more rules only their number is told.
const MOST: usize = 50;

/// An action, of one component or of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What.
    pub kind: ActKind,
    /// On whom; nothing for anybody.
    pub component: Option<ComponentId>,
}

/// Why nobody did something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Absence {
    /// The version of this form.
    pub format_version: u32,
    /// The answer in one sentence.
    pub summary: String,
    /// The action: `restart`.
    pub action: &'static str,
    /// Of which component; nothing where all were asked about.
    pub component: Option<ComponentId>,
    /// Did a rule do it in this tick all the same?
    pub acted: bool,
    /// The number of the tick.
    pub tick: u64,
    /// Its time.
    pub at: String,
    /// The rules and policies of then.
    pub generation: GenerationId,
    /// The mode in which the tick began.
    pub mode: ModeId,
    /// The rules that do it, each with how it stood; at most fifty.
    pub could: Vec<Could>,
    /// So many more there are.
    pub more: usize,
    /// What rules did in this tick, and the claims of theirs that stand.
    pub instead: Vec<Instead>,
    /// The time that was asked for lies where Grace made no tick: this is what she knew at the last one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// The record says that something else came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contradiction: Option<Contradiction>,
}

/// A rule that could have done it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Could {
    /// The rule and its component.
    pub rule: String,
    /// Did it do that in this tick?
    pub acted: bool,
    /// What it was at, in one sentence.
    pub says: String,
}

/// Something that a rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instead {
    /// The rule and its component.
    pub rule: String,
    /// What it did in this tick.
    pub did: Vec<Deed>,
    /// The mode that it claims.
    pub claims: Option<ModeId>,
}

/// The action that a word means: `restart`, or `restart/database`. Nothing where it is no action, where there is no
/// such component, or where it names the one rule that could be meant.
#[must_use]
pub fn action_named(bundle: &Bundle, word: &str) -> Option<Action> {
    let (action, component) = word.split_once('/').map_or((word, None), |(action, on)| (action, Some(on)));
    let kind = ActKind::ALL.into_iter().find(|kind| kind.word() == action)?;
    let component = match component {
        Some(id) => Some(bundle.components.get_key_value(&ComponentId::from(id))?.0.clone()),
        None => None,
    };
    let action = Action { kind, component };
    let named = rule_named(bundle, word).ok();
    let only = named.is_some_and(|named| action.component.is_some() || action.rules(bundle) == [named]);
    (!only).then_some(action)
}

impl Action {
    /// The rules that do it.
    fn rules(&self, bundle: &Bundle) -> Vec<(RuleId, ComponentId)> {
        let asked = bundle.components.values().filter(|component| self.is_about(&component.id));
        let able = asked.flat_map(|component| {
            let rules = component.rules.iter().filter(|rule| can_do(rule, self.kind));
            rules.map(|rule| (rule.id.clone(), component.id.clone()))
        });
        able.collect()
    }

    fn is_about(&self, component: &ComponentId) -> bool {
        self.component.as_ref().is_none_or(|about| about == component)
    }
}

impl Tick {
    /// Did a rule of whom it is about want anything of governance in this tick?
    #[must_use]
    pub fn wanted_on(&self, action: &Action) -> bool {
        let by_rule = |by: &By| matches!(by, By::Rule { component, .. } if action.is_about(component));
        !self.met(|proposal| by_rule(&proposal.by)).is_empty()
    }
}

/// Asks every rule that could have done something why it did not.
#[must_use]
pub fn why_none(tick: &Tick, action: &Action) -> Absence {
    let mut met: BTreeMap<(RuleId, ComponentId), Vec<Met>> = BTreeMap::new();
    for one in tick.met(|_| true) {
        if let By::Rule { rule, component } = &one.proposal.by {
            met.entry((rule.clone(), component.clone())).or_default().push(one);
        }
    }
    let rules = action.rules(&tick.bundle);
    let could: Vec<Could> = rules
        .iter()
        .take(MOST)
        .filter_map(|of| could(tick, of, met.get(of).map(Vec::as_slice).unwrap_or_default(), action))
        .collect();
    let mut told = Absence {
        format_version: shape::FORMAT_VERSION,
        summary: String::new(),
        action: action.kind.word(),
        component: action.component.clone(),
        acted: could.iter().any(|could| could.acted),
        tick: tick.input.tick,
        at: tick.step.state.now.to_string(),
        generation: tick.bundle.generation.clone(),
        mode: tick.before.governed.mode.clone(),
        more: rules.len() - could.len(),
        could,
        instead: instead(tick, &met, action),
        idle: None,
        contradiction: tick.contradiction.clone(),
    };
    told.summary = summary(&told);
    told
}

fn could(
    tick: &Tick,
    (rule, component): &(RuleId, ComponentId),
    met: &[Met],
    action: &Action,
) -> Option<Could> {
    let told = Case::of(tick, rule, component)?.told(met, None);
    let does = |met: &Met| met.act.is_some() && met.proposal.act.kinds().any(|kind| kind == action.kind);
    Some(Could { rule: format!("{rule}/{component}"), acted: met.iter().any(does), says: told.summary })
}

/// What rules did that could not have done it, and that do not do it.
fn instead(tick: &Tick, met: &BTreeMap<(RuleId, ComponentId), Vec<Met>>, action: &Action) -> Vec<Instead> {
    let mut all: BTreeMap<String, Instead> = BTreeMap::new();
    let mut of = |rule: &RuleId, component: &ComponentId, note: &dyn Fn(&mut Instead)| {
        let rule = format!("{rule}/{component}");
        let one = all.entry(rule.clone()).or_insert(Instead { rule, did: Vec::new(), claims: None });
        note(one);
    };
    for ((rule, component), met) in met.iter().filter(|((_, component), _)| action.is_about(component)) {
        let other =
            |met: &Met| met.act.is_some() && !met.proposal.act.kinds().any(|kind| kind == action.kind);
        if met.iter().any(other) {
            of(rule, component, &|one| one.did = deeds(tick, met));
        }
    }
    for claim in tick.step.state.governed.claims.values() {
        if let By::Rule { rule, component } = &claim.by
            && action.is_about(component)
        {
            of(rule, component, &|one| one.claims = Some(claim.mode.clone()));
        }
    }
    all.into_values().collect()
}

fn summary(told: &Absence) -> String {
    let (action, on) =
        (told.action, told.component.as_ref().map(|on| format!(" of {on}")).unwrap_or_default());
    let acted: Vec<&str> =
        told.could.iter().filter(|could| could.acted).map(|could| could.rule.as_str()).collect();
    let none = match told.could.as_slice() {
        _ if !acted.is_empty() => return format!("{} did {action} in this tick", acted.join(", ")),
        [] => format!("no rule{on} does {action}"),
        [one] => one.says.clone(),
        all => format!("none of the {} rules{on} that do {action} did it", all.len() + told.more),
    };
    let others = told.instead.iter().filter_map(|one| {
        let did: Vec<&str> = one.did.iter().map(|deed| deed.what.as_str()).collect();
        match (did.as_slice(), &one.claims) {
            ([], claims) => claims.as_ref().map(|mode| format!("{} claims {mode}", one.rule)),
            (_, _) => Some(format!("{} acted: {}", one.rule, did.join(", "))),
        }
    });
    let others: Vec<String> = others.collect();
    if others.is_empty() { none } else { format!("{none}; instead {}", others.join("; ")) }
}
