//! What the rules of one component are at, in a row: every tick goes through all of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

use crate::evaluate::healing::Healing;
use crate::evaluate::window::Window;
use crate::model::{Gate, RuleId, Spot, Time};

/// What one rule is at. Of most there is nothing to write down but the window, and then it alone is written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Written<'_>")]
pub struct RuleState {
    /// What its condition said in the last counted readings.
    pub window: Window,
    /// Its firing, if it fires.
    pub firing: Option<Firing>,
    /// Its healing, if there is one.
    pub healing: Option<Healing>,
    /// The gate that stops its try, as it was last announced.
    pub withheld: Option<Box<Gate>>,
    /// It was changed while a try is under way, and has neither fired nor been false since.
    pub edited: bool,
}

/// A rule's state as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<'s> {
    Quiet(Window),
    Busy {
        window: Window,
        #[serde(skip_serializing_if = "Option::is_none")]
        firing: Option<Cow<'s, Firing>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        healing: Option<Healing>,
        #[serde(skip_serializing_if = "Option::is_none")]
        withheld: Option<Cow<'s, Gate>>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        edited: bool,
    },
}

impl From<Written<'_>> for RuleState {
    fn from(written: Written<'_>) -> Self {
        match written {
            Written::Quiet(window) => Self { window, ..Self::default() },
            Written::Busy { window, firing, healing, withheld, edited } => Self {
                window,
                firing: firing.map(Cow::into_owned),
                healing,
                withheld: withheld.map(|gate| Box::new(gate.into_owned())),
                edited,
            },
        }
    }
}

impl Serialize for RuleState {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { window, firing, healing, withheld, edited } = self;
        let written = if firing.is_none() && healing.is_none() && withheld.is_none() && !edited {
            Written::Quiet(*window)
        } else {
            Written::Busy {
                window: *window,
                firing: firing.as_ref().map(Cow::Borrowed),
                healing: *healing,
                withheld: withheld.as_deref().map(Cow::Borrowed),
                edited: *edited,
            }
        };
        written.serialize(to)
    }
}

/// From when the condition has held often enough until it is false.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// Since when.
    pub since: Time,
    /// What was proposed already of the things done once in a firing.
    pub said: Said,
}

/// The states of a component's rules, in the order of their ids. Written down it is a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleStates(Vec<(RuleId, RuleState)>);

impl RuleStates {
    /// The state of a rule.
    #[must_use]
    pub fn get(&self, rule: &RuleId) -> Option<&RuleState> {
        self.0.get(self.place(rule).ok()?).map(|(_, state)| state)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, rule: &RuleId) -> Option<&mut RuleState> {
        let place = self.place(rule).ok()?;
        self.0.get_mut(place).map(|(_, state)| state)
    }

    /// Forgets a rule.
    pub fn remove(&mut self, rule: &RuleId) {
        self.0.retain(|(known, _)| known != rule);
    }

    /// Keeps these rules alone.
    pub fn retain(&mut self, keep: impl Fn(&RuleId) -> bool) {
        self.0.retain(|(rule, _)| keep(rule));
    }

    /// Each rule with its state.
    pub fn iter(&self) -> impl Iterator<Item = (&RuleId, &RuleState)> {
        self.0.iter().map(|(rule, state)| (rule, state))
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&RuleId, &mut RuleState)> {
        self.0.iter_mut().map(|(rule, state)| (&*rule, state))
    }

    /// The ids.
    pub fn keys(&self) -> impl Iterator<Item = &RuleId> {
        self.0.iter().map(|(rule, _)| rule)
    }

    /// The states.
    pub fn values(&self) -> impl Iterator<Item = &RuleState> {
        self.0.iter().map(|(_, state)| state)
    }

    /// The state of a rule that is its component's so many-th, where it has one.
    pub(super) fn at(&self, nth: usize, rule: &RuleId) -> Option<&RuleState> {
        match self.0.get(nth) {
            Some((known, state)) if known.is(rule) => Some(state),
            _ => self.get(rule),
        }
    }

    /// The same, to be changed. A rule that is asked for the first time gets room, and from here on the rule's own id is
    /// gone by: it is held against itself without a look at its text.
    pub(super) fn at_mut(&mut self, nth: usize, rule: &RuleId) -> Option<&mut RuleState> {
        let place = match self.0.get(nth) {
            Some((known, _)) if known.is(rule) => nth,
            _ => self.take_up(rule),
        };
        self.0.get_mut(place).map(|(_, state)| state)
    }

    fn take_up(&mut self, rule: &RuleId) -> usize {
        let place = self.place(rule).unwrap_or_else(|place| {
            self.0.insert(place, (rule.clone(), RuleState::default()));
            place
        });
        if let Some((known, _)) = self.0.get_mut(place) {
            *known = rule.clone();
        }
        place
    }

    fn place(&self, rule: &RuleId) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(rule))
    }
}

impl Serialize for RuleStates {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for RuleStates {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(BTreeMap::deserialize(from)?.into_iter().collect()))
    }
}

/// What was proposed already of the things done once in a firing, in the order of their places. Hardly any rule does
/// more than four.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(SmallVec<[Spot; 4]>);

impl Said {
    /// Was this one?
    #[must_use]
    pub fn contains(&self, spot: &Spot) -> bool {
        self.0.contains(spot)
    }

    /// Now it was.
    pub(super) fn insert(&mut self, spot: Spot) {
        if let Err(place) = self.0.binary_search(&spot) {
            self.0.insert(place, spot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::List;

    #[test]
    fn what_was_said_stands_once_and_in_order() {
        let mut said = Said::default();
        let spot = |list, index| Spot { list, index };
        for index in [7, 0, 3, 7, 1, 2] {
            said.insert(spot(List::OnFailure, index));
        }
        said.insert(spot(List::Do, 9));
        let all: std::collections::BTreeSet<Spot> = [0, 1, 2, 3, 7]
            .map(|index| spot(List::OnFailure, index))
            .into_iter()
            .chain([spot(List::Do, 9)])
            .collect();
        assert_eq!(serde_json::to_string(&said).ok(), serde_json::to_string(&all).ok());
        assert!(all.iter().all(|spot| said.contains(spot)) && !said.contains(&spot(List::Do, 7)));
    }

    #[test]
    fn states_are_written_and_read_as_a_map_in_the_order_of_the_ids() {
        let text = r#"{"b":{"window":[true],"firing":null,"healing":null,"withheld":null},"a":{"window":[],"firing":null,"healing":null,"withheld":null}}"#;
        let states: RuleStates = serde_json::from_str(text).expect(text);
        let ids: Vec<&str> = states.keys().map(RuleId::as_str).collect();
        assert_eq!(ids, ["a", "b"]);
        let plain: BTreeMap<RuleId, RuleState> = serde_json::from_str(text).expect(text);
        assert_eq!(serde_json::to_string(&states).ok(), serde_json::to_string(&plain).ok());
    }
}
