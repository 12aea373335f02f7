//! Acts on Grace's own state: applied inside the step that decides them, and the same when applied twice.

use crate::govern::desk::Desk;
use crate::govern::permit::Permit;
use crate::govern::state::{Block, Governed, Hold};
use crate::govern::{silence, tokens};
use crate::model::{
    Act, Actor, By, Claim, ClaimKey, ComponentId, ModeId, Proposal, Record, Span, Spot, Time, expiry,
};

impl Desk<'_> {
    /// Applies a permitted act to Grace's own state.
    pub fn apply(&self, state: &mut Governed, permit: &Permit, records: &mut Vec<Record>) {
        self.contain(state, permit.proposal(), records);
    }

    pub(crate) fn contain(&self, state: &mut Governed, proposal: &Proposal, records: &mut Vec<Record>) {
        match &proposal.act {
            Act::SetMode { mode, key, spot, lasts } => match &proposal.by {
                By::Rule { .. } => self.claim(state, proposal, (key, mode), (*spot, *lasts), records),
                By::Person { .. } => self.person_mode(state, proposal, (key, mode), *lasts, records),
            },
            Act::Release { key } => end_claim(state, key, &released(proposal), records),
            Act::Block { component } => self.block(state, component, proposal, records),
            Act::Unblock { component } => unblock(state, component, proposal, records),
            Act::Hold { component, lasts } => self.hold(state, component.as_ref(), *lasts, proposal, records),
            Act::EndHold { component } => end_hold(state, component.as_ref(), &released(proposal), records),
            Act::Silence { component, lasts } => {
                self.silence(state, (component.as_ref(), *lasts), proposal, records);
            }
            Act::EndSilence { component } => {
                silence::end(state, component.as_ref(), &released(proposal), records);
            }
            Act::MakeToken(new) => self.make_token(state, new, proposal, records),
            Act::EndToken { token } => tokens::end(state, token, &released(proposal), records),
            Act::Activate { generation } => state.activation = Some(generation.clone()),
            Act::Heal { .. }
            | Act::Notify { .. }
            | Act::Event { .. }
            | Act::Task { .. }
            | Act::Recommend { .. } => {}
        }
    }

    fn claim(
        &self,
        state: &mut Governed,
        proposal: &Proposal,
        (key, mode): (&ClaimKey, &ModeId),
        (spot, lasts): (Option<Spot>, Option<Span>),
        records: &mut Vec<Record>,
    ) {
        let claim = Claim {
            mode: mode.clone(),
            by: proposal.by.clone(),
            reason: proposal.reason.clone(),
            since: self.now,
            spot,
            expires: expiry(self.now, lasts),
            over: false,
        };
        records.push(Record::Claimed { key: key.clone(), claim: claim.clone() });
        state.claims.insert(key.clone(), claim);
    }

    /// A person's mode: the lowest is no claim at all. Rules' claims above it that nothing else would end are
    /// ended; those whose `until` is not yet true stand.
    fn person_mode(
        &self,
        state: &mut Governed,
        proposal: &Proposal,
        (key, mode): (&ClaimKey, &ModeId),
        lasts: Option<Span>,
        records: &mut Vec<Record>,
    ) {
        let modes = &self.policies.modes;
        let rank = modes.rank(mode);
        let ended: Vec<ClaimKey> = state
            .claims
            .iter()
            .filter(|(_, claim)| matches!(claim.by, By::Rule { .. }))
            .filter(|(_, claim)| modes.rank(&claim.mode) > rank && (claim.spot.is_none() || claim.over))
            .map(|(key, _)| key.clone())
            .collect();
        for ended in ended {
            end_claim(state, &ended, &released(proposal), records);
        }
        if mode == modes.lowest() {
            end_claim(state, key, &released(proposal), records);
        } else {
            self.claim(state, proposal, (key, mode), (None, lasts), records);
        }
    }

    fn block(
        &self,
        state: &mut Governed,
        component: &ComponentId,
        proposal: &Proposal,
        records: &mut Vec<Record>,
    ) {
        if state.blocks.contains_key(component) {
            return;
        }
        let (by, reason) = (proposal.by.clone(), proposal.reason.clone());
        records.push(Record::Blocked {
            component: component.clone(),
            by: by.clone(),
            reason: reason.clone(),
            known: None,
        });
        state.blocks.insert(component.clone(), Block { since: self.now, by, reason });
    }

    fn hold(
        &self,
        state: &mut Governed,
        component: Option<&ComponentId>,
        lasts: Option<Span>,
        proposal: &Proposal,
        records: &mut Vec<Record>,
    ) {
        let By::Person { actor } = &proposal.by else { return };
        let who = (actor.clone(), proposal.reason.clone());
        self.hold_until(state, component, who, expiry(self.now, lasts), records);
    }

    /// Holds a component, or all, until then.
    pub fn hold_until(
        &self,
        state: &mut Governed,
        component: Option<&ComponentId>,
        (actor, reason): (Actor, String),
        until: Option<Time>,
        records: &mut Vec<Record>,
    ) {
        let hold = Hold { component: component.cloned(), actor, reason, since: self.now, until };
        records.push(Record::Held {
            component: hold.component.clone(),
            actor: hold.actor.clone(),
            reason: hold.reason.clone(),
            until: hold.until,
        });
        state.holds.retain(|held| held.component != hold.component);
        state.holds.push(hold);
    }

    /// Ends the hold of a component.
    pub fn end_hold(
        &self,
        state: &mut Governed,
        component: &ComponentId,
        reason: &str,
        records: &mut Vec<Record>,
    ) {
        end_hold(state, Some(component), reason, records);
    }

    /// Ends holds whose time has come.
    pub fn expire_holds(&self, state: &mut Governed, records: &mut Vec<Record>) {
        let over: Vec<Option<ComponentId>> = state
            .holds
            .iter()
            .filter(|hold| hold.until.is_some_and(|until| until <= self.now))
            .map(|hold| hold.component.clone())
            .collect();
        for component in over {
            end_hold(state, component.as_ref(), "its time is over", records);
        }
    }
}

fn released(proposal: &Proposal) -> String {
    format!("ended by {}: {}", proposal.by, proposal.reason)
}

pub(super) fn end_claim(state: &mut Governed, key: &ClaimKey, reason: &str, records: &mut Vec<Record>) {
    if let Some(claim) = state.claims.remove(key) {
        records.push(Record::ClaimEnded { key: key.clone(), mode: claim.mode, reason: reason.to_owned() });
    }
}

fn unblock(state: &mut Governed, component: &ComponentId, proposal: &Proposal, records: &mut Vec<Record>) {
    if state.blocks.remove(component).is_some() {
        let (by, reason) = (proposal.by.clone(), proposal.reason.clone());
        records.push(Record::Unblocked { component: component.clone(), by, reason });
    }
}

fn end_hold(state: &mut Governed, component: Option<&ComponentId>, reason: &str, records: &mut Vec<Record>) {
    let before = state.holds.len();
    state.holds.retain(|hold| hold.component.as_ref() != component);
    if state.holds.len() < before {
        records.push(Record::HoldEnded { component: component.cloned(), reason: reason.to_owned() });
    }
}
