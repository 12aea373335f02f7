//! How sure a report is of each component, in words that its forms share.

use crate::model::{FactId, Span};
use crate::replay::simulate::{Certainty, Rehearsal};

/// A share as people read it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Lengths to the second.
pub(super) fn length(span: Span) -> String {
    Span(span.0 - span.0.rem_euclid(1000)).to_string()
}

/// The components whose future is not all told by the record.
pub(super) fn doubtful(found: &Rehearsal) -> impl Iterator<Item = &Certainty> {
    found.certain.iter().filter(|one| one.exact < 1.0)
}

/// From when on, and why.
pub(super) fn why(one: &Certainty) -> String {
    let facts: Vec<&str> = one.unrecorded.iter().map(FactId::as_str).collect();
    match (&one.why, one.parted_at) {
        (Some(_), Some(at)) if !facts.is_empty() => format!("from {at}: not recorded: {}", facts.join(", ")),
        (Some(why), Some(at)) => format!("from {at}: {why}"),
        _ => "never recorded".to_owned(),
    }
}

/// What the record says of the acts on a component, each with the number of tries that it knows of: 1 of 1 is less than
/// 100 of 100.
pub(super) fn rates(found: &Rehearsal, one: &Certainty) -> Option<String> {
    let of = found.rates.iter().filter(|(component, ..)| *component == one.component);
    let all: Vec<String> = of
        .map(|(_, action, rate)| format!("{action} helped {} of {} times", rate.healed, rate.closed))
        .collect();
    (!all.is_empty()).then(|| all.join(", "))
}
