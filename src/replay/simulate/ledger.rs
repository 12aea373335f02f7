//! What was done in a run, recorded or simulated: acts, modes, illness, requests for approval.

use std::collections::BTreeMap;

use crate::engine::State;
use crate::model::{Act, By, ComponentId, ModeId, Record, Span, Status, Time};
use crate::replay::simulate::compare::Deed;
use crate::replay::simulate::record::healed;

/// A run's sums. They grow with what was done, not with how long it took.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    deeds: Vec<Deed>,
    modes: BTreeMap<ModeId, InMode>,
    mode: Option<ModeId>,
    sick: BTreeMap<ComponentId, Sick>,
    approvals: u64,
    last: Option<Time>,
}

/// What was of a mode.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InMode {
    pub(super) time: Span,
    pub(super) entered: u64,
}

/// How a component was.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sick {
    critical: bool,
    pub(super) time: Span,
    pub(super) incidents: u64,
}

impl Ledger {
    /// The mode and the illness that a state says: who goes on from one that is kept sees no change of them.
    pub(super) fn adopt(&mut self, state: &State, counts: bool) {
        self.mode(&state.governed.mode, state.now, counts);
        let ill = |id: &ComponentId| {
            state.health.components.get(id).is_some_and(|own| own.status == Status::Critical)
        };
        for (id, sick) in &mut self.sick {
            sick.critical = ill(id);
        }
        for id in state.health.components.keys().filter(|id| ill(id)) {
            self.sick.entry(id.clone()).or_default().critical = true;
        }
    }

    /// The mode from now on.
    fn mode(&mut self, mode: &ModeId, now: Time, counts: bool) {
        if self.mode.as_ref() != Some(mode) {
            let entered = u64::from(counts && self.mode.is_some());
            self.modes.entry(mode.clone()).or_default().entered += entered;
            self.mode = Some(mode.clone());
        }
        self.last.get_or_insert(now);
    }

    /// Time has gone by; not if it is so long that Grace did not run.
    pub(super) fn pass(&mut self, now: Time, gap: Span, counts: bool) {
        let went = self.last.map_or(Span::ZERO, |last| now - last);
        self.last = Some(now);
        if !counts || went > gap || went.0 <= 0 {
            return;
        }
        if let Some(mode) = &self.mode {
            longer(&mut self.modes.entry(mode.clone()).or_default().time, went);
        }
        for sick in self.sick.values_mut().filter(|sick| sick.critical) {
            longer(&mut sick.time, went);
        }
    }

    /// Takes what a tick left behind.
    pub(super) fn record(&mut self, records: &[Record], (tick, at): (u64, Time), counts: bool) {
        for record in records {
            match record {
                Record::ModeChanged { to, .. } => self.mode(to, at, counts),
                Record::StatusChanged { component, to, .. } => {
                    self.sick.entry(component.clone()).or_default().critical = *to == Status::Critical;
                }
                Record::IncidentBegun { component, .. } => {
                    self.sick.entry(component.clone()).or_default().incidents += u64::from(counts);
                }
                Record::ApprovalAsked { .. } => self.approvals += u64::from(counts),
                _ => {}
            }
            self.deeds.extend(deed(record, (tick, at)).filter(|_| counts));
        }
    }

    pub(super) fn deeds(&self) -> &[Deed] {
        &self.deeds
    }

    pub(super) fn modes(&self) -> &BTreeMap<ModeId, InMode> {
        &self.modes
    }

    pub(super) fn sick(&self) -> &BTreeMap<ComponentId, Sick> {
        &self.sick
    }

    pub(super) fn approvals(&self) -> u64 {
        self.approvals
    }
}

/// What a record says was done, to a component or about it.
fn deed(record: &Record, (tick, at): (u64, Time)) -> Option<Deed> {
    let (component, action, by, reason) = match record {
        Record::Intent { proposal, .. } => {
            (proposal.component.as_ref(), proposal.act.label(), &proposal.by, proposal.reason.as_str())
        }
        Record::Blocked { component, by, reason, .. } => {
            (Some(component), "block".into(), by, reason.as_str())
        }
        Record::Announced { event, component, by, reason, .. } => {
            (Some(component), format!("event {event}"), by, reason.as_str())
        }
        Record::TaskCreated { text, component, by, .. } => {
            (Some(component), "task".into(), by, text.as_str())
        }
        Record::Recommended { text, component, by, .. } => {
            (Some(component), "recommend".into(), by, text.as_str())
        }
        Record::ModeChanged { to, by, reason, .. } => {
            let component = if let By::Rule { component, .. } = by { Some(component) } else { None };
            (component, format!("mode {to}"), by, reason.as_str())
        }
        _ => return None,
    };
    let text = match record {
        Record::Intent { proposal, .. } => match &proposal.act {
            Act::Notify { text, .. } => Some(text.clone()),
            _ => None,
        },
        Record::TaskCreated { text, .. } | Record::Recommended { text, .. } => Some(text.clone()),
        _ => None,
    };
    let heals = matches!(record, Record::Intent { proposal, .. } if healed(proposal).is_some());
    let component = component.cloned().unwrap_or_else(|| "grace".into());
    let by_rule = matches!(by, By::Rule { .. });
    let (by, reason) = (by.to_string(), reason.to_owned());
    Some(Deed { tick, at, component, action, by, reason, heals, by_rule, text })
}

fn longer(sum: &mut Span, by: Span) {
    *sum = Span(sum.0.saturating_add(by.0));
}
