//! Tasks that rules gave to people: each has a number, is told, and is told to somebody else when nobody looks at it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::engine::run::Run;
use crate::govern::About;
use crate::model::{
    Act, Actor, Answer, Asked, By, ComponentId, Meaning, Proposal, ReceiverId, Record, Span, TaskDeed,
    TaskId, Time, Verdict,
};

/// So many are remembered as open. Beyond that the oldest is closed, and the journal says so: who has so many open tasks
/// looks at none of them.
const MOST: usize = 1_000;

/// The tasks that wait for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tasks {
    /// The newest task's number.
    pub last: TaskId,
    /// Those that nobody closed.
    pub open: BTreeMap<TaskId, OpenTask>,
}

/// One task that nobody closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTask {
    /// What is to be done.
    pub text: String,
    /// About which component.
    pub component: ComponentId,
    /// The rule that wants it.
    pub by: By,
    /// Since when.
    pub at: Time,
    /// Who has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Actor>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// Was somebody told that nobody looks at it?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
    /// Does a silence keep it back from whoever hears of each?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// Is it known why nobody hears that nobody looks at it: a silence, or a policy?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unheard: bool,
    /// The other components that its rule spoke of: it is none about its own alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub others: BTreeSet<ComponentId>,
}

impl Tasks {
    /// Was there never one?
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.last == TaskId::default()
    }

    fn add(&mut self, task: OpenTask) -> TaskId {
        self.last = TaskId(self.last.0 + 1);
        self.open.insert(self.last, task);
        self.last
    }

    /// Takes out the oldest one that is too much.
    fn too_many(&mut self) -> Option<(TaskId, OpenTask)> {
        if self.open.len() > MOST { self.open.pop_first() } else { None }
    }
}

