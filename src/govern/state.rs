//! What governance remembers: the mode and its claims, blocks, holds, approvals, and what was spent.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::govern::brakes::Accounts;
use crate::model::{
    ActId, Actor, ApprovalId, By, Claim, ClaimKey, ComponentId, Facts, Gate, GenerationId, Meaning, ModeId,
    PolicyId, Proposal, ReceiverId, Status, Time, Token, TokenId,
};

/// Everything governance remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Governed {
    /// The mode.
    pub mode: ModeId,
    /// How it came to be.
    pub changed: Changed,
    /// Who demands which mode.
    pub claims: BTreeMap<ClaimKey, Claim>,
    /// Components without automatic healing.
    pub blocks: BTreeMap<ComponentId, Block>,
    /// What people hold.
    pub holds: Vec<Hold>,
    /// What people want to hear nothing of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<Hold>,
    /// What waits for approval, or was decided and is still wanted.
    pub approvals: BTreeMap<ApprovalId, Approval>,
    /// Acts in flight and what was spent.
    pub accounts: Accounts,
    /// Notifications that are being sent.
    pub telling: BTreeMap<ActId, ReceiverId>,
    /// The files that may become active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<GenerationId>,
    /// Bearer tokens that may be asked with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tokens: BTreeMap<TokenId, Token>,
    /// The newest act's number.
    pub last_act: ActId,
    /// The newest approval's number.
    pub last_approval: ApprovalId,
}

/// How the mode came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// When.
    pub at: Time,
    /// By whom; none at the very start.
    pub by: Option<By>,
    /// Why.
    pub reason: String,
}

/// A hunter's block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Since when.
    pub since: Time,
    /// By whom.
    #[serde(flatten)]
    pub by: By,
    /// Why.
    pub reason: String,
}

/// A durable stop set by a person: of heal acts, or of notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Of what; none means everything.
    pub component: Option<ComponentId>,
    /// By whom.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// Until when; none means until a person ends it.
    pub until: Option<Time>,
}

impl Hold {
    /// When it is over.
    #[must_use]
    pub fn end(&self) -> Time {
        self.until.unwrap_or(Time::NEVER)
    }
}

/// A request for approval: bound to the exact act and to its generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// What.
    pub proposal: Proposal,
    /// The policy that asks.
    pub policy: PolicyId,
    /// The generation under which it was asked.
    pub generation: GenerationId,
    /// How many people have to approve.
    pub approvers: u32,
    /// Who did.
    pub given: BTreeSet<Actor>,
    /// With which tokens, of those who did so with tokens alone: with the last of them their vote falls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<Actor, BTreeSet<TokenId>>,
    /// How many people the policy asks for, where glass was broken and fewer do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_for: Option<u32>,
    /// When it was asked.
    pub asked: Time,
    /// When it runs out.
    pub expires: Time,
    /// Why it was not given, once that is certain.
    pub refused: Option<String>,
    /// The person behind who asked: a token may end before somebody decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Actor>,
    /// What was known of the component when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What files change that want to become active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Who edited them, as far as that is known: none of them approves it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub editors: BTreeSet<Actor>,
    /// The revision of the mode and its claims for which it was asked: under another it is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The claims there were when a person asked for a mode or for the end of a claim: it ends and replaces no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<BTreeMap<ClaimKey, String>>,
}

/// What was known of a component at a moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// How it was.
    pub status: Status,
    /// Its last readings.
    pub facts: Facts,
}

impl Approval {
    /// The gate of this approval, until it is given.
    #[must_use]
    pub fn shut(&self, approval: ApprovalId) -> Option<Gate> {
        if self.granted() {
            return None;
        }
        Some(match &self.refused {
            Some(why) => Gate::NotApproved { approval, why: why.clone() },
            None => Gate::Approval { approval, policy: self.policy.clone(), expires: self.expires },
        })
    }

    /// Names the exact act, who wants it, and under which generation: whoever read it finds out whether it still is
    /// that one.
    #[must_use]
    pub fn act_hash(&self) -> String {
        let Proposal { by, act, component, .. } = &self.proposal;
        let text = serde_json::to_string(&(act, by, component, &self.generation)).unwrap_or_default();
        hex::encode(Sha256::digest(text))
    }

    /// Notes the vote of a person, and what it rests on.
    pub(super) fn vote(&mut self, person: Actor, actor: &Actor) {
        let is_new = self.given.insert(person.clone());
        match TokenId::behind(actor) {
            // At the socket it is the person's own.
            None => drop(self.with.remove(&person)),
            Some(token) if is_new || self.with.contains_key(&person) => {
                self.with.entry(person).or_default().insert(TokenId::from(token));
            }
            Some(_) => {}
        }
    }

    /// Takes back the votes that rest on this token alone; tells whether there was one. Glass that was broken has to be
    /// broken anew: it was for what was known then.
    pub(super) fn unvote(&mut self, token: &TokenId) -> bool {
        let before = self.given.len();
        self.with.retain(|person, tokens| {
            tokens.remove(token);
            let stands = !tokens.is_empty();
            if !stands {
                self.given.remove(person);
            }
            stands
        });
        let fell = self.given.len() < before;
        if fell {
            self.approvers = self.asks_for.take().unwrap_or(self.approvers);
        }
        fell
    }

    /// Have enough people approved?
    #[must_use]
    pub fn granted(&self) -> bool {
        self.refused.is_none() && self.given.len() >= usize::try_from(self.approvers).unwrap_or(usize::MAX)
    }
}

impl Governed {
    /// Names the mode with its claims: whoever read it finds out whether it is still the same, and has been all the time.
    #[must_use]
    pub fn revision(&self, meaning: Meaning) -> String {
        let text = if meaning < Meaning::VOTES {
            serde_json::to_string(&(&self.mode, &self.claims))
        } else {
            serde_json::to_string(&(&self.mode, self.changed.at, &self.claims))
        };
        let digest = Sha256::digest(text.unwrap_or_default());
        hex::encode(digest.get(..8).unwrap_or_default())
    }
}

impl Governed {
    /// How the mode comes to be, told by a claim that stands: the one that moved it may have ended since, and the mode stayed
    /// for another's sake. Of several it is the one that stands longest.
    #[must_use]
    pub fn why_so(&self) -> Changed {
        let Changed { at, reason, .. } = &self.changed;
        let moved = |claim: &Claim| (claim.since, &claim.reason) == (*at, reason);
        let claims = self.claims.values().filter(|claim| claim.mode == self.mode);
        match claims.max_by_key(|claim| (moved(claim), Reverse(claim.since))) {
            Some(claim) if !moved(claim) => {
                Changed { at: *at, by: Some(claim.by.clone()), reason: claim.reason.clone() }
            }
            _ => self.changed.clone(),
        }
    }
}

impl Default for Governed {
    fn default() -> Self {
        Self {
            mode: ModeId::from(""),
            changed: Changed { at: Time::default(), by: None, reason: String::new() },
            claims: BTreeMap::new(),
            blocks: BTreeMap::new(),
            holds: Vec::new(),
            silences: Vec::new(),
            approvals: BTreeMap::new(),
            accounts: Accounts::default(),
            telling: BTreeMap::new(),
            activation: None,
            tokens: BTreeMap::new(),
            last_act: ActId::default(),
            last_approval: ApprovalId::default(),
        }
    }
}
