//! Approvals: given by somebody else than who asked, for the exact act, for a while.

use std::collections::{BTreeMap, BTreeSet};

use crate::govern::desk::{Desk, heals};
use crate::govern::state::{Approval, Governed};
use crate::model::{
    Act, Actor, ApprovalId, By, ComponentId, GenerationId, Meaning, ModeId, Proposal, Record, Status,
};

/// Why an approval could not be given or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalError {
    /// There is none of this number that waits.
    Unknown,
    /// Who asked cannot approve.
    Own,
    /// Who edited the files that want to become active cannot approve.
    Editor,
    /// The token was made after it was asked.
    Younger,
    /// Another act waits under this number.
    OtherAct,
    /// The glass is for whoever is alone, and this person may decide as well.
    NotAlone(Actor),
}

/// What somebody who approves says besides the reason.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms<'t> {
    /// A lone person approves the own request, loudly.
    pub break_glass: bool,
    /// The glass is only broken where nobody else has a token to decide with.
    pub alone: bool,
    /// A vote stands as long as the token it was given with, and no token decides what was asked before it was made.
    pub with_token: bool,
    /// Only this act.
    pub act_hash: Option<&'t str>,
    /// Who decides, where that is not simply whose the actor is.
    pub person: Option<&'t Actor>,
    /// Who people are that tokens of before name in another way than this machine does.
    pub people: Option<&'t BTreeMap<Actor, Actor>>,
}

impl Terms<'_> {
    /// Are they one person? Before it was looked for, one person in two spellings were two.
    pub(super) fn one(&self, person: &Actor, other: &Actor) -> bool {
        let here = |one: &Actor| self.people.and_then(|people| people.get(one)).unwrap_or(one).plain();
        person == other || (self.with_token && here(person) == here(other))
    }
}

impl Desk<'_> {
    /// Gives an approval. Answers what may now be proposed again, once enough people have given theirs.
    ///
    /// # Errors
    /// None of this number waits, another act does, or the actor is one who asked or edited and does not break the glass.
    pub fn approve(
        &self,
        state: &mut Governed,
        (id, actor): (ApprovalId, &Actor),
        (reason, terms): (&str, &Terms),
        records: &mut Vec<Record>,
    ) -> Result<Option<Proposal>, ApprovalError> {
        let known = state.approvals.get(&id).ok_or(ApprovalError::Unknown)?;
        let other = terms.act_hash.is_some_and(|hash| hash != known.act_hash());
        // What is decided is over, whatever else could be said of it.
        let over = known.refused.is_some() || known.expires <= self.now || (other && known.granted());
        if over && terms.with_token {
            return Err(ApprovalError::Unknown);
        }
        if other {
            return Err(ApprovalError::OtherAct);
        }
        let break_glass = terms.break_glass;
        // Two tokens of one person are one person.
        let person = terms.person.unwrap_or_else(|| state.person(actor)).clone();
        if state.is_own(known, (actor, &person), terms) && !break_glass {
            return Err(ApprovalError::Own);
        }
        if state.is_editors(known, (actor, &person), terms) && !break_glass {
            return Err(ApprovalError::Editor);
        }
        if terms.with_token && state.is_younger(known, actor) && !break_glass {
            return Err(ApprovalError::Younger);
        }
        if break_glass
            && terms.alone
            && let Some(other) = state.somebody_else(known, &person, terms)
        {
            return Err(ApprovalError::NotAlone(other));
        }
        let known = state.approvals.get_mut(&id).filter(|known| known.refused.is_none());
        let known = known.filter(|known| known.expires > self.now).ok_or(ApprovalError::Unknown)?;
        if terms.with_token {
            known.vote(person, actor);
        } else {
            known.given.insert(person);
        }
        if break_glass {
            if terms.with_token {
                known.asks_for.get_or_insert(known.approvers);
            }
            // The lone person answers for everybody.
            known.approvers = u32::try_from(known.given.len()).unwrap_or(u32::MAX).min(known.approvers);
        }
        records.push(Record::Approved {
            approval: id,
            actor: actor.clone(),
            reason: reason.to_owned(),
            break_glass,
        });
        Ok(known.granted().then(|| known.proposal.clone()))
    }

    /// Refuses an approval.
    ///
    /// # Errors
    /// None of this number waits.
    pub fn refuse(
        &self,
        state: &mut Governed,
        (id, actor): (ApprovalId, &Actor),
        reason: &str,
        records: &mut Vec<Record>,
    ) -> Result<(), ApprovalError> {
        let waits = state.approvals.get(&id).is_some_and(|known| known.refused.is_none());
        if !waits {
            return Err(ApprovalError::Unknown);
        }
        end(state, id, Some(actor), &format!("refused by {actor}: {reason}"), records);
        Ok(())
    }

    /// Ends the approvals whose time is over. One that was given and could not be used in time is asked for anew when
    /// the act is wanted then; nobody said no to it.
    pub fn expire_approvals(&self, state: &mut Governed, records: &mut Vec<Record>) {
        let over: Vec<ApprovalId> = state
            .approvals
            .iter()
            .filter(|(_, known)| known.refused.is_none() && known.expires <= self.now)
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            if state.approvals.get(&id).is_some_and(Approval::granted) {
                end(state, id, None, "it was given, and not used in time", records);
                state.approvals.remove(&id);
            } else {
                end(state, id, None, "nobody approved in time", records);
            }
        }
    }
}

