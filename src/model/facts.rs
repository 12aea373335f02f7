//! The readings of one component: each fact by its name, the names apart from what was read.
//!
//! A component gives the same facts tick after tick. So its names stand once, in their order, for whoever has the
//! same; what is left of a tick are readings in a row, and a place in it is enough to find one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{FactId, Reading};

/// The names of a component's facts, in their order, each once.
pub type FactNames = Arc<[FactId]>;

/// What was read of each fact. Written down it is a map, in the order of the names.
#[derive(PartialEq, Default)]
pub struct Facts {
    names: FactNames,
    /// As many as there are names.
    readings: Vec<Reading>,
}

/// At every tick as many readings take the place of those before, and need no memory of their own.
impl Clone for Facts {
    fn clone(&self) -> Self {
        Self { names: Arc::clone(&self.names), readings: self.readings.clone() }
    }

    fn clone_from(&mut self, fresh: &Self) {
        self.names.clone_from(&fresh.names);
        self.readings.clone_from(&fresh.readings);
    }
}

impl Facts {
    /// Readings in the order of these names; nothing where their number is another, or a name stands out of order.
    #[must_use]
    pub fn of(names: &FactNames, readings: Vec<Reading>) -> Option<Self> {
        let fits = names.len() == readings.len() && names.is_sorted_by(|one, next| one < next);
        fits.then(|| Self { names: Arc::clone(names), readings })
    }

    /// What was read of a fact.
    #[must_use]
    pub fn get(&self, fact: &FactId) -> Option<&Reading> {
        self.readings.get(self.place(fact).ok()?)
    }

    /// Was there such a fact?
    #[must_use]
    pub fn contains_key(&self, fact: &FactId) -> bool {
        self.place(fact).is_ok()
    }

    /// Adds a fact, or reads it anew.
    pub fn insert(&mut self, fact: FactId, reading: Reading) {
        match self.place(&fact).ok().and_then(|place| self.readings.get_mut(place)) {
            Some(known) => *known = reading,
            None => *self = std::mem::take(self).into_iter().chain([(fact, reading)]).collect(),
        }
    }

    /// Each fact, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&FactId, &Reading)> {
        self.names.iter().zip(&self.readings)
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &FactNames {
        &self.names
    }

    /// Each reading, in the order of the names.
    pub fn values(&self) -> std::slice::Iter<'_, Reading> {
        self.readings.iter()
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, Reading> {
        self.readings.iter_mut()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.readings.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    /// From here on the names are these very ones, where they are the same.
    pub fn name_by(&mut self, names: &FactNames) {
        if self.names == *names {
            self.names = Arc::clone(names);
        }
    }

    /// The readings in a row, where they are named by these very names.
    #[must_use]
    pub fn in_row(&self, names: &FactNames) -> Option<&[Reading]> {
        Arc::ptr_eq(&self.names, names).then_some(&self.readings)
    }

    fn place(&self, fact: &FactId) -> Result<usize, usize> {
        self.names.binary_search(fact)
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Of a fact that is named twice the last reading counts.
impl FromIterator<(FactId, Reading)> for Facts {
    fn from_iter<I: IntoIterator<Item = (FactId, Reading)>>(all: I) -> Self {
        let ordered: BTreeMap<FactId, Reading> = all.into_iter().collect();
        let (names, readings): (Vec<FactId>, Vec<Reading>) = ordered.into_iter().unzip();
        Self { names: names.into(), readings }
    }
}

impl IntoIterator for Facts {
    type Item = (FactId, Reading);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        let all: Vec<Self::Item> = self.names.iter().cloned().zip(self.readings).collect();
        all.into_iter()
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::<FactId, Reading>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let all =
            [("p.up", Reading::from(true)), ("p.age_s", Reading::Missing), ("p.up", Reading::from(false))];
        all.into_iter().map(|(name, reading)| (FactId::from(name), reading)).collect()
    }

    #[test]
    fn they_are_written_and_read_as_a_map_in_the_order_of_the_names() {
        let text = serde_json::to_string(&facts()).expect("serialises");
        assert_eq!(text, r#"{"p.age_s":null,"p.up":false}"#);
        assert_eq!(serde_json::from_str::<Facts>(&text).expect("parses"), facts());
        assert_eq!(serde_json::to_string(&Facts::default()).expect("serialises"), "{}");
    }

    #[test]
    fn one_that_is_read_anew_keeps_its_place_and_a_new_one_gets_its_own() {
        let (mut facts, names) = (facts(), FactNames::from(["p.age_s".into(), "p.up".into()]));
        facts.name_by(&names);
        facts.insert("p.up".into(), Reading::from(true));
        assert_eq!(facts.in_row(&names), Some(&[Reading::Missing, Reading::from(true)][..]));
        facts.insert("p.left".into(), Reading::from(3));
        assert_eq!(facts.in_row(&names), None, "the names are others now");
        let read: Vec<&str> = facts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(read, ["p.age_s", "p.left", "p.up"]);
        assert_eq!(facts.get(&"p.left".into()), Some(&Reading::from(3)));
    }

    #[test]
    fn readings_go_with_names_that_are_in_order_and_as_many() {
        let names = |names: [&str; 2]| FactNames::from(names.map(FactId::from));
        let two = || vec![Reading::Missing, Reading::from(true)];
        assert!(Facts::of(&names(["a", "b"]), two()).is_some());
        assert!(Facts::of(&names(["b", "a"]), two()).is_none());
        assert!(Facts::of(&names(["a", "a"]), two()).is_none());
        assert!(Facts::of(&names(["a", "b"]), vec![Reading::Missing]).is_none());
    }
}
