//! May something happen now?

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The query of `GET /api/admission`, and the body of `POST /api/admission`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskingAdmission {
    /// What is about to happen: `write` where nothing is said, `read`, `restart`, `deploy`, `migrate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// To which component; it has to be able to take it, and not to be held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The status of a refusal: 503 where nothing is said. A proxy that knows 401 and 403 alone asks for 403.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 400, maximum = 599)]
    #[param(minimum = 400, maximum = 599)]
    pub refuse_with: Option<u16>,
}

/// The answer, also inside a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionNow {
    /// Whether it may, and if not whether to come back.
    pub decision: Decision,
    /// What was asked for.
    pub action: String,
    /// For which component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The mode.
    pub mode: String,
    /// Why: of a refusal what stops it, by whom, and since when; else why the mode is what it is.
    pub reason: String,
    /// Since when it is the mode.
    pub since: String,
    /// When to ask again, where that may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// May it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Allow,
    /// Not now.
    Retry,
    /// No, as long as this mode is claimed.
    Deny,
}

impl Decision {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Retry => "retry",
            Self::Deny => "deny",
        }
    }
}
