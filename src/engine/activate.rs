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

/// Why files would lock everybody out: the next ones have to be approved, and nobody is left who may. A token that ends by
/// itself does not count, for afterwards nobody would be left.
#[must_use]
pub fn locked_out(bundle: &Bundle, state: &State) -> Option<String> {
    let reviews = |policy: &&Policy| {
        matches!(policy.effect, PolicyEffect::Review { .. })
            && policy.action.contains(&ActKind::Activate)
            && policy.by.as_deref().is_none_or(|by| by == "person")
    };
    let policy = bundle.policies.policies.iter().find(reviews)?;
    let lasting = |token: &Token| token.role.may(Permission::Decide) && token.expires.is_none();
    let somebody =
        bundle.access.names_one_who_may(Permission::Decide) || state.governed.tokens.values().any(lasting);
    (!somebody).then(|| {
        format!(
            "policy {} wants the activation of files approved, and nobody is left who may approve: give somebody the role \
             approver or admin in policies/access.toml, or make an approver's token with `--for ever` first",
            policy.id
        )
    })
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