impl Desk<'_> {
    /// Ends the approvals that have lost their ground: a mode began that forbids the act, or a person wanted to heal
    /// what was critical and is well again. They can be asked for anew; nobody said no to them.
    pub fn void_approvals(
        &self,
        state: &mut Governed,
        status: impl Fn(&ComponentId) -> Status,
        records: &mut Vec<Record>,
    ) {
        let why = |known: &Approval| {
            let forbidden = self.forbidden(state, known);
            let by_person = matches!(known.proposal.by, By::Person { .. });
            forbidden.or_else(|| well_again(known, &status).filter(|_| by_person))
        };
        let void: Vec<(ApprovalId, String)> = state
            .approvals
            .iter()
            .filter(|(_, known)| known.refused.is_none() && known.evidence.is_some())
            .filter_map(|(id, known)| Some((*id, why(known)?)))
            .collect();
        for (id, why) in void {
            end(state, id, None, &why, records);
            state.approvals.remove(&id);
        }
    }
}

impl Desk<'_> {
    /// Says so where the mode forbids what was asked for.
    fn forbidden(&self, state: &Governed, known: &Approval) -> Option<String> {
        let shut = self.mode_gate(state, &known.proposal)?;
        Some(format!("a mode began that forbids it: {}", shut.1))
    }

    /// Ends what was asked for another revision of the mode than there is now.
    pub fn void_for_revision(&self, state: &mut Governed, meaning: Meaning, records: &mut Vec<Record>) {
        if state.approvals.values().all(|known| known.revision.is_none()) {
            return;
        }
        let now = state.revision(meaning);
        let other = |known: &Approval| known.revision.as_ref().is_some_and(|asked| *asked != now);
        let waiting = state.approvals.iter().filter(|(_, known)| known.refused.is_none());
        let void: Vec<ApprovalId> = waiting.filter(|(_, known)| other(known)).map(|(id, _)| *id).collect();
        let why =
            format!("the mode is {} meanwhile, in revision {now}, and it was asked for another", state.mode);
        for id in void {
            end(state, id, None, &why, records);
            state.approvals.remove(&id);
        }
    }

    /// Ends everything that waits where an emergency has just begun: it was asked, and read, in another world. That goes for
    /// a fall of the mode as well: who asked for it did not mean the emergency. All of it can be asked for anew; nobody
    /// said no to it.
    pub fn void_for_emergency(&self, state: &mut Governed, before: &ModeId, records: &mut Vec<Record>) {
        let modes = &self.policies.modes;
        if modes.is_emergency(before) || !modes.is_emergency(&state.mode) {
            return;
        }
        let waiting = state.approvals.iter().filter(|(_, known)| known.refused.is_none());
        let began = || format!("{} began, and it was asked before", state.mode);
        let why = |known: &Approval| self.forbidden(state, known).unwrap_or_else(began);
        let void: Vec<(ApprovalId, String)> = waiting.map(|(id, known)| (*id, why(known))).collect();
        for (id, why) in void {
            end(state, id, None, &why, records);
            state.approvals.remove(&id);
        }
    }
}

