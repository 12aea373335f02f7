//! Requests for approval as those see them who decide: what, why, on what evidence, and what hangs on it.

use std::collections::BTreeSet;

use crate::api::shapes::{ApprovalLine, EvidenceLine, Reach};
use crate::api::touched::touches;
use crate::engine::Bundle;
use crate::govern::{Approval, Evidence};
use crate::model::{ApprovalId, By, ComponentId};
use crate::supervisor::Published;

/// Everything that waits for approval; `stop` says whether a file named STOP lies in the data directory.
pub(super) fn approvals(known: &Published, stop: bool) -> Vec<ApprovalLine> {
    let all = known.state.governed.approvals.iter();
    all.filter(|(_, approval)| waits(approval))
        .map(|(id, approval)| line((known, stop), *id, approval))
        .collect()
}

/// The one of this number, if it waits.
pub(super) fn approval(known: &Published, stop: bool, id: ApprovalId) -> Option<ApprovalLine> {
    let approval = known.state.governed.approvals.get(&id).filter(|approval| waits(approval))?;
    Some(line((known, stop), id, approval))
}

fn waits(approval: &Approval) -> bool {
    approval.refused.is_none() && !approval.granted()
}

fn line((known, stop): (&Published, bool), id: ApprovalId, approval: &Approval) -> ApprovalLine {
    let component = approval.proposal.component.as_ref();
    let evidence = approval.evidence.as_ref().filter(|_| component.is_some());
    ApprovalLine {
        approval: id.0,
        action: approval.proposal.act.words(),
        component: component.map(ToString::to_string),
        asked_by: approval.proposal.by.to_string(),
        reason: approval.proposal.reason.clone(),
        policy: approval.policy.to_string(),
        asked_at: approval.asked.to_string(),
        expires: approval.expires.to_string(),
        needs: approval.approvers,
        given: approval.given.iter().map(ToString::to_string).collect(),
        may_decide: may_decide(approval),
        act_hash: approval.act_hash(),
        changes: approval.changes.clone(),
        touches: touches(known, stop, approval),
        reach: component.and_then(|id| reach(&known.bundle, id)),
        then: evidence.map(shown),
        now: component.and_then(|id| now(known, id)),
    }
}

fn may_decide(approval: &Approval) -> String {
    let role = "whoever has the role approver";
    if !approval.editors.is_empty() {
        let editors: Vec<String> = approval.editors.iter().map(ToString::to_string).collect();
        return format!("{role}, but not {}, whose the changed files are", editors.join(" or "));
    }
    match &approval.proposal.by {
        By::Person { actor } => format!("{role}, but not {actor}, who asked"),
        By::Rule { .. } => role.into(),
    }
}

fn now(known: &Published, id: &ComponentId) -> Option<EvidenceLine> {
    let own = known.state.health.components.get(id)?;
    Some(shown(&Evidence { status: own.status, facts: own.last.facts.clone() }))
}

fn shown(evidence: &Evidence) -> EvidenceLine {
    let facts = evidence.facts.iter().map(|(id, reading)| (id.to_string(), reading.clone()));
    EvidenceLine { status: evidence.status, facts: facts.collect() }
}

fn reach(bundle: &Bundle, id: &ComponentId) -> Option<Reach> {
    let component = bundle.components.get(id)?;
    let mut needed_by = BTreeSet::new();
    let mut ways = vec![id];
    while let Some(below) = ways.pop() {
        let direct = bundle.components.values().filter(|one| one.depends_on.contains(below));
        ways.extend(direct.map(|one| &one.id).filter(|one| needed_by.insert(*one)));
    }
    Some(Reach {
        tier: component.tier,
        workers: component.workers,
        needed_by: needed_by.into_iter().map(ToString::to_string).collect(),
    })
}
