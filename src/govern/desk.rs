//! Where every proposal ends up, a rule's or a person's: the gates in their order, and the verdict.

use std::collections::{BTreeMap, BTreeSet};

use crate::govern::brakes::Brakes;
use crate::govern::modes::{Modes, Permitted};
use crate::govern::permit::Permit;
use crate::govern::policy::{Policy, Question, Ruling, rule_on};
use crate::govern::state::{Approval, Governed, Hold};
use crate::model::{
    Act, ActId, ActKind, ApprovalId, By, ComponentId, Gate, GenerationId, Meaning, PolicyId, Proposal,
    Record, Time, Verdict,
};

/// Policies, modes and budgets: who may do what, in which mode, how much of it.
#[derive(Debug, Clone)]
pub struct Policies {
    /// The modes.
    pub modes: Modes,
    /// The policies.
    pub policies: Vec<Policy>,
    /// The brakes.
    pub brakes: Brakes,
}

/// What stays the same while one step is decided.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// The policies.
    pub policies: &'a Policies,
    /// The generation they belong to.
    pub generation: &'a GenerationId,
    /// Now.
    pub now: Time,
    /// A file named STOP lies in the data directory.
    pub stop: bool,
}

/// What governance has to know of the component that a proposal is about.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Its tier.
    pub tier: Option<i64>,
    /// What it depends on and is critical.
    pub waiting_for: Option<ComponentId>,
    /// The other components that it speaks of: a notification about several is none about one of them alone.
    pub others: BTreeSet<ComponentId>,
    /// No rule may block it.
    pub protected: bool,
    /// Which meaning of the policies decides.
    pub meaning: Meaning,
}

/// What became of a proposal.
#[derive(Debug)]
pub enum Decision {
    /// It may be done.
    Permitted(Permit),
    /// It may not, or not yet.
    Withheld {
        /// Denied, to be reviewed, or to wait.
        verdict: Verdict,
        /// By which gate.
        gate: Gate,
        /// The policy that decided, if one did.
        policy: Option<PolicyId>,
    },
}

/// What would become of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// What would be decided.
    pub verdict: Verdict,
    /// The policy that would decide, if one would.
    pub policy: Option<PolicyId>,
    /// The gate that would be shut. A request for approval that was never made has no number, and so no gate.
    pub gate: Option<Gate>,
}

/// A gate that is shut.
pub(super) struct Shut(Verdict, pub(super) Gate);

