//! Rows of the tables people query, for status, API and CLI. Times are RFC 3339 in UTC, by the wall clock.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::model::StepDone;
use crate::record::error::Fault;
use crate::record::reader::clamp;
use crate::record::{JournalError, Reader};

/// One look at one component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct HealthCheck {
    pub seq: i64,
    pub at: String,
    pub tick: u64,
    pub component: String,
    pub status: String,
    pub occasion: Option<String>,
    /// Each fact by its name; none once the readings have expired.
    pub facts: Option<serde_json::Value>,
}

/// One try of a healing. Without `result` it still runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct HealingAction {
    pub seq: i64,
    pub act: u64,
    pub at: String,
    pub ended_at: Option<String>,
    pub tick: Option<u64>,
    pub component: String,
    pub action: String,
    pub result: Option<String>,
    pub outcome: Option<String>,
    pub detail: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub steps: Vec<StepDone>,
    pub by: String,
    pub rule: Option<String>,
    pub actor: Option<String>,
    pub attempt: u32,
    pub slow: bool,
    pub reason: String,
    pub policy: Option<String>,
}

/// One change of the mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct ModeChange {
    pub seq: i64,
    pub at: String,
    pub from_mode: String,
    pub to_mode: String,
    pub reason: String,
    pub by: String,
}

/// Something that looks like an attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct SecurityEvent {
    pub seq: i64,
    pub at: String,
    pub event: String,
    pub component: String,
    pub by: String,
    pub reason: String,
}

/// Something a rule asks a person to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct Task {
    pub seq: i64,
    pub task: Option<u64>,
    pub at: String,
    pub text: String,
    pub component: String,
    pub by: String,
    pub state: String,
    pub assigned_to: Option<String>,
    pub changed_at: Option<String>,
    pub changed_by: Option<String>,
    pub change_reason: Option<String>,
}

/// Something governance did not simply let through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct Decision {
    pub seq: i64,
    pub at: String,
    pub tick: Option<u64>,
    pub component: Option<String>,
    pub action: String,
    pub by: String,
    pub verdict: String,
    pub policy: Option<String>,
    pub gate: Option<String>,
    pub because: Option<serde_json::Value>,
    pub reason: String,
}

/// Something that needed a person's approval. `answer` is `waiting`, `approved` or `ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct Approval {
    pub seq: i64,
    pub approval: u64,
    pub at: String,
    pub component: Option<String>,
    pub action: String,
    pub asked_by: String,
    pub reason: String,
    pub policy: String,
    pub expires: String,
    pub answer: String,
    pub answered_at: Option<String>,
    pub answered_by: Option<String>,
    pub answer_reason: Option<String>,
    pub break_glass: bool,
}

/// A row that one of the views gives.
pub(super) trait FromView: Sized {
    /// The query, newest first, with the limit as its only parameter.
    const QUERY: &'static str;
    fn of(row: &Row<'_>) -> Result<Self, Fault>;
}

pub(super) fn newest<T: FromView>(conn: &Connection, limit: usize) -> Result<Vec<T>, Fault> {
    let mut query = conn.prepare_cached(T::QUERY)?;
    let mut rows = query.query(params![clamp(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(T::of(row)?);
    }
    Ok(found)
}

impl FromView for HealingAction {
    const QUERY: &'static str = "SELECT * FROM healing_actions ORDER BY seq DESC LIMIT ?1";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        let steps: Option<String> = row.get("steps")?;
        Ok(Self {
            seq: row.get("seq")?,
            act: counter(row, "act")?.unwrap_or(0),
            at: row.get("at")?,
            ended_at: row.get("ended_at")?,
            tick: counter(row, "tick")?,
            component: row.get("component")?,
            action: row.get("action")?,
            result: row.get("result")?,
            outcome: row.get("outcome")?,
            detail: row.get("detail")?,
            steps: steps.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default(),
            by: row.get("by")?,
            rule: row.get("rule")?,
            actor: row.get("actor")?,
            attempt: row.get("attempt")?,
            slow: row.get("slow")?,
            reason: row.get("reason")?,
            policy: row.get("policy")?,
        })
    }
}

impl FromView for ModeChange {
    const QUERY: &'static str = "SELECT * FROM mode_changes ORDER BY seq DESC LIMIT ?1";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            at: row.get("at")?,
            from_mode: row.get("from_mode")?,
            to_mode: row.get("to_mode")?,
            reason: row.get("reason")?,
            by: row.get("by")?,
        })
    }
}

