//! Where other rules look at other times than the recorded ones, from there on nothing is exact: what would have been read
//! then the record does not say.

use crate::engine::{Bundle, Input};
use crate::evaluate::{Component, Rule};
use crate::model::{Occasion, Span};
use crate::replay::simulate::share::Known;
use crate::replay::simulate::twin::Twin;

/// A recorded tick may come so long after it was due, and still be that one.
const LATE: Span = Span::seconds(1);

/// Where it is known that looks are timed otherwise, it was at once, or it is another one.
const AT_ONCE: Span = Span(20);

impl Twin<'_> {
    /// Holds what says when components are looked at against the rules that are active from now on.
    pub(super) fn hold_timing(&mut self, active: &Bundle) {
        let brakes = self.bundle.policies.brakes != active.policies.brakes;
        for (id, component) in &self.bundle.components {
            let Some(part) = self.parts.get_mut(id) else { continue };
            let timed = |active: &Component| brakes || times(component) != times(active);
            let ruled =
                |active: &Component| !component.rules.iter().map(asks).eq(active.rules.iter().map(asks));
            part.late = match active.components.get(id) {
                Some(active) if timed(active) => Some(AT_ONCE),
                Some(active) if !ruled(active) => None,
                _ => Some(LATE),
            };
        }
    }

    /// Holds the looks up to a recorded tick, and in it, against those that are due here: a verification, or the end of what
    /// holds a try back.
    pub(super) fn hold_looks(&mut self, input: &Input) {
        let Some(state) = &self.state else { return };
        // In a time in which nobody ran nobody would have looked either.
        if input.now - state.now > self.gap(input) {
            return;
        }
        let (due, last) = (state.due(), state.now);
        for (id, part) in &mut self.parts {
            let Some(late) = part.late.filter(|_| !part.is_apart()) else { continue };
            let at = due.get(id).copied();
            let earlier = at.filter(|at| *at > last && *at + late < input.now);
            let verifies =
                input.snapshot.get(id).is_some_and(|fresh| fresh.occasion == Occasion::Verification);
            let is_foreign = verifies && at.is_none_or(|at| at > input.now);
            let Some(from) = earlier.or(is_foreign.then_some(input.now)) else { continue };
            self.apart = true;
            part.part((self.tick, from), Known::Modelled, || {
                let at = at.map_or("at no time".to_owned(), |at| format!("at {}", at.clock()));
                format!("it is looked at {at}, and at {} in the record", input.now.clock())
            });
        }
    }
}

/// When a component is looked at after each of its healings.
fn times(component: &Component) -> Vec<(&str, (Span, Span))> {
    let of = |rule: &Rule| (rule.verify.delay, rule.verify.within);
    let own = component.verify();
    let rules = component.rules.iter().filter(|rule| rule.heals()).map(|rule| (rule.id.as_str(), of(rule)));
    std::iter::once(("", (own.delay, own.within))).chain(rules).collect()
}

/// What decides when a rule wants something.
fn asks(rule: &Rule) -> (&str, &str, [u32; 3], bool) {
    (rule.id.as_str(), rule.when.source(), [rule.after, rule.of, rule.attempts], rule.shadow)
}
