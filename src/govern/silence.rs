//! Silences: for a while nobody is notified about a component, or about anything.
//!
//! What a silence keeps back is told when it ends, where the rule still fires, the task is still open and nobody has seen
//! it, or the request still waits; everything else goes on meanwhile.

use crate::govern::desk::{About, Desk, silenced};
use crate::govern::state::{Governed, Hold};
use crate::model::{By, ComponentId, Proposal, Record, Span, expiry};

impl Governed {
    /// Does a silence keep this proposal back now?
    #[must_use]
    pub fn keeps_back(&self, proposal: &Proposal, about: &About) -> bool {
        silenced(self, proposal, about).is_some()
    }
}

impl Desk<'_> {
    pub(super) fn silence(
        &self,
        state: &mut Governed,
        (component, lasts): (Option<&ComponentId>, Option<Span>),
        proposal: &Proposal,
        records: &mut Vec<Record>,
    ) {
        let By::Person { actor } = &proposal.by else { return };
        let (component, until) = (component.cloned(), expiry(self.now, lasts));
        records.push(Record::Silenced {
            component: component.clone(),
            actor: actor.clone(),
            reason: proposal.reason.clone(),
            until,
        });
        state.silences.retain(|silence| silence.component != component);
        let (actor, reason) = (actor.clone(), proposal.reason.clone());
        state.silences.push(Hold { component, actor, reason, since: self.now, until });
    }

    /// Ends silences whose time has come.
    pub fn expire_silences(&self, state: &mut Governed, records: &mut Vec<Record>) {
        let over = |silence: &Hold| silence.until.is_some_and(|until| until <= self.now);
        let ended: Vec<Option<ComponentId>> = state
            .silences
            .iter()
            .filter(|silence| over(silence))
            .map(|silence| silence.component.clone())
            .collect();
        for component in ended {
            end(state, component.as_ref(), "its time is over", records);
        }
    }
}

pub(super) fn end(
    state: &mut Governed,
    component: Option<&ComponentId>,
    reason: &str,
    records: &mut Vec<Record>,
) {
    let before = state.silences.len();
    state.silences.retain(|silence| silence.component.as_ref() != component);
    if state.silences.len() < before {
        records.push(Record::SilenceEnded { component: component.cloned(), reason: reason.to_owned() });
    }
}
