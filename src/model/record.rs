//! What the journal holds: one record for everything that was seen, decided, done or refused.
//!
//! Records are what the engine hands out and the journal chains; the tables people query are views over
//! them, and events are records that have a type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    ActId, Actor, Advice, AdviceDeed, ApprovalId, Asked, By, Claim, ClaimKey, ComponentId, Effectiveness,
    Gate, GenerationId, HealResult, HealingResult, Hits, IncidentId, Known, Meaning, ModeId, Outcome,
    Performed, PolicyId, Proposal, ReceiverId, RecommendationId, RuleId, Side, Span, Status, StepDone, Tally,
    TaskDeed, TaskId, Time, Token, TokenId, Verdict, Write,
};

/// One record. Its JSON is what the chain hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum Record {
    /// Grace started.
    Started {
        version: String,
        generation: GenerationId,
        process: u32,
        interrupted: Vec<ActId>,
        /// Which meaning carried the state over the start.
        #[serde(default = "Meaning::first", skip_serializing_if = "Meaning::is_first")]
        meaning: Meaning,
    },
    /// Grace stopped in good order.
    Stopped { reason: String },
    /// A generation became active. Its text is kept the first time only.
    Generation {
        generation: GenerationId,
        files: BTreeMap<String, String>,
        kept: Vec<String>,
        reset: Vec<String>,
        dropped: Vec<String>,
        /// The digest of the state with which Grace went on, as the journal keeps it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
        /// Which meaning of the rules decided what of the state went over; older journals lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meaning: Option<Meaning>,
    },
    /// A generation was refused; the active one stays.
    GenerationRejected { problems: Vec<String> },
    /// One tick: what went in (but for the readings, which expire) and the digest of what came out.
    Tick {
        tick: u64,
        now: Time,
        statuses: BTreeMap<ComponentId, Status>,
        /// The consecutive failures of those that failed last; older journals lack it.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        failures: BTreeMap<ComponentId, u32>,
        performed: Vec<Performed>,
        asked: Vec<Asked>,
        stop: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grid: Option<Span>,
        /// Which meaning of the rules decided it.
        #[serde(default = "Meaning::first", skip_serializing_if = "Meaning::is_first")]
        meaning: Meaning,
        readings: String,
        decisions: String,
        /// The digest of the state that came of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
    },
    /// A component's status changed.
    StatusChanged { component: ComponentId, from: Status, to: Status, failures: u32, reason: String },
    /// A component could not be judged for a while.
    StillUnknown { component: ComponentId, readings: u32 },
    /// An incident began.
    IncidentBegun { component: ComponentId, incident: IncidentId },
    /// An incident ended: the component was verified healthy.
    IncidentEnded { component: ComponentId, incident: IncidentId, began: Time },
    /// Governance decided about a proposal that was not simply carried out.
    Decided { proposal: Proposal, verdict: Verdict, policy: Option<PolicyId>, gate: Option<Gate> },
    /// What a shadow rule wanted when it fired, and what governance would have said; nothing came of it.
    Shadowed { proposal: Proposal, verdict: Verdict, policy: Option<PolicyId>, gate: Option<Gate> },
    /// A candidate generation was set beside the live one. Its text is kept, so that it goes on after a restart.
    Candidate {
        generation: GenerationId,
        files: BTreeMap<String, String>,
        actor: Actor,
        reason: String,
        now: Time,
    },
    /// The candidate is one no more; nobody's doing is Grace's own.
    CandidateEnded { generation: GenerationId, actor: Option<Actor>, reason: String, promoted: bool },
    /// A candidate was refused; the one before, if there was one, stands.
    CandidateRejected { actor: Actor, reason: String, problems: Vec<String> },
    /// An act that only the candidate, or only the live generation made in this tick; the candidate makes none.
    CandidateDiffers { generation: GenerationId, tick: u64, only: Side, proposal: Proposal },
    /// An act is about to begin: it is durable before its effect.
    Intent { act: ActId, proposal: Proposal, policy: Option<PolicyId> },
    /// An act ended; there is exactly one end for each intent.
    End {
        act: ActId,
        component: Option<ComponentId>,
        /// What became of a try; a notification has none.
        outcome: Option<Outcome>,
        result: HealResult,
        detail: String,
        steps: Vec<StepDone>,
    },
    /// What had been healed of a component was there again soon after.
    Relapsed { act: ActId, component: ComponentId },
    /// A whole healing of a rule ended.
    HealingEnded { component: ComponentId, by: By, result: HealingResult, attempts: u32, detail: String },
    /// A brake stops a healing for longer; the next slow try is then.
    Exhausted { component: ComponentId, by: By, gate: Gate },
    /// A claim was made or replaced.
    Claimed { key: ClaimKey, claim: Claim },
    /// A claim ended.
    ClaimEnded { key: ClaimKey, mode: ModeId, reason: String },
    /// The mode changed.
    ModeChanged { from: ModeId, to: ModeId, reason: String, by: By },
    /// A component was blocked.
    Blocked {
        component: ComponentId,
        by: By,
        reason: String,
        /// What was known of the component then; old journals do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known: Option<Box<Known>>,
    },
    /// A block was lifted.
    Unblocked { component: ComponentId, by: By, reason: String },
    /// A person holds something.
    Held { component: Option<ComponentId>, actor: Actor, reason: String, until: Option<Time> },
    /// A hold ended.
    HoldEnded { component: Option<ComponentId>, reason: String },
    /// A person wants no notifications about something.
    Silenced { component: Option<ComponentId>, actor: Actor, reason: String, until: Option<Time> },
    /// A silence ended.
    SilenceEnded { component: Option<ComponentId>, reason: String },
    /// A bearer token was made; its secret was shown once and is nowhere.
    TokenMade { token: TokenId, made: Box<Token>, reason: String },
    /// A bearer token was revoked, or its time is over.
    TokenEnded {
        token: TokenId,
        reason: String,
        /// The requests for approval that have lost a vote which was given with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        votes: Vec<ApprovalId>,
    },
    /// A rule announced an event of its own.
    Announced {
        event: String,
        component: ComponentId,
        by: By,
        reason: String,
        /// What was known of the component then, with security events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known: Option<Box<Known>>,
    },
    /// A rule asks a person to do something.
    TaskCreated {
        /// Its number; tasks of old journals have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
        text: String,
        component: ComponentId,
        by: By,
    },
    /// Somebody did something about a task.
    TaskChanged { task: TaskId, what: TaskDeed, component: ComponentId, actor: Actor, reason: String },
    /// Nobody looked at a task for too long; this receiver is told.
    TaskEscalated { task: TaskId, component: ComponentId, receiver: ReceiverId },
    /// A rule recommends a change.
    Recommended {
        /// Its number; recommendations of old journals have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recommendation: Option<RecommendationId>,
        text: String,
        component: ComponentId,
        by: By,
        /// What is known of the healing that it is about, where it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        advice: Option<Box<Advice>>,
    },
    /// Somebody took a recommendation, or did not.
    RecommendationAnswered {
        recommendation: RecommendationId,
        what: AdviceDeed,
        component: ComponentId,
        actor: Actor,
        reason: String,
        /// When before and after are compared, counted from now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<Time>,
        /// How the tries ended that are before: all up to now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Tally>,
    },
    /// What came of a recommendation: the tries since, held against those before.
    Reviewed {
        recommendation: RecommendationId,
        component: ComponentId,
        rule: RuleId,
        verdict: Effectiveness,
        /// Somebody had accepted it.
        accepted: bool,
        /// The rule was changed since.
        changed: bool,
        before: Tally,
        after: Tally,
        /// So much more of the tries heal than before, with the ends of its interval of 95 %.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        difference: Option<[f64; 3]>,
        /// What became of all that were accepted so far.
        hits: Hits,
        detail: String,
    },
    /// Somebody has to approve something.
    ApprovalAsked { approval: ApprovalId, proposal: Proposal, policy: PolicyId, expires: Time },
    /// Somebody approved.
    Approved { approval: ApprovalId, actor: Actor, reason: String, break_glass: bool },
    /// An approval was refused, ran out or became void.
    ApprovalEnded { approval: ApprovalId, actor: Option<Actor>, reason: String },
    /// A person's request was refused.
    Refused { asked: Box<Asked>, says: String },
    /// A write waits for the database.
    WriteDeferred { key: String, write: Write, reason: String },
    /// A write that waited is done.
    WriteApplied { key: String },
    /// A process that Grace started ended.
    ProcessExited {
        component: ComponentId,
        worker: u32,
        pid: i32,
        /// When it was begun, in the kernel's clock ticks since the boot: with the number it is unmistakable.
        #[serde(default)]
        start: u64,
        /// 128 and more is a signal; none where nobody saw it.
        code: Option<i32>,
        lasted: Span,
        /// Grace had asked it to.
        asked: bool,
        /// The last it said.
        output: String,
    },
    /// A process that an earlier Grace started was found alive and taken over.
    ProcessAdopted { component: ComponentId, worker: u32, pid: i32 },
    /// The disk was full; nothing acts until there is room again.
    DiskFull { acts: bool },
    /// The wall clock was stepped; Grace's own time goes on.
    ClockStepped { by_ms: i64 },
    /// This is not the journal that was written last here: the entry `named` is missing, `last` is the last one.
    JournalReplaced {
        named: Option<i64>,
        last: i64,
        /// Numbers that entries have taken and the state does not know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<Taken>,
    },
    /// This key signs checkpoints from here on; before it another did, where one is named.
    AuditKey { key: String, before: Option<String> },
    /// Grace herself ended again and again soon after her start.
    CrashLoop { exits: u32, within: Span, good: Option<GenerationId> },
}

