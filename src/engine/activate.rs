//! Making a generation active, as an act that the policies of the active one may review or deny.
//!
//! Files say whose they are, and not who wrote them. So the act is nobody's in particular, and whoever the changed files
//! belong to, or promoted them, does not approve it. Where no policy names `activate`, files become active at once.

use std::collections::BTreeSet;

use crate::engine::run::Run;
use crate::engine::{Bundle, State};
use crate::govern::{About, Policy, PolicyEffect, Ruled};
use crate::model::{
    Act, ActKind, Actor, Answer, Asked, By, GenerationId, Permission, Proposal, Time, Token, Verdict,
};

/// What the active generation says of files that would take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// They may.
    Now,
    /// Somebody has to approve it first; the sentence says why.
    Waits(String),
    /// They may not; the sentence says why.
    Never(String),
}

/// Making these files active, as somebody's wish.
#[must_use]
pub fn activation(generation: &GenerationId) -> Proposal {
    Proposal {
        by: By::Person { actor: "configuration".into() },
        act: Act::Activate { generation: generation.clone() },
        reason: "the files changed".into(),
        component: None,
        attempt: 0,
        slow: false,
    }
}

/// May these files take the place of the active ones? The active ones say it.
#[must_use]
pub fn judge(active: &Bundle, state: &State, files: &GenerationId, now: Time) -> Judged {
    let named = active.policies.policies.iter().any(|policy| policy.action.contains(&ActKind::Activate));
    let given = || state.governed.activation.as_ref() == Some(files);
    if !named || active.generation == *files || given() {
        return Judged::Now;
    }
    let desk = active.desk(now, false);
    let Ruled { verdict, policy, gate } = desk.weigh(&state.governed, &activation(files), &About::default());
    let policy = policy.map_or("no policy".to_owned(), |policy| format!("policy {policy}"));
    let short = files.short();
    match verdict {
        Verdict::Allow => Judged::Now,
        Verdict::Review => {
            Judged::Waits(format!("generation {short} waits: {policy} wants its activation approved"))
        }
        Verdict::Deny | Verdict::Wait => {
            let why = gate.map_or(policy, |gate| gate.to_string());
            Judged::Never(format!("generation {short} may not become active: {why}"))
        }
    }
}

/// Why files would lock everybody out: the next ones have to be approved, and nobody is left who may, or several who are too
/// few; one alone can break the glass. Where only tokens decide, those that end by themselves are none: afterwards nobody
/// would be left.
#[must_use]
pub fn locked_out(bundle: &Bundle, state: &State) -> Option<String> {
    let reviews = |policy: &Policy| match policy.effect {
        PolicyEffect::Review { approvers, .. } if policy.action.contains(&ActKind::Activate) => {
            policy.by.as_deref().is_none_or(|by| by == "person").then(|| (approvers, policy.id.clone()))
        }
        _ => None,
    };
    // Where several are about it, the one that asks for most.
    let (wanted, policy) =
        bundle.policies.policies.iter().filter_map(reviews).max_by_key(|(wanted, _)| *wanted)?;
    let deciding = || state.governed.tokens.values().filter(|token| token.role.may(Permission::Decide));
    let by_token: BTreeSet<Actor> = deciding().map(|token| token.person.plain()).collect();
    let (all, named) = bundle.access.deciders()?;
    let lasting = |token: &Token| token.expires.is_none();
    let too_few = u32::try_from(all + by_token.len()).is_ok_and(|left| left < wanted);
    let who = if all == 0 && !deciding().any(lasting) {
        "nobody is left who may approve"
    } else if too_few && named + by_token.len() > 1 {
        "fewer people are left who may approve than it asks for, and none of them is alone, to break the glass"
    } else {
        return None;
    };
    Some(format!(
        "policy {policy} wants the activation of files approved, and {who}: give somebody the role approver or admin in \
         policies/access.toml, or make an approver's token with `--for ever` first"
    ))
}

impl Run<'_> {
    /// Asks in earnest; what was asked about other files is void.
    pub(super) fn activate(
        &mut self,
        asked: &Asked,
        generation: Option<&GenerationId>,
        (changes, editors): (&[String], &BTreeSet<Actor>),
    ) -> Answer {
        self.state.governed.forget_activations(generation, &mut self.records);
        let Some(generation) = generation else { return Answer::Done { says: "no other files wait".into() } };
        let answer =
            self.consider(asked, &Proposal { reason: asked.reason.clone(), ..activation(generation) });
        self.state.governed.edited(generation, changes, editors);
        answer
    }
}