impl Desk<'_> {
    /// Decides about a proposal.
    pub fn decide(
        &self,
        state: &mut Governed,
        proposal: &Proposal,
        about: &About,
        records: &mut Vec<Record>,
    ) -> Decision {
        let ruling = self.ruling(&self.questions(state, proposal, about), about.meaning);
        let policy = ruling.policy();
        // One after the other: nobody is asked to approve what another gate stops anyway.
        let shut = self
            .stops(state, proposal, about)
            .or_else(|| waits(state, proposal, about))
            .or_else(|| self.bounds(state, proposal, about).map(|gate| Shut(Verdict::Deny, gate)))
            .or_else(|| self.mode_gate(state, proposal));
        let shut = match shut {
            Some(shut) => Some(shut),
            None => self.policy_gate(state, proposal, ruling, records),
        };
        match shut.or_else(|| self.brake(state, proposal, about.meaning)) {
            Some(Shut(verdict, gate)) => Decision::Withheld { verdict, gate, policy },
            None => Decision::Permitted(self.permit(state, proposal, policy)),
        }
    }

    /// What [`Desk::decide`] would say of a proposal now. It changes nothing, and no permit leaves it.
    #[must_use]
    pub fn weigh(&self, state: &Governed, proposal: &Proposal, about: &About) -> Ruled {
        match self.decide(&mut state.clone(), proposal, about, &mut Vec::new()) {
            Decision::Permitted(permit) => {
                Ruled { verdict: Verdict::Allow, policy: permit.policy().cloned(), gate: None }
            }
            Decision::Withheld { verdict, gate, policy } => {
                let gate = (verdict != Verdict::Review).then_some(gate);
                Ruled { verdict, policy, gate }
            }
        }
    }

    /// STOP and holds stop every heal act, a person's too; silences stop notifications.
    fn stops(&self, state: &Governed, proposal: &Proposal, about: &About) -> Option<Shut> {
        if let Some(gate) = silenced(state, proposal, about) {
            return Some(Shut(Verdict::Wait, gate));
        }
        let component = heals(proposal)?;
        let stop = self.stop.then_some(Gate::Stop);
        stop.or_else(|| held(state, component, about.meaning)).map(|gate| Shut(Verdict::Wait, gate))
    }

    /// What no rule may block, and how much rules may block at a time.
    pub(super) fn bounds(&self, state: &Governed, proposal: &Proposal, about: &About) -> Option<Gate> {
        let Act::Block { component } = &proposal.act else { return None };
        if !is_rule(&proposal.by) || about.meaning < Meaning::SIGNALS {
            return None;
        }
        let most = self.policies.brakes.overall_blocks;
        let blocked =
            state.blocks.iter().filter(|(id, block)| is_rule(&block.by) && *id != component).count();
        let room = u32::try_from(blocked).is_ok_and(|blocked| blocked < most);
        if about.protected { Some(Gate::Protected) } else { (!room).then_some(Gate::Blocks { most }) }
    }

    /// Heal acts need what the claimed modes permit; a person's move of the mode needs an edge.
    pub(super) fn mode_gate(&self, state: &Governed, proposal: &Proposal) -> Option<Shut> {
        if heals(proposal).is_some() {
            let permitted = self.permitted(state);
            let (open, lacks) =
                if is_rule(&proposal.by) { (permitted.heal, "heal") } else { (permitted.control, "control") };
            let gate = Gate::Mode { mode: state.mode.clone(), lacks: lacks.into() };
            return (!open).then_some(Shut(Verdict::Deny, gate));
        }
        if is_rule(&proposal.by) || !moves_mode(&proposal.act) {
            return None;
        }
        let after = self.what_if(state, proposal).mode;
        let lacks = after != state.mode && !self.policies.modes.may_move(&proposal.by, &state.mode, &after);
        lacks.then(|| Shut(Verdict::Deny, Gate::Edge { from: state.mode.clone(), to: after }))
    }

    fn policy_gate(
        &self,
        state: &mut Governed,
        proposal: &Proposal,
        ruling: Ruling,
        records: &mut Vec<Record>,
    ) -> Option<Shut> {
        match ruling {
            Ruling::Allow(_) => None,
            Ruling::Deny(policy) => Some(Shut(Verdict::Deny, Gate::Policy { policy })),
            Ruling::Review(policy, approvers, expires) => {
                let (id, known) = match self.approval(state, proposal) {
                    Some((id, known)) => (id, known.clone()),
                    None => self.ask(state, proposal, policy, approvers, self.now + expires, records),
                };
                known.shut(id).map(|gate| match gate {
                    Gate::NotApproved { .. } => Shut(Verdict::Deny, gate),
                    _ => Shut(Verdict::Review, gate),
                })
            }
        }
    }

    /// The approval that was asked for this proposal.
    #[must_use]
    pub fn approval<'s>(
        &self,
        state: &'s Governed,
        proposal: &Proposal,
    ) -> Option<(ApprovalId, &'s Approval)> {
        let found = state.approvals.iter().find(|(_, known)| self.is_about(known, proposal));
        found.map(|(id, known)| (*id, known))
    }

    /// An approval is about the exact act of the same proposer, under the same generation.
    fn is_about(&self, known: &Approval, proposal: &Proposal) -> bool {
        known.proposal.act == proposal.act
            && known.proposal.by == proposal.by
            && known.generation == *self.generation
    }

    fn ask(
        &self,
        state: &mut Governed,
        proposal: &Proposal,
        policy: PolicyId,
        approvers: u32,
        expires: Time,
        records: &mut Vec<Record>,
    ) -> (ApprovalId, Approval) {
        state.last_approval = ApprovalId(state.last_approval.0 + 1);
        let id = state.last_approval;
        records.push(Record::ApprovalAsked {
            approval: id,
            proposal: proposal.clone(),
            policy: policy.clone(),
            expires,
        });
        let known = Approval {
            proposal: proposal.clone(),
            policy,
            generation: self.generation.clone(),
            approvers,
            given: BTreeSet::new(),
            with: BTreeMap::new(),
            asks_for: None,
            asked: self.now,
            expires,
            refused: None,
            person: None,
            evidence: None,
            changes: Vec::new(),
            editors: BTreeSet::new(),
            revision: None,
            claims: None,
        };
        state.approvals.insert(id, known.clone());
        (id, known)
    }

    /// One act in flight binds people too; backoff and budgets only rules. How many acts there are changes with every tick,
    /// and is asked last: asked before what is spent, it made of a spent budget news again and again.
    fn brake(&self, state: &Governed, proposal: &Proposal, meaning: Meaning) -> Option<Shut> {
        let component = heals(proposal)?;
        let (accounts, brakes) = (&state.accounts, &self.policies.brakes);
        let automatic = is_rule(&proposal.by);
        let crowded = || automatic.then(|| accounts.crowded(brakes)).flatten();
        let pace = || automatic.then(|| accounts.pace(brakes, component, proposal.slow, self.now)).flatten();
        let own = accounts.in_flight(brakes, component);
        let gate = if meaning < Meaning::VOTES {
            own.or_else(crowded).or_else(pace)
        } else {
            own.or_else(pace).or_else(crowded)
        };
        gate.map(|gate| Shut(Verdict::Wait, gate))
    }

    /// Makes the permit: the only place where one comes from.
    fn permit(&self, state: &mut Governed, proposal: &Proposal, policy: Option<PolicyId>) -> Permit {
        state.last_act = ActId(state.last_act.0 + 1);
        let act = state.last_act;
        // An approval is spent by the act that it was given for.
        state.approvals.retain(|_, known| !self.is_about(known, proposal));
        match &proposal.act {
            Act::Heal { component, .. } => {
                state.accounts.begin(act, component, is_rule(&proposal.by), self.now);
            }
            Act::Notify { receiver, .. } => {
                state.telling.insert(act, receiver.clone());
            }
            _ => {}
        }
        Permit::new(act, proposal.clone(), policy)
    }

    /// What the policies are asked about a proposal: one question for each kind of act in it. The end of a hold is a release
    /// that ends no claim, and is asked about as a hold as well: as one that lets more happen.
    #[must_use]
    pub fn questions(&self, state: &Governed, proposal: &Proposal, about: &About) -> Vec<Question> {
        let stricter = self.is_stricter(state, proposal, about.meaning);
        let of = |(kind, stricter)| Question {
            proposal: proposal.clone(),
            kind,
            mode: state.mode.clone(),
            tier: about.tier,
            stricter,
        };
        let ends_hold = about.meaning >= Meaning::VOTES && matches!(proposal.act, Act::EndHold { .. });
        let as_hold = ends_hold.then_some((ActKind::Hold, false));
        proposal.act.kinds().map(|kind| (kind, stricter)).chain(as_hold).map(of).collect()
    }

    pub(super) fn ruling(&self, questions: &[Question], meaning: Meaning) -> Ruling {
        let rulings = questions.iter().map(|question| rule_on(&self.policies.policies, question));
        // An act without a kind (a healing without steps) is nothing that a policy could allow.
        rulings.reduce(|one, other| one.and(other, meaning)).unwrap_or(Ruling::Deny(None))
    }

    /// What would be, were the proposal carried out.
    #[must_use]
    pub fn what_if(&self, state: &Governed, proposal: &Proposal) -> Governed {
        let mut after = state.clone();
        let mut unsaid = Vec::new();
        self.contain(&mut after, proposal, &mut unsaid);
        self.settle(&mut after, Some(proposal), |_| false, &mut unsaid);
        after
    }

    /// What is permitted: what the mode and every claimed mode permit.
    #[must_use]
    pub fn permitted(&self, state: &Governed) -> Permitted {
        let modes = &self.policies.modes;
        let claimed = state.claims.values().map(|claim| modes.permits(&claim.mode));
        claimed.fold(modes.permits(&state.mode), Permitted::and)
    }
}

