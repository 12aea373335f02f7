//! `GET /api/health/status`: the whole picture as of the last step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::shapes::{ApprovalLine, BlockLine, ClaimLine, HoldLine};
use crate::components::Subscription;
use crate::model::{Reading, Span, Status as Is, Why};
use crate::record::rows::HealingAction;

/// The whole picture.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The mode.
    pub system_mode: String,
    /// Why it is the mode, and since when.
    pub mode_reason: String,
    /// Since when it is the mode.
    pub mode_changed_at: String,
    /// What is permitted now.
    pub permitted: Vec<String>,
    /// What happens to writes: `allow`, `queue`, `reject`.
    pub writes: String,
    /// How each component is.
    pub health_checks: Vec<HealthCheck>,
    /// Where the next page of them begins: `after`. None on the last.
    #[serde(default)]
    pub next_check: Option<String>,
    /// The newest tries of healings, newest first.
    pub healing_actions: Vec<HealingAction>,
    /// Where the next page of them begins: `before`. None on the last.
    #[serde(default)]
    pub next_action: Option<i64>,
    /// Every demand for a mode.
    pub claims: Vec<ClaimLine>,
    /// Components without automatic healing.
    pub blocks: Vec<BlockLine>,
    /// What people hold.
    pub holds: Vec<HoldLine>,
    /// What nobody is notified about.
    #[serde(default)]
    pub silences: Vec<HoldLine>,
    /// What waits for approval.
    pub approvals: Vec<ApprovalLine>,
    /// What each rule is at, and so why it does not act.
    pub rules: Vec<RuleLine>,
    /// The files that were refused, until some are accepted.
    pub rejected: Option<Rejection>,
    /// Why the journal cannot be written; while it cannot, nothing acts.
    pub unwritten: Option<String>,
    /// A file named STOP lies in the data directory.
    pub stop: bool,
    /// The write gate.
    pub write_gate: WriteGate,
    /// Who follows events.
    #[schema(value_type = Vec<Object>)]
    pub subscribers: Vec<Subscription>,
    /// The active generation.
    pub generation: String,
    /// The length of a slot of the grid.
    #[schema(value_type = i64)]
    pub interval_ms: Span,
    /// Ticks so far.
    pub tick: u64,
    /// Ticks of the grid that were missed because others took too long.
    pub overruns: u64,
    /// When Grace started.
    pub started_at: String,
    /// Which Grace it is.
    pub version: String,
    /// The time.
    pub clock: Clock,
}

/// Grace's own time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Clock {
    /// Now, on Grace's own time line; all times here but those of the tables are on it.
    pub now: String,
    /// How far the wall clock is ahead of it.
    pub wall_ahead_ms: i64,
}

/// How one component is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// Which.
    pub component: String,
    /// How it is.
    #[schema(value_type = String)]
    pub status: Is,
    /// Consecutive critical readings.
    pub failures: u32,
    /// Since when it is so; none before the first reading.
    pub since: Option<String>,
    /// When it was last looked at.
    pub checked_at: Option<String>,
    /// Its facts as they were last read.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub facts: BTreeMap<String, Reading>,
    /// How much hangs on it.
    pub tier: i64,
    /// The incident that is open.
    pub incident: Option<u64>,
}

/// What one rule is at.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuleLine {
    /// For which component.
    pub component: String,
    /// Which rule.
    pub rule: String,
    /// What it is at, for programs.
    #[schema(value_type = Object)]
    pub at: Why,
    /// The same as a sentence.
    pub says: String,
    /// It never acts; what it would have done is in the journal.
    #[serde(default)]
    pub shadow: bool,
    /// Why the rule is there, as its file says.
    pub why: Option<String>,
}

/// Files that were refused.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Rejection {
    /// When.
    pub at: String,
    /// Every problem, one line each.
    pub problems: Vec<String>,
}

/// The write gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WriteGate {
    /// Would a write be done at once now?
    pub flows: bool,
    /// How many writes wait in the journal.
    pub queued: u64,
}
