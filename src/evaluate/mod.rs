//! Rules, their states and a snapshot turn into statuses, new rule states, proposals, and why.
//!
//! Nothing here knows of policies, modes' meanings or budgets: a rule says what it wants ([`Wish`]), and
//! whoever drives the evaluator tells it what was permitted.

mod along;
mod component;
mod firing;
mod healing;
mod history;
mod others;
mod readings;
mod relapse;
mod scene;
mod signals;
mod state;
mod states;
mod tallies;
mod tries;
mod window;
mod wishes;
mod world;

use std::collections::BTreeMap;

use crate::condition::Truth;
use crate::model::{By, Claim, ComponentId, Performed, RuleId, Snapshot, Why};

pub use component::{Component, Counsel, Item, Rule, Text, Verify, What};
pub use healing::Healing;
pub use history::History;
pub(crate) use relapse::RELAPSE;
pub use scene::{EndedTry, Foreseen, Heard, Scene};
pub use signals::Signals;
pub use state::{ComponentHealth, Healed, Health, Incident, Phase, Try};
pub use states::{Firing, RuleState, RuleStates, Said};
pub use tallies::Tallies;
pub use window::Window;
pub use wishes::Wish;

use along::Along;

impl Scene<'_> {
    /// Takes in what was seen and what the hands report, and moves every component, try and rule. Nothing foreseen is an
    /// older meaning, under which every incident was a failure.
    pub fn absorb(
        &self,
        health: &mut Health,
        snapshot: &Snapshot,
        foreseen: Option<&Foreseen>,
        performed: &[Performed],
    ) -> Heard {
        let mut heard = Heard::default();
        // Nobody waits for a verification: the usual case.
        let looked: Vec<ComponentId> =
            if health.tries.is_empty() { Vec::new() } else { snapshot.keys().cloned().collect() };
        let counted = self.read_all(health, snapshot, foreseen, &mut heard);
        for id in &looked {
            self.verify(health, id, &mut heard);
        }
        // Only now: a reading that came with the report of the hands may have been taken before their end.
        for report in performed {
            self.performed(health, report, &mut heard);
        }
        self.fire_all(health, &counted, foreseen, &mut heard);
        heard
    }

    /// Takes in every component's fresh readings. Answers of each component, in the order of their ids, whether it has
    /// a reading that counts.
    fn read_all(
        &self,
        health: &mut Health,
        snapshot: &Snapshot,
        foreseen: Option<&Foreseen>,
        heard: &mut Heard,
    ) -> Vec<bool> {
        self.meet(health, snapshot);
        let Health { components, last_incident, .. } = health;
        let mut known = Along::new(components.iter_mut());
        let mut places = Along::new(
            self.components.iter().zip(0..).map(|((id, component), place)| (id, (component, place))),
        );
        let mut counted = vec![false; self.components.len()];
        for (id, fresh) in snapshot {
            let Some((component, place)) = places.at(id) else { continue };
            let Some(own) = known.at(&component.id) else { continue };
            let counts = self.read(component, own, fresh, foreseen, (last_incident, heard));
            if let Some(counted) = counted.get_mut::<usize>(place) {
                *counted = counts;
            }
        }
        counted
    }

    /// Makes room for components that are read for the first time, and goes by their own ids from here on: an id is held
    /// against itself without a look at its text.
    fn meet(&self, health: &mut Health, snapshot: &Snapshot) {
        let is_itself = |(known, declared): (&ComponentId, &ComponentId)| known.is(declared);
        let known = &mut health.components;
        if known.len() == self.components.len() && known.keys().zip(self.components.keys()).all(is_itself) {
            return;
        }
        let mut declared = self.ids();
        for id in snapshot.keys().filter_map(|id| declared.at(id)) {
            known.entry(id.clone()).or_default();
        }
        let mut declared = self.ids();
        if known.keys().any(|id| declared.at(id).is_some_and(|own| !own.is(id))) {
            let mut declared = self.ids();
            let own = |(id, own)| (declared.at(&id).cloned().unwrap_or(id), own);
            *known = std::mem::take(known).into_iter().map(own).collect();
        }
    }

    /// The components' own ids.
    fn ids(&self) -> Along<impl Iterator<Item = (&ComponentId, &ComponentId)>> {
        Along::new(self.components.keys().map(|id| (id, id)))
    }

    /// Asks every rule, and then moves them: what a rule does changes nothing that another one's condition sees.
    fn fire_all(
        &self,
        health: &mut Health,
        counted: &[bool],
        foreseen: Option<&Foreseen>,
        heard: &mut Heard,
    ) {
        let said = self.truths(health);
        let Health { components, tries, .. } = health;
        let mut known = Along::new(components.iter_mut());
        let mut truths = said.as_slice();
        for (component, counts) in self.components.values().zip(counted) {
            let own = known.at(&component.id);
            let (own_truths, others) = truths.split_at(component.rules.len());
            truths = others;
            let Some(own) = own else { continue };
            let planned = foreseen.is_some_and(|foreseen| foreseen.planned.contains(&component.id));
            self.fire(own, component, (own_truths, *counts, planned), heard);
            readings::close_incident(own, tries, component, heard);
        }
        heard.truths = said;
    }

    /// What the condition of each rule says, in the order of components and rules; of a component that was never
    /// looked at nothing is known.
    fn truths(&self, health: &Health) -> Vec<Truth> {
        let mut known = Along::new(&health.components);
        let mut truths =
            Vec::with_capacity(self.components.values().map(|component| component.rules.len()).sum());
        for component in self.components.values() {
            let view = known.at(&component.id).map(|own| self.view(health, component, own));
            let said = |rule: &Rule| view.as_ref().map_or(Truth::Unknown, |view| rule.when.eval(view));
            truths.extend(component.rules.iter().map(said));
        }
        truths
    }

    /// Is the condition true under which a rule's claim ends by itself? A claim without one never does.
    #[must_use]
    pub fn is_over(&self, health: &Health, claim: &Claim) -> bool {
        let By::Rule { rule, component } = &claim.by else { return false };
        let Some(spot) = claim.spot else { return false };
        let until = self
            .components
            .get(component)
            .and_then(|component| component.rule(rule))
            .and_then(|rule| rule.list(spot.list).get(usize::from(spot.index)))
            .and_then(|item| item.until.as_ref());
        until.is_some_and(|until| self.ask(health, component, until) == Truth::True)
    }

    /// What every rule is at.
    #[must_use]
    pub fn whys(&self, health: &Health, heard: &Heard) -> BTreeMap<ComponentId, BTreeMap<RuleId, Why>> {
        // Where nothing was asked nothing is known.
        let mut truths = heard.truths.iter().copied().chain(std::iter::repeat(Truth::Unknown));
        let mut of = |component: &Component| {
            let asked = component.rules.iter().zip(truths.by_ref());
            let why =
                |(rule, truth): (&Rule, Truth)| (rule.id.clone(), self.why(health, component, rule, truth));
            asked.map(why).collect()
        };
        self.components.values().map(|component| (component.id.clone(), of(component))).collect()
    }
}
