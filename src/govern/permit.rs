//! The permit: the value that only governance can make, and without which nothing acts.

use serde::Serialize;

use crate::model::{ActId, PolicyId, Proposal};

/// A proposal that governance let through.
///
/// Its fields are private and nothing outside `govern` makes one, so code that skips governance does not
/// compile:
///
/// ```compile_fail,E0451
/// fn forge(proposal: grace::model::Proposal) -> grace::govern::Permit {
///     grace::govern::Permit { act: grace::model::ActId(1), proposal, policy: None }
/// }
/// ```
///
/// Nor can it be copied and spent twice:
///
/// ```compile_fail,E0308
/// fn twice(permit: &grace::govern::Permit) -> grace::govern::Permit {
///     permit.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Permit {
    act: ActId,
    proposal: Proposal,
    policy: Option<PolicyId>,
}

impl Permit {
    pub(super) fn new(act: ActId, proposal: Proposal, policy: Option<PolicyId>) -> Self {
        Self { act, proposal, policy }
    }

    /// The number of the act.
    #[must_use]
    pub fn act(&self) -> ActId {
        self.act
    }

    /// What is permitted, and to whom.
    #[must_use]
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// The policy that let it through.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyId> {
        self.policy.as_ref()
    }
}
