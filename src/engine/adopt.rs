//! How a state goes over to a new generation: by rule id, with a report of what was kept, reset or dropped.

use std::collections::BTreeSet;

use crate::engine::{Bundle, State};
use crate::evaluate::{Component, Healing, Phase, RuleState, Try, What};
use crate::govern::Changed;
use crate::model::{
    Act, ActId, By, Claim, ComponentId, HealResult, HealingResult, List, Meaning, Outcome, Proposal, Record,
    RuleId, Spot, Time,
};

/// A state under a new generation.
#[derive(Debug)]
pub struct Adopted {
    /// The state.
    pub state: State,
    /// For the journal; the generation itself comes first.
    pub records: Vec<Record>,
}

/// Why this generation cannot take over this state.
#[must_use]
pub fn conflicts(bundle: &Bundle, state: &State) -> Vec<String> {
    let known = &bundle.policies.modes.modes;
    let claimed = state.governed.claims.iter().filter(|(_, claim)| !known.contains_key(&claim.mode));
    claimed
        .map(|(key, claim)| format!("mode `{}` is claimed by {key} and no longer declared", claim.mode))
        .collect()
}

/// Grace starts: what she sees first stands since nobody knows when.
pub fn start_over(state: &mut State, meaning: Meaning) {
    if meaning >= Meaning::VOTES {
        state.health.not_seen_since();
    }
}

/// Carries a state over to a generation. `before` is the generation it lived under, where that is known.
#[must_use]
pub fn adopt(bundle: &Bundle, before: Option<&Bundle>, state: &State, now: Time) -> Adopted {
    adopt_by(Meaning::default(), (bundle, before), state, now)
}

/// The same by the meaning that decided it.
#[must_use]
pub fn adopt_by(
    meaning: Meaning,
    (bundle, before): (&Bundle, Option<&Bundle>),
    state: &State,
    now: Time,
) -> Adopted {
    let (records, kept, reset, dropped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut carrier = Carrier { bundle, before, meaning, now, records, kept, reset, dropped };
    let mut state = state.clone();
    state.now = state.now.max(now);
    carrier.components(&mut state);
    carrier.tries(&mut state);
    carrier.tallies(&mut state);
    carrier.claims(&mut state);
    carrier.mode(&mut state);
    if before.is_some_and(|before| before.generation != bundle.generation) {
        state.governed.forget_approvals(&mut carrier.records);
    }
    let mut records = vec![Record::Generation {
        generation: bundle.generation.clone(),
        files: bundle.files.clone(),
        kept: carrier.kept,
        reset: carrier.reset,
        dropped: carrier.dropped,
        // The journal knows it best.
        state: None,
        meaning: (meaning >= Meaning::VOTES).then_some(meaning),
    }];
    records.append(&mut carrier.records);
    Adopted { state, records }
}

struct Carrier<'a> {
    bundle: &'a Bundle,
    before: Option<&'a Bundle>,
    meaning: Meaning,
    now: Time,
    records: Vec<Record>,
    kept: Vec<String>,
    reset: Vec<String>,
    dropped: Vec<String>,
}

