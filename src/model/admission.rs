//! What the supervisor tells the write gate after every step.

use std::collections::BTreeMap;

use crate::model::{ComponentId, ModeId, Status, Time, Writes};

/// May a write be done now, by the claimed modes; and how the components are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// What the claimed modes say of writes: reject beats queue beats allow.
    pub writes: Writes,
    /// The mode.
    pub mode: ModeId,
    /// Why it is claimed.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// How each component is; the gate asks for the database's.
    pub statuses: BTreeMap<ComponentId, Status>,
}