/// Blocks and dependencies stop automatic healing only.
fn waits(state: &Governed, proposal: &Proposal, about: &About) -> Option<Shut> {
    let component = heals(proposal).filter(|_| is_rule(&proposal.by))?;
    let waiting = || about.waiting_for.clone().map(|on| Shut(Verdict::Wait, Gate::WaitingFor { on }));
    blocked(state, component).map(|gate| Shut(Verdict::Deny, gate)).or_else(waiting)
}

/// The gate of a block.
pub(super) fn blocked(state: &Governed, component: &ComponentId) -> Option<Gate> {
    state.blocks.get(component).map(|block| Gate::Blocked { since: block.since })
}

/// The gate of a silence. Who wants no calls about one component still wants those about the others: what speaks of
/// several is kept back where each of them is silenced, and until the first of these silences ends.
pub(super) fn silenced(
    state: &Governed,
    proposal: &Proposal,
    About { others, meaning, .. }: &About,
) -> Option<Gate> {
    let Act::Notify { .. } = proposal.act else { return None };
    let covers = |component: Option<&ComponentId>| {
        let silence =
            |silence: &&Hold| silence.component.is_none() || silence.component.as_ref() == component;
        last(state.silences.iter().filter(silence), *meaning)
    };
    let own = std::iter::once(covers(proposal.component.as_ref()));
    let each: Option<Vec<&Hold>> = own.chain(others.iter().map(|other| covers(Some(other)))).collect();
    let silence = each?.into_iter().min_by_key(|silence| silence.end())?;
    let (by, reason, until) = (silence.actor.clone(), silence.reason.clone(), silence.until);
    Some(Gate::Silenced { by, reason, until })
}

/// The gate of a hold.
pub(super) fn held(state: &Governed, component: &ComponentId, meaning: Meaning) -> Option<Gate> {
    let covers = |hold: &&Hold| hold.component.as_ref().is_none_or(|held| held == component);
    let hold = last(state.holds.iter().filter(covers), meaning)?;
    let (by, reason, until) = (hold.actor.clone(), hold.reason.clone(), hold.until);
    Some(Gate::Held { by, reason, until })
}

/// Of several that keep something shut, the one that does so longest: none of the others opens it.
pub(super) fn last<'h>(mut all: impl Iterator<Item = &'h Hold>, meaning: Meaning) -> Option<&'h Hold> {
    if meaning < Meaning::VOTES {
        return all.next();
    }
    // Of those that end alike the first, as it always was.
    all.reduce(|one, next| if next.end() > one.end() { next } else { one })
}

/// The component, where the proposal is a heal act.
pub(super) fn heals(proposal: &Proposal) -> Option<&ComponentId> {
    match &proposal.act {
        Act::Heal { component, .. } => Some(component),
        _ => None,
    }
}

pub(super) fn is_rule(by: &By) -> bool {
    matches!(by, By::Rule { .. })
}

pub(super) fn moves_mode(act: &Act) -> bool {
    matches!(act, Act::SetMode { .. } | Act::Release { .. })
}
