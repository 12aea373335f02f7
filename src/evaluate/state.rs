//! What the evaluator remembers of each component and each rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluate::component::Verify;
use crate::evaluate::history::History;
use crate::evaluate::signals::Signals;
use crate::evaluate::states::RuleStates;
use crate::evaluate::tallies::Tallies;
use crate::model::{
    ActId, By, ComponentId, Effect, FactId, IncidentId, Readings, RuleId, Status, StepDone, Time,
};

/// Everything the evaluator remembers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Health {
    /// Each component.
    pub components: BTreeMap<ComponentId, ComponentHealth>,
    /// The tries that are not over.
    pub tries: BTreeMap<ActId, Try>,
    /// The newest incident's number.
    pub last_incident: IncidentId,
    /// Signals of an attack.
    #[serde(default, skip_serializing_if = "Signals::is_empty")]
    pub signals: Signals,
    /// How the last tries of each healing rule ended.
    #[serde(default, skip_serializing_if = "Tallies::is_empty")]
    pub tallies: Tallies,
}

/// How one component is, and what its rules are at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ComponentHealth {
    /// Its status.
    pub status: Status,
    /// Since when.
    pub since: Time,
    /// Consecutive critical readings.
    pub failures: u32,
    /// Consecutive readings that could not be judged.
    pub unknowns: u32,
    /// The slot of the grid whose reading was counted.
    pub counted: Option<Time>,
    /// No reading since Grace's start told how it is: when it failed nobody saw.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// The last readings.
    pub last: Readings,
    /// The incident that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// The last try that healed it, for relapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healed: Option<Healed>,
    /// The last try of each rule that healed what the rule is about, for relapses of that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub eased: BTreeMap<RuleId, Healed>,
    /// What happened before.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub history: History,
    /// Its rules.
    pub rules: RuleStates,
}

/// From the first critical reading until it is verified healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// When it began.
    pub began: Time,
}

/// A try that healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healed {
    /// The try.
    pub act: ActId,
    /// When it was verified.
    pub at: Time,
}

/// One try that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// On what.
    pub component: ComponentId,
    /// By whom.
    pub by: By,
    /// Which try of the healing.
    pub attempt: u32,
    /// When it was permitted.
    pub began: Time,
    /// How the component was then.
    pub before: Status,
    /// How success is seen.
    pub verify: Verify,
    /// What it is at.
    pub phase: Phase,
    /// Its rule is another one meanwhile: what it says now is no answer to what was asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
}

/// What a try is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// The hands are at it.
    Performing,
    /// The hands are done; readings have to tell.
    Verifying {
        /// How the act ended.
        effect: Effect,
        /// What the hands did.
        steps: Vec<StepDone>,
        /// When to look.
        due: Time,
        /// When to have seen it well at the latest.
        deadline: Time,
    },
}

impl Health {
    /// Grace was away, and looks again: whatever was seen before.
    pub fn not_seen_since(&mut self) {
        for own in self.components.values_mut().filter(|own| own.counted.is_some()) {
            own.unseen = true;
        }
    }

    /// Those are unseen that are so elsewhere, which went over the same start.
    pub fn unseen_as(&mut self, other: &Self) {
        for (id, own) in &mut self.components {
            own.unseen = other.components.get(id).is_some_and(|other| other.unseen);
        }
    }

    /// How a component is; one that nobody knows is unknown.
    #[must_use]
    pub fn status(&self, component: &ComponentId) -> Status {
        self.components.get(component).map(|own| own.status).unwrap_or_default()
    }
}

impl ComponentHealth {
    /// The facts that could not be read.
    pub fn unread(&self) -> impl Iterator<Item = FactId> + '_ {
        self.last.facts.iter().filter(|(_, reading)| reading.value().is_none()).map(|(fact, _)| fact.clone())
    }

    /// Was it critical when its status was known last?
    #[must_use]
    pub fn was_critical(&self) -> bool {
        self.status == Status::Critical || (self.status == Status::Unknown && self.failures > 0)
    }

    /// The value of one of its facts.
    #[must_use]
    pub fn fact(&self, fact: &FactId) -> Option<&crate::model::Value> {
        self.last.facts.get(fact).and_then(crate::model::Reading::value)
    }
}