impl Carrier<'_> {
    fn components(&mut self, state: &mut State) {
        let gone: Vec<ComponentId> = state
            .health
            .components
            .keys()
            .filter(|id| !self.bundle.components.contains_key(*id))
            .cloned()
            .collect();
        for id in gone {
            self.drop_component(state, &id);
        }
        for component in self.bundle.components.values() {
            let own = state.health.components.entry(component.id.clone()).or_default();
            let known: BTreeSet<_> = component.rules.iter().map(|rule| &rule.id).collect();
            for (rule, state) in own.rules.iter().filter(|(id, _)| !known.contains(id)) {
                self.dropped.push(format!("{rule}/{}", component.id));
                self.records.extend(self.over((rule, &component.id), state, true));
            }
            own.rules.retain(|id| known.contains(id));
            for (rule, state) in own.rules.iter_mut() {
                if self.same(component, rule) {
                    self.kept.push(format!("{rule}/{}", component.id));
                } else {
                    self.records.extend(self.over((rule, &component.id), state, false));
                    *state = reset(state, self.meaning);
                    self.reset.push(format!("{rule}/{}", component.id));
                }
            }
        }
    }

    /// Counts mean the same as before while the condition is the same; thresholds may change. What a rule did is not
    /// what its shadow told, so that one which becomes the other begins anew.
    fn same(&self, component: &Component, rule: &RuleId) -> bool {
        let Some(before) = self.before else { return true };
        let when = |bundle: &Bundle| {
            let rule = bundle.components.get(&component.id)?.rule(rule)?;
            Some((rule.when.source().to_owned(), rule.shadow))
        };
        when(before) == when(self.bundle)
    }

    /// A try that is under way was asked for by the rule as it was: what the edited one says, or one that is gone does not
    /// say, is no answer to that.
    fn tries(&self, state: &mut State) {
        if self.meaning < Meaning::VOTES {
            return;
        }
        for open in state.health.tries.values_mut() {
            open.edited |= match &open.by {
                By::Rule { rule, component } => !self.heals_as_before(component, rule),
                By::Person { .. } => !self.is_as_before(&open.component, Component::is_judged_as),
            };
        }
        // Nor does what it says now undo what it did then.
        for (component, own) in &mut state.health.components {
            own.eased.retain(|rule, _| self.heals_as_before(component, rule));
        }
    }

    fn is_as_before(&self, id: &ComponentId, same: impl Fn(&Component, &Component) -> bool) -> bool {
        let Some(before) = self.before else { return true };
        let components = before.components.get(id).zip(self.bundle.components.get(id));
        components.is_some_and(|(before, now)| same(now, before))
    }

    fn heals_as_before(&self, component: &ComponentId, rule: &RuleId) -> bool {
        self.is_as_before(component, |now, before| now.heals_as(before, rule))
    }

    /// What is counted of a rule is counted of what it does: one that was edited begins anew.
    fn tallies(&self, state: &mut State) {
        if self.before.is_none() {
            return;
        }
        let same = |component: &ComponentId, rule: &RuleId| self.heals_as_before(component, rule);
        state.health.tallies.retain(same);
        state.recommendations.adopt(same);
    }

    /// The end of a healing whose rule is gone, or another one now. A try that is under way goes on: where its rule only
    /// changed, so does the healing.
    fn over(
        &self,
        (rule, component): (&RuleId, &ComponentId),
        state: &RuleState,
        is_gone: bool,
    ) -> Option<Record> {
        let attempts = match state.healing? {
            Healing::Wanting { attempt } => attempt - 1,
            Healing::Trying { attempt, .. } if is_gone => attempt,
            Healing::Trying { .. } | Healing::Failed { .. } | Healing::SlowTrying { .. } => 0,
        };
        if attempts == 0 || self.meaning < Meaning::VOTES {
            return None;
        }
        let now = self.bundle.components.get(component).and_then(|component| component.rule(rule));
        let detail = match now {
            None => "the rule is gone",
            Some(rule) if rule.shadow => "the rule is a shadow now, and makes no further try",
            Some(_) => "the rule was changed",
        };
        let by = By::Rule { rule: rule.clone(), component: component.clone() };
        let (component, result, detail) = (component.clone(), HealingResult::Over, detail.to_owned());
        Some(Record::HealingEnded { component, by, result, attempts, detail })
    }

    fn drop_component(&mut self, state: &mut State, id: &ComponentId) {
        let Some(own) = state.health.components.remove(id) else { return };
        self.dropped.extend(own.rules.keys().map(|rule| format!("{rule}/{id}")));
        for (rule, state) in own.rules.iter() {
            self.records.extend(self.over((rule, id), state, true));
        }
        // What the hands are at ends when they say so: the file may be back before that.
        let is_under_way = |open: &Try| self.meaning >= Meaning::VOTES && open.phase == Phase::Performing;
        let tries: Vec<ActId> = state
            .health
            .tries
            .iter()
            .filter(|(_, open)| open.component == *id && !is_under_way(open))
            .map(|(act, _)| *act)
            .collect();
        for act in tries {
            state.health.tries.remove(&act);
            state.governed.accounts.flights.remove(&act);
            self.records.push(Record::End {
                act,
                component: Some(id.clone()),
                outcome: Some(Outcome::Unknown),
                result: HealResult::Failed,
                detail: "the component is no longer declared".into(),
                steps: Vec::new(),
            });
        }
    }

    /// A claim whose rule or `until` is gone stands and waits for a person; when the rule is back, its `until` counts
    /// again. So a file that was saved in two halves leaves nothing behind.
    fn claims(&self, state: &mut State) {
        for claim in state.governed.claims.values_mut() {
            claim.spot = self.until_of(claim);
        }
    }

    /// Where the rule says when this claim is over: where it stood, or else where the same claim stands now.
    fn until_of(&self, claim: &Claim) -> Option<Spot> {
        let By::Rule { rule, component } = &claim.by else { return None };
        let rule = self.bundle.components.get(component)?.rule(rule)?;
        let says = |spot: &Spot| {
            let item = rule.list(spot.list).get(usize::from(spot.index));
            item.is_some_and(|item| item.until.is_some() && item.what == What::SetMode(claim.mode.clone()))
        };
        let spots = [List::Do, List::OnFailure]
            .into_iter()
            .flat_map(|list| (0u16..).zip(rule.list(list)).map(move |(index, _)| Spot { list, index }));
        claim.spot.into_iter().chain(spots).find(says)
    }

    /// At the very start the mode is the initial one; afterwards the claims say.
    fn mode(&mut self, state: &mut State) {
        let modes = &self.bundle.policies.modes;
        let desk = self.bundle.desk(self.now, false);
        if state.governed.changed.by.is_none() && state.tick == 0 {
            let reason = "the initial mode".to_owned();
            state.governed.mode = modes.lowest().clone();
            state.governed.changed = Changed { at: self.now, by: None, reason: reason.clone() };
            if modes.initial != *modes.lowest() {
                let by = By::Person { actor: "configuration".into() };
                let (key, mode) = (by.claim_key(), modes.initial.clone());
                let act = Act::SetMode { mode, key, spot: None, lasts: None };
                let cause = Proposal { by, act, reason, component: None, attempt: 0, slow: false };
                desk.contain(&mut state.governed, &cause, &mut self.records);
                desk.settle(&mut state.governed, Some(&cause), |_| false, &mut self.records);
            }
        } else {
            desk.settle(&mut state.governed, None, |_| false, &mut self.records);
        }
    }
}

/// A rule whose condition changed counts anew; a try that is under way goes on.
fn reset(state: &RuleState, meaning: Meaning) -> RuleState {
    let healing = state.healing.filter(|healing: &Healing| healing.act().is_some());
    let edited = healing.is_some() && meaning >= Meaning::VOTES;
    RuleState { healing, edited, ..RuleState::default() }
}
