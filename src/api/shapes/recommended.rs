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
