//! Where a record comes from: a step, an adoption (a start or a reload), or the shell around the engine.
//!
//! Whatever the engine decides follows from what went in, so that it can be derived again; a record that says of
//! itself that nobody decided it could be put in by anybody. So each kind has its places, and the journal refuses
//! one that stands elsewhere.

use crate::model::Record;

/// What may have written a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A step of the engine: it stands behind its tick and bears the tick's number.
    Step,
    /// A start or a reload: it stands with the generation that was taken over, and bears no number of a tick.
    Adoption,
    /// Either of the two.
    StepOrAdoption,
    /// The shell, between two steps: it bears no number of a tick, and nothing is decided by it.
    Shell,
}

impl Origin {
    /// Can it come of a step?
    #[must_use]
    pub fn is_step(self) -> bool {
        matches!(self, Self::Step | Self::StepOrAdoption)
    }

    /// Can it come of a start or a reload?
    #[must_use]
    pub fn is_adoption(self) -> bool {
        matches!(self, Self::Adoption | Self::StepOrAdoption)
    }
}

impl Record {
    /// What may have written it. A new kind has to find its place here.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self {
            Self::Started { .. }
            | Self::Generation { .. }
            | Self::JournalReplaced { .. }
            | Self::CrashLoop { .. } => Origin::Adoption,
            // A component that is declared no more ends its tries, a rule that is changed or gone its healing, files may
            // settle the mode anew, and what waited for an approval under other files is void.
            Self::End { .. }
            | Self::HealingEnded { .. }
            | Self::Claimed { .. }
            | Self::ClaimEnded { .. }
            | Self::ModeChanged { .. }
            | Self::ApprovalEnded { .. } => Origin::StepOrAdoption,
            Self::Stopped { .. }
            | Self::GenerationRejected { .. }
            | Self::Candidate { .. }
            | Self::CandidateEnded { .. }
            | Self::CandidateRejected { .. }
            | Self::CandidateDiffers { .. }
            | Self::WriteDeferred { .. }
            | Self::WriteApplied { .. }
            | Self::ProcessExited { .. }
            | Self::ProcessAdopted { .. }
            | Self::DiskFull { .. }
            | Self::AuditKey { .. }
            | Self::ClockStepped { .. } => Origin::Shell,
            Self::Tick { .. }
            | Self::StatusChanged { .. }
            | Self::StillUnknown { .. }
            | Self::IncidentBegun { .. }
            | Self::IncidentEnded { .. }
            | Self::Decided { .. }
            | Self::Shadowed { .. }
            | Self::Intent { .. }
            | Self::Relapsed { .. }
            | Self::Exhausted { .. }
            | Self::Blocked { .. }
            | Self::Unblocked { .. }
            | Self::Held { .. }
            | Self::HoldEnded { .. }
            | Self::Silenced { .. }
            | Self::SilenceEnded { .. }
            | Self::TokenMade { .. }
            | Self::TokenEnded { .. }
            | Self::Announced { .. }
            | Self::TaskCreated { .. }
            | Self::TaskChanged { .. }
            | Self::TaskEscalated { .. }
            | Self::Recommended { .. }
            | Self::RecommendationAnswered { .. }
            | Self::Reviewed { .. }
            | Self::ApprovalAsked { .. }
            | Self::Approved { .. }
            | Self::Refused { .. } => Origin::Step,
        }
    }
}
