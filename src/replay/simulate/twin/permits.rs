//! What becomes of a permit: what the record says where it has the same act, and chance where it has not.

use crate::engine::{HANDS, State};
use crate::govern::Permit;
use crate::model::{ActId, Proposal, Record, Span, Time};
use crate::replay::simulate::course::Course;
use crate::replay::simulate::inject::{self, Hit};
use crate::replay::simulate::odds::{Rate, chance};
use crate::replay::simulate::record::{alike, healed, intents};
use crate::replay::simulate::share::Known;
use crate::replay::simulate::twin::{Twin, UnderWay};

impl Twin<'_> {
    /// Gives each permit to the hands of the record where they did the same, and to chance where they did not.
    pub(super) fn hand_over(&mut self, permits: &[Permit], records: &[Record], state: &State, now: Time) {
        let mut done: Vec<(ActId, &Proposal)> = intents(records).collect();
        for permit in permits {
            let proposal = permit.proposal();
            let place = done.iter().position(|(_, other)| alike(other, proposal));
            let hit = healed(proposal).map(|of| inject::hit(&self.plan.inject, self.plan.seed, of, now));
            let hit = hit.unwrap_or_default();
            hit.by.iter().for_each(|fault| self.struck_by(*fault));
            if let Some(place) = place.filter(|_| !hit.is_one()) {
                let (act, _) = done.remove(place);
                self.same.insert(act, permit.act());
                // From here on the record says what becomes of it.
                if let Some(part) = healed(proposal).and_then(|of| self.parts.get_mut(of)) {
                    part.course = Course::Recorded;
                }
                self.do_otherwise(proposal, now);
            } else {
                let recorded = place.and_then(|place| done.get(place)).map(|(act, _)| *act);
                self.invent(permit, recorded, &hit, now);
            }
        }
        for (act, proposal) in done {
            self.miss(act, proposal, state, now);
        }
    }

    /// An act that the record does not have, or has with another outcome.
    fn invent(&mut self, permit: &Permit, recorded: Option<ActId>, hit: &Hit, now: Time) {
        self.apart = true;
        let proposal = permit.proposal();
        let Some(component) = healed(proposal) else {
            // Words reach their receiver, and nobody gets well or ill of them.
            let (act, component) = (permit.act(), None);
            return self.under_way.push(UnderWay { done: now, act, component, heals: false, late: false });
        };
        let action = proposal.act.label();
        // What the recorded hand achieved says nothing of another.
        let other_hand = self.parts.get(component).is_some_and(|part| part.other_hand);
        let rate = self.odds.rate(component, &action).filter(|_| !other_hand);
        // The same act helps as it did, another one as often as such acts did.
        let helped = recorded.map(|act| self.odds.helped(act)).filter(|_| !other_hand);
        let share = match (helped, rate.map(Rate::share)) {
            (Some(helped), _) => Some(f64::from(u8::from(helped))),
            // Somebody said how often it fails, and that is all there is.
            (None, rate) => rate.or(hit.share.then_some(1.0)),
        };
        let took = hit.takes.or(rate.map(Rate::took)).unwrap_or(Span::ZERO);
        let late = took >= HANDS;
        let heals = !hit.fails
            && !late
            && share.is_some_and(|share| chance(self.plan.seed, component, "heal", now) < share);
        let known = if share.is_some() || hit.fails || late { Known::Modelled } else { Known::Unknown };
        let why = if recorded.is_some() { "with an injected fault" } else { "that was not recorded" };
        if let Some(part) = self.parts.get_mut(component) {
            part.part((self.tick, now), known, || format!("{action} {why}"));
        }
        let (act, component) = (permit.act(), Some(component.clone()));
        self.under_way.push(UnderWay { done: now + took.min(HANDS), act, component, heals, late });
    }

    /// An act that the record has, and that is not done here.
    fn miss(&mut self, act: ActId, proposal: &Proposal, state: &State, now: Time) {
        self.apart = true;
        let Some(component) = healed(proposal) else { return };
        let Some(part) = self.parts.get_mut(component) else { return };
        let why = || format!("no {} where it was recorded", proposal.act.label());
        part.part((self.tick, now), Known::Modelled, why);
        let own = state.health.components.get(component);
        if let Some(own) = own.filter(|_| part.course == Course::Recorded && self.odds.helped(act)) {
            // What it does not read now it read when it was last ill.
            let ill = (own.status == crate::model::Status::Critical).then(|| own.last.facts.clone());
            if let Some(facts) = ill.or_else(|| part.ill.clone()) {
                part.course = Course::Ill { facts, until: None };
            }
        }
    }
}
