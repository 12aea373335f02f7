//! Readings, read back from the journal. Tick after tick they have the same names, and a history is mostly readings:
//! so names that were met before are shared instead of made anew.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::model::{ComponentId, FactId, FactNames, Facts, Reading, Readings, Snapshot};

/// The names that were met so far, in the order of the components.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(ComponentId, FactNames)>);

impl Names {
    /// The readings of a tick, as its row holds them.
    pub(super) fn snapshot(&mut self, text: &str) -> serde_json::Result<Snapshot> {
        let mut from = serde_json::Deserializer::from_str(text);
        let snapshot = from.deserialize_map(Components(self))?;
        from.end()?;
        Ok(snapshot)
    }

    /// Where a component stands; the one behind the last one is tried first.
    fn place(&self, id: &str, likely: usize) -> Result<usize, usize> {
        if self.0.get(likely).is_some_and(|(known, _)| known.as_str() == id) {
            return Ok(likely);
        }
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(id))
    }

    /// A component's id, and where it stands; it is made room for where it is new.
    fn id(&mut self, id: &str, likely: usize) -> (ComponentId, usize) {
        let place = self.place(id, likely).unwrap_or_else(|place| {
            self.0.insert(place, (id.into(), FactNames::default()));
            place
        });
        (self.0.get(place).map_or_else(|| id.into(), |(known, _)| known.clone()), place)
    }
}

struct Components<'n>(&'n mut Names);

impl<'de> Visitor<'de> for Components<'_> {
    type Value = Snapshot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("readings by component")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Snapshot, A::Error> {
        let (names, mut likely, mut all) = (self.0, 0, Vec::new());
        while let Some((id, place)) = map.next_key_seed(Id { names: &mut *names, likely })? {
            let known = names.0.get(place).map(|(_, facts)| facts.clone()).unwrap_or_default();
            let readings = map.next_value_seed(OfComponent(&known))?;
            if let Some((_, facts)) = names.0.get_mut(place)
                && readings.facts.in_row(&known).is_none()
            {
                *facts = readings.facts.names().clone();
            }
            all.push((id, readings));
            likely = place + 1;
        }
        let read = all.len();
        let all: Snapshot = all.into_iter().collect();
        if all.len() < read { Err(twice("a component")) } else { Ok(all) }
    }
}

/// Whoever asks by SQL would see the first and the engine the last.
fn twice<E: Error>(what: &str) -> E {
    E::custom(format_args!("{what} stands there twice"))
}

struct Id<'n> {
    names: &'n mut Names,
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for Id<'_> {
    type Value = (ComponentId, usize);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Id<'_> {
    type Value = (ComponentId, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a component")
    }

    fn visit_str<E>(self, id: &str) -> Result<Self::Value, E> {
        Ok(self.names.id(id, self.likely))
    }
}

/// The readings of a component whose facts had these names.
struct OfComponent<'n>(&'n FactNames);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    TakenAt,
    Occasion,
    Facts,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for OfComponent<'_> {
    type Value = Readings;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Readings, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OfComponent<'_> {
    type Value = Readings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the readings of a component")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Readings, A::Error> {
        let (mut taken_at, mut occasion, mut facts) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::TakenAt if taken_at.is_some() => return Err(twice("`taken_at`")),
                Field::Occasion if occasion.is_some() => return Err(twice("`occasion`")),
                Field::Facts if facts.is_some() => return Err(twice("`facts`")),
                Field::TakenAt => taken_at = Some(map.next_value()?),
                Field::Occasion => occasion = Some(map.next_value()?),
                Field::Facts => facts = Some(map.next_value_seed(OfFacts(self.0))?),
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Readings {
            taken_at: taken_at.ok_or_else(|| A::Error::missing_field("taken_at"))?,
            occasion: occasion.ok_or_else(|| A::Error::missing_field("occasion"))?,
            facts: facts.ok_or_else(|| A::Error::missing_field("facts"))?,
        })
    }
}

/// Facts that had these names.
struct OfFacts<'n>(&'n FactNames);

impl<'de> DeserializeSeed<'de> for OfFacts<'_> {
    type Value = Facts;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Facts, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OfFacts<'_> {
    type Value = Facts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("readings by fact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
        let names = self.0;
        let mut readings: Vec<Reading> = Vec::with_capacity(names.len());
        // From the first name on that is another.
        let mut others: Vec<(FactId, Reading)> = Vec::new();
        loop {
            let expected = names.get(readings.len()).filter(|_| others.is_empty());
            match map.next_key_seed(Fact(expected))? {
                None => break,
                Some(None) => readings.push(map.next_value()?),
                Some(Some(other)) => others.push((other, map.next_value()?)),
            }
        }
        if others.is_empty() && readings.len() == names.len() {
            return Facts::of(names, readings).ok_or_else(|| A::Error::custom("these are no names of facts"));
        }
        let read = readings.len() + others.len();
        let all: Facts = names.iter().cloned().zip(readings).chain(others).collect();
        if all.len() < read { Err(twice("a fact")) } else { Ok(all) }
    }
}

