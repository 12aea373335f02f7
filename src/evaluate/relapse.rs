//! What was healed and did not last: the component fails again, or what a rule healed is there again.

use crate::evaluate::state::{ComponentHealth, Healed, Try};
use crate::model::{ActId, By, Meaning, Outcome, RuleId, Span, Time};

/// Healed and failed again in this time is a relapse (a default that experience shows is right).
pub(crate) const RELAPSE: Span = Span::minutes(15);

impl Healed {
    fn lasts(&self, now: Time) -> bool {
        now - self.at > RELAPSE
    }
}

impl ComponentHealth {
    /// A try ended. What healed before it may still relapse, whatever this one came to.
    pub(super) fn ended(
        &mut self,
        act: ActId,
        open: &Try,
        (outcome, now): (Outcome, Time),
        meaning: Meaning,
    ) {
        self.history.ended(act, now, outcome);
        let healed = (outcome == Outcome::Healed).then_some(Healed { act, at: now });
        if meaning < Meaning::VOTES {
            self.healed = healed;
            return;
        }
        self.eased.retain(|_, eased| !eased.lasts(now));
        let Some(healed) = healed else { return };
        // An act on what works ends no failure, and a failure behind it is none that came again.
        if !open.before.works() {
            self.healed = Some(healed);
        }
        if let By::Rule { rule, .. } = &open.by {
            self.eased.insert(rule.clone(), healed);
        }
    }

    /// The component fails: which act did that undo?
    pub(super) fn failed_again(&mut self, now: Time) -> Option<ActId> {
        let healed = self.healed.take().filter(|healed| !healed.lasts(now))?;
        self.eased.retain(|_, eased| eased.act != healed.act);
        self.history.relapsed(healed.act);
        Some(healed.act)
    }

    /// A rule fires: which of its acts did that undo?
    pub(super) fn fires_again(&mut self, rule: &RuleId, now: Time) -> Option<ActId> {
        let eased = self.eased.remove(rule).filter(|eased| !eased.lasts(now))?;
        self.healed.take_if(|healed| healed.act == eased.act);
        self.history.relapsed(eased.act);
        Some(eased.act)
    }
}
