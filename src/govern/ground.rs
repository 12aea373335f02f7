//! The ground of what people asked for and what still waits: the token they asked with, and the claims they meant.

use std::collections::BTreeMap;

use crate::govern::Desk;
use crate::govern::approvals::end;
use crate::govern::desk::is_rule;
use crate::govern::state::{Approval, Governed};
use crate::model::{Act, By, Claim, ClaimKey, Record, TokenId};

impl Desk<'_> {
    /// Ends what was asked with a token that has ended: whoever held it changes nothing any more. It can be asked for anew by
    /// whoever may.
    pub fn void_for_tokens(&self, state: &mut Governed, records: &mut Vec<Record>) {
        let why = |known: &Approval| {
            let By::Person { actor } = &known.proposal.by else { return None };
            let token = TokenId::behind(actor).filter(|_| state.has_ended(actor, None))?;
            Some(format!("the token `{token}`, with which it was asked, has ended"))
        };
        let waiting = state.approvals.iter().filter(|(_, known)| known.refused.is_none());
        let void: Vec<_> = waiting.filter_map(|(id, known)| Some((*id, why(known)?))).collect();
        for (id, why) in void {
            end(state, id, None, &why, records);
        }
    }

    /// Ends what would end or replace another claim than there was when it was asked.
    pub fn void_for_claims(&self, state: &mut Governed, records: &mut Vec<Record>) {
        let waiting = state.approvals.iter().filter(|(_, known)| known.refused.is_none());
        let void: Vec<_> =
            waiting.filter_map(|(id, known)| Some((*id, self.other_claim(state, known)?))).collect();
        for (id, why) in void {
            end(state, id, None, &why, records);
        }
    }

    fn other_claim(&self, state: &Governed, known: &Approval) -> Option<String> {
        let meant = known.claims.as_ref()?;
        let (own, mode) = match &known.proposal.act {
            Act::Release { key } => (key, None),
            Act::SetMode { mode, key, .. } => (key, Some(mode)),
            _ => return None,
        };
        let modes = &self.policies.modes;
        let ends = mode.is_none_or(|mode| mode == modes.lowest());
        if ends && meant.contains_key(own) && !state.claims.contains_key(own) {
            return Some(format!("the claim of {own} that it was to end has ended meanwhile"));
        }
        // A mode of a person ends the rules' claims above it as well.
        let ends = |(key, claim): &(&ClaimKey, &Claim)| {
            let above = mode.is_some_and(|mode| modes.rank(&claim.mode) > modes.rank(mode));
            *key == own || (above && is_rule(&claim.by))
        };
        let other = |(key, claim): &(&ClaimKey, &Claim)| meant.get(*key) != Some(&mark(claim));
        let (key, claim) = state.claims.iter().filter(ends).find(other)?;
        Some(format!("{key} claims {} since it was asked, by {}: {}", claim.mode, claim.by, claim.reason))
    }
}

impl Governed {
    /// Tells every claim from what may stand under its key later.
    #[must_use]
    pub fn claims_now(&self) -> BTreeMap<ClaimKey, String> {
        self.claims.iter().map(|(key, claim)| (key.clone(), mark(claim))).collect()
    }
}

/// That it is over by now makes no other claim of it.
fn mark(claim: &Claim) -> String {
    let until = claim.expires.map(|at| format!(" until {at}")).unwrap_or_default();
    format!("{} since {}{until} by {}: {}", claim.mode, claim.since, claim.by, claim.reason)
}
