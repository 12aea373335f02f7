//! The events that are Grace's own: the journal's entries that the mesh carries.

use crate::model::{Act, AdviceDeed, Effectiveness, Record, Status, TaskDeed};

impl Record {
    /// The types of the events that are Grace's own; rules announce others.
    pub const EVENTS: &[&str] = &[
        "access.token_ended",
        "access.token_made",
        "config.generation_activated",
        "config.generation_rejected",
        "governance.approval_asked",
        "governance.approval_ended",
        "governance.approved",
        "governance.component_blocked",
        "governance.component_unblocked",
        "governance.decided",
        "governance.held",
        "governance.hold_ended",
        "governance.request_refused",
        "governance.silence_ended",
        "governance.silenced",
        "grace.clock_stepped",
        "grace.crash_loop",
        "grace.disk_full",
        "grace.journal_replaced",
        "grace.started",
        "grace.stopped",
        "health.component_failed",
        "health.component_recovered",
        "health.component_unknown",
        "health.healing_attempted",
        "health.healing_ended",
        "health.healing_exhausted",
        "health.healing_finished",
        "health.healing_relapsed",
        "health.incident_begun",
        "health.incident_ended",
        "health.mode_changed",
        "health.mode_claim_ended",
        "health.mode_claimed",
        "health.process_adopted",
        "health.process_exited",
        "health.status_changed",
        "meta.recommendation_accepted",
        "meta.recommendation_declined",
        "meta.recommended",
        "meta.regressed",
        "meta.reviewed",
        "notification.attempted",
        "notification.finished",
        "shadow.candidate_differs",
        "shadow.candidate_ended",
        "shadow.candidate_rejected",
        "shadow.candidate_set",
        "shadow.would_have_acted",
        "task.acknowledged",
        "task.assigned",
        "task.closed",
        "task.created",
        "task.escalated",
        "write.applied",
        "write.deferred",
    ];

    /// The type of the event this record is carried as; none is carried that has none.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        Some(match self {
            Self::Started { .. } => "grace.started",
            Self::Stopped { .. } => "grace.stopped",
            Self::Generation { .. } => "config.generation_activated",
            Self::GenerationRejected { .. } => "config.generation_rejected",
            Self::StatusChanged { to: Status::Critical, .. } => "health.component_failed",
            Self::StatusChanged { from: Status::Critical, to: Status::Ok | Status::Warn, .. } => {
                "health.component_recovered"
            }
            Self::StatusChanged { .. } => "health.status_changed",
            Self::StillUnknown { .. } => "health.component_unknown",
            Self::IncidentBegun { .. } => "health.incident_begun",
            Self::IncidentEnded { .. } => "health.incident_ended",
            Self::Decided { .. } => "governance.decided",
            Self::Shadowed { .. } => "shadow.would_have_acted",
            Self::Candidate { .. } => "shadow.candidate_set",
            Self::CandidateEnded { .. } => "shadow.candidate_ended",
            Self::CandidateRejected { .. } => "shadow.candidate_rejected",
            Self::CandidateDiffers { .. } => "shadow.candidate_differs",
            Self::Intent { proposal, .. } => match proposal.act {
                Act::Heal { .. } => "health.healing_attempted",
                _ => "notification.attempted",
            },
            Self::End { component: Some(_), .. } => "health.healing_finished",
            Self::End { component: None, .. } => "notification.finished",
            Self::Relapsed { .. } => "health.healing_relapsed",
            Self::HealingEnded { .. } => "health.healing_ended",
            Self::Exhausted { .. } => "health.healing_exhausted",
            Self::Claimed { .. } => "health.mode_claimed",
            Self::ClaimEnded { .. } => "health.mode_claim_ended",
            Self::ModeChanged { .. } => "health.mode_changed",
            Self::Blocked { .. } => "governance.component_blocked",
            Self::Unblocked { .. } => "governance.component_unblocked",
            Self::Held { .. } => "governance.held",
            Self::HoldEnded { .. } => "governance.hold_ended",
            Self::Silenced { .. } => "governance.silenced",
            Self::SilenceEnded { .. } => "governance.silence_ended",
            Self::TokenMade { .. } => "access.token_made",
            Self::TokenEnded { .. } => "access.token_ended",
            Self::Announced { event, .. } => event,
            Self::TaskCreated { .. } => "task.created",
            Self::TaskChanged { what: TaskDeed::Acknowledge, .. } => "task.acknowledged",
            Self::TaskChanged { what: TaskDeed::Assign { .. }, .. } => "task.assigned",
            Self::TaskChanged { what: TaskDeed::Close, .. } => "task.closed",
            Self::TaskEscalated { .. } => "task.escalated",
            Self::Recommended { .. } => "meta.recommended",
            Self::RecommendationAnswered { what: AdviceDeed::Accept, .. } => "meta.recommendation_accepted",
            Self::RecommendationAnswered { what: AdviceDeed::Decline, .. } => "meta.recommendation_declined",
            Self::Reviewed { verdict: Effectiveness::MadeItWorse, .. } => "meta.regressed",
            Self::Reviewed { .. } => "meta.reviewed",
            Self::ApprovalAsked { .. } => "governance.approval_asked",
            Self::Approved { .. } => "governance.approved",
            Self::ApprovalEnded { .. } => "governance.approval_ended",
            Self::Refused { .. } => "governance.request_refused",
            Self::WriteDeferred { .. } => "write.deferred",
            Self::WriteApplied { .. } => "write.applied",
            Self::ProcessExited { .. } => "health.process_exited",
            Self::ProcessAdopted { .. } => "health.process_adopted",
            Self::DiskFull { .. } => "grace.disk_full",
            Self::ClockStepped { .. } => "grace.clock_stepped",
            Self::JournalReplaced { .. } => "grace.journal_replaced",
            Self::CrashLoop { .. } => "grace.crash_loop",
            Self::AuditKey { before: Some(_), .. } => "security.audit_key_changed",
            Self::AuditKey { before: None, .. } => "audit.key",
            Self::Tick { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActId, ComponentId};

    #[test]
    fn every_event_of_graces_own_is_in_the_list_once() {
        let mut sorted = Record::EVENTS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, Record::EVENTS);
        let known = |record: &Record| record.event().is_none_or(|event| Record::EVENTS.contains(&event));
        let component = ComponentId::from("web");
        for (from, to) in Status::ALL.into_iter().flat_map(|from| Status::ALL.map(|to| (from, to))) {
            let (component, reason) = (component.clone(), String::new());
            assert!(known(&Record::StatusChanged { component, from, to, failures: 0, reason }));
        }
        assert!(known(&Record::ClockStepped { by_ms: 1 }) && known(&Record::DiskFull { acts: false }));
        assert!(known(&Record::Relapsed { act: ActId(1), component }));
    }
}
