//! What the policies would say of an act of which the files know only so much.

use crate::condition::{Range, Reasoner, Symbol};
use crate::evaluate::Component;
use crate::govern::{Policy, PolicyEffect};
use crate::model::{ActKind, Value};

/// An act that somebody may want one day; what is not known of it can be anything.
pub(super) struct Asked<'a> {
    /// `rule` or `person`.
    pub(super) by: &'static str,
    pub(super) kind: ActKind,
    pub(super) component: Option<&'a Component>,
    /// The mode in which it is wanted.
    pub(super) mode: Option<&'a str>,
    pub(super) stricter: Option<bool>,
}

impl<'a> Asked<'a> {
    /// An act of a rule of this component.
    pub(super) fn of_rule(component: &'a Component, kind: ActKind) -> Self {
        Self { by: "rule", kind, component: Some(component), mode: None, stricter: None }
    }

    /// Is there a policy that can let it pass, and none that always denies it?
    pub(super) fn could_pass(&self, policies: &[Policy]) -> bool {
        let passes = |policy: &Policy| policy.effect != PolicyEffect::Deny && self.can(policy, true);
        self.about(policies).any(passes) && self.denier(policies).is_none()
    }

    /// The policy that denies it, whatever else is true.
    pub(super) fn denier<'p>(&self, policies: &'p [Policy]) -> Option<&'p Policy> {
        self.about(policies).find(|policy| policy.effect == PolicyEffect::Deny && !self.can(policy, false))
    }

    /// Is it allowed at once, whatever else is true?
    pub(super) fn surely_passes(&self, policies: &[Policy]) -> bool {
        let allows = |policy: &Policy| policy.effect == PolicyEffect::Allow && !self.can(policy, false);
        let stops = |policy: &Policy| policy.effect != PolicyEffect::Allow && self.can(policy, true);
        self.about(policies).any(allows) && !self.about(policies).any(stops)
    }

    fn about<'p>(&self, policies: &'p [Policy]) -> impl Iterator<Item = &'p Policy> {
        let (by, kind) = (self.by, self.kind);
        policies.iter().filter(move |policy| {
            policy.by.as_deref().is_none_or(|whose| whose == by) && policy.action.contains(&kind)
        })
    }

    /// Can the condition of this policy be true, or false?
    fn can(&self, policy: &Policy, holds: bool) -> bool {
        let range = |symbol: &Symbol| self.range(symbol);
        let reasoner = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
        policy.when.as_ref().map_or(holds, |when| reasoner.possible_at(&[(when, holds, self.mode)]))
    }

    fn range(&self, symbol: &Symbol) -> Range {
        let known = match symbol {
            Symbol::By => Some(Value::text(self.by)),
            Symbol::Tier => self.component.map(|component| Value::Int(component.tier)),
            Symbol::Component => self.component.map(|component| Value::text(component.id.as_str())),
            Symbol::ActionKind => Some(Value::text(self.kind.word())),
            Symbol::ActionStricter => self.stricter.map(Value::Bool),
            _ => None,
        };
        known.map_or(Range::Any, Range::Fixed)
    }
}
