//! What goes into a step and what comes out of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::engine::hear::KeptBack;
use crate::engine::recommendations::Recommendations;
use crate::engine::tasks::Tasks;
use crate::engine::windows::waiting;
use crate::evaluate::{Component, Health, Scene};
use crate::govern::{About, Access, Admission, Desk, Governed, Permit, Permitted, Policies, Question};
use crate::model::{
    Act, ActId, Answered, Asked, By, ComponentId, GenerationId, Heartbeat, Meaning, Performed, Proposal,
    Receiver, ReceiverId, Record, RuleId, Snapshot, Span, Status, Time, Why,
};

/// One validated set of rule and policy files. It never changes; a reload makes a new one.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Its digest.
    pub generation: GenerationId,
    /// The files it was made from.
    pub files: BTreeMap<String, String>,
    /// The components.
    pub components: BTreeMap<ComponentId, Component>,
    /// The policies.
    pub policies: Policies,
    /// How Grace herself runs.
    pub system: System,
    /// Who may ask what of her.
    pub access: Access,
    /// Who is told what.
    pub notify: Notify,
}

/// Who is told what: `policies/notify.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notify {
    /// Who can be told something.
    pub receivers: BTreeMap<ReceiverId, Receiver>,
    /// Who hears of requests for approval, and of glass that was broken.
    pub approvals: Option<ReceiverId>,
    /// Who hears of tasks.
    pub tasks: TaskNotices,
    /// Who hears that Grace does her work.
    pub heartbeat: Option<Heartbeat>,
}

/// Who hears of tasks that rules give to people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskNotices {
    /// Hears of each.
    pub receiver: Option<ReceiverId>,
    /// Hears of one that nobody acknowledged for so long.
    pub escalate: Option<(ReceiverId, Span)>,
}

/// How Grace herself runs: `policies/system.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// The length of a slot of the grid.
    pub interval: Span,
    /// How long readings are kept.
    pub retention: Span,
    /// How many short lives of Grace in what time are a crash loop.
    pub crash_loop: (u32, Span),
    /// How often what the journal holds is signed.
    pub checkpoint: Span,
    /// The group that may use the socket.
    pub socket_group: Option<String>,
}

/// Everything one step learns of the world. "Now" is a part of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Input {
    /// The number of the tick, one more than that of the last.
    pub tick: u64,
    /// The time of the tick on Grace's own time line.
    pub now: Time,
    /// The fresh readings.
    pub snapshot: Snapshot,
    /// What the hands report since the last tick.
    pub performed: Vec<Performed>,
    /// What people ask since the last tick.
    pub asked: Vec<Asked>,
    /// A file named STOP lies in the data directory.
    pub stop: bool,
    /// The length of a slot of the grid, where Grace was started with another than the files'.
    pub grid: Option<Span>,
    /// Which meaning of the rules decides it.
    #[serde(default = "Meaning::first")]
    pub meaning: Meaning,
}

/// Everything the engine remembers from one step to the next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// The last tick.
    pub tick: u64,
    /// Its time.
    pub now: Time,
    /// What the evaluator remembers.
    pub health: Health,
    /// What governance remembers.
    pub governed: Governed,
    /// Tasks that wait for people.
    #[serde(default, skip_serializing_if = "Tasks::is_new")]
    pub tasks: Tasks,
    /// Recommendations that wait for their review.
    #[serde(default, skip_serializing_if = "Recommendations::is_new")]
    pub recommendations: Recommendations,
    /// The begin of that window of a component whose hold a person has ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<ComponentId, Time>,
    /// What silences keep back from whoever hears of approvals.
    #[serde(default, skip_serializing_if = "KeptBack::is_empty")]
    pub kept_back: KeptBack,
}

/// What follows from one input. The caller commits it before anything else looks at it.
#[derive(Debug)]
pub struct Step {
    /// The next state: durable together with the records, in one transaction.
    pub state: State,
    /// What the journal must hold before any permit is performed.
    pub records: Vec<Record>,
    /// What the hands may do once the records are durable.
    pub permits: Vec<Permit>,
    /// Answers for people, to be given once the records are durable.
    pub answers: Vec<Answered>,
    /// What each rule is at, and so why it did not act.
    pub why: BTreeMap<ComponentId, BTreeMap<RuleId, Why>>,
    /// What the policies were asked, in order. Nobody has to do anything with it: it explains the decisions.
    pub questions: Vec<Question>,
}

