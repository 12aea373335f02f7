//! What the record says of acts: how often each helped, how long it took, and which requests for one were answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::{ActId, ApprovalId, ComponentId, Outcome, Record, Span, Time};
use crate::record::Recorded;

/// Acts with their ends. A history is read through once before it is simulated, and this is what is kept of it.
#[derive(Debug, Clone, Default)]
pub struct Odds {
    begun: BTreeMap<ActId, (ComponentId, String)>,
    ended: BTreeMap<ActId, (Outcome, Option<(ComponentId, String)>)>,
    rates: BTreeMap<(ComponentId, String), Rate>,
    /// Requests for approval that somebody answered, so that it had an effect.
    answered: BTreeSet<ApprovalId>,
}

/// How often an act on a component helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Rate {
    /// Tries after which the component was well.
    pub healed: u32,
    /// Tries whose end is known.
    pub closed: u32,
    /// The time the hands took, all tries together.
    took: Span,
}

impl Odds {
    /// Takes one recorded thing.
    pub fn take(&mut self, recorded: &Recorded) {
        if let Recorded::Tick { records, .. } = recorded {
            for record in records {
                self.record(record);
            }
        }
    }

    /// Takes one entry of a journal.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Intent { act, proposal, .. } => {
                if let Some(component) = super::record::healed(proposal) {
                    self.begun.insert(*act, (component.clone(), proposal.act.label()));
                }
            }
            Record::End { act, outcome: Some(outcome), steps, .. } => {
                let took = steps.iter().fold(Span::ZERO, |sum, step| Span(sum.0.saturating_add(step.took.0)));
                self.end(*act, *outcome, took);
            }
            Record::Approved { approval, .. } | Record::ApprovalEnded { approval, actor: Some(_), .. } => {
                self.answered.insert(*approval);
            }
            // Nobody answered, or too few people, or too late.
            Record::ApprovalEnded { approval, actor: None, .. } => {
                self.answered.remove(approval);
            }
            Record::Relapsed { act, .. } => {
                // It had helped for a while, and that is no help.
                let Some((outcome, of)) = self.ended.get_mut(act) else { return };
                if let Some(rate) = of.as_ref().and_then(|of| self.rates.get_mut(of)) {
                    rate.healed = rate.healed.saturating_sub(u32::from(outcome.is_success()));
                }
                *outcome = Outcome::Relapsed;
            }
            _ => {}
        }
    }

    fn end(&mut self, act: ActId, outcome: Outcome, took: Span) {
        let of = self.begun.remove(&act);
        self.ended.insert(act, (outcome, of.clone()));
        // What began before the record begins is nobody's.
        let Some(of) = of.filter(|_| outcome != Outcome::Unknown) else { return };
        let rate = self.rates.entry(of).or_default();
        rate.closed += 1;
        rate.healed += u32::from(outcome.is_success());
        rate.took = Span(rate.took.0.saturating_add(took.0));
    }

    /// Does the record answer this request for approval?
    pub(super) fn answers(&self, approval: ApprovalId) -> bool {
        self.answered.contains(&approval)
    }

    /// The rate of this act on this component, where the record has one.
    #[must_use]
    pub fn rate(&self, component: &ComponentId, action: &str) -> Option<Rate> {
        self.rates.get(&(component.clone(), action.to_owned())).copied()
    }

    /// All rates: component, action, rate.
    pub(super) fn rates(&self) -> impl Iterator<Item = (&ComponentId, &str, Rate)> {
        self.rates.iter().map(|((component, action), rate)| (component, action.as_str(), *rate))
    }

    /// Did this recorded act make its component well? Only then does it matter that it is not made.
    pub(super) fn helped(&self, act: ActId) -> bool {
        // One that relapsed had helped as well, for a while.
        self.ended
            .get(&act)
            .is_some_and(|(outcome, _)| matches!(outcome, Outcome::Healed | Outcome::Relapsed))
    }
}

impl Rate {
    /// The share that helped.
    #[must_use]
    pub fn share(self) -> f64 {
        if self.closed == 0 { 0.0 } else { f64::from(self.healed) / f64::from(self.closed) }
    }

    /// How long the hands took on average.
    #[must_use]
    pub fn took(self) -> Span {
        Span(self.took.0 / i64::from(self.closed.max(1)))
    }
}

/// A number from 0 to 1 that is the same for the same seed, component, purpose and time.
pub(super) fn chance(seed: u64, component: &ComponentId, purpose: &str, at: Time) -> f64 {
    let mut hash = Sha256::new();
    for part in [&seed.to_le_bytes()[..], component.as_str().as_bytes(), &[0], purpose.as_bytes()] {
        hash.update(part);
    }
    hash.update(at.0.to_le_bytes());
    let bits = hash.finalize().iter().take(4).fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_and_always_the_same() {
        let id = ComponentId::from("web");
        let below = (0..10_000).filter(|at| chance(1, &id, "heal", Time(*at)) < 0.3).count();
        assert!((2_850..3_150).contains(&below), "{below}");
        assert!((chance(1, &id, "heal", Time(7)) - chance(1, &id, "heal", Time(7))).abs() < f64::EPSILON);
        assert!((chance(1, &id, "heal", Time(7)) - chance(2, &id, "heal", Time(7))).abs() > f64::EPSILON);
    }
}
