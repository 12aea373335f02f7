//! Bodies of requests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/health/restart`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restarting {
    /// Which component.
    pub component: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/components/{id}/scale`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// How many workers.
    pub workers: u32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/health/mode`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingMode {
    /// Which mode; the lowest ends the person's claim.
    pub mode: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For how long, `"2h"`; else until somebody ends it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
}

/// `POST /api/health/mode/release`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Releasing {
    /// Whose claim: `read_only/database`, `person`.
    pub claim: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/approvals/{id}/approve` and `.../deny`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approving {
    /// Why.
    pub reason: String,
    /// A lone person approves the own request, loudly. Only for `approve`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
    /// Only if it still is this act, as the request for approval names it. Only for `approve`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_hash: Option<String>,
}

/// `POST /api/blocks/{component}/lift`
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifting {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/holds`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Which component; `all` or none holds everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Why.
    pub reason: String,
    /// For how long, `"2h"`; an hour where nothing is said, `"ever"` until somebody ends it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
}

/// `POST /api/tasks`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What to do.
    pub text: String,
    /// A key of the caller's own: repeating the request with it adds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// `POST /api/tasks/{id}/acknowledge` and `/close`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Minding {
    /// Why; the journal keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/tasks/{id}/assign`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assigning {
    /// Whose it is from now on.
    pub to: String,
    /// Why; the journal keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/faults`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Faulting {
    /// Which component.
    pub component: String,
    /// Which fault; `clear` ends it.
    pub fault: String,
    /// How long a `hang` seems to last already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<String>,
    /// How much longer each call of a `slow` component takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
