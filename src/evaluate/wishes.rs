//! What the rules want done now. Governance decides; the answers come back here.

use crate::evaluate::along::Along;
use crate::evaluate::component::{Component, Item, Rule, What};
use crate::evaluate::healing::{Happened, Healing, next};
use crate::evaluate::scene::Scene;
use crate::evaluate::state::{Health, Phase, Try};
use crate::evaluate::states::{Firing, RuleState};
use crate::model::{Act, ActId, By, Class, ComponentId, Gate, List, Proposal, RuleId, Spot, Status, Time};

/// Something a rule wants, and where in the rule it stands; a try stands nowhere in particular.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What governance is asked.
    pub proposal: Proposal,
    /// Whose wish it is.
    pub rule: RuleId,
    /// For which component.
    pub component: ComponentId,
    /// The action's place, for what is done once in a firing.
    pub spot: Option<Spot>,
    /// It is a shadow rule's: it is written down, and never done.
    pub shadow: bool,
}

impl Wish {
    /// The class of what is wished.
    #[must_use]
    pub fn class(&self) -> Class {
        self.proposal.act.class()
    }
}

impl Scene<'_> {
    /// Everything that the rules want now, in the order of components, rules and actions.
    #[must_use]
    pub fn wishes(&self, health: &Health) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let mut declared = Along::new(self.components);
        for (id, own) in &health.components {
            let Some(component) = declared.at(id) else { continue };
            for (nth, rule) in component.rules.iter().enumerate() {
                let Some(state) = own.rules.at(nth, &rule.id) else { continue };
                if state.firing.is_some() || state.healing.is_some() {
                    of_rule(
                        &Maker { component, rule, status: own.status, health, now: self.now },
                        state,
                        &mut wishes,
                    );
                }
            }
        }
        wishes
    }
}

impl Scene<'_> {
    /// What a rule wants first when it fires, whether it does or not: its next try, or the first thing it does.
    #[must_use]
    pub fn first_wish(&self, health: &Health, id: &ComponentId, rule: &RuleId) -> Option<Wish> {
        let component = self.components.get(id)?;
        let rule = component.rule(rule)?;
        let own = health.components.get(id);
        let status = own.map(|own| own.status).unwrap_or_default();
        let maker = Maker { component, rule, status, health, now: self.now };
        if rule.heals() {
            let healing = own.and_then(|own| own.rules.get(&rule.id)?.healing);
            let (attempt, slow) = healing.and_then(Healing::wants).unwrap_or((1, false));
            return Some(maker.attempt(attempt, slow));
        }
        let mut items = (0u16..).zip(rule.list(List::Do));
        items.find_map(|(index, item)| maker.once(Spot { list: List::Do, index }, item))
    }
}

impl Scene<'_> {
    /// Everything that a rule does when it fires, its steps of healing as one act.
    #[must_use]
    pub fn acts_of(&self, health: &Health, component: &Component, rule: &Rule, status: Status) -> Vec<Act> {
        let maker = Maker { component, rule, status, health, now: self.now };
        let spots =
            (0u16..).zip(rule.list(List::Do)).map(|(index, item)| (Spot { list: List::Do, index }, item));
        let told = spots.filter_map(|(spot, item)| maker.once(spot, item)).map(|wish| wish.proposal.act);
        let healed = rule.heals().then(|| maker.attempt(1, false).proposal.act);
        told.chain(healed).collect()
    }
}

fn of_rule(maker: &Maker, state: &RuleState, wishes: &mut Vec<Wish>) {
    if maker.rule.shadow {
        return wishes.extend(state.firing.iter().flat_map(|firing| of_shadow(maker, firing)));
    }
    if let Some(firing) = &state.firing {
        let failed = matches!(state.healing, Some(Healing::Failed { .. } | Healing::SlowTrying { .. }));
        let lists = [(List::Do, true), (List::OnFailure, failed)];
        for (list, _) in lists.into_iter().filter(|(_, open)| *open) {
            let spots = (0u16..).zip(maker.rule.list(list)).map(|(index, item)| (Spot { list, index }, item));
            let unsaid = spots.filter(|(spot, _)| !firing.said.contains(spot));
            wishes.extend(unsaid.filter_map(|(spot, item)| maker.once(spot, item)));
        }
    }
    wishes.extend(state.healing.and_then(Healing::wants).map(|(attempt, slow)| maker.attempt(attempt, slow)));
}

