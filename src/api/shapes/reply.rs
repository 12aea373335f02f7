//! What became of a request that changes something.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::record::rows::HealingAction;

/// The answer to a request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Reply {
    /// What became of it, in one word.
    pub result: Word,
    /// The same as a sentence.
    pub detail: String,
    /// What became of the try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Nothing was done: this is what would become of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The act that was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<u64>,
    /// The request that somebody has to approve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<u64>,
    /// The number in the journal of a write that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The act as it stands in the table `healing_actions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<HealingAction>,
}

/// What can become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It is done, and where it was an act, readings say that it helped.
    Success,
    /// The act was done or tried, and the component is not well.
    Failed,
    /// The act has begun and its end is not known yet.
    Running,
    /// Somebody has to approve it first.
    WaitingForApproval,
    /// The write is durable and will be done, in order.
    Deferred,
}

impl Reply {
    /// A reply of one word and one sentence.
    #[must_use]
    pub fn new(result: Word, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            result,
            detail,
            outcome: None,
            dry_run: false,
            act: None,
            approval: None,
            seq: None,
            action: None,
        }
    }
}
