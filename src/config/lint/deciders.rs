//! Is there anybody who may approve what has to be approved, and are they enough?

use std::collections::BTreeSet;

use crate::config::lint::{Set, warn};
use crate::govern::{Policy, PolicyEffect};
use crate::model::{ActKind, Permission};
use crate::say::Code;

/// What waits for an approval that nobody may give, as far as files know: tokens are not theirs.
pub(super) fn check(set: &Set) {
    let Some(policies) = set.policies.filter(|_| set.whole) else { return };
    let Some(role) = (set.root)("policies/access.toml").and_then(|root| root.get("role")) else { return };
    if set.access.names_one_who_may(Permission::Decide) {
        return too_few(set, policies, &role);
    }
    let reviews = |policy: &&Policy| approvers(policy) > 0;
    let reviewed: Vec<&Policy> = policies.iter().filter(reviews).collect();
    if reviewed.is_empty() {
        return;
    }
    let message = format!("nobody may approve {}, which policies want approved", kinds(&reviewed));
    let help = "give somebody the role `approver` or `admin`: `--break-glass` is for whoever may decide, and nobody may; who \
                decides with a token alone allows this warning";
    warn(&role, Code::NobodyDecides, message, help);
}

/// More people than there are have to approve, or than there are besides the one who asks.
fn too_few(set: &Set, policies: &[Policy], role: &crate::config::reader::Item) {
    let Some((there, named)) = set.access.deciders() else { return };
    let left = |policy: &Policy| if there > 1 && asked_by_deciders(set, policy) { there - 1 } else { there };
    let short =
        |policy: &&Policy| usize::try_from(approvers(policy)).is_ok_and(|wanted| wanted > left(policy));
    let short: Vec<&Policy> = policies.iter().filter(short).collect();
    let Some(most) = short.iter().map(|policy| approvers(policy)).max() else { return };
    let way = if named > 1 {
        "nobody of them is alone, so `--break-glass` is no way out"
    } else {
        "until then `--break-glass` is the only way"
    };
    let own = if usize::try_from(most).is_ok_and(|most| most > there) {
        ""
    } else {
        ", of whom one always asks and never decides the own request"
    };
    let message =
        format!("up to {most} people have to approve {}, and {there} may decide{own}", kinds(&short));
    let help = format!(
        "give more people the role `approver` or `admin`, or ask for fewer (`approvers`); {way}; where others decide with \
         tokens, allow this warning"
    );
    warn(role, Code::NobodyDecides, message, help);
}

/// Does only ask for it who decides too? Files are brought by whoever may write them, and rules decide nothing.
fn asked_by_deciders(set: &Set, policy: &Policy) -> bool {
    let asking = |kind: &ActKind| match kind {
        ActKind::Activate => None,
        ActKind::Token => Some(Permission::Administer),
        _ => Some(Permission::Operate),
    };
    policy.by.as_deref() == Some("person")
        && policy
            .action
            .iter()
            .all(|kind| asking(kind).is_some_and(|asking| set.access.askers_decide(asking)))
}

/// So many people have to approve what the policy is about.
fn approvers(policy: &Policy) -> u32 {
    match policy.effect {
        PolicyEffect::Review { approvers, .. } => approvers,
        PolicyEffect::Allow | PolicyEffect::Deny => 0,
    }
}

/// The acts that these policies are about.
fn kinds(policies: &[&Policy]) -> String {
    let kinds = policies.iter().flat_map(|policy| &policy.action);
    let kinds: BTreeSet<String> = kinds.map(|kind| format!("`{}`", kind.word())).collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}
