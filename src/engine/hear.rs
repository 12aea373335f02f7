//! Who hears of approvals: an approval that nobody hears of expires, and glass is broken loudly.
//!
//! Both become notifications that meet the policies like any other, in the name of who asked or broke the glass. One
//! that a policy would have reviewed is not sent: somebody would have to be told of that as well.

use crate::engine::run::Run;
use crate::govern::{Approval, Decision, Evidence};
use crate::model::{
    Act, Actor, ApprovalId, By, ComponentId, Meaning, Proposal, ReceiverId, Record, Time, Verdict,
};

/// Something that whoever hears of approvals has to know.
pub(super) struct News {
    approval: ApprovalId,
    by: By,
    text: String,
    reason: String,
    component: Option<ComponentId>,
}

impl News {
    /// Somebody approved alone.
    pub(super) fn broken(approval: ApprovalId, known: &Approval, (actor, reason): (&Actor, &str)) -> Self {
        let (what, by) = (what(&known.proposal), By::Person { actor: actor.clone() });
        Self {
            text: format!("{actor} broke the glass for approval {approval}, {what}: {reason}"),
            component: known.proposal.component.clone(),
            reason: reason.to_owned(),
            approval,
            by,
        }
    }

    fn asked(approval: ApprovalId, proposal: &Proposal, (now, expires): (Time, Time)) -> Self {
        let Proposal { by, reason, component, .. } = proposal.clone();
        let text = format!(
            "approval {approval} is wanted: {}, for {by}: {reason}; it runs out in {}; \
             `grace approve {approval} --reason ...` or `grace deny {approval} --reason ...`",
            what(proposal),
            expires - now
        );
        Self { approval, by, text, reason, component }
    }

    fn proposal(self, receiver: ReceiverId) -> Proposal {
        let Self { approval, by, text, reason, component } = self;
        let act = Act::Notify { receiver, text, approval: Some(approval) };
        Proposal { by, act, reason, component, attempt: 0, slow: false }
    }
}

/// `restart of database`
fn what(proposal: &Proposal) -> String {
    let label = proposal.act.label();
    proposal.component.as_ref().map_or(label.clone(), |component| format!("{label} of {component}"))
}

impl Run<'_> {
    /// Keeps with a request what is known of its component now.
    pub(super) fn witness(&mut self, since: usize) {
        if self.meaning < Meaning::EVIDENCE {
            return;
        }
        let (records, governed) = (&self.records, &mut self.state.governed);
        for record in records.iter().skip(since) {
            let Record::ApprovalAsked { approval, proposal, .. } = record else { continue };
            let own = proposal.component.as_ref().and_then(|id| self.state.health.components.get(id));
            let evidence = own.map(|own| Evidence { status: own.status, facts: own.last.facts.clone() });
            if let Some(known) = governed.approvals.get_mut(approval) {
                known.evidence = Some(evidence.unwrap_or_default());
            }
        }
    }

    /// Tells of what was asked and broken in this step.
    pub(super) fn tell_of_approvals(&mut self) {
        let Some(receiver) = self.bundle.notify.approvals.clone() else { return };
        let now = self.desk.now;
        let asked = self.records.iter().filter_map(|record| match record {
            Record::ApprovalAsked { approval, proposal, expires, .. } => {
                Some(News::asked(*approval, proposal, (now, *expires)))
            }
            _ => None,
        });
        let asked: Vec<News> = asked.collect();
        let broken = std::mem::take(&mut self.broken);
        for news in asked.into_iter().chain(broken) {
            self.tell(&news.proposal(receiver.clone()));
        }
    }

    fn tell(&mut self, proposal: &Proposal) {
        let about = self.bundle.about(&self.state, proposal.component.as_ref());
        let ruled = self.desk.weigh(&self.state.governed, proposal, &about);
        if ruled.verdict != Verdict::Review
            && let Decision::Permitted(permit) = self.decide(proposal)
        {
            return self.carry_out(permit);
        }
        let (proposal, policy) = (proposal.clone(), ruled.policy);
        self.records.push(Record::Decided { proposal, verdict: ruled.verdict, policy, gate: ruled.gate });
    }
}
