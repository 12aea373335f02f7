//! Policies: deny beats review beats allow, and what nothing matches is denied.

use std::collections::BTreeSet;

use crate::condition::{Condition, Symbol, Truth, World};
use crate::model::{ActKind, Meaning, ModeId, PolicyId, Proposal, Span, Value};

/// One policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Whose proposals it is about: `rule` or `person`; none means everybody's.
    pub by: Option<String>,
    /// Which acts it is about.
    pub action: BTreeSet<ActKind>,
    /// When it applies; none means always.
    pub when: Option<Condition>,
    /// What it says.
    pub effect: PolicyEffect,
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyEffect {
    /// It may be done.
    Allow,
    /// So many people have to approve it in that time.
    Review {
        /// How many.
        approvers: u32,
        /// In what time.
        expires: Span,
    },
    /// It may not be done.
    Deny,
}

/// What the policies together say of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruling {
    /// This policy allows it.
    Allow(PolicyId),
    /// This policy asks for approval.
    Review(PolicyId, u32, Span),
    /// This policy denies it; none means that nothing allows it.
    Deny(Option<PolicyId>),
}

/// What policies are asked about one kind of act of a proposal: all that their conditions see.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Who wants what.
    pub proposal: Proposal,
    /// The kind of act.
    pub kind: ActKind,
    /// The mode.
    pub mode: ModeId,
    /// The tier of the component, where the proposal has one.
    pub tier: Option<i64>,
    /// Is less permitted after the act than before?
    pub stricter: bool,
}

impl World for Question {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        Some(match symbol {
            Symbol::By => Value::text(self.proposal.by.word()),
            Symbol::Actor => Value::text(&self.proposal.by.to_string()),
            Symbol::Mode => Value::text(self.mode.as_str()),
            Symbol::Tier => Value::Int(self.tier?),
            Symbol::Component => Value::text(self.proposal.component.as_ref()?.as_str()),
            Symbol::ActionKind => Value::text(self.kind.word()),
            Symbol::ActionStricter => Value::Bool(self.stricter),
            _ => return None,
        })
    }
}

impl Policy {
    /// Is it about such an act by such a proposer? Only then its condition is asked.
    #[must_use]
    pub fn is_about(&self, question: &Question) -> bool {
        self.action.contains(&question.kind)
            && self.by.as_deref().is_none_or(|by| by == question.proposal.by.word())
    }

    /// Does it apply? What cannot be told counts against the act: as a match to deny or review, as none to
    /// allow.
    fn applies(&self, question: &Question) -> bool {
        self.is_about(question)
            && match self.when.as_ref().map_or(Truth::True, |when| when.eval(question)) {
                Truth::True => true,
                Truth::False => false,
                Truth::Unknown => self.effect != PolicyEffect::Allow,
            }
    }
}

/// What the policies say of one kind of act.
pub(super) fn rule_on(policies: &[Policy], question: &Question) -> Ruling {
    let mut best = Ruling::Deny(None);
    for policy in policies.iter().filter(|policy| policy.applies(question)) {
        match (&policy.effect, &best) {
            (PolicyEffect::Deny, _) => return Ruling::Deny(Some(policy.id.clone())),
            // Of several that ask for approval the one that asks most people counts.
            (PolicyEffect::Review { approvers, .. }, Ruling::Review(_, most, _)) if approvers <= most => {}
            (PolicyEffect::Review { approvers, expires }, _) => {
                best = Ruling::Review(policy.id.clone(), *approvers, *expires);
            }
            (PolicyEffect::Allow, Ruling::Deny(None)) => best = Ruling::Allow(policy.id.clone()),
            (PolicyEffect::Allow, _) => {}
        }
    }
    best
}

/// The policy that decides a question; none where nothing allows the act.
#[must_use]
pub fn deciding(policies: &[Policy], question: &Question) -> Option<PolicyId> {
    rule_on(policies, question).policy()
}

impl Ruling {
    /// The policy that says so, if one does.
    pub(super) fn policy(&self) -> Option<PolicyId> {
        match self {
            Self::Allow(policy) | Self::Review(policy, ..) => Some(policy.clone()),
            Self::Deny(policy) => policy.clone(),
        }
    }

    /// The stricter of two: of two that ask for approval the one that asks more people.
    pub(super) fn and(self, other: Self, meaning: Meaning) -> Self {
        let rank = |ruling: &Self| match ruling {
            Self::Deny(_) => (2, 0),
            Self::Review(_, approvers, _) if meaning >= Meaning::VOTES => (1, *approvers),
            Self::Review(..) => (1, 0),
            Self::Allow(_) => (0, 0),
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}