/// The name of a fact; nothing where it is the expected one.
struct Fact<'n>(Option<&'n FactId>);

impl<'de> DeserializeSeed<'de> for Fact<'_> {
    type Value = Option<FactId>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Fact<'_> {
    type Value = Option<FactId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(if self.0.is_some_and(|expected| expected.as_str() == name) { None } else { Some(name.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"{"a":{"taken_at":1,"occasion":"grid","facts":{"p.age_s":0.1,"p.up":true}},
                             "c":{"taken_at":1,"occasion":"grid","facts":{}}}"#;

    fn read(names: &mut Names, text: &str) -> Snapshot {
        let snapshot = names.snapshot(text).expect(text);
        let same: Snapshot = serde_json::from_str(text).expect(text);
        assert_eq!(snapshot, same, "{text}");
        snapshot
    }

    #[test]
    fn whatever_was_met_before_the_same_is_read() {
        let others = [
            BEFORE,
            r#"{"a":{"taken_at":2,"occasion":"grid","facts":{"p.age_s":null,"p.up":{"failed":"x"}},"more":[1]}}"#,
            r#"{"a":{"taken_at":2,"occasion":"grid","facts":{"p.age_s":1}}}"#,
            r#"{"a":{"taken_at":2,"occasion":"grid","facts":{"p.age_s":1,"p.left":"b","p.up":true}}}"#,
            r#"{"a":{"taken_at":2,"occasion":"grid","facts":{"p.up":true,"p.age_s":1}}}"#,
            r#"{"b":{"taken_at":2,"occasion":"grid","facts":{"p.n":9007199254740993}},
                "c":{"occasion":"grid","taken_at":3,"facts":{"q.\"\\n\"":1.5}}}"#,
            r#"{"0":{"taken_at":2,"occasion":"grid","facts":{"p.up":true}},"a":{"taken_at":1,"occasion":"grid","facts":{"p.up":true}}}"#,
            "{}",
        ];
        for one in others {
            for other in others {
                let mut names = Names::default();
                for text in [BEFORE, one, other] {
                    read(&mut names, text);
                }
            }
        }
    }

    #[test]
    fn the_same_names_stand_once() {
        let mut names = Names::default();
        let (before, after) = (read(&mut names, BEFORE), read(&mut names, BEFORE));
        let facts = |snapshot: &Snapshot| {
            snapshot.get(&ComponentId::from("a")).map(|read| read.facts.names().clone())
        };
        assert!(
            facts(&before).zip(facts(&after)).is_some_and(|(one, other)| FactNames::ptr_eq(&one, &other))
        );
    }

    #[test]
    fn what_stands_twice_is_refused_whatever_was_met_before() {
        let facts = |facts: &str| format!(r#"{{"a":{{"taken_at":1,"occasion":"grid","facts":{facts}}}}}"#);
        let one = r#"{"taken_at":1,"occasion":"grid","facts":{}}"#;
        for text in [
            facts(r#"{"p.age_s":0.1,"p.age_s":0.1}"#),
            facts(r#"{"p.age_s":0.1,"p.up":true,"p.age_s":0.1}"#),
            facts(r#"{"p.age_s":0.1,"p.up":{"failed":"x","failed":"y"}}"#),
            facts(r#"{"p.up":true,"p.up":true}"#),
            facts(r#"{},"facts":{}"#),
            format!(r#"{{"a":{one},"a":{one}}}"#),
            format!(r#"{{"b":{one},"a":{one},"b":{one}}}"#),
        ] {
            for before in ["{}", BEFORE] {
                let mut names = Names::default();
                read(&mut names, before);
                assert!(names.snapshot(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn what_lacks_something_or_goes_on_is_refused() {
        for text in [
            r#"{"a":{"taken_at":1,"facts":{}}}"#,
            r#"{"a":{"taken_at":1,"occasion":"grid"}}"#,
            r#"{"a":{"taken_at":1,"occasion":"grid","facts":{"p.up":[]}}}"#,
            r#"{"a":{"taken_at":1,"taken_at":1,"occasion":"grid","facts":[]}}"#,
            "{} {}",
            "{",
            "[]",
        ] {
            assert!(Names::default().snapshot(text).is_err(), "{text}");
            assert!(serde_json::from_str::<Snapshot>(text).is_err(), "{text}");
        }
    }
}
