//! Rules, their states and a snapshot turn into statuses, new rule states, proposals, and why.
//!
//! Nothing here knows of policies, modes' meanings or budgets: a rule says what it wants ([`Wish`]), and
//! whoever drives the evaluator tells it what was permitted.

mod component;
mod firing;
mod healing;
mod history;
mod readings;
mod scene;
mod state;
mod tries;
mod wishes;
mod world;

use std::collections::BTreeMap;

use crate::condition::Truth;
use crate::model::{By, Claim, ComponentId, Performed, RuleId, Snapshot, Why};

pub use component::{Component, Item, Rule, Text, Verify, What};
pub use healing::Healing;
pub use history::History;
pub use scene::{EndedTry, Heard, Scene};
pub use state::{ComponentHealth, Firing, Healed, Health, Incident, Phase, RuleState, Try};
pub use wishes::Wish;

use world::View;

impl Scene<'_> {
    /// Takes in what was seen and what the hands report, and moves every component, try and rule.
    pub fn absorb(&self, health: &mut Health, snapshot: Snapshot, performed: &[Performed]) -> Heard {
        let mut heard = Heard::default();
        let (mut counted, mut looked) = (Vec::new(), Vec::new());
        // Nobody waits for a verification: the usual case.
        let waits = !health.tries.is_empty();
        for (id, fresh) in snapshot {
            if self.read(health, &id, fresh, &mut heard) {
                counted.push(id.clone());
            }
            looked.extend(waits.then_some(id));
        }
        for id in &looked {
            self.verify(health, id, &mut heard);
        }
        // Only now: a reading that came with the report of the hands may have been taken before their end.
        for report in performed {
            self.performed(health, report, &mut heard);
        }
        self.fire_all(health, &counted, &mut heard);
        heard
    }

    /// Asks every rule, and then moves them: what a rule does changes nothing that another one's condition sees.
    fn fire_all(&self, health: &mut Health, counted: &[ComponentId], heard: &mut Heard) {
        heard.truths = self.truths(health);
        let truths = std::mem::take(&mut heard.truths);
        let Health { components, tries, .. } = health;
        let mut known = components.iter_mut().peekable();
        let mut counted = counted.iter().peekable();
        for (component, truths) in self.components.values().zip(&truths) {
            // All three are in the order of their ids.
            while known.next_if(|(id, _)| **id < component.id).is_some() {}
            while counted.next_if(|id| **id < component.id).is_some() {}
            let Some((_, own)) = known.next_if(|(id, _)| **id == component.id) else { continue };
            let counts = counted.next_if(|id| **id == component.id).is_some();
            self.fire(own, component, (truths, counts), heard);
            readings::close_incident(own, tries, component, heard);
        }
        heard.truths = truths;
    }

    /// What the condition of each rule says, component by component; of one that was never looked at nothing is known.
    fn truths(&self, health: &Health) -> Vec<Vec<Truth>> {
        let mut known = health.components.iter().peekable();
        let of = |component: &Component| {
            while known.next_if(|(id, _)| **id < component.id).is_some() {}
            let Some((_, own)) = known.next_if(|(id, _)| **id == component.id) else { return Vec::new() };
            let view = View { component, own, all: health, mode: self.mode, now: self.now };
            component.rules.iter().map(|rule| rule.when.eval(&view)).collect()
        };
        self.components.values().map(of).collect()
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
        let of = |(component, truths): (&Component, Option<&Vec<Truth>>)| {
            // Of a component that was never looked at nothing is known.
            let truths = truths.into_iter().flatten().copied();
            let truths = truths.chain(std::iter::repeat(Truth::Unknown));
            let why =
                |(rule, truth): (&Rule, Truth)| (rule.id.clone(), self.why(health, component, rule, truth));
            component.rules.iter().zip(truths).map(why).collect()
        };
        let truths = heard.truths.iter().map(Some).chain(std::iter::repeat(None));
        let all = self.components.values().zip(truths);
        all.map(|(component, truths)| (component.id.clone(), of((component, truths)))).collect()
    }
}
