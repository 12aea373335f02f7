//! What stays the same during one step, and what the evaluator has to say about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::{Condition, Part, Truth};
use crate::evaluate::component::Component;
use crate::evaluate::state::{ComponentHealth, Health};
use crate::evaluate::world::View;
use crate::model::{ActId, By, ComponentId, Meaning, ModeId, Outcome, Record, Span, Time};

/// What stays the same during one step.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The components.
    pub components: &'a BTreeMap<ComponentId, Component>,
    /// The mode.
    pub mode: &'a ModeId,
    /// Now.
    pub now: Time,
    /// The length of a slot of the grid.
    pub grid: Span,
    /// Which meaning of the rules decides.
    pub meaning: Meaning,
}

/// What people said beforehand of what may fail.
#[derive(Debug, Clone, Default)]
pub struct Foreseen {
    /// Whose downtime is planned: it is no failure.
    pub planned: BTreeSet<ComponentId>,
    /// Of whom nobody wants to hear.
    pub silenced: BTreeSet<ComponentId>,
}

/// What the evaluator has to say about one step.
#[derive(Debug, Default)]
pub struct Heard {
    /// For the journal, in order.
    pub records: Vec<Record>,
    /// The tries that ended, for the brakes.
    pub ended: Vec<EndedTry>,
    /// What the rules' conditions said, in the order of components and rules; nothing is asked twice.
    pub(super) truths: Vec<Truth>,
}

/// A try that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedTry {
    /// The act.
    pub act: ActId,
    /// On what.
    pub component: ComponentId,
    /// By whom.
    pub by: By,
    /// What became of it; nothing where it was not begun.
    pub outcome: Option<Outcome>,
}

impl Scene<'_> {
    /// What a condition of this component says.
    #[must_use]
    pub fn ask(&self, health: &Health, id: &ComponentId, condition: &Condition) -> Truth {
        self.look(health, id).map_or(Truth::Unknown, |view| condition.eval(&view))
    }

    /// What each leaf of a condition of this component says, in the order of [`Condition::leaves`].
    #[must_use]
    pub fn each_leaf(&self, health: &Health, id: &ComponentId, condition: &Condition) -> Vec<Truth> {
        self.look(health, id).map(|view| condition.each_leaf(&view)).unwrap_or_default()
    }

    /// A condition of this component as a tree, with what every part is worth.
    #[must_use]
    pub fn explain(&self, health: &Health, id: &ComponentId, condition: &Condition) -> Option<Part> {
        condition.explain(&self.look(health, id)?)
    }

    fn look<'v>(&'v self, health: &'v Health, id: &ComponentId) -> Option<View<'v>> {
        Some(self.view(health, self.components.get(id)?, health.components.get(id)?))
    }

    /// What the conditions of a component see.
    pub(super) fn view<'v>(
        &'v self,
        all: &'v Health,
        component: &'v Component,
        own: &'v ComponentHealth,
    ) -> View<'v> {
        View { component, own, all, mode: self.mode, now: self.now }
    }
}
