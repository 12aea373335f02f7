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

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::Truth;
use crate::model::{By, Claim, ComponentId, Performed, RuleId, Snapshot, Why};

pub use component::{Component, Item, Rule, Text, Verify, What};
pub use healing::Healing;
pub use history::History;
pub use scene::{EndedTry, Heard, Scene};
pub use state::{ComponentHealth, Firing, Healed, Health, Incident, Phase, RuleState, Try};
pub use wishes::Wish;

impl Scene<'_> {
    /// Takes in what was seen and what the hands report, and moves every component, try and rule.
    pub fn absorb(&self, health: &mut Health, snapshot: &Snapshot, performed: &[Performed]) -> Heard {
        let mut heard = Heard::default();
        let counted: BTreeSet<&ComponentId> = snapshot
            .iter()
            .filter(|(id, fresh)| self.read(health, id, fresh, &mut heard))
            .map(|(id, _)| id)
            .collect();
        for id in snapshot.keys() {
            self.verify(health, id, &mut heard);
        }
        // Only now: a reading that came with the report of the hands may have been taken before their end.
        for report in performed {
            self.performed(health, report, &mut heard);
        }
        for (id, component) in self.components {
            if health.components.contains_key(id) {
                self.fire(health, component, counted.contains(&id), &mut heard);
                readings::close_incident(health, id, &mut heard);
            }
        }
        heard
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
        let of = |component: &Component| {
            // Of a component that was never looked at nothing is known.
            let truths = heard.truths.get(&component.id).into_iter().flatten().copied();
            let truths = truths.chain(std::iter::repeat(Truth::Unknown));
            let why =
                |(rule, truth): (&Rule, Truth)| (rule.id.clone(), self.why(health, component, rule, truth));
            component.rules.iter().zip(truths).map(why).collect()
        };
        self.components.values().map(|component| (component.id.clone(), of(component))).collect()
    }
}
