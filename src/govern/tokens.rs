//! Tokens: made and revoked by people, ended by time.

use crate::govern::approvals::Terms;
use crate::govern::desk::Desk;
use crate::govern::state::{Approval, Governed};
use crate::model::{Actor, By, NewToken, Permission, Proposal, Record, Token, TokenId, expiry};

/// So many tokens there may be at the same time.
pub const MOST_TOKENS: usize = 256;

impl Desk<'_> {
    pub(super) fn make_token(
        &self,
        state: &mut Governed,
        new: &NewToken,
        proposal: &Proposal,
        records: &mut Vec<Record>,
    ) {
        let By::Person { actor } = &proposal.by else { return };
        let made = Token {
            role: new.role,
            digest: new.digest.clone(),
            person: new.person.clone().unwrap_or_else(|| state.person(actor).clone()),
            by: actor.clone(),
            since: self.now,
            expires: expiry(self.now, new.lasts),
        };
        let (token, reason) = (new.token.clone(), proposal.reason.clone());
        records.push(Record::TokenMade { token: token.clone(), made: Box::new(made.clone()), reason });
        state.tokens.insert(token, made);
    }

    /// Ends tokens whose time has come.
    pub fn expire_tokens(&self, state: &mut Governed, records: &mut Vec<Record>) {
        let over = |token: &Token| token.expires.is_some_and(|at| at <= self.now);
        let ended: Vec<TokenId> =
            state.tokens.iter().filter(|(_, token)| over(token)).map(|(id, _)| id.clone()).collect();
        for token in ended {
            end(state, &token, "its time is over", records);
        }
    }
}

pub(super) fn end(state: &mut Governed, token: &TokenId, reason: &str, records: &mut Vec<Record>) {
    if state.tokens.remove(token).is_some() {
        // What is decided already is done; what still waits is decided by those who may decide then.
        let waiting = state.approvals.iter_mut().filter(|(_, asked)| asked.refused.is_none());
        let votes = waiting.filter_map(|(id, asked)| asked.unvote(token).then_some(*id)).collect();
        records.push(Record::TokenEnded { token: token.clone(), reason: reason.to_owned(), votes });
    }
}

impl Governed {
    /// The person behind an actor: of a token the one it was made for, else the actor.
    #[must_use]
    pub fn person<'a>(&'a self, actor: &'a Actor) -> &'a Actor {
        TokenId::behind(actor).and_then(|id| self.tokens.get(id)).map_or(actor, |token| &token.person)
    }

    /// Is whoever asked behind the one who would decide? Also a token that they made after they had asked.
    pub(super) fn is_own(&self, asked: &Approval, by: (&Actor, &Actor), terms: &Terms) -> bool {
        let By::Person { actor } = &asked.proposal.by else { return false };
        let person = asked.person.as_ref().unwrap_or_else(|| self.person(actor));
        self.decides(asked, by, |decider| terms.one(decider, person))
    }

    /// Is who edited the files behind the one who would decide? Also a token that they made after it was asked.
    pub(super) fn is_editors(&self, asked: &Approval, by: (&Actor, &Actor), terms: &Terms) -> bool {
        self.decides(asked, by, |decider| asked.editors.iter().any(|editor| terms.one(decider, editor)))
    }

    /// Is it the person who would decide, or who had their token made after it was asked?
    fn decides(
        &self,
        asked: &Approval,
        (actor, person): (&Actor, &Actor),
        is: impl Fn(&Actor) -> bool,
    ) -> bool {
        is(person) || self.made_since(asked, actor).is_some_and(is)
    }

    /// Was the token that would decide made after it was asked? Whoever asked, edited or voted could have had it made, by
    /// as many hands as it takes: who decides stands when it is asked.
    pub(super) fn is_younger(&self, asked: &Approval, decider: &Actor) -> bool {
        let token = TokenId::behind(decider).and_then(|id| self.tokens.get(id));
        token.is_some_and(|token| token.since >= asked.asked)
    }

    /// Is the token that asks none any more, or another one that only has its name? Then nobody knows whose acts these would
    /// be. How its digest begins was shown, but for journals of before.
    #[must_use]
    pub fn has_ended(&self, actor: &Actor, shown: Option<&str>) -> bool {
        let is_it = |token: &Token| shown.is_none_or(|shown| token.digest.starts_with(shown));
        TokenId::behind(actor).is_some_and(|id| !self.tokens.get(id).is_some_and(is_it))
    }

    /// Who made the token that decides, where that was after it was asked.
    fn made_since(&self, asked: &Approval, decider: &Actor) -> Option<&Actor> {
        let token = TokenId::behind(decider).and_then(|id| self.tokens.get(id))?;
        (token.since >= asked.asked).then(|| self.person(&token.by))
    }

    /// Another person than who asked and who would decide, who has a token to decide with.
    pub(super) fn somebody_else(&self, asked: &Approval, own: &Actor, terms: &Terms) -> Option<Actor> {
        let by = match &asked.proposal.by {
            By::Person { actor } => Some(asked.person.as_ref().unwrap_or_else(|| self.person(actor))),
            By::Rule { .. } => None,
        };
        let involved = || [own].into_iter().chain(by).chain(&asked.editors);
        let deciding = self.tokens.values().filter(|token| token.role.may(Permission::Decide));
        let mut people = deciding.map(|token| &token.person);
        people.find(|person| !involved().any(|other| terms.one(person, other))).cloned()
    }
}
