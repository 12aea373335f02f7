//! What everybody may know as of the last step.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{Bundle, State};
use crate::figures::Totals;
use crate::govern::Admission;
use crate::model::{ComponentId, RuleId, Time, Why};
use crate::supervisor::{Shadowing, Tally};

/// What is known as of the last step: whole, immutable, shared.
#[derive(Debug, Clone)]
pub struct Published {
    /// The active generation.
    pub bundle: Arc<Bundle>,
    /// The engine's state.
    pub state: Arc<State>,
    /// What may happen now.
    pub admission: Arc<Admission>,
    /// What each rule is at.
    pub why: Arc<BTreeMap<ComponentId, BTreeMap<RuleId, Why>>>,
    /// The generation that was refused, until one is accepted.
    pub rejected: Option<Rejected>,
    /// The candidate that runs beside the active generation.
    pub shadow: Option<Shadowing>,
    /// Why the journal cannot be written; while it cannot, nothing acts.
    pub unwritten: Option<String>,
    /// Ticks of the grid that were missed because others took too long.
    pub overruns: u64,
    /// When Grace started.
    pub started: Time,
    /// How far the wall clock is ahead of Grace's own time, in milliseconds: it was stepped since the start.
    pub wall_ahead_ms: i64,
    /// What was counted since the start.
    pub tally: Tally,
    /// What the figures add up, over all starts; none while they are made.
    pub figures: Option<Arc<Totals>>,
}

/// A generation that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// When.
    pub at: Time,
    /// Every problem, one line each.
    pub problems: Vec<String>,
}
