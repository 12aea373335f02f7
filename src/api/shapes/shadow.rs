//! The candidate generation, on its way in and out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/shadow`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingCandidate {
    /// The files, by their names: `rules/web.toml`.
    pub files: BTreeMap<String, String>,
    /// Why.
    pub reason: String,
}

/// `GET /api/shadow`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShadowNow {
    /// The live generation.
    pub live: String,
    /// Its rules that only tell: `eager/web`.
    pub rules: Vec<String>,
    /// The candidate, if there is one.
    pub candidate: Option<CandidateLine>,
    /// Why the files were refused, until some are accepted.
    pub rejected: Vec<String>,
}

/// A candidate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CandidateLine {
    /// Its id.
    pub generation: String,
    /// Since when it runs beside the live one.
    pub since: String,
    /// Who set it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The mode that it would be in.
    pub mode: String,
    /// Facts that it knows and nobody probes.
    pub unprobed: Vec<String>,
    /// Probes of it that are others than the live ones of the same name: it gets the live readings, and what its own would
    /// have read nobody knows.
    #[serde(default)]
    pub other_probes: Vec<String>,
    /// Since when it lives by itself: since it was set, or since Grace started and it began anew with the live state.
    pub counted_since: String,
    /// So many acts only it made since then.
    pub only_candidate: u64,
    /// So many acts only the live generation made.
    pub only_live: u64,
    /// What following the last tick took, in microseconds.
    pub took_us: u64,
}