impl Step {
    /// Was nothing decided?
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.records.is_empty() && self.permits.is_empty() && self.answers.is_empty()
    }
}

impl State {
    /// How each component is.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<ComponentId, Status> {
        self.health.components.iter().map(|(id, own)| (id.clone(), own.status)).collect()
    }

    /// The consecutive failures of those components that failed last.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<ComponentId, u32> {
        let failing = self.health.components.iter().filter(|(_, own)| own.failures > 0);
        failing.map(|(id, own)| (id.clone(), own.failures)).collect()
    }

    /// The same as JSON, written down as it is gone through.
    #[must_use]
    pub fn failures_text(&self) -> String {
        struct Failing<'s>(&'s Health);
        impl Serialize for Failing<'_> {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let failing = self.0.components.iter().filter(|(_, own)| own.failures > 0);
                to.collect_map(failing.map(|(id, own)| (id, own.failures)))
            }
        }
        // Names and numbers always become JSON.
        serde_json::to_string(&Failing(&self.health)).unwrap_or_default()
    }

    /// The acts that hands are at. After a crash these are what was cut short.
    #[must_use]
    pub fn in_flight(&self) -> Vec<ActId> {
        self.health.performing().chain(self.governed.telling.keys().copied()).collect()
    }

    /// When components have to be looked at apart from the grid: to verify a try, or because a brake opens.
    #[must_use]
    pub fn due(&self) -> BTreeMap<ComponentId, Time> {
        let mut due: BTreeMap<ComponentId, Time> = BTreeMap::new();
        let brakes = self.health.components.iter().flat_map(|(id, own)| {
            let gates = own.rules.values().filter_map(|rule| rule.withheld.as_ref()?.until());
            let gates = gates.filter(|until| *until > self.now);
            gates.map(move |until| (id, until))
        });
        for (id, at) in self.health.due().chain(brakes) {
            due.entry(id.clone()).and_modify(|first| *first = at.min(*first)).or_insert(at);
        }
        due
    }
}

impl Bundle {
    /// Governance's view of a moment.
    #[must_use]
    pub fn desk(&self, now: Time, stop: bool) -> Desk<'_> {
        Desk { policies: &self.policies, generation: &self.generation, now, stop }
    }

    /// What governance has to know of what a proposal is about, by the meaning that decides.
    #[must_use]
    pub fn about(&self, scene: &Scene, state: &State, proposal: &Proposal, meaning: Meaning) -> About {
        let component = proposal.component.as_ref().and_then(|id| self.components.get(id));
        let Some(component) = component else { return About { meaning, ..About::default() } };
        let critical = |id: &&ComponentId| {
            state.health.components.get(*id).is_some_and(|own| own.status == Status::Critical)
        };
        let others = match (&proposal.by, &proposal.act) {
            (By::Rule { rule, component }, Act::Notify { .. }) if meaning >= Meaning::VOTES => {
                scene.speaks_of(&state.health, component, rule)
            }
            _ => BTreeSet::new(),
        };
        About {
            others,
            tier: Some(component.tier),
            waiting_for: component.depends_on.iter().find(critical).cloned(),
            protected: !component.can_be_blocked(),
            meaning,
        }
    }

    /// What is permitted in this state.
    #[must_use]
    pub fn permitted(&self, state: &State) -> Permitted {
        self.desk(state.now, false).permitted(&state.governed)
    }

    /// What may happen in this state; `stop` says whether a file named STOP lies in the data directory.
    #[must_use]
    pub fn admission(&self, state: &State, stop: bool) -> Admission {
        let statuses = state.health.components.iter().map(|(id, own)| (id.clone(), (own.status, own.since)));
        let mut admission = self.desk(state.now, stop).admission(&state.governed, statuses.collect());
        admission.holds.extend(waiting(self, state));
        admission
    }
}
