//! What of a record is an act on a component.

use crate::model::{Act, ActId, ComponentId, Proposal, Record};

/// The component that a proposal wants to heal.
pub(super) fn healed(proposal: &Proposal) -> Option<&ComponentId> {
    match &proposal.act {
        Act::Heal { component, .. } => Some(component),
        _ => None,
    }
}

/// What hands are sent to do, in order.
pub(super) fn intents(records: &[Record]) -> impl Iterator<Item = (ActId, &Proposal)> {
    records.iter().filter_map(|record| match record {
        Record::Intent { act, proposal, .. } => Some((*act, proposal)),
        _ => None,
    })
}

/// Would the hands do the same?
pub(in crate::replay) fn alike(one: &Proposal, other: &Proposal) -> bool {
    match (&one.act, &other.act) {
        (Act::Notify { receiver, .. }, Act::Notify { receiver: also, .. }) => {
            receiver == also && one.component == other.component && one.by == other.by
        }
        (one, other) => one == other,
    }
}
