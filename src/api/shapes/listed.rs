//! Lines of lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/health/mode`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModeNow {
    /// The mode.
    pub mode: String,
    /// Names the mode with its claims: the `ETag`, for `If-Match`.
    pub revision: String,
    /// Why it is the mode.
    pub reason: String,
    /// Since when.
    pub changed_at: String,
    /// By whom: `uid:0`, `read_only/database`; none at the very start.
    pub changed_by: Option<String>,
    /// What is permitted now.
    pub permits: Vec<String>,
    /// What happens to writes: `allow`, `queue`, `reject`.
    pub writes: String,
    /// Every demand for a mode.
    pub claims: Vec<ClaimLine>,
}

/// One demand for a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimLine {
    /// Whose: `read_only/database`, `person`.
    pub claim: String,
    /// Which mode.
    pub mode: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: String,
    /// When it ends by itself.
    pub expires: Option<String>,
    /// A condition of a rule ends it by itself.
    pub ends_by_itself: bool,
    /// Its condition is true, but only a person may end it.
    pub over: bool,
}

/// A component without automatic healing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct BlockLine {
    pub component: String,
    pub since: String,
    pub by: String,
    pub reason: String,
}

/// Something that a person holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct HoldLine {
    /// A component, or `all`.
    pub component: String,
    pub by: String,
    pub reason: String,
    pub since: String,
    /// None means until a person ends it.
    pub until: Option<String>,
}

/// `GET /api/tasks`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tasks {
    /// The newest tasks, and those that nobody closed, newest first.
    pub tasks: Vec<TaskLine>,
    /// Writes that wait for the database; tasks among them are not in the list yet.
    pub waiting: u64,
    /// Why people's tasks are missing, where the working database does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// One task for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskLine {
    /// What it is called where something is done about it: `12`, or `p7` for what a person asked. A rule's task of an
    /// early journal has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `rule` or `person`.
    pub from: String,
    /// Its number: of a rule's task in the journal, of a person's in the working database.
    pub seq: i64,
    /// Since when.
    pub at: String,
    /// What to do.
    pub text: String,
    /// What it is about, where a rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Who asks.
    pub by: String,
    /// `open`, `acknowledged`, `assigned` or `closed`: what was done about it last.
    pub state: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// When something was done about it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// And why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_reason: Option<String>,
}