/// Says so where a heal act was asked for a component that was critical and is well now.
fn well_again(known: &Approval, status: impl Fn(&ComponentId) -> Status) -> Option<String> {
    let (component, evidence) = (heals(&known.proposal)?, known.evidence.as_ref()?);
    let now = status(component);
    let healed = evidence.status == Status::Critical && now.works();
    healed.then(|| format!("{component} was critical when it was asked, and is {now} again"))
}

impl Governed {
    /// Keeps with the request for these files what they change, and who edited them.
    pub fn edited(&mut self, files: &GenerationId, changes: &[String], editors: &BTreeSet<Actor>) {
        let people: BTreeSet<Actor> = editors.iter().map(|editor| self.person(editor).clone()).collect();
        let about = |act: &Act| matches!(act, Act::Activate { generation } if generation == files);
        for known in self.approvals.values_mut().filter(|known| about(&known.proposal.act)) {
            changes.clone_into(&mut known.changes);
            // Who edited them before they were asked about again edited them as well.
            known.editors.extend(people.iter().cloned());
        }
    }

    /// Forgets the approvals of rules that want the act no longer; those that still waited are void.
    pub fn withdraw(
        &mut self,
        wanted: &BTreeSet<ApprovalId>,
        status: impl Fn(&ComponentId) -> Status,
        records: &mut Vec<Record>,
    ) {
        let unwanted: Vec<ApprovalId> = self
            .approvals
            .iter()
            .filter(|(id, known)| matches!(known.proposal.by, By::Rule { .. }) && !wanted.contains(id))
            .map(|(id, _)| *id)
            .collect();
        for id in unwanted {
            if self.approvals.get(&id).is_some_and(|known| known.refused.is_none()) {
                let well = self.approvals.get(&id).and_then(|known| well_again(known, &status));
                let why = well.unwrap_or_else(|| "it is no longer wanted".into());
                end(self, id, None, &why, records);
            }
            self.approvals.remove(&id);
        }
    }

    /// Makes every approval void, because the rules changed.
    pub fn forget_approvals(&mut self, records: &mut Vec<Record>) {
        let all: Vec<ApprovalId> = self.approvals.keys().copied().collect();
        for id in all {
            if self.approvals.get(&id).is_some_and(|known| known.refused.is_none()) {
                end(self, id, None, "the rules changed", records);
            }
        }
        self.approvals.clear();
        self.activation = None;
    }

    /// Ends what waits or was given for other files than these.
    pub fn forget_activations(&mut self, but: Option<&GenerationId>, records: &mut Vec<Record>) {
        self.activation = self.activation.take().filter(|generation| Some(generation) == but);
        let others = self.approvals.iter().filter(|(_, known)| {
            matches!(&known.proposal.act, Act::Activate { generation } if Some(generation) != but)
        });
        let others: Vec<ApprovalId> = others.map(|(id, _)| *id).collect();
        for id in others {
            end(self, id, None, "the files changed again", records);
        }
    }
}

/// Marks an approval as not given. A person's is forgotten: they can ask again; a rule's is remembered while
/// the rule still wants the act, so that nobody is asked the same every 30 seconds.
pub(super) fn end(
    state: &mut Governed,
    id: ApprovalId,
    actor: Option<&Actor>,
    reason: &str,
    records: &mut Vec<Record>,
) {
    records.push(Record::ApprovalEnded { approval: id, actor: actor.cloned(), reason: reason.to_owned() });
    let Some(known) = state.approvals.get_mut(&id) else { return };
    if matches!(known.proposal.by, By::Person { .. }) {
        state.approvals.remove(&id);
    } else {
        known.refused = Some(reason.to_owned());
    }
}
