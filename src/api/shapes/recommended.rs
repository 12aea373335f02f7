//! What rules recommend, and how often that helped.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Hits;
use crate::record::Recommendation;

/// `GET /api/recommendations`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Recommendations {
    /// The newest, newest first.
    pub recommendations: Vec<Recommendation>,
    /// What became of those that were accepted.
    pub hits: HitsLine,
}

/// `GET /api/recommendations/{id}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecommendationShown {
    /// What is recommended, and what came of it.
    #[serde(flatten)]
    pub recommendation: Recommendation,
    /// What its change would have done, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<RehearsalLine>,
    /// Why there is no rehearsal, though one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_rehearsed: Option<String>,
}

/// What a recommended change would have done to its component.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RehearsalLine {
    /// The edit that it is.
    pub edits: Vec<EditLine>,
    /// The first tick that was played.
    pub from: Option<String>,
    /// The last one.
    pub to: Option<String>,
    /// How many were played.
    pub ticks: u64,
    /// Ticks that could not be played, because their readings have expired.
    pub expired: u64,
    /// How often each act was done, and would have been.
    pub actions: Vec<ActionLine>,
    /// How long the component was critical.
    pub critical_before_ms: i64,
    /// How long it would have been.
    pub critical_after_ms: i64,
    /// The share of its time that is exact.
    pub exact: f64,
    /// The share that is modelled by recorded success rates.
    pub modelled: f64,
    /// The share of which nothing is known.
    pub unknown: f64,
}

/// One place of a file that is otherwise with the change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EditLine {
    /// Which file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What stands there.
    pub before: String,
    /// What would stand there.
    pub after: String,
}

/// How often an act was done, and would have been.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ActionLine {
    /// Which.
    pub action: String,
    /// So often it was done.
    pub before: u64,
    /// So often it would have been.
    pub after: u64,
}

/// The recommender's own record.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct HitsLine {
    /// So many helped.
    pub helped: u32,
    /// So many did not.
    pub did_not_help: u32,
    /// So many made it worse.
    pub made_it_worse: u32,
    /// Of so many nobody can say.
    pub not_enough_data: u32,
    /// The share that helped, of those of which it can be said.
    pub hit_ratio: Option<f64>,
}

impl From<Hits> for HitsLine {
    fn from(hits: Hits) -> Self {
        Self {
            helped: hits.helped,
            did_not_help: hits.did_not_help,
            made_it_worse: hits.made_it_worse,
            not_enough_data: hits.not_enough_data,
            hit_ratio: hits.rate(),
        }
    }
}
