//! What rules may refer to: the modes and receivers that the policies declare.

use std::collections::BTreeSet;

use crate::model::{ModeId, ReceiverId, RuleId};

/// What rules may refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Nothing where the file that declares them cannot be read: then every name may be right.
    pub(super) modes: Option<BTreeSet<ModeId>>,
    pub(super) lowest: Option<ModeId>,
    /// Nothing where the file that declares them cannot be read.
    pub(super) receivers: Option<BTreeSet<ReceiverId>>,
    /// How many workers a restart of the component brings.
    pub(super) workers: Option<u32>,
    /// The healing rule that a rule for each of them looks at.
    pub(super) healing: Option<RuleId>,
    /// What can be done to the component.
    pub(super) can: Can,
    /// Every component and all of its facts are known; else conditions that ask another may be right.
    pub(super) all_components: bool,
}

/// What can be done to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Can {
    /// Nothing: it is only watched.
    Nothing,
    /// It can be restarted.
    Restart,
    /// It can be restarted, and has a number of workers. Also where nobody can tell.
    #[default]
    Scale,
}
