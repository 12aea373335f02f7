//! What belongs to an incident: what is about its component or came of its rules, and what concerns every component (modes,
//! files, Grace herself). What others' rules told and claimed, and what was refused of others, does not.

use std::collections::BTreeSet;

use crate::model::{Act, ActId, ApprovalId, By, Proposal, RecommendationId, Record, Request, TaskId};

/// What is known to belong to the incident of a component.
pub(super) struct Belongings<'p> {
    component: &'p str,
    acts: BTreeSet<ActId>,
    approvals: BTreeSet<ApprovalId>,
    tasks: BTreeSet<TaskId>,
    recommendations: BTreeSet<RecommendationId>,
}

impl<'p> Belongings<'p> {
    /// Of a component, with the requests for approval that were asked about it, or about none, before the incident.
    pub(super) fn of(component: &'p str, approvals: BTreeSet<ApprovalId>) -> Self {
        Self {
            component,
            acts: BTreeSet::new(),
            approvals,
            tasks: BTreeSet::new(),
            recommendations: BTreeSet::new(),
        }
    }

    /// Does this entry belong to it? What it begins is remembered, so that its end is known.
    pub(super) fn take(&mut self, record: &Record) -> bool {
        if record.component().is_some_and(|id| id.as_str() != self.component) {
            return false;
        }
        match record {
            Record::Intent { act, proposal, .. } => concerns(proposal) && self.acts.insert(*act),
            Record::Decided { proposal, .. } => concerns(proposal),
            Record::ApprovalAsked { approval, proposal, .. } => {
                concerns(proposal) && self.approvals.insert(*approval)
            }
            Record::TaskCreated { task, .. } => {
                self.tasks.extend(task);
                true
            }
            Record::Recommended { recommendation, .. } => {
                self.recommendations.extend(recommendation);
                true
            }
            // The end of a notification names no component, and comes once.
            Record::End { act, component: None, .. } => self.acts.remove(act),
            Record::Approved { approval, .. } | Record::ApprovalEnded { approval, .. } => {
                self.approvals.contains(approval)
            }
            // What a claim of others did to the mode is told; whose claims there are is not.
            Record::Claimed { claim, .. } => self.is_ours(&claim.by),
            Record::ClaimEnded { key, .. } => {
                let key = key.to_string();
                key.rsplit_once('/').is_none_or(|(_, component)| component == self.component)
            }
            Record::Refused { asked, .. } => self.asked_of(&asked.request),
            _ => true,
        }
    }

    /// Is this a notification of it that has not ended yet?
    pub(super) fn awaits(&self, act: ActId) -> bool {
        self.acts.contains(&act)
    }

    fn is_ours(&self, by: &By) -> bool {
        match by {
            By::Rule { component, .. } => component.as_str() == self.component,
            By::Person { .. } => true,
        }
    }

    /// Was it asked of this component, or of all?
    fn asked_of(&self, request: &Request) -> bool {
        match request {
            Request::Restart { component }
            | Request::Scale { component, .. }
            | Request::Unblock { component }
            | Request::Run { component, .. } => component.as_str() == self.component,
            Request::Hold { component, .. }
            | Request::EndHold { component }
            | Request::Silence { component, .. }
            | Request::EndSilence { component } => {
                component.as_ref().is_none_or(|id| id.as_str() == self.component)
            }
            Request::Approve { approval, .. } | Request::Deny { approval } => {
                self.approvals.contains(approval)
            }
            Request::Task { task, .. } => self.tasks.contains(task),
            Request::Recommendation { recommendation, .. } => self.recommendations.contains(recommendation),
            Request::SetMode { .. } | Request::Release { .. } | Request::Activate { .. } => true,
            Request::MakeToken(_) | Request::EndToken { .. } => false,
        }
    }
}

/// Tokens concern no component.
fn concerns(proposal: &Proposal) -> bool {
    !matches!(proposal.act, Act::MakeToken(_) | Act::EndToken { .. })
}
