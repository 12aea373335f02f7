//! A state as the journals of before wrote it: every rule with all that it was not at.
//!
//! Such a text took three times as long to write and to hash. Nobody writes it any more, and what was written stays
//! provable: the digests in those journals are made of it.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::engine::State;
use crate::evaluate::{ComponentHealth, Firing, Healed, Healing, Health, History, Incident, RuleState};
use crate::model::{ComponentId, Gate, Readings, RuleId, Status, Time};

/// A state at its full length.
pub(super) struct Long<'s>(&'s State);

impl<'s> From<&'s State> for Long<'s> {
    fn from(state: &'s State) -> Self {
        Self(state)
    }
}

impl Serialize for Long<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let State { tick, now, health, governed, tasks, recommendations, windows, kept_back } = self.0;
        let mut all = to.serialize_struct("State", 7)?;
        all.serialize_field("tick", tick)?;
        all.serialize_field("now", now)?;
        all.serialize_field("health", &LongHealth(health))?;
        all.serialize_field("governed", governed)?;
        if !tasks.is_new() {
            all.serialize_field("tasks", tasks)?;
        }
        if !recommendations.is_new() {
            all.serialize_field("recommendations", recommendations)?;
        }
        if !windows.is_empty() {
            all.serialize_field("windows", windows)?;
        }
        if !kept_back.is_empty() {
            all.serialize_field("kept_back", kept_back)?;
        }
        all.end()
    }
}

struct LongHealth<'s>(&'s Health);

impl Serialize for LongHealth<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Health { components, tries, last_incident, signals, tallies } = self.0;
        let components: BTreeMap<&ComponentId, LongComponent<'_>> =
            components.iter().map(|(id, own)| (id, own.into())).collect();
        let mut all = to.serialize_struct("Health", 5)?;
        all.serialize_field("components", &components)?;
        all.serialize_field("tries", tries)?;
        all.serialize_field("last_incident", last_incident)?;
        if !signals.is_empty() {
            all.serialize_field("signals", signals)?;
        }
        if !tallies.is_empty() {
            all.serialize_field("tallies", tallies)?;
        }
        all.end()
    }
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
}

impl<'s> From<&'s RuleState> for LongRule<'s> {
    fn from(rule: &'s RuleState) -> Self {
        let RuleState { window, firing, healing, withheld } = rule;
        Self {
            window: window.answers().collect(),
            firing: firing.as_ref(),
            healing: *healing,
            withheld: withheld.as_deref(),
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
        assert_eq!(serde_json::to_string(&Long::from(&state)).expect("a text"), text);
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
