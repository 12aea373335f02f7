//! What people ask: each request becomes a proposal that meets the same policies as a rule's.

use crate::engine::news::News;
use crate::engine::run::Run;
use crate::govern::{ApprovalError, Decision, Hold, MOST_TOKENS, Terms};
use crate::model::{
    Act, Actor, Answer, ApprovalId, Asked, By, ClaimKey, ComponentId, HealStep, Meaning, ModeId, Proposal,
    Record, Request, TokenId, Verdict,
};
use crate::say::suggest;

/// There is no such thing; the sentence says what there is.
pub(super) type Unknown = String;

impl Run<'_> {
    pub(super) fn answer(&mut self, asked: &Asked) {
        self.asks = Some(self.person(asked));
        let ended = self.meaning >= Meaning::VOTES && self.has_ended(asked);
        let answer = match &asked.request {
            _ if ended => self.unknown(asked, "the token that asks has ended meanwhile".into()),
            Request::SetMode { revision: Some(revision), .. }
            | Request::Release { revision: Some(revision), .. }
                if *revision != self.revision() =>
            {
                self.stale(asked)
            }
            Request::Approve { approval, break_glass, act_hash } => {
                let alone = self.meaning >= Meaning::PEOPLE;
                let with_token = self.meaning >= Meaning::VOTES;
                let person = self.person(asked);
                let terms = Terms {
                    break_glass: *break_glass,
                    alone,
                    with_token,
                    act_hash: act_hash.as_deref(),
                    person: Some(&person),
                    people: Some(&asked.shown.people),
                };
                self.approve(asked, *approval, &terms)
            }
            Request::Deny { approval } => self.refuse(asked, *approval),
            Request::Task { task, what } => self.change_task(asked, *task, what),
            Request::Recommendation { recommendation, what } => {
                self.answer_advice(asked, *recommendation, *what)
            }
            Request::Activate { generation, changes, editors } => {
                self.activate(asked, generation.as_ref(), (changes, editors))
            }
            Request::Run { rule, component } => match self.by_hand(asked, rule, component) {
                Ok(proposals) => self.run_by_hand(asked, &proposals),
                Err(says) => self.unknown(asked, says),
            },
            _ => match self.proposal(asked) {
                Ok(proposal) => {
                    let answer = self.consider(asked, &proposal);
                    self.bind(asked, &answer);
                    answer
                }
                Err(says) => self.unknown(asked, says),
            },
        };
        self.asks = None;
        self.reply(asked.ticket, answer);
    }

    /// The person who asks: of a token the one it was made for, or who this machine says that is.
    fn person(&self, asked: &Asked) -> Actor {
        let person = self.state.governed.person(&asked.actor);
        if self.meaning < Meaning::VOTES {
            return person.clone();
        }
        asked.shown.person.as_ref().unwrap_or(person).plain()
    }

    fn has_ended(&self, asked: &Asked) -> bool {
        self.state.governed.has_ended(&asked.actor, asked.shown.token.as_deref())
    }

    /// What waits was asked for the revision that was named.
    fn bind(&mut self, asked: &Asked, answer: &Answer) {
        let (Request::SetMode { revision: Some(revision), .. }
        | Request::Release { revision: Some(revision), .. }) = &asked.request
        else {
            return;
        };
        let Answer::Waiting { approval, .. } = answer else { return };
        if self.meaning >= Meaning::VOID
            && let Some(known) = self.state.governed.approvals.get_mut(approval)
        {
            known.revision = Some(revision.clone());
        }
    }

    fn revision(&self) -> String {
        self.state.governed.revision(self.meaning)
    }

    fn stale(&mut self, asked: &Asked) -> Answer {
        let governed = &self.state.governed;
        let says = format!("the mode is {} meanwhile, in revision {}", governed.mode, self.revision());
        self.records.push(Record::Refused { asked: asked.clone().into(), says: says.clone() });
        Answer::Stale { says }
    }

    pub(super) fn unknown(&mut self, asked: &Asked, says: Unknown) -> Answer {
        self.records.push(Record::Refused { asked: asked.clone().into(), says: says.clone() });
        Answer::Unknown { says }
    }

    /// The proposal that a request amounts to.
    fn proposal(&self, asked: &Asked) -> Result<Proposal, Unknown> {
        let heal =
            |component: &ComponentId, step| Act::Heal { component: component.clone(), steps: vec![step] };
        let (act, component) = match &asked.request {
            Request::Restart { component } => {
                let known = self.component(component)?;
                let workers = self.bundle.components.get(known).and_then(|known| known.workers);
                (heal(known, HealStep::Restart { workers }), Some(known.clone()))
            }
            Request::Scale { component, workers } => {
                let known = self.component(component)?;
                (heal(known, HealStep::Scale { workers: *workers }), Some(known.clone()))
            }
            Request::SetMode { mode, lasts, .. } => {
                let (mode, lasts) = (self.mode(mode)?.clone(), *lasts);
                (Act::SetMode { mode, key: ClaimKey::person(), spot: None, lasts }, None)
            }
            Request::Release { key, .. } => (Act::Release { key: self.claim(key)?.clone() }, None),
            Request::Unblock { component } => {
                let component = self.blocked(component)?.clone();
                (Act::Unblock { component: component.clone() }, Some(component))
            }
            Request::Hold { component, lasts } => {
                let component = component.as_ref().map(|id| self.component(id)).transpose()?.cloned();
                (Act::Hold { component: component.clone(), lasts: *lasts }, component)
            }
            Request::EndHold { component } => {
                is_there("hold", &self.state.governed.holds, component.as_ref())?;
                (Act::EndHold { component: component.clone() }, component.clone())
            }
            Request::Silence { component, lasts } => {
                let component = component.as_ref().map(|id| self.component(id)).transpose()?.cloned();
                (Act::Silence { component: component.clone(), lasts: *lasts }, component)
            }
            Request::EndSilence { component } => {
                let silences = &self.state.governed.silences;
                is_there("silence", silences, component.as_ref())?;
                (Act::EndSilence { component: component.clone() }, component.clone())
            }
            Request::MakeToken(new) => {
                self.is_free(&new.token)?;
                (Act::MakeToken(new.clone()), None)
            }
            Request::EndToken { token } => (Act::EndToken { token: self.token(token)?.clone() }, None),
            Request::Run { .. }
            | Request::Activate { .. }
            | Request::Task { .. }
            | Request::Recommendation { .. }
            | Request::Approve { .. }
            | Request::Deny { .. } => {
                return Err("this is more or less than one proposal".into());
            }
        };
        let by = By::Person { actor: asked.actor.clone() };
        Ok(Proposal { by, act, reason: asked.reason.clone(), component, attempt: 0, slow: false })
    }

    pub(super) fn consider(&mut self, asked: &Asked, proposal: &Proposal) -> Answer {
        match self.decide(proposal) {
            Decision::Permitted(permit) => {
                let act = permit.act();
                let heals = matches!(proposal.act, Act::Heal { .. });
                if let Some(says) = self.stays(proposal) {
                    return Answer::Done { says };
                }
                let (replaced, claims) = (self.replaced(proposal), self.claims_before(proposal));
                self.carry_out(permit);
                if heals {
                    return Answer::Started { act, besides: String::new() };
                }
                self.settle_for(proposal);
                let says = format!("{}{replaced}{}", self.says(proposal), self.no_longer(&claims));
                Answer::Done { says }
            }
            Decision::Withheld { verdict: Verdict::Review, gate, .. } => match gate {
                crate::model::Gate::Approval { approval, .. } => Answer::Waiting { approval, gate },
                gate => Answer::Refused { verdict: Verdict::Review, gate },
            },
            Decision::Withheld { verdict, gate, .. } => {
                self.records.push(Record::Refused { asked: asked.clone().into(), says: gate.to_string() });
                Answer::Refused { verdict, gate }
            }
        }
    }

    /// What a change of Grace's own state means now, for the person who asked for it.
    fn says(&self, proposal: &Proposal) -> String {
        let governed = &self.state.governed;
        match &proposal.act {
            Act::SetMode { .. } | Act::Release { .. } => {
                let stand: Vec<String> = governed
                    .claims
                    .iter()
                    .filter(|(key, _)| **key != ClaimKey::person())
                    .map(|(key, claim)| format!("{key} still claims {}", claim.mode))
                    .collect();
                let but = if stand.is_empty() { String::new() } else { format!("; {}", stand.join("; ")) };
                format!("the mode is {}{but}", governed.mode)
            }
            act => {
                let held = if self.meaning < Meaning::VOTES { Vec::new() } else { self.still_held(proposal) };
                let held: Vec<String> = held.iter().map(|one| format!("; {one}")).collect();
                format!("done: {}{}", act.label(), held.concat())
            }
        }
    }

    fn approve(&mut self, asked: &Asked, id: ApprovalId, terms: &Terms) -> Answer {
        let person = self.person(asked);
        let user = asked.shown.user.as_deref();
        let another = self.bundle.access.names_another(&person, user, self.meaning >= Meaning::VOTES);
        let another = another.filter(|_| self.meaning >= Meaning::VOID);
        if let Some(other) = another.filter(|_| terms.break_glass) {
            let says = format!(
                "the glass is for whoever is alone, and policies/access.toml names {other} as one who decides"
            );
            return self.unknown(asked, says);
        }
        let by = (&asked.actor, asked.reason.as_str());
        let known = self.state.governed.approvals.get(&id).filter(|_| terms.break_glass);
        let broken = known.map(|known| News::broken(id, known, by, self.meaning));
        let given = self.desk.approve(
            &mut self.state.governed,
            (id, &asked.actor),
            (&asked.reason, terms),
            &mut self.records,
        );
        self.broken.extend(broken.filter(|_| given.is_ok()));
        match given {
            Err(ApprovalError::OtherAct) => {
                let says = self.why_not(id, &asked.actor, &ApprovalError::OtherAct);
                self.records.push(Record::Refused { asked: asked.clone().into(), says: says.clone() });
                Answer::Stale { says }
            }
            Ok(None) => Answer::Done { says: format!("approval {id} is noted; it needs more people") },
            Ok(Some(proposal)) if matches!(proposal.by, By::Rule { .. }) => {
                Answer::Done { says: format!("approval {id} is given; the rule acts if it still wants to") }
            }
            Ok(Some(proposal)) => {
                let answer = self.consider(asked, &proposal);
                // Given but stopped by another gate: an approval is for now, not for later.
                self.state.governed.approvals.remove(&id);
                self.spent(id, &answer);
                answer
            }
            Err(error) => self.unknown(asked, self.why_not(id, &asked.actor, &error)),
        }
    }

    /// What was approved and could not be done is over, and not approved any more.
    fn spent(&mut self, approval: ApprovalId, answer: &Answer) {
        let Answer::Refused { gate, .. } = answer else { return };
        if self.meaning >= Meaning::VOID {
            let reason = format!("it was approved, and could not be done: {gate}; ask for it anew");
            self.records.push(Record::ApprovalEnded { approval, actor: None, reason });
        }
    }

    fn refuse(&mut self, asked: &Asked, id: ApprovalId) -> Answer {
        let refused =
            self.desk.refuse(&mut self.state.governed, (id, &asked.actor), &asked.reason, &mut self.records);
        match refused {
            Ok(()) => Answer::Done { says: format!("approval {id} is refused") },
            Err(error) => self.unknown(asked, self.why_not(id, &asked.actor, &error)),
        }
    }

    fn why_not(&self, id: ApprovalId, actor: &Actor, error: &ApprovalError) -> String {
        match error {
            ApprovalError::Own if self.meaning >= Meaning::VOTES => format!(
                "{actor} is who asked for it, or a token that this person has or has made, and cannot approve it; somebody \
                 else can, or `--break-glass --reason`"
            ),
            ApprovalError::Own => format!(
                "{actor} asked for it and cannot approve it; somebody else can, or `--break-glass --reason`"
            ),
            ApprovalError::Editor => format!(
                "the files that change are {actor}'s, who cannot approve them; somebody else can, or `--break-glass --reason`"
            ),
            ApprovalError::Younger => format!(
                "the token of {actor} was made after it was asked, and who decides stands then; whoever has an older one \
                 can, or ask anew"
            ),
            ApprovalError::NotAlone(other) => {
                format!("the glass is for whoever is alone, and {other} has a token to decide with")
            }
            ApprovalError::OtherAct => {
                format!("approval {id} is for another act than the one that was read; read it again")
            }
            ApprovalError::Unknown => {
                let waiting =
                    self.state.governed.approvals.iter().filter(|(_, known)| known.refused.is_none());
                let ids: Vec<String> = waiting.map(|(id, _)| id.to_string()).collect();
                let there = if ids.is_empty() {
                    "none waits".to_owned()
                } else {
                    format!("waiting: {}", ids.join(", "))
                };
                format!("no approval {id} waits; {there}")
            }
        }
    }

    pub(super) fn component<'c>(&self, id: &'c ComponentId) -> Result<&'c ComponentId, Unknown> {
        if self.bundle.components.contains_key(id) {
            return Ok(id);
        }
        let help = suggest(id.as_str(), self.bundle.components.keys().map(ComponentId::as_str));
        Err(format!("there is no component `{id}`; {help}"))
    }

    fn mode<'m>(&self, id: &'m ModeId) -> Result<&'m ModeId, Unknown> {
        let modes = &self.bundle.policies.modes.modes;
        if modes.contains_key(id) {
            return Ok(id);
        }
        let help = suggest(id.as_str(), modes.keys().map(ModeId::as_str));
        Err(format!("there is no mode `{id}`; {help}"))
    }

    fn claim<'k>(&self, key: &'k ClaimKey) -> Result<&'k ClaimKey, Unknown> {
        if self.state.governed.claims.contains_key(key) {
            return Ok(key);
        }
        let keys: Vec<String> = self.state.governed.claims.keys().map(ToString::to_string).collect();
        Err(format!(
            "there is no claim `{key}`; {}",
            suggest(&key.to_string(), keys.iter().map(String::as_str))
        ))
    }

    fn is_free(&self, id: &TokenId) -> Result<(), Unknown> {
        let tokens = &self.state.governed.tokens;
        if tokens.contains_key(id) {
            return Err(format!("there is a token `{id}` already; revoke it first, or take another name"));
        }
        if tokens.len() >= MOST_TOKENS {
            return Err(format!("there are {MOST_TOKENS} tokens, and more there may not be; revoke some"));
        }
        Ok(())
    }

    fn token<'t>(&self, id: &'t TokenId) -> Result<&'t TokenId, Unknown> {
        let tokens = &self.state.governed.tokens;
        if tokens.contains_key(id) {
            return Ok(id);
        }
        let help = suggest(id.as_str(), tokens.keys().map(TokenId::as_str));
        Err(format!("there is no token `{id}`; {help}"))
    }

    fn blocked<'c>(&self, id: &'c ComponentId) -> Result<&'c ComponentId, Unknown> {
        let blocks = &self.state.governed.blocks;
        if blocks.contains_key(id) {
            return Ok(id);
        }
        let help = suggest(id.as_str(), blocks.keys().map(ComponentId::as_str));
        Err(format!("`{id}` is not blocked; {help}"))
    }
}

/// Is there such a hold, or silence?
fn is_there(what: &str, all: &[Hold], component: Option<&ComponentId>) -> Result<(), Unknown> {
    if all.iter().any(|one| one.component.as_ref() == component) {
        return Ok(());
    }
    let named: Vec<&str> =
        all.iter().map(|one| one.component.as_ref().map_or("all", ComponentId::as_str)).collect();
    let id = component.map_or("all", ComponentId::as_str);
    Err(format!("there is no {what} on `{id}`; {}", suggest(id, named)))
}
