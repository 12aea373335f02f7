//! The first field in which what was recorded differs from what comes out.

use std::fmt::Write;

use serde_json::Value;

use crate::engine::State;
use crate::model::{By, Meaning, Record};
use crate::record::{state_digest, state_digest_like};

/// Where two things differ first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) by: Option<String>,
    pub(super) field: String,
    pub(super) recorded: String,
    pub(super) derived: String,
}

/// What is shown of a value; whole generations are no help.
const SHOWN: usize = 200;

/// A meaning that this version does not know: what it decides by is a guess, also where the same comes out.
pub(super) fn newer(meaning: Meaning) -> Option<Found> {
    let (first, known) = (Meaning::FIRST, Meaning::default());
    (meaning > known).then(|| Found {
        by: None,
        field: "meaning".into(),
        recorded: format!("{meaning}, by which a newer version of Grace decided"),
        derived: format!("{first} to {known} are those that this version knows"),
    })
}

/// The first difference of two lists of records, if there is one.
pub(super) fn records(recorded: &[Record], derived: &[Record]) -> Option<Found> {
    if recorded == derived {
        return None;
    }
    let place = recorded.iter().zip(derived).position(|(one, other)| one != other);
    let place = place.unwrap_or(recorded.len().min(derived.len()));
    let (one, other) = (recorded.get(place), derived.get(place));
    let record = other.or(one)?;
    let value = |record: Option<&Record>| record.and_then(|record| serde_json::to_value(record).ok());
    let (one, other) = (value(one).unwrap_or(Value::Null), value(other).unwrap_or(Value::Null));
    let mut field = record.kind().to_owned();
    let (one, other) = first(&one, &other, &mut field);
    Some(Found { by: by(record), field, recorded: shown(one), derived: shown(other) })
}

/// The first component that was another than what comes out.
pub(super) fn statuses(recorded: &str, derived: &State) -> Option<Found> {
    texts("tick.statuses", recorded, &serde_json::to_string(&derived.statuses()).unwrap_or_default())
}

/// The first component that failed another number of times than what comes out.
pub(super) fn failures(recorded: &str, derived: &State) -> Option<Found> {
    texts("tick.failures", recorded, &derived.failures_text())
}

fn texts(field: &str, recorded: &str, derived: &str) -> Option<Found> {
    if recorded == derived {
        return None;
    }
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let (one, other) = (value(recorded), value(derived));
    let mut field = field.to_owned();
    let (one, other) = first(&one, &other, &mut field);
    Some(Found { by: None, field, recorded: shown(one), derived: shown(other) })
}

/// The difference of a state's digest from the one that was recorded.
pub(super) fn digests(recorded: &str, derived: Option<String>) -> Option<Found> {
    let derived = derived.unwrap_or_default();
    let found = |derived| Found {
        by: None,
        field: "state (digest)".to_owned(),
        recorded: recorded.to_owned(),
        derived,
    };
    (derived != recorded).then(|| found(derived))
}

/// The difference of a state from the one that was kept.
pub(super) fn states(kept: &State, derived: &State) -> Option<Found> {
    let kept = state_digest(kept)?;
    digests(&kept, state_digest_like(&kept, derived))
}

/// Goes down to the first part that differs, and says the way.
fn first<'v>(one: &'v Value, other: &'v Value, way: &mut String) -> (&'v Value, &'v Value) {
    const NONE: &Value = &Value::Null;
    if let (Value::Object(left), Value::Object(right)) = (one, other) {
        let keys = left.keys().chain(right.keys());
        let differs = |key: &&String| left.get(*key) != right.get(*key);
        if let Some(key) = keys.into_iter().find(differs) {
            way.push('.');
            way.push_str(key);
            return first(left.get(key).unwrap_or(NONE), right.get(key).unwrap_or(NONE), way);
        }
    }
    if let (Value::Array(left), Value::Array(right)) = (one, other) {
        let differs = |place: &usize| left.get(*place) != right.get(*place);
        if let Some(place) = (0..left.len().max(right.len())).find(differs) {
            // Writing to a string cannot fail.
            let _ = write!(way, "[{place}]");
            return first(left.get(place).unwrap_or(NONE), right.get(place).unwrap_or(NONE), way);
        }
    }
    (one, other)
}

fn shown(value: &Value) -> String {
    if value.is_null() {
        return "nothing".into();
    }
    let text = value.to_string();
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// Whose decision a record tells.
fn by(record: &Record) -> Option<String> {
    let by = |by: &By| Some(by.to_string());
    match record {
        Record::Decided { proposal, .. }
        | Record::Shadowed { proposal, .. }
        | Record::Intent { proposal, .. }
        | Record::ApprovalAsked { proposal, .. } => by(&proposal.by),
        Record::HealingEnded { by: who, .. }
        | Record::Exhausted { by: who, .. }
        | Record::ModeChanged { by: who, .. }
        | Record::Blocked { by: who, .. }
        | Record::Announced { by: who, .. }
        | Record::TaskCreated { by: who, .. }
        | Record::Recommended { by: who, .. } => by(who),
        Record::Claimed { claim, .. } => by(&claim.by),
        Record::ClaimEnded { key, .. } => Some(key.to_string()),
        other => other.component().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_is_named_with_its_way() {
        let refused = |says: &str| Record::GenerationRejected { problems: vec!["a".into(), says.into()] };
        let found = records(&[refused("b")], &[refused("c")]).expect("they differ");
        assert_eq!(found.field, "generation_rejected.problems[1]");
        assert_eq!((found.recorded.as_str(), found.derived.as_str()), ("\"b\"", "\"c\""));
        let found = records(&[], &[refused("c")]).expect("they differ");
        assert_eq!((found.field.as_str(), found.recorded.as_str()), ("generation_rejected", "nothing"));
        assert_eq!(records(&[refused("b")], &[refused("b")]), None);
    }
}
