//! Is there anybody who may approve what has to be approved?

use std::collections::BTreeSet;

use crate::config::lint::{Set, warn};
use crate::govern::{Policy, PolicyEffect};
use crate::model::Permission;
use crate::say::Code;

/// What waits for an approval that nobody may give, as far as files know: tokens are not theirs.
pub(super) fn check(set: &Set) {
    let Some(policies) = set.policies.filter(|_| set.whole) else { return };
    let role = (set.root)("policies/access.toml").and_then(|root| root.get("role"));
    let Some(role) = role.filter(|_| !set.access.names_one_who_may(Permission::Decide)) else { return };
    let reviews = |policy: &&Policy| matches!(policy.effect, PolicyEffect::Review { .. });
    let kinds = policies.iter().filter(reviews).flat_map(|policy| &policy.action);
    let kinds: BTreeSet<String> = kinds.map(|kind| format!("`{}`", kind.word())).collect();
    if kinds.is_empty() {
        return;
    }
    let kinds: Vec<String> = kinds.into_iter().collect();
    let message = format!("nobody may approve {}, which policies want approved", kinds.join(", "));
    let help =
        "give somebody the role `approver` or `admin`; who decides with a token alone allows this warning";
    warn(&role, Code::NobodyDecides, message, help);
}
