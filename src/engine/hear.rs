//! Who hears of approvals: an approval that nobody hears of expires, and glass is broken loudly.
//!
//! Both become notifications that meet the policies like any other, in the name of who asked or broke the glass. One
//! that a policy would have reviewed is not sent: somebody would have to be told of that as well. One that a silence keeps
//! back is remembered, and told when the silence ends, where there is still something to decide.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::engine::news::News;
use crate::engine::run::Run;
use crate::govern::{About, Approval, Decision, Evidence};
use crate::model::{Act, ApprovalId, By, Gate, Meaning, Proposal, ReceiverId, Record, Verdict};

/// Of so much broken glass it is remembered that nobody heard. Beyond that the oldest is let go: the journal has it.
const MOST: usize = 100;

/// What silences keep back from whoever hears of approvals.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptBack {
    /// Requests of which nobody heard.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    asked: BTreeSet<ApprovalId>,
    /// Glass that was broken and of which nobody heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    broken: Vec<News>,
}

impl KeptBack {
    /// Is it nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.broken.is_empty()
    }
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

    /// Tells of what was asked and broken in this step, and before that of what a silence kept back that is over now.
    pub(super) fn tell_of_approvals(&mut self) {
        let kept = std::mem::take(&mut self.state.kept_back);
        let Some(receiver) = self.bundle.notify.approvals.clone() else { return };
        let (now, meaning) = (self.desk.now, self.meaning);
        let asked = self.records.iter().filter_map(|record| match record {
            Record::ApprovalAsked { approval, proposal, expires, .. } => {
                Some((*approval, News::asked(*approval, proposal, (now, *expires), meaning)))
            }
            _ => None,
        });
        let asked: Vec<(ApprovalId, News)> = asked.collect();
        let broken = std::mem::take(&mut self.broken);
        self.tell_late(kept, &receiver);
        for (approval, news) in asked {
            if self.tell(&news.proposal(receiver.clone())) {
                self.state.kept_back.asked.insert(approval);
            }
        }
        for news in broken {
            if self.tell(&news.clone().proposal(receiver.clone())) {
                self.state.kept_back.broken.push(news);
            }
        }
        let broken = &mut self.state.kept_back.broken;
        broken.drain(..broken.len().saturating_sub(MOST));
    }

    /// Tells what a silence kept back and none does any more. A request has to wait still; broken glass is always told.
    fn tell_late(&mut self, kept: KeptBack, receiver: &ReceiverId) {
        let (now, meaning) = (self.desk.now, self.meaning);
        for approval in kept.asked {
            let waits = |known: &&Approval| matches!(known.shut(approval), Some(Gate::Approval { .. }));
            let Some(known) = self.state.governed.approvals.get(&approval).filter(waits) else { continue };
            let news = News::asked(approval, &known.proposal, (now, known.expires), meaning);
            let proposal = news.proposal(receiver.clone());
            if self.is_kept_back(&proposal) {
                self.state.kept_back.asked.insert(approval);
            } else {
                self.tell(&proposal);
            }
        }
        for news in kept.broken {
            let proposal = news.clone().proposal(receiver.clone());
            if self.is_kept_back(&proposal) {
                self.state.kept_back.broken.push(news);
            } else {
                self.tell(&proposal);
            }
        }
    }

    /// Does a silence keep this back, which is told when it ends?
    pub(super) fn is_kept_back(&self, proposal: &Proposal) -> bool {
        self.meaning >= Meaning::VOTES && self.state.governed.keeps_back(proposal, &self.about(proposal))
    }

    /// Tells it, or writes down why not. True where a silence keeps it back: then it is to be told later.
    pub(super) fn tell(&mut self, proposal: &Proposal) -> bool {
        let about = self.about(proposal);
        self.tell_about(proposal, &about)
    }

    /// The same, where it is known of whom it speaks.
    pub(super) fn tell_about(&mut self, proposal: &Proposal, about: &About) -> bool {
        let ruled = self.desk.weigh(&self.state.governed, proposal, about);
        if ruled.verdict != Verdict::Review
            && let Decision::Permitted(permit) = self.decide_about(proposal, about)
        {
            self.carry_out(permit);
            return false;
        }
        let is_silenced = self.meaning >= Meaning::VOTES && matches!(ruled.gate, Some(Gate::Silenced { .. }));
        let (proposal, policy) = (proposal.clone(), ruled.policy);
        self.records.push(Record::Decided { proposal, verdict: ruled.verdict, policy, gate: ruled.gate });
        is_silenced
    }
}