/// The newest number of each kind that the journal's entries have taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Taken {
    /// Of ticks.
    pub tick: u64,
    /// Of acts.
    pub act: ActId,
    /// Of requests for approval.
    pub approval: ApprovalId,
    /// Of incidents.
    pub incident: IncidentId,
    /// Of rules' tasks.
    pub task: TaskId,
    /// Of recommendations.
    pub recommendation: RecommendationId,
}

impl Record {
    /// The word the journal files it under.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Stopped { .. } => "stopped",
            Self::Generation { .. } => "generation",
            Self::GenerationRejected { .. } => "generation_rejected",
            Self::Tick { .. } => "tick",
            Self::StatusChanged { .. } => "status_changed",
            Self::StillUnknown { .. } => "still_unknown",
            Self::IncidentBegun { .. } => "incident_begun",
            Self::IncidentEnded { .. } => "incident_ended",
            Self::Decided { .. } => "decided",
            Self::Shadowed { .. } => "shadowed",
            Self::Candidate { .. } => "candidate",
            Self::CandidateEnded { .. } => "candidate_ended",
            Self::CandidateRejected { .. } => "candidate_rejected",
            Self::CandidateDiffers { .. } => "candidate_differs",
            Self::Intent { .. } => "intent",
            Self::End { .. } => "end",
            Self::Relapsed { .. } => "relapsed",
            Self::HealingEnded { .. } => "healing_ended",
            Self::Exhausted { .. } => "exhausted",
            Self::Claimed { .. } => "claimed",
            Self::ClaimEnded { .. } => "claim_ended",
            Self::ModeChanged { .. } => "mode_changed",
            Self::Blocked { .. } => "blocked",
            Self::Unblocked { .. } => "unblocked",
            Self::Held { .. } => "held",
            Self::HoldEnded { .. } => "hold_ended",
            Self::Silenced { .. } => "silenced",
            Self::SilenceEnded { .. } => "silence_ended",
            Self::TokenMade { .. } => "token_made",
            Self::TokenEnded { .. } => "token_ended",
            Self::Announced { .. } => "announced",
            Self::TaskCreated { .. } => "task_created",
            Self::TaskChanged { .. } => "task_changed",
            Self::TaskEscalated { .. } => "task_escalated",
            Self::Recommended { .. } => "recommended",
            Self::RecommendationAnswered { .. } => "recommendation_answered",
            Self::Reviewed { .. } => "reviewed",
            Self::ApprovalAsked { .. } => "approval_asked",
            Self::Approved { .. } => "approved",
            Self::ApprovalEnded { .. } => "approval_ended",
            Self::Refused { .. } => "refused",
            Self::WriteDeferred { .. } => "write_deferred",
            Self::WriteApplied { .. } => "write_applied",
            Self::ProcessExited { .. } => "process_exited",
            Self::ProcessAdopted { .. } => "process_adopted",
            Self::DiskFull { .. } => "disk_full",
            Self::ClockStepped { .. } => "clock_stepped",
            Self::JournalReplaced { .. } => "journal_replaced",
            Self::CrashLoop { .. } => "crash_loop",
            Self::AuditKey { .. } => "audit_key",
        }
    }

    /// The component it is about, if it is about one.
    #[must_use]
    pub fn component(&self) -> Option<&ComponentId> {
        match self {
            Self::StatusChanged { component, .. }
            | Self::StillUnknown { component, .. }
            | Self::IncidentBegun { component, .. }
            | Self::IncidentEnded { component, .. }
            | Self::Relapsed { component, .. }
            | Self::HealingEnded { component, .. }
            | Self::Exhausted { component, .. }
            | Self::Blocked { component, .. }
            | Self::Unblocked { component, .. }
            | Self::Announced { component, .. }
            | Self::TaskCreated { component, .. }
            | Self::TaskChanged { component, .. }
            | Self::TaskEscalated { component, .. }
            | Self::Recommended { component, .. }
            | Self::RecommendationAnswered { component, .. }
            | Self::Reviewed { component, .. }
            | Self::ProcessExited { component, .. }
            | Self::ProcessAdopted { component, .. } => Some(component),
            Self::Decided { proposal, .. }
            | Self::Shadowed { proposal, .. }
            | Self::CandidateDiffers { proposal, .. }
            | Self::Intent { proposal, .. }
            | Self::ApprovalAsked { proposal, .. } => proposal.component.as_ref(),
            Self::End { component, .. }
            | Self::Silenced { component, .. }
            | Self::SilenceEnded { component, .. }
            | Self::Held { component, .. }
            | Self::HoldEnded { component, .. } => component.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, HealStep, RuleId};

    fn proposal() -> Proposal {
        let component = ComponentId::from("database");
        Proposal {
            by: By::Rule { rule: RuleId::from("restart"), component: component.clone() },
            act: Act::Heal { component: component.clone(), steps: vec![HealStep::Restart { workers: None }] },
            reason: "critical".into(),
            component: Some(component),
            attempt: 1,
            slow: false,
        }
    }

    #[test]
    fn a_record_survives_the_journal() {
        let policy = PolicyId::from("manual_restart");
        let gates = [
            Gate::Policy { policy: Some(policy.clone()) },
            Gate::Approval { approval: ApprovalId(1), policy: policy.clone(), expires: Time(5) },
            Gate::NotApproved { approval: ApprovalId(1), why: "denied".into() },
        ];
        let by = proposal().by;
        let mut records = vec![Record::Intent { act: ActId(1), proposal: proposal(), policy: None }];
        for gate in gates {
            let (component, by) = (ComponentId::from("database"), by.clone());
            records.push(Record::Exhausted { component, by, gate: gate.clone() });
            let (proposal, policy) = (proposal(), Some(policy.clone()));
            records.push(Record::Decided { proposal, verdict: Verdict::Deny, policy, gate: Some(gate) });
        }
        for record in records {
            let text = serde_json::to_string(&record).expect("serialises");
            let back: Record = serde_json::from_str(&text).expect(&text);
            assert_eq!(back, record, "{text}");
        }
    }
}
