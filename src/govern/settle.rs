//! Where the mode settles after claims came and went: at the highest-ranked claim that an edge leads to.

use crate::govern::contain::end_claim;
use crate::govern::desk::Desk;
use crate::govern::state::{Changed, Governed};
use crate::model::{Act, By, Claim, ClaimKey, ModeId, Proposal, Record};

impl Desk<'_> {
    /// Ends the claims that are over and moves the mode to where the claims want it.
    ///
    /// A claim whose end would make the mode fall without an edge for rules stays, marked `over`, until a
    /// person ends it: so leaving `emergency` always needs a person.
    pub fn settle(
        &self,
        state: &mut Governed,
        cause: Option<&Proposal>,
        is_over: impl Fn(&Claim) -> bool,
        records: &mut Vec<Record>,
    ) {
        let mut ended = cause.map(|cause| (cause.by.clone(), cause.reason.clone()));
        let keys: Vec<ClaimKey> = state.claims.keys().cloned().collect();
        for key in keys {
            let Some(claim) = state.claims.get(&key) else { continue };
            let expired = claim.expires.is_some_and(|expires| expires <= self.now);
            if !(claim.over || expired || is_over(claim)) {
                continue;
            }
            let claim = claim.clone();
            if self.may_end(state, &key) {
                let why = if expired { "its time is over" } else { "its `until` is true" };
                end_claim(state, &key, why, records);
                ended = Some((claim.by.clone(), format!("the claim of {key} ended: {why}")));
            } else if let Some(kept) = state.claims.get_mut(&key) {
                kept.over = true;
            }
        }
        self.move_mode(state, ended, records);
    }

    /// The mode once the claim is over that the proposal would make for a while, as far as is known now: of the others those
    /// end until then whose time is over as well.
    #[must_use]
    pub fn afterwards(&self, state: &Governed, proposal: &Proposal) -> Option<ModeId> {
        let Act::SetMode { key, .. } = &proposal.act else { return None };
        let mut after = self.what_if(state, proposal);
        let now = after.claims.get(key)?.expires?;
        Desk { now, ..*self }.settle(&mut after, None, |_| false, &mut Vec::new());
        Some(after.mode)
    }

    /// May the claim of this key end by itself? Only if the mode then stays, or falls along an edge for rules.
    fn may_end(&self, state: &Governed, key: &ClaimKey) -> bool {
        let others = state.claims.iter().filter(|(other, _)| *other != key).map(|(_, claim)| claim);
        let (after, _) = self.highest(others);
        let modes = &self.policies.modes;
        modes.rank(&after) >= modes.rank(&state.mode) || modes.may_move_itself(&state.mode, &after)
    }

    /// The mode that these claims demand, and the claim that demands it.
    fn highest<'c>(&self, claims: impl Iterator<Item = &'c Claim>) -> (ModeId, Option<&'c Claim>) {
        let modes = &self.policies.modes;
        let top = claims.max_by_key(|claim| modes.rank(&claim.mode));
        (top.map_or_else(|| modes.lowest().clone(), |claim| claim.mode.clone()), top)
    }

    fn move_mode(&self, state: &mut Governed, ended: Option<(By, String)>, records: &mut Vec<Record>) {
        let modes = &self.policies.modes;
        let (to, top) = self.highest(state.claims.values());
        if to == state.mode {
            return;
        }
        let rises = modes.rank(&to) > modes.rank(&state.mode);
        let (by, reason) = match (top, ended) {
            (Some(claim), _) if rises => (claim.by.clone(), claim.reason.clone()),
            (_, Some(ended)) => ended,
            // No claim came or went: the files rank the modes anew.
            (_, None) => (By::Person { actor: "configuration".into() }, "the modes are ranked anew".into()),
        };
        if rises && !modes.may_move(&by, &state.mode, &to) {
            return;
        }
        let from = std::mem::replace(&mut state.mode, to.clone());
        state.changed = Changed { at: self.now, by: Some(by.clone()), reason: reason.clone() };
        records.push(Record::ModeChanged { from, to, reason, by });
    }
}
