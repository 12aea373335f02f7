//! Probes of one set of rules, held against those of another: whose readings are none of theirs.

use crate::evaluate::Component;
use crate::model::Span;

/// What is other about a probe of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// It asks something else.
    Kind,
    /// It has another time for it: the own one, and the other one's.
    Timeout(Span, Span),
}

/// The probes of a component that are others than those of the same name in another set of rules. What that has no probe
/// for it does not read, and that is told by facts.
pub(super) fn others<'c>(own: &'c Component, there: &'c Component) -> impl Iterator<Item = (&'c str, Other)> {
    own.probes.iter().filter_map(|probe| {
        let other = there.probes.iter().find(|other| other.name == probe.name)?;
        let name = probe.name.as_str();
        if other.kind != probe.kind {
            return Some((name, Other::Kind));
        }
        let (own, other) = (probe.timeout, other.timeout);
        (own != other).then_some((name, Other::Timeout(own, other)))
    })
}
