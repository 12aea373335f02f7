//! What was recorded with other decisions than its inputs give, and where that comes from.

use serde::Serialize;

use crate::model::Time;

/// A tick, a start or a reload that was recorded with other decisions than its inputs give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Different {
    /// Its number; of a start or a reload that of the tick before.
    pub tick: u64,
    /// Is it a start or a reload?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adoption: bool,
    /// Its time.
    pub at: Time,
    /// The journal's first entry of it.
    pub seq: i64,
    /// The rule or person whose decision differs, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The first field that differs.
    pub field: String,
    /// What was recorded there.
    pub recorded: String,
    /// What comes out now.
    pub derived: String,
    /// Where it comes from.
    pub cause: Cause,
}

/// Where a difference comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The journal was changed.
    Tampering,
    /// Another version of Grace decided it.
    Version {
        /// Which.
        version: String,
    },
    /// The same version decides otherwise: a defect of Grace, or a journal that was forged whole.
    Defect,
}