/// What a shadow rule wants: each thing once in a firing, and of its healing the first try, because nobody knows what
/// would have come of it.
fn of_shadow(maker: &Maker, firing: &Firing) -> Vec<Wish> {
    let spots =
        (0u16..).zip(maker.rule.list(List::Do)).map(|(index, item)| (Spot { list: List::Do, index }, item));
    let unsaid = spots.filter(|(spot, _)| !firing.said.contains(spot));
    let mut wishes: Vec<Wish> = unsaid.filter_map(|(spot, item)| maker.once(spot, item)).collect();
    let heals = maker.rule.heal_spot().filter(|spot| !firing.said.contains(spot));
    wishes.extend(heals.map(|spot| Wish { spot: Some(spot), ..maker.attempt(1, false) }));
    wishes
}

impl Health {
    /// An action that is done once in a firing was decided, one way or the other.
    pub fn said(&mut self, wish: &Wish) {
        let state = self.components.get_mut(&wish.component).and_then(|own| own.rules.get_mut(&wish.rule));
        if let (Some(firing), Some(spot)) = (state.and_then(|state| state.firing.as_mut()), wish.spot) {
            firing.said.insert(spot);
        }
    }

    /// A try was permitted: it is open from now on.
    pub fn permitted(&mut self, scene: &Scene, act: ActId, proposal: &Proposal) {
        let Some(id) = &proposal.component else { return };
        let Some(component) = scene.components.get(id) else { return };
        let Some(own) = self.components.get_mut(id) else { return };
        let mut verify = component.verify();
        if let By::Rule { rule, .. } = &proposal.by {
            verify = component.rule(rule).map_or(verify, |rule| rule.verify);
            if let Some(state) = own.rules.get_mut(rule) {
                state.healing = next(state.healing, Happened::Permitted(act), u32::MAX).0;
                state.withheld = None;
            }
        }
        let open = Try {
            component: id.clone(),
            by: proposal.by.clone(),
            attempt: proposal.attempt,
            began: scene.now,
            before: own.status,
            verify,
            phase: Phase::Performing,
            edited: false,
        };
        self.tries.insert(act, open);
    }

    /// A try may not be made, or not yet. Answers whether that is news.
    pub fn withheld(&mut self, wish: &Wish, gate: &Gate) -> bool {
        let state = self.components.get_mut(&wish.component).and_then(|own| own.rules.get_mut(&wish.rule));
        state.is_some_and(|state| state.withheld.replace(Box::new(gate.clone())).as_deref() != Some(gate))
    }
}

/// Makes the wishes of one rule.
struct Maker<'a> {
    component: &'a Component,
    rule: &'a Rule,
    status: Status,
    health: &'a Health,
    now: Time,
}

impl Maker<'_> {
    fn wish(&self, act: Act, reason: String, spot: Option<Spot>, attempt: u32, slow: bool) -> Wish {
        let (rule, component) = (self.rule.id.clone(), self.component.id.clone());
        let by = By::Rule { rule: rule.clone(), component: component.clone() };
        let proposal = Proposal { by, act, reason, component: Some(component.clone()), attempt, slow };
        Wish { proposal, rule, component, spot, shadow: self.rule.shadow }
    }

    fn attempt(&self, attempt: u32, slow: bool) -> Wish {
        let act = Act::Heal { component: self.component.id.clone(), steps: self.rule.steps() };
        self.wish(act, self.reason(), None, attempt, slow)
    }

    /// An action that is done once in a firing; a heal step is none.
    fn once(&self, spot: Spot, item: &Item) -> Option<Wish> {
        let component = self.component.id.clone();
        let history = |name: &str| match name {
            "signals" => self.health.signals.says(&self.component.id, self.now),
            _ => self.health.tallies.of(&self.component.id, self.rule.about()).to_string(),
        };
        let render = |text: &super::Text| text.render(self.component, self.rule, self.status, history);
        let act = match &item.what {
            What::Heal(_) => return None,
            What::SetMode(mode) => Act::SetMode {
                mode: mode.clone(),
                key: crate::model::ClaimKey::rule(&self.rule.id, &component),
                spot: item.until.is_some().then_some(spot),
                lasts: None,
            },
            What::Block => Act::Block { component },
            What::Notify(receiver, text) => {
                Act::Notify { receiver: receiver.clone(), text: render(text), approval: None }
            }
            What::Event(event) => Act::Event { event: event.clone(), component },
            What::Task(text) => Act::Task { text: render(text), component },
            What::Recommend(text, _) => Act::Recommend { text: render(text), component },
        };
        let failed = if spot.list == List::OnFailure { "the healing failed; " } else { "" };
        Some(self.wish(act, format!("{failed}{}", self.reason()), Some(spot), 0, false))
    }

    fn reason(&self) -> String {
        let Rule { after, of, .. } = self.rule;
        let counted = match (*after, *of) {
            (1, 1) => String::new(),
            (after, of) if after == of => format!(" in {after} readings"),
            (after, of) => format!(" in {after} of {of} readings"),
        };
        let (label, status, when) = (&self.component.label, self.status, self.rule.when.source());
        format!("{label} is {status}: `{when}` held{counted}")
    }
}
