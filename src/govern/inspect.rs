//! Every gate by itself, in the order in which a proposal meets them: for whoever asks why, and what else would stop it.

use serde::Serialize;

use crate::govern::brakes::Used;
use crate::govern::desk::{About, Desk, blocked, heals, held, is_rule, moves_mode, silenced};
use crate::govern::policy::Ruling;
use crate::govern::state::Governed;
use crate::model::{Act, ApprovalId, Gate, Meaning, Proposal};

/// One gate, asked by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Which gate.
    pub kind: GateKind,
    /// Is such a proposal asked by it at all?
    pub applies: bool,
    /// What it says where it is shut.
    pub shut: Option<Gate>,
    /// What is used of the budget, where it is one.
    pub used: Option<Used>,
}

/// The gates of governance, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is what its word says")]
pub enum GateKind {
    Stop,
    Hold,
    Silence,
    Block,
    Dependency,
    Mode,
    Policy,
    Approval,
    InFlight,
    Crowded,
    SlowTry,
    Backoff,
    Budget,
}

impl Desk<'_> {
    /// Every gate with what it says of the proposal. The first that is shut is the one by which [`Desk::decide`]
    /// withholds it; a spent budget that opens last stands before the others.
    #[must_use]
    pub fn inspect(&self, state: &Governed, proposal: &Proposal, about: &About) -> Vec<Inspected> {
        let by_rule = is_rule(&proposal.by);
        let target = heals(proposal);
        let own = target.filter(|_| by_rule);
        let gate = |kind, applies, shut| Inspected { kind, applies, shut, used: None };
        let mode = self.mode_gate(state, proposal).map(|shut| shut.1);
        let asked_mode = target.is_some() || (!by_rule && moves_mode(&proposal.act));
        let ruling = self.ruling(&self.questions(state, proposal, about), about.meaning);
        let waiting = about.waiting_for.clone().filter(|_| own.is_some()).map(|on| Gate::WaitingFor { on });
        let denied = match &ruling {
            Ruling::Deny(policy) => Some(Gate::Policy { policy: policy.clone() }),
            Ruling::Allow(_) | Ruling::Review(..) => None,
        };
        let reviewed = matches!(ruling, Ruling::Review(..));
        let (accounts, brakes) = (&state.accounts, &self.policies.brakes);
        let (slow, quick) = (own.filter(|_| proposal.slow), own.filter(|_| !proposal.slow));
        let bounded = by_rule && matches!(proposal.act, Act::Block { .. });
        let mut all = vec![
            gate(GateKind::Stop, target.is_some(), target.filter(|_| self.stop).map(|_| Gate::Stop)),
            gate(GateKind::Hold, target.is_some(), target.and_then(|on| held(state, on, about.meaning))),
            gate(
                GateKind::Silence,
                matches!(proposal.act, Act::Notify { .. }),
                silenced(state, proposal, about),
            ),
            gate(
                GateKind::Block,
                own.is_some() || bounded,
                own.and_then(|on| blocked(state, on)).or_else(|| self.bounds(state, proposal, about)),
            ),
            gate(GateKind::Dependency, own.is_some(), waiting),
            gate(GateKind::Mode, asked_mode, mode),
            gate(GateKind::Policy, true, denied),
            gate(GateKind::Approval, reviewed, self.review(state, proposal, ruling)),
            gate(GateKind::InFlight, target.is_some(), target.and_then(|on| accounts.in_flight(brakes, on))),
            gate(GateKind::SlowTry, slow.is_some(), slow.and_then(|on| accounts.slow(brakes, on, self.now))),
            gate(
                GateKind::Backoff,
                quick.is_some(),
                quick.and_then(|on| accounts.resting(brakes, on, self.now)),
            ),
        ];
        let crowded = gate(GateKind::Crowded, own.is_some(), own.and_then(|_| accounts.crowded(brakes)));
        let is_last = about.meaning >= Meaning::VOTES;
        let place = all.iter().position(|one| one.kind == GateKind::SlowTry);
        if let (false, Some(place)) = (is_last, place) {
            all.insert(place, crowded.clone());
        }
        // Only who notifies meets it.
        all.retain(|one| one.applies || one.kind != GateKind::Silence);
        let budgets = target.map(|on| accounts.budgets(brakes, on, self.now)).unwrap_or_default();
        all.extend(as_asked(budgets).into_iter().map(|used| Inspected {
            kind: GateKind::Budget,
            applies: quick.is_some(),
            shut: used.shut.clone().filter(|_| quick.is_some()),
            used: Some(used),
        }));
        all.extend(is_last.then_some(crowded));
        all
    }

    /// The gate of an approval; one that nobody was asked for yet has the number that it would get.
    fn review(&self, state: &Governed, proposal: &Proposal, ruling: Ruling) -> Option<Gate> {
        let Ruling::Review(policy, _, expires) = ruling else { return None };
        match self.approval(state, proposal) {
            Some((id, known)) => known.shut(id),
            None => Some(Gate::Approval {
                approval: ApprovalId(state.last_approval.0 + 1),
                policy,
                expires: self.now + expires,
            }),
        }
    }
}

/// The one that opens last counts, and of several of these the last: so it is where they are asked.
fn as_asked(mut budgets: Vec<Used>) -> Vec<Used> {
    let opens = |used: &Used| used.shut.as_ref().and_then(Gate::until);
    let open = budgets.iter().enumerate().filter(|(_, used)| opens(used).is_some());
    if let Some((at, _)) = open.max_by_key(|(_, used)| opens(used)) {
        let last = budgets.remove(at);
        budgets.insert(0, last);
    }
    budgets
}
