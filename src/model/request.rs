//! What people ask of Grace, and what she answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{
    ActId, Actor, AdviceDeed, ApprovalId, ClaimKey, ComponentId, Gate, GenerationId, ModeId, NewToken,
    RecommendationId, RuleId, Span, TaskDeed, TaskId, TokenId, Verdict,
};

/// A person's request that changes something; each is journalled, and so is its refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Finds the way back to who waits for the answer.
    pub ticket: u64,
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// What for.
    #[serde(flatten)]
    pub request: Request,
    /// What is known of them besides the name.
    #[serde(default, skip_serializing_if = "Shown::is_nothing")]
    pub shown: Shown,
}

/// What whoever asks has shown, where a name alone could be another's by the time of the step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// How the digest of their token begins: another token may have its name by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The name that their number has on this machine, of whoever decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who this machine says the person of their token is, where the token names them in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Actor>,
    /// The same of the people of all tokens, where somebody decides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<Actor, Actor>,
}

impl Asked {
    /// What is asked in this name, and nothing else is known.
    #[must_use]
    pub fn by(actor: Actor, reason: String, request: Request) -> Self {
        Self { ticket: 0, actor, reason, request, shown: Shown::default() }
    }
}

impl Shown {
    /// Does it say nothing?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The things a person can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Restart a component.
    Restart {
        /// Which.
        component: ComponentId,
    },
    /// Have this many workers.
    Scale {
        /// Which component.
        component: ComponentId,
        /// How many.
        workers: u32,
    },
    /// Claim a mode for people; the lowest ends the claim.
    SetMode {
        /// Which.
        mode: ModeId,
        /// For how long.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Span>,
        /// Only if the mode and its claims are still those of this revision.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
    },
    /// End one claim.
    Release {
        /// Whose.
        key: ClaimKey,
        /// Only if the mode and its claims are still those of this revision.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
    },
    /// Lift a block.
    Unblock {
        /// Of which component.
        component: ComponentId,
    },
    /// Hold a component, or all.
    Hold {
        /// Which; none means all.
        component: Option<ComponentId>,
        /// For how long.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Span>,
    },
    /// End a hold.
    EndHold {
        /// Of which component; none means the hold on all.
        component: Option<ComponentId>,
    },
    /// Send no notifications about a component, or about all.
    Silence {
        /// Which; none means all.
        component: Option<ComponentId>,
        /// For how long.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Span>,
    },
    /// End a silence.
    EndSilence {
        /// About which component; none means the silence about all.
        component: Option<ComponentId>,
    },
    /// Do by hand what a rule would do when it fires.
    Run {
        /// Which rule.
        rule: RuleId,
        /// Of which component.
        component: ComponentId,
    },
    /// Make a bearer token.
    MakeToken(Box<NewToken>),
    /// End a bearer token.
    EndToken {
        /// Which.
        token: TokenId,
    },
    /// Make these files the active generation; those that were asked about before are not meant any more.
    Activate {
        /// Their digest; none where no files wait any more.
        generation: Option<GenerationId>,
        /// What they change, a line each, for those who decide.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<String>,
        /// Whose the changed files are, and who promoted them.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        editors: BTreeSet<Actor>,
    },
    /// Say what is done about a task that a rule gave to people.
    Task {
        /// Which.
        task: TaskId,
        /// What.
        what: TaskDeed,
    },
    /// Say whether a recommendation is taken.
    Recommendation {
        /// Which.
        recommendation: RecommendationId,
        /// What.
        what: AdviceDeed,
    },
    /// Approve what waits for approval.
    Approve {
        /// Which request.
        approval: ApprovalId,
        /// A lone person approves the own request, loudly.
        #[serde(default)]
        break_glass: bool,
        /// Only if it still is the act of this hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        act_hash: Option<String>,
    },
    /// Refuse what waits for approval.
    Deny {
        /// Which request.
        approval: ApprovalId,
    },
}

/// What became of a request in the step that took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done {
        /// What that means now.
        says: String,
    },
    /// An act was started; its end comes later.
    Started {
        /// The act.
        act: ActId,
        /// What was done besides, where it is one of several.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        besides: String,
    },
    /// It waits for approval.
    Waiting {
        /// The request that somebody has to approve.
        approval: ApprovalId,
        /// What stops it so far.
        gate: Gate,
    },
    /// It was refused.
    Refused {
        /// By what kind of verdict.
        verdict: Verdict,
        /// By which gate.
        gate: Gate,
    },
    /// It is several acts, of which not all may be done now: none is.
    InParts {
        /// By what kind of verdict.
        verdict: Verdict,
        /// What would become of each.
        says: String,
    },
    /// It was asked of something that has changed meanwhile.
    Stale {
        /// What it is now.
        says: String,
    },
    /// There is no such thing.
    Unknown {
        /// What is missing, and what there is.
        says: String,
    },
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Who waits for it.
    pub ticket: u64,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}
