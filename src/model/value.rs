//! Values, their types and units, and what a probe may say of one fact.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// One typed value. A float is always finite: [`Value::float`] is the only way to a new one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A count.
    Int(i64),
    /// A measure; its unit is in the fact's name.
    Float(f64),
    /// A word or a text.
    Text(Arc<str>),
}

impl Value {
    /// A measure, or nothing where the number is not finite: comparisons with NaN and infinity lie.
    #[must_use]
    pub fn float(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Float(number))
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
        }
    }
}

/// What a probe said of one fact.
///
/// The target's silence is a fact (`connected = false`); `Missing` and `Failed` mean that Grace herself
/// could not look.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reading {
    /// Grace tried to look and could not.
    Failed {
        /// What went wrong.
        failed: String,
    },
    /// The fact was read.
    Value(Value),
    /// There was nothing to read.
    Missing,
}

impl Reading {
    /// The value, where there is one.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Failed { .. } | Self::Missing => None,
        }
    }

    /// A measure; one that is not finite is missing.
    #[must_use]
    pub fn float(number: f64) -> Self {
        Value::float(number).map_or(Self::Missing, Self::Value)
    }
}

/// Read by hand: serde's own way tries one variant after the other, and a history is mostly readings.
impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ReadingVisitor)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Reading::deserialize(from)? {
            Reading::Value(value) => Ok(value),
            Reading::Missing | Reading::Failed { .. } => Err(D::Error::custom("this is no value")),
        }
    }
}

struct ReadingVisitor;

impl<'de> Visitor<'de> for ReadingVisitor {
    type Value = Reading;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, null, or `{\"failed\": ...}`")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Reading, E> {
        Ok(Reading::Value(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Reading, E> {
        Ok(Reading::Value(Value::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Reading, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no count is that large, and a measure is rounded anyway"
        )]
        let float = || Value::Float(value as f64);
        Ok(Reading::Value(i64::try_from(value).map_or_else(|_| float(), Value::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Reading, E> {
        Ok(Reading::Value(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Reading, E> {
        Ok(Reading::Value(Value::Text(value.into())))
    }

    fn visit_unit<E>(self) -> Result<Reading, E> {
        Ok(Reading::Missing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reading, A::Error> {
        let mut failed = None;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == "failed" && failed.is_some() {
                return Err(A::Error::duplicate_field("failed"));
            }
            if key == "failed" {
                failed = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        failed.map(|failed| Reading::Failed { failed }).ok_or_else(|| A::Error::missing_field("failed"))
    }
}

impl From<bool> for Reading {
    fn from(value: bool) -> Self {
        Self::Value(Value::Bool(value))
    }
}

impl From<i64> for Reading {
    fn from(value: i64) -> Self {
        Self::Value(Value::Int(value))
    }
}

/// The unit of a number, said by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// `_s`
    Seconds,
    /// `_ms`
    Milliseconds,
    /// `_bytes`
    Bytes,
    /// `_ratio`: 0 to 1
    Ratio,
}

impl Unit {
    /// The unit that a name says, if it says one.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit('_').next().filter(|end| end.len() < name.len()) {
            Some("s") => Some(Self::Seconds),
            Some("ms") => Some(Self::Milliseconds),
            Some("bytes") => Some(Self::Bytes),
            Some("ratio") => Some(Self::Ratio),
            _ => None,
        }
    }

    /// The unit as sentences say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Bytes => "bytes",
            Self::Ratio => "a ratio",
        }
    }
}

/// The type of a fact, a threshold or a part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Yes or no.
    Bool,
    /// A whole number without a unit.
    Count,
    /// A number with the unit its name says, or a plain measure without one.
    Measure(Option<Unit>),
    /// A text; where `one_of` is not empty, one of these words.
    Text {
        /// The words it can be.
        one_of: Arc<[Arc<str>]>,
    },
}

impl Type {
    /// A text that can be anything.
    #[must_use]
    pub fn any_text() -> Self {
        Self::Text { one_of: Arc::new([]) }
    }

    /// A text that is one of these words.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Text { one_of: words.into_iter().map(Arc::from).collect() }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("true or false"),
            Self::Count => f.write_str("a count"),
            Self::Measure(None) => f.write_str("a number"),
            Self::Measure(Some(unit)) => write!(f, "a number in {}", unit.word()),
            Self::Text { .. } => f.write_str("a text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_unit_only_with_a_whole_ending() {
        for (name, unit) in [
            ("age_s", Some(Unit::Seconds)),
            ("latency_ms", Some(Unit::Milliseconds)),
            ("used_bytes", Some(Unit::Bytes)),
            ("workers", None),
            ("s", None),
            ("queued_writes", None),
        ] {
            assert_eq!(Unit::of_name(name), unit, "{name}");
        }
    }

    #[test]
    fn no_number_that_is_not_finite_becomes_a_reading() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Reading::float(number), Reading::Missing);
        }
    }

    #[test]
    fn a_reading_survives_the_journal() {
        let readings = [
            Reading::from(true),
            Reading::from(3),
            Reading::float(1000.0),
            Reading::Value(Value::text("ok")),
            Reading::Missing,
            Reading::Failed { failed: "no answer".into() },
        ];
        for reading in readings {
            let text = serde_json::to_string(&reading).expect("serialises");
            let back: Reading = serde_json::from_str(&text).expect("parses");
            assert_eq!(back, reading, "{text}");
        }
    }
}
