//! What people do about tasks that rules gave them.

use serde::{Deserialize, Serialize};

/// What a person does about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum TaskDeed {
    /// Somebody has seen it.
    Acknowledge,
    /// It is somebody's now.
    Assign {
        /// Whose.
        to: String,
    },
    /// There is nothing more to do.
    Close,
}

impl TaskDeed {
    /// The word for what was done.
    #[must_use]
    pub fn done(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledged",
            Self::Assign { .. } => "assigned",
            Self::Close => "closed",
        }
    }
}
