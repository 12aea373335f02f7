//! What the fold is told besides entries.

use std::collections::BTreeMap;

use crate::model::{ComponentId, ModeId, Span, Status, Time};

/// What a generation says that figures have to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The grid.
    pub grid: Span,
    /// The mode while none is claimed.
    pub lowest: Option<ModeId>,
}

/// One tick, as far as figures look at it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'t> {
    /// When.
    pub now: Time,
    /// The grid, where Grace was started with another than the files'.
    pub grid: Option<Span>,
    /// How each component was.
    pub statuses: &'t BTreeMap<ComponentId, Status>,
    /// How often it failed in a row, where it did.
    pub failures: &'t BTreeMap<ComponentId, u32>,
}
