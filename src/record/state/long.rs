//! A state as the journals of before wrote it: every rule with all that it was not at.
//!
//! Such a text took three times as long to write and to hash. Nobody writes it any more, and what was written stays
//! provable: the digests in those journals are made of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::State;
use crate::evaluate::{ComponentHealth, Firing, Healed, Healing, History, Incident, RuleState};
use crate::model::{Gate, Readings, RuleId, Status, Time};
use crate::record::state::parts::Parts;

/// A state at its full length.
pub(super) fn long(state: &State) -> impl Serialize {
    Parts::new(state, |_, own| LongComponent::from(own))
}

#[derive(Serialize)]
struct LongComponent<'s> {
    status: Status,
    since: Time,
    failures: u32,
    unknowns: u32,
    counted: Option<Time>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unseen: bool,
    last: &'s Readings,
    incident: Option<Incident>,
    healed: Option<Healed>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    eased: &'s BTreeMap<RuleId, Healed>,
    history: &'s History,
    rules: BTreeMap<&'s RuleId, LongRule<'s>>,
}

impl<'s> From<&'s ComponentHealth> for LongComponent<'s> {
    fn from(own: &'s ComponentHealth) -> Self {
        let ComponentHealth {
            status,
            since,
            failures,
            unknowns,
            counted,
            unseen,
            last,
            incident,
            healed,
            eased,
            history,
            rules,
        } = own;
        Self {
            status: *status,
            since: *since,
            failures: *failures,
            unknowns: *unknowns,
            counted: *counted,
            unseen: *unseen,
            last,
            incident: *incident,
            healed: *healed,
            eased,
            history,
            rules: rules.iter().map(|(id, rule)| (id, rule.into())).collect(),
        }
    }
}

#[derive(Serialize)]
struct LongRule<'s> {
    window: Vec<bool>,
    firing: Option<&'s Firing>,
    healing: Option<Healing>,
    withheld: Option<&'s Gate>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    edited: bool,
}

impl<'s> From<&'s RuleState> for LongRule<'s> {
    fn from(rule: &'s RuleState) -> Self {
        let RuleState { window, firing, healing, withheld, edited } = rule;
        Self {
            window: window.answers().collect(),
            firing: firing.as_ref(),
            healing: *healing,
            withheld: withheld.as_deref(),
            edited: *edited,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{chain, state_digest, state_digest_like};

    #[test]
    fn a_state_of_before_reads_and_is_written_again_as_it_was() {
        let text = include_str!("long.json").trim_end();
        let state: State = serde_json::from_str(text).expect("a state");
        assert_eq!(serde_json::to_string(&long(&state)).expect("a text"), text);
        let today = serde_json::to_string(&state).expect("a text");
        assert!(today.len() < text.len(), "{} and {}", today.len(), text.len());
        assert_eq!(serde_json::from_str::<State>(&today).expect("a state"), state);
        for written in [text, &today] {
            let said = chain::digest(written.as_bytes());
            assert_eq!(state_digest_like(&said, &state), Some(said));
        }
        assert_eq!(state_digest_like("another", &state), state_digest(&state));
    }
}