impl Run<'_> {
    /// Remembers a task that a rule gives to people, and tells of it.
    pub(super) fn task(&mut self, text: String, component: ComponentId, by: By) -> Record {
        let task = (self.meaning >= Meaning::TASKS).then(|| {
            self.state.tasks.add(OpenTask {
                text: text.clone(),
                component: component.clone(),
                by: by.clone(),
                at: self.desk.now,
                acknowledged: None,
                assigned: None,
                escalated: false,
                untold: false,
                unheard: false,
                others: self.others(&component, &by),
            })
        });
        while let Some((task, OpenTask { component, .. })) = self.state.tasks.too_many() {
            if self.meaning >= Meaning::VOTES {
                let reason = format!("more than {MOST} tasks are open: the oldest one is closed");
                let (what, actor) = (TaskDeed::Close, "grace".into());
                self.records.push(Record::TaskChanged { task, what, component, actor, reason });
            }
        }
        Record::TaskCreated { task, text, component, by }
    }

    /// Of whom besides its component a rule speaks that gives a task now. Later nobody can tell.
    fn others(&self, component: &ComponentId, by: &By) -> BTreeSet<ComponentId> {
        match by {
            By::Rule { rule, .. } if self.meaning >= Meaning::VOTES => {
                self.scene().speaks_of(&self.state.health, component, rule)
            }
            _ => BTreeSet::new(),
        }
    }

    /// What governance has to know of a notification about a task.
    fn about_task(&self, id: TaskId, proposal: &Proposal) -> About {
        let about = self.about(proposal);
        match self.state.tasks.open.get(&id) {
            Some(task) if self.meaning >= Meaning::VOTES => About { others: task.others.clone(), ..about },
            _ => about,
        }
    }

    /// What a person does about a task.
    pub(super) fn change_task(&mut self, asked: &Asked, id: TaskId, what: &TaskDeed) -> Answer {
        let Some(task) = self.state.tasks.open.get_mut(&id) else {
            let says = self.no_task(id);
            return self.unknown(asked, says);
        };
        let component = task.component.clone();
        match what {
            TaskDeed::Acknowledge => task.acknowledged = Some(asked.actor.clone()),
            // Whoever gives it to somebody has seen it.
            TaskDeed::Assign { to } => {
                task.acknowledged.get_or_insert_with(|| asked.actor.clone());
                task.assigned = Some(to.clone());
            }
            TaskDeed::Close => drop(self.state.tasks.open.remove(&id)),
        }
        if let Some(seen) = self.state.tasks.open.get_mut(&id) {
            (seen.untold, seen.unheard) = (false, false);
        }
        let (what, actor, reason) = (what.clone(), asked.actor.clone(), asked.reason.clone());
        let says = match &what {
            TaskDeed::Assign { to } => format!("task {id} is assigned to {to}"),
            what => format!("task {id} is {}", what.done()),
        };
        self.records.push(Record::TaskChanged { task: id, what, component, actor, reason });
        Answer::Done { says }
    }

    fn no_task(&self, id: TaskId) -> String {
        let tasks = &self.state.tasks;
        if id <= tasks.last && id > TaskId::default() {
            return format!("task {id} is closed");
        }
        let open: Vec<String> = tasks.open.keys().rev().take(10).map(TaskId::to_string).collect();
        let there =
            if open.is_empty() { "none is open".to_owned() } else { format!("open are {}", open.join(", ")) };
        format!("there is no task {id}; {there}")
    }

    /// Tells of new tasks, and of those that nobody looked at for too long. What a silence kept back is told when it ends.
    pub(super) fn tell_of_tasks(&mut self) {
        let notices = &self.bundle.notify.tasks;
        let late = notices.receiver.as_ref().map(|receiver| self.late(receiver)).unwrap_or_default();
        let new = notices.receiver.as_ref().map(|receiver| self.fresh(receiver)).unwrap_or_default();
        let escalate = notices.escalate.as_ref();
        let due = escalate.map(|(to, after)| self.due_to_escalate(to, *after)).unwrap_or_default();
        if self.meaning < Meaning::VOTES {
            for escalation in &due {
                self.escalated(escalation);
            }
        }
        let both = escalate.map(|(to, _)| to) == notices.receiver.as_ref();
        for (id, proposal) in late {
            // Who hears at once that nobody looks at it has heard of it.
            if !(both && due.iter().any(|escalation| escalation.task == id)) {
                self.tell_of_task(id, &proposal);
            }
        }
        for (id, proposal) in new {
            let is_silenced = self.tell_of_task(id, &proposal);
            if let Some(task) = self.state.tasks.open.get_mut(&id) {
                task.untold = is_silenced;
            }
        }
        for escalation in due {
            self.escalate(&escalation);
        }
    }

    fn tell_of_task(&mut self, id: TaskId, proposal: &Proposal) -> bool {
        let about = self.about_task(id, proposal);
        self.tell_about(proposal, &about)
    }

    fn fresh(&self, receiver: &ReceiverId) -> Vec<(TaskId, Proposal)> {
        let created = self.records.iter().filter_map(|record| match record {
            Record::TaskCreated { task: Some(task), .. } => Some(*task),
            _ => None,
        });
        let open = created.filter_map(|id| Some((id, self.state.tasks.open.get(&id)?)));
        open.map(|(id, task)| (id, first(receiver, id, task))).collect()
    }

    /// Those that a silence kept back and none does any more.
    fn late(&mut self, receiver: &ReceiverId) -> Vec<(TaskId, Proposal)> {
        let untold = self.state.tasks.open.iter().filter(|(_, task)| task.untold);
        let late = untold.map(|(id, task)| (*id, first(receiver, *id, task)));
        let is_kept_back = |id, proposal: &Proposal| {
            let about = self.about_task(id, proposal);
            self.meaning >= Meaning::VOTES && self.state.governed.keeps_back(proposal, &about)
        };
        let late: Vec<_> = late.filter(|(id, proposal)| !is_kept_back(*id, proposal)).collect();
        for (id, _) in &late {
            self.state.tasks.open.entry(*id).and_modify(|task| task.untold = false);
        }
        late
    }

    fn due_to_escalate(&self, receiver: &ReceiverId, after: Span) -> Vec<Escalation> {
        let now = self.desk.now;
        let waits =
            |task: &&OpenTask| task.acknowledged.is_none() && !task.escalated && now - task.at >= after;
        let open = self.state.tasks.open.iter().filter(|(_, task)| waits(task));
        let escalation = |(id, task): (&TaskId, &OpenTask)| Escalation {
            task: *id,
            receiver: receiver.clone(),
            proposal: again(receiver, (*id, after), task),
        };
        open.map(escalation).collect()
    }

    /// Tells that nobody looks at a task, and writes down that it is told. What it is told behind may have spent what a
    /// policy grants, so that nothing is known before its turn.
    fn escalate(&mut self, escalation: &Escalation) {
        let Escalation { task: id, proposal, .. } = escalation;
        if self.meaning < Meaning::VOTES {
            self.tell_of_task(*id, proposal);
            return;
        }
        let is_told = self.is_told(*id, proposal);
        let Some(task) = self.state.tasks.open.get_mut(id) else { return };
        let is_known = std::mem::replace(&mut task.unheard, !is_told);
        if is_told {
            self.escalated(escalation);
        }
        // Once it is written down why nobody hears of it.
        if is_told || !is_known {
            self.tell_of_task(*id, proposal);
        }
    }

    fn escalated(&mut self, escalation: &Escalation) {
        let Some(task) = self.state.tasks.open.get_mut(&escalation.task) else { return };
        task.escalated = true;
        let (component, receiver) = (task.component.clone(), escalation.receiver.clone());
        self.records.push(Record::TaskEscalated { task: escalation.task, component, receiver });
    }

    /// Would this be told now? A silence keeps it back until it ends, and a policy until it says otherwise.
    fn is_told(&self, id: TaskId, proposal: &Proposal) -> bool {
        let about = self.about_task(id, proposal);
        self.desk.weigh(&self.state.governed, proposal, &about).verdict == Verdict::Allow
    }
}

/// That nobody looked at a task for too long is to be told.
struct Escalation {
    task: TaskId,
    receiver: ReceiverId,
    proposal: Proposal,
}

/// That there is a task.
fn first(receiver: &ReceiverId, id: TaskId, task: &OpenTask) -> Proposal {
    told(receiver, task, format!("task {id}: {}", task.text))
}

/// That nobody looked at it for so long.
fn again(receiver: &ReceiverId, (id, after): (TaskId, Span), task: &OpenTask) -> Proposal {
    let text =
        format!("nobody looked at task {id} for {after}: {}; `grace task acknowledge {id}`", task.text);
    told(receiver, task, text)
}

/// A notification about a task, in the name of the rule that wants it.
fn told(receiver: &ReceiverId, task: &OpenTask, text: String) -> Proposal {
    let act = Act::Notify { receiver: receiver.clone(), text, approval: None };
    let component = Some(task.component.clone());
    Proposal { by: task.by.clone(), act, reason: task.text.clone(), component, attempt: 0, slow: false }
}
