//! Requests for approval in a simulated run: answered as recorded, or as the plan says.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;

use crate::govern::Governed;
use crate::model::{Actor, ApprovalId, Asked, Proposal, Record, Request};
use crate::replay::Pattern;
use crate::replay::simulate::Odds;

/// Who answers requests for approval that the record does not answer: those it does not have, and those in it that
/// nobody answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Approve {
    /// Nobody: they run out.
    #[default]
    Never,
    /// Somebody approves each at once.
    Auto,
    /// As these wishes say; what they do not name runs out.
    Wishes(Wishes),
}

/// What is approved and what is denied: names of acts, such as `restart database`, or patterns, such as `restart *`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// These are approved.
    pub approve: Vec<Pattern>,
    /// These are denied, also where a pattern above means them.
    pub deny: Vec<Pattern>,
}

/// The same in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    approve: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
}

impl FromStr for Wishes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read: Written = toml::from_str(text).map_err(|why| {
            let why = why.to_string();
            format!("{}; write `approve = [\"restart database\"]` and `deny = [...]`", why.trim_end())
        })?;
        let patterns = |all: Vec<String>| all.iter().map(|text| Pattern::new(text)).collect();
        Ok(Self { approve: patterns(read.approve), deny: patterns(read.deny) })
    }
}

/// Who answers: people in the record, or else the plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct By<'p> {
    pub(super) approve: &'p Approve,
    pub(super) odds: &'p Odds,
}

/// The answers of one run.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Recorded requests, and the simulated ones they are.
    same: BTreeMap<ApprovalId, ApprovalId>,
    /// Recorded requests that have no match yet, with what was answered.
    recorded: BTreeMap<ApprovalId, (Proposal, Option<Asked>)>,
    /// Simulated requests that have no match yet.
    simulated: BTreeMap<ApprovalId, Proposal>,
    given: Vec<Asked>,
}

impl Answers {
    /// A state was taken over as it was recorded, its requests included. Those that the record does not answer are the
    /// plan's. Says whether nothing is answered otherwise.
    pub(super) fn take_over(&mut self, by: By, governed: &Governed) -> bool {
        for (id, waiting) in governed.approvals.iter().filter(|(_, known)| known.refused.is_none()) {
            self.same.insert(*id, *id);
            if !by.odds.answers(*id) && !waiting.granted() {
                self.answer(by.approve, governed, *id, &waiting.proposal);
            }
        }
        self.given.is_empty()
    }

    /// Takes what a step asked for, and what was asked for in the record meanwhile. Says whether both did the same.
    pub(super) fn note(
        &mut self,
        by: By,
        (simulated, governed): (&[Record], &Governed),
        recorded: &[Record],
    ) -> bool {
        let before = (self.recorded.len(), self.simulated.len());
        self.recorded.extend(asked(recorded).map(|(id, proposal)| (id, (proposal.clone(), None))));
        for (id, proposal) in asked(simulated) {
            self.simulated.insert(id, proposal.clone());
        }
        let answered = self.pair(by.odds);
        for (id, proposal) in asked(simulated) {
            // What somebody answered in the record is answered so here.
            if !answered.contains(&id) && self.answer(by.approve, governed, id, proposal) {
                self.simulated.remove(&id);
            }
        }
        for record in recorded {
            if let Record::ApprovalEnded { approval, .. } = record {
                self.recorded.remove(approval);
            }
        }
        for record in simulated {
            if let Record::ApprovalEnded { approval, .. } = record {
                self.simulated.remove(approval);
            }
        }
        before == (self.recorded.len(), self.simulated.len()) && self.given.is_empty()
    }

    /// Answers a request as the plan says: by as many people as it asks for. Says whether the plan does.
    fn answer(
        &mut self,
        approve: &Approve,
        governed: &Governed,
        id: ApprovalId,
        proposal: &Proposal,
    ) -> bool {
        let Some(request) = approve.answer(id, proposal) else { return false };
        let people = governed.approvals.get(&id).map_or(1, |known| known.approvers);
        let people = if matches!(request, Request::Deny { .. }) { 1 } else { people };
        let reason = "as the simulation was told";
        self.given.push(answered("simulation", reason, request.clone()));
        for more in 2..=people {
            self.given.push(answered(&format!("simulation_{more}"), reason, request.clone()));
        }
        true
    }

