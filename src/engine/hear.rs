//! Who hears of approvals: an approval that nobody hears of expires, and glass is broken loudly.
//!
//! Both become notifications that meet the policies like any other, in the name of who asked or broke the glass. One
//! that a policy would have reviewed is not sent: somebody would have to be told of that as well.

use crate::engine::news::News;
use crate::engine::run::Run;
use crate::govern::{Decision, Evidence};
use crate::model::{Act, By, Meaning, Proposal, Record, Verdict};

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
            let person = match &proposal.by {
                By::Person { actor } if self.meaning >= Meaning::PEOPLE => {
                    Some(self.asks.clone().unwrap_or_else(|| governed.person(actor).clone()))
                }
                _ => None,
            };
            let moves = matches!(&proposal.act, Act::SetMode { .. } | Act::Release { .. });
            let by_person = matches!(&proposal.by, By::Person { .. });
            let claims =
                (moves && by_person && self.meaning >= Meaning::VOTES).then(|| governed.claims_now());
            if let Some(known) = governed.approvals.get_mut(approval) {
                known.claims = claims;
                known.evidence = Some(evidence.unwrap_or_default());
                known.person = person;
            }
        }
    }

    /// Tells of what was asked and broken in this step.
    pub(super) fn tell_of_approvals(&mut self) {
        let Some(receiver) = self.bundle.notify.approvals.clone() else { return };
        let (now, meaning) = (self.desk.now, self.meaning);
        let asked = self.records.iter().filter_map(|record| match record {
            Record::ApprovalAsked { approval, proposal, expires, .. } => {
                Some(News::asked(*approval, proposal, (now, *expires), meaning))
            }
            _ => None,
        });
        let asked: Vec<News> = asked.collect();
        let broken = std::mem::take(&mut self.broken);
        for news in asked.into_iter().chain(broken) {
            self.tell(&news.proposal(receiver.clone()));
        }
    }

    pub(super) fn tell(&mut self, proposal: &Proposal) {
        let about = self.about(proposal);
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
