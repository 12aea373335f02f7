//! What was done in a run, recorded or simulated: acts, modes, illness, requests for approval.

use std::collections::BTreeMap;

use crate::model::{ComponentId, ModeId, Record, Span, Status, Time};
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
    /// The mode that a state says.
    pub(super) fn mode(&mut self, mode: &ModeId, now: Time, counts: bool) {
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
                Record::Intent { proposal, .. } => {
                    if let Some(component) = healed(proposal).filter(|_| counts) {
                        self.deeds.push(Deed {
                            tick,
                            at,
                            component: component.clone(),
                            action: proposal.act.label(),
                            by: proposal.by.to_string(),
                            reason: proposal.reason.clone(),
                        });
                    }
                }
                _ => {}
            }
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

fn longer(sum: &mut Span, by: Span) {
    *sum = Span(sum.0.saturating_add(by.0));
}