    /// Finds requests for the same act, whichever was first. Says which of those here the record answers.
    fn pair(&mut self, odds: &Odds) -> BTreeSet<ApprovalId> {
        let mut answered = BTreeSet::new();
        let (same, given, simulated) = (&mut self.same, &mut self.given, &mut self.simulated);
        self.recorded.retain(|recorded, (proposal, answer)| {
            let Some(id) = simulated.iter().find(|(_, other)| alike(other, proposal)).map(|(id, _)| *id)
            else {
                return true;
            };
            simulated.remove(&id);
            same.insert(*recorded, id);
            if odds.answers(*recorded) {
                answered.insert(id);
            }
            // It was answered before it was asked here.
            given.extend(answer.take().map(|asked| directed(asked, id)));
            false
        });
        answered
    }

    /// What people ask in the next tick: what was recorded, for the requests that there are here, and what the plan
    /// answers.
    pub(super) fn asked(&mut self, recorded: &[Asked]) -> Vec<Asked> {
        let mut all: Vec<Asked> = recorded.iter().filter_map(|one| self.here(one)).collect();
        let tickets = all.iter().map(|one| one.ticket).max().unwrap_or(0)..;
        let given = std::mem::take(&mut self.given).into_iter().zip(tickets.skip(1));
        all.extend(given.map(|(asked, ticket)| Asked { ticket, ..asked }));
        all
    }

    fn here(&mut self, asked: &Asked) -> Option<Asked> {
        let (Request::Approve { approval, .. } | Request::Deny { approval }) = &asked.request else {
            return Some(asked.clone());
        };
        if let Some(id) = self.same.get(approval) {
            return Some(directed(asked.clone(), *id));
        }
        if let Some((_, answer)) = self.recorded.get_mut(approval) {
            *answer = Some(asked.clone());
        }
        None
    }
}

/// The same answer to another request.
fn directed(mut asked: Asked, to: ApprovalId) -> Asked {
    if let Request::Approve { approval, .. } | Request::Deny { approval } = &mut asked.request {
        *approval = to;
    }
    // It names the act that was recorded.
    if let Request::Approve { act_hash, .. } = &mut asked.request {
        *act_hash = None;
    }
    asked
}

fn answered(actor: &str, reason: &str, request: Request) -> Asked {
    Asked::by(Actor::from(actor), reason.to_owned(), request)
}

impl Approve {
    fn answer(&self, approval: ApprovalId, proposal: &Proposal) -> Option<Request> {
        let yes = Request::Approve { approval, break_glass: false, act_hash: None };
        match self {
            Self::Never => None,
            Self::Auto => Some(yes),
            Self::Wishes(wishes) => {
                let name = name(proposal);
                let meant = |patterns: &[Pattern]| patterns.iter().any(|one| one.names(&name));
                if meant(&wishes.deny) {
                    Some(Request::Deny { approval })
                } else {
                    meant(&wishes.approve).then_some(yes)
                }
            }
        }
    }
}

/// An act as patterns name it: `restart database`, `set_mode normal`.
fn name(proposal: &Proposal) -> String {
    let of = proposal.component.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
    format!("{}{of}", proposal.act.label())
}

fn asked(records: &[Record]) -> impl Iterator<Item = (ApprovalId, &Proposal)> {
    records.iter().filter_map(|record| match record {
        Record::ApprovalAsked { approval, proposal, .. } => Some((*approval, proposal)),
        _ => None,
    })
}

/// The same act for the same reason of existence: a rule's for its component, or a person's.
fn alike(one: &Proposal, other: &Proposal) -> bool {
    one.act == other.act && one.by.word() == other.by.word()
}