impl FromView for SecurityEvent {
    const QUERY: &'static str = "SELECT * FROM security_events ORDER BY seq DESC LIMIT ?1";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            at: row.get("at")?,
            event: row.get("event")?,
            component: row.get("component")?,
            by: row.get("by")?,
            reason: row.get("reason")?,
        })
    }
}

impl FromView for Task {
    const QUERY: &'static str = "SELECT * FROM (SELECT * FROM tasks ORDER BY seq DESC LIMIT ?1)
         UNION SELECT * FROM (SELECT * FROM tasks WHERE state <> 'closed' ORDER BY seq DESC LIMIT 1000)
         ORDER BY seq DESC";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            task: counter(row, "task")?,
            at: row.get("at")?,
            text: row.get("text")?,
            component: row.get("component")?,
            by: row.get("by")?,
            state: row.get("state")?,
            assigned_to: row.get("assigned_to")?,
            changed_at: row.get("changed_at")?,
            changed_by: row.get("changed_by")?,
            change_reason: row.get("change_reason")?,
        })
    }
}

impl FromView for Decision {
    const QUERY: &'static str = "SELECT * FROM decisions ORDER BY seq DESC LIMIT ?1";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            at: row.get("at")?,
            tick: counter(row, "tick")?,
            component: row.get("component")?,
            action: row.get("action")?,
            by: row.get("by")?,
            verdict: row.get("verdict")?,
            policy: row.get("policy")?,
            gate: row.get("gate")?,
            because: json(row, "because")?,
            reason: row.get("reason")?,
        })
    }
}

impl FromView for Approval {
    const QUERY: &'static str = "SELECT * FROM approvals ORDER BY seq DESC LIMIT ?1";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            approval: counter(row, "approval")?.unwrap_or(0),
            at: row.get("at")?,
            component: row.get("component")?,
            action: row.get("action")?,
            asked_by: row.get("asked_by")?,
            reason: row.get("reason")?,
            policy: row.get("policy")?,
            expires: row.get("expires")?,
            answer: row.get("answer")?,
            answered_at: row.get("answered_at")?,
            answered_by: row.get("answered_by")?,
            answer_reason: row.get("answer_reason")?,
            break_glass: row.get::<_, Option<bool>>("break_glass")?.unwrap_or(false),
        })
    }
}

impl Reader {
    /// The newest tries, newest first.
    pub fn healing_actions(&self, limit: usize) -> Result<Vec<HealingAction>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }

    /// The newest changes of the mode, newest first.
    pub fn mode_changes(&self, limit: usize) -> Result<Vec<ModeChange>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }

    /// The newest security events, newest first.
    pub fn security_events(&self, limit: usize) -> Result<Vec<SecurityEvent>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }

    /// The newest tasks rules gave to people and those that nobody closed, newest first.
    pub fn tasks(&self, limit: usize) -> Result<Vec<Task>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }

    /// What governance last did not simply let through, newest first.
    pub fn decisions(&self, limit: usize) -> Result<Vec<Decision>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }

    /// The newest requests for approval, newest first, answered or not.
    pub fn approvals(&self, limit: usize) -> Result<Vec<Approval>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }
}

pub(super) fn counter(row: &Row<'_>, column: &str) -> Result<Option<u64>, Fault> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|n| u64::try_from(n).ok()))
}

pub(super) fn json(row: &Row<'_>, column: &str) -> Result<Option<serde_json::Value>, Fault> {
    let text: Option<String> = row.get(column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}
