//! What whoever hears of approvals has to know.

use serde::{Deserialize, Serialize};

use crate::govern::Approval;
use crate::model::{Act, Actor, ApprovalId, By, ComponentId, Meaning, Proposal, ReceiverId, Time, act_of};

/// Something that whoever hears of approvals has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct News {
    approval: ApprovalId,
    by: By,
    text: String,
    reason: String,
    component: Option<ComponentId>,
}

impl News {
    /// Somebody approved alone.
    pub(super) fn broken(
        approval: ApprovalId,
        known: &Approval,
        (actor, reason): (&Actor, &str),
        meaning: Meaning,
    ) -> Self {
        let (what, by) = (what(&known.proposal, meaning), By::Person { actor: actor.clone() });
        Self {
            text: format!("{actor} broke the glass for approval {approval}, {what}: {reason}"),
            component: known.proposal.component.clone(),
            reason: reason.to_owned(),
            approval,
            by,
        }
    }

    pub(super) fn asked(
        approval: ApprovalId,
        proposal: &Proposal,
        (now, expires): (Time, Time),
        meaning: Meaning,
    ) -> Self {
        let Proposal { by, reason, component, .. } = proposal.clone();
        let text = format!(
            "approval {approval} is wanted: {}, for {by}: {reason}; it runs out in {}; \
             `grace approve {approval} --reason ...` or `grace deny {approval} --reason ...`",
            what(proposal, meaning),
            expires - now
        );
        Self { approval, by, text, reason, component }
    }

    pub(super) fn proposal(self, receiver: ReceiverId) -> Proposal {
        let Self { approval, by, text, reason, component } = self;
        let act = Act::Notify { receiver, text, approval: Some(approval) };
        Proposal { by, act, reason, component, attempt: 0, slow: false }
    }
}

/// `restart of database`
fn what(proposal: &Proposal, meaning: Meaning) -> String {
    if meaning >= Meaning::VOTES {
        return act_of(&proposal.act.words(), proposal.component.as_ref().map(ComponentId::as_str));
    }
    let label = proposal.act.label();
    proposal.component.as_ref().map_or(label.clone(), |component| format!("{label} of {component}"))
}
