//! The digests of states that come one after another.
//!
//! From tick to tick hardly any rule is at something else, and the rules are half of a state's text: what was written of
//! them is kept until one moves.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::engine::State;
use crate::evaluate::{ComponentHealth, Healed, History, Incident, RuleStates};
use crate::model::{Readings, RuleId, Status, Time};
use crate::record::chain;
use crate::record::state::parts::Parts;
use crate::record::state::{ROOM, state_digest_like};

/// What was written of the rules of each component, in the order of a state.
#[derive(Debug, Clone, Default)]
pub struct StateDigests {
    rules: Vec<(RuleStates, Box<RawValue>)>,
    text: Vec<u8>,
}

impl StateDigests {
    /// The digest of a state in the form in which somebody wrote it down: see [`state_digest_like`].
    pub fn like(&mut self, said: &str, state: &State) -> Option<String> {
        // Whatever was kept is no judge: a digest that is not the one that was said is made anew.
        self.today(state).filter(|today| today == said).or_else(|| state_digest_like(said, state))
    }

    fn today(&mut self, state: &State) -> Option<String> {
        let components = &state.health.components;
        self.rules.truncate(components.len());
        for (place, own) in components.values().enumerate() {
            match self.rules.get_mut(place) {
                Some((known, _)) if *known == own.rules => {}
                Some(kept) => *kept = written(&own.rules)?,
                None => self.rules.push(written(&own.rules)?),
            }
        }
        let kept = &self.rules;
        let parts =
            Parts::new(state, |place, own| Component::of(own, kept.get(place).map(|(_, text)| &**text)));
        self.text.clear();
        self.text.reserve(ROOM);
        serde_json::to_writer(&mut self.text, &parts).ok()?;
        Some(chain::digest(&self.text))
    }
}

fn written(rules: &RuleStates) -> Option<(RuleStates, Box<RawValue>)> {
    let text = serde_json::to_string(rules).and_then(RawValue::from_string).ok()?;
    Some((rules.clone(), text))
}

/// A component as it writes itself, but for its rules, which are written already.
#[derive(Serialize)]
struct Component<'s> {
    status: Status,
    since: Time,
    failures: u32,
    unknowns: u32,
    counted: Option<Time>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unseen: bool,
    last: &'s Readings,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healed: Option<Healed>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    eased: &'s BTreeMap<RuleId, Healed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'s History>,
    rules: Option<&'s RawValue>,
}

impl<'s> Component<'s> {
    fn of(own: &'s ComponentHealth, rules: Option<&'s RawValue>) -> Self {
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
            rules: _,
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
            history: Some(history).filter(|history| !history.is_empty()),
            rules,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::state_digest;

    #[test]
    fn what_is_kept_of_one_state_never_shows_in_another() {
        let before = include_str!("long.json").trim_end();
        let first: State = serde_json::from_str(before).expect("a state");
        let mut moved = first.clone();
        let last = moved.health.components.last_entry().expect("components").into_mut();
        for (_, rule) in last.rules.iter_mut() {
            rule.window = serde_json::from_str("\"0101\"").expect("a window");
        }
        let mut fewer = moved.clone();
        fewer.health.components.pop_first();
        let mut digests = StateDigests::default();
        for state in [&first, &first, &moved, &fewer, &moved, &first, &State::default(), &moved] {
            let kept = digests.today(state);
            assert_eq!(kept, state_digest(state));
            assert!(kept.is_some() && digests.like("another", state) == kept);
        }
        let said = chain::digest(before.as_bytes());
        assert_eq!(digests.like(&said, &first), Some(said));
    }
}
