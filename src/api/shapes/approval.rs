//! What a request for approval shows to those who decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{Act, Reading, Status};
use crate::record::rows::Approval;

/// Something that waits for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct ApprovalLine {
    pub approval: u64,
    pub action: String,
    pub component: Option<String>,
    pub asked_by: String,
    pub reason: String,
    pub policy: String,
    pub asked_at: String,
    pub expires: String,
    /// How many people have to approve.
    pub needs: u32,
    /// Who did.
    pub given: Vec<String>,
    /// Who may decide, as a sentence.
    pub may_decide: String,
    /// Names the exact act: whoever approves can say which one they read.
    pub act_hash: String,
    /// What files change that want to become active: each file, then what is added (`+`), removed (`-`) or another (`~`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// What it touches, as sentences: the mode before and after, the claim or hold that would end, whom a hold stops, which
    /// notifications a silence keeps back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<String>,
    /// What hangs on the component, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// What was known of the component when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<EvidenceLine>,
    /// What is known of it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<EvidenceLine>,
}

/// What hangs on a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reach {
    /// 1 is a critical component.
    pub tier: i64,
    /// How many workers it has, where it has some.
    pub workers: Option<u32>,
    /// The components that depend on it, directly or through others.
    pub needed_by: Vec<String>,
}

/// What is known of a component at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceLine {
    /// How it was.
    #[schema(value_type = String)]
    pub status: Status,
    /// Its last readings.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub facts: BTreeMap<String, Reading>,
}

/// `GET /api/approvals/{id}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalShown {
    /// What was asked and what became of it, from the journal.
    #[serde(flatten)]
    pub recorded: Approval,
    /// The whole act that was asked for, as it stands in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub act: Option<Act>,
    /// What those who decide should know, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<ApprovalLine>,
}
