//! What rules may refer to: the modes and receivers that the policies declare.

use std::collections::BTreeSet;

use crate::model::{ModeId, ReceiverId};

/// What rules may refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) modes: BTreeSet<ModeId>,
    pub(super) lowest: Option<ModeId>,
    pub(super) receivers: BTreeSet<ReceiverId>,
    /// How many workers a restart of the component brings.
    pub(super) workers: Option<u32>,
}
