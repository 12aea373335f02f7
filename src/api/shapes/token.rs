//! Bearer tokens, on their way in and out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::shapes::Reply;

/// `POST /api/tokens`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakingToken {
    /// Its name, for lists and for the journal: lower-case letters, digits, `_` and `-`.
    #[schema(pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub name: String,
    /// What it may: `viewer`, `operator`, `approver`, `admin`.
    #[schema(pattern = "^(viewer|operator|approver|admin)$")]
    pub role: String,
    /// Whose acts those with it are: nobody approves the own request, whatever they ask with. Else the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// For how long, `"90days"`, which is also what holds where nothing is said; `"ever"` until it is revoked.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a token's making.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// The same as for every request.
    #[serde(flatten)]
    pub reply: Reply,
    /// The secret. It is shown here and never again; a dry run makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// One token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenLine {
    /// Its name.
    pub name: String,
    /// What it may.
    pub role: String,
    /// Whose acts those with it are.
    pub person: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub since: String,
    /// When it ends by itself; none means when a person revokes it.
    pub expires: Option<String>,
}
