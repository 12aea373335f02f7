//! A candidate generation that lives beside the live one: it sees what the live one sees, and decides; its acts are told
//! and never made.
//!
//! Where both want the same act, the live hands' report is the candidate's as well. An act that only the candidate wants
//! is taken for done, and the readings, which know nothing of it, say what came of it: so its budgets, its backoff and
//! its tries go on as they would, and its future is a model from there on. An act that only the live one makes is
//! somebody else's to the candidate: it sees its component get well, as if by itself. How much of such a future is exact
//! is for [`simulate`](crate::replay::simulate) to say, which plays the whole record.

use std::collections::BTreeMap;

use crate::engine::{Bundle, Input, State, adopt, advance, conflicts};
use crate::govern::Approval;
use crate::model::{
    Act, ActId, ApprovalId, Asked, By, ComponentId, Effect, FactId, Performed, Proposal, Record, Request,
    Side, Time,
};
use crate::replay::probes::{Other, others};
use crate::replay::simulate::alike;

/// A candidate, and what it remembers.
#[derive(Debug)]
pub struct Beside {
    bundle: Bundle,
    state: State,
    /// Live acts in flight, and the candidate's that they are.
    same: BTreeMap<ActId, ActId>,
    /// Acts that nobody makes; they are reported as done in the next tick.
    imagined: Vec<ActId>,
}

/// What waits for approval.
type Waiting = BTreeMap<ApprovalId, Approval>;

/// An act that only one of both makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Only {
    /// Who makes it.
    pub side: Side,
    /// The act.
    pub proposal: Proposal,
}

/// One act of a step.
struct Deed {
    act: Option<ActId>,
    proposal: Proposal,
}

impl Beside {
    /// Lets a candidate begin where the live generation is.
    ///
    /// # Errors
    /// It cannot take over the state; every reason.
    pub fn begin(bundle: Bundle, live: (&Bundle, &State), now: Time) -> Result<Self, Vec<String>> {
        let clash = conflicts(&bundle, live.1);
        if !clash.is_empty() {
            return Err(clash);
        }
        let state = adopt(&bundle, Some(live.0), live.1, now).state;
        let same = state.in_flight().into_iter().map(|act| (act, act)).collect();
        Ok(Self { bundle, state, same, imagined: Vec::new() })
    }

    /// Its rules.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// What it remembers.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Facts that its conditions could ask for and nobody probes, because the live generation has no such probe.
    #[must_use]
    pub fn unprobed(&self, live: &Bundle) -> Vec<String> {
        let known = |id: &ComponentId, fact: &FactId| {
            live.components.get(id).is_some_and(|component| component.facts.contains_key(fact))
        };
        let of = |(id, component): (&ComponentId, &crate::evaluate::Component)| {
            let facts = component.facts.keys().filter(|fact| !known(id, fact));
            facts.map(|fact| format!("{id}: {fact}")).collect::<Vec<_>>()
        };
        self.bundle.components.iter().flat_map(of).collect()
    }

    /// Probes of it that are others than the live ones of the same name, whose readings it gets instead of its own.
    #[must_use]
    pub fn other_probes(&self, live: &Bundle) -> Vec<String> {
        other_probes(&self.bundle, live)
    }

    /// Lives through one live step: the approvals that waited before it, what went in, and what it left behind. Says what only one of
    /// both did.
    pub fn follow(&mut self, waiting: &Waiting, input: &Input, records: &[Record]) -> Vec<Only> {
        let made = self.input(waiting, input);
        let next = advance(&self.bundle, std::mem::take(&mut self.state), &made);
        self.state = next.state;
        let mut live = deeds(records);
        let mut only = Vec::new();
        for own in deeds(&next.records) {
            let twin = live.iter().position(|live| alike(&live.proposal, &own.proposal));
            if let Some(live) = twin.map(|place| live.remove(place)) {
                self.same.extend(live.act.zip(own.act));
            } else {
                self.imagined.extend(own.act);
                only.push(Only { side: Side::Candidate, proposal: own.proposal });
            }
        }
        only.extend(live.into_iter().map(|live| Only { side: Side::Live, proposal: live.proposal }));
        only
    }

    /// What went into the live step, as it is for the candidate.
    fn input(&mut self, waiting: &Waiting, live: &Input) -> Input {
        let known = live.snapshot.iter().filter(|(id, _)| self.bundle.components.contains_key(*id));
        let snapshot = known.map(|(id, readings)| (id.clone(), readings.clone())).collect();
        let same = &mut self.same;
        let reports = live.performed.iter();
        let reports =
            reports.filter_map(|told| Some(Performed { act: same.remove(&told.act)?, ..told.clone() }));
        let mut performed: Vec<Performed> = reports.collect();
        let done = |act| Performed { act, effect: Effect::Done, steps: Vec::new() };
        performed.extend(self.imagined.drain(..).map(done));
        Input {
            tick: self.state.tick + 1,
            now: live.now,
            snapshot,
            performed,
            asked: live.asked.iter().filter_map(|asked| self.asked(waiting, asked)).collect(),
            stop: live.stop,
            grid: live.grid,
            meaning: live.meaning,
        }
    }

    /// What people ask of the live generation they ask of the candidate; an approval is found by the act that waits.
    fn asked(&self, waiting: &Waiting, asked: &Asked) -> Option<Asked> {
        let request = match &asked.request {
            // The hash is of the live act.
            Request::Approve { approval, break_glass, .. } => {
                let (approval, break_glass) = (self.approval(waiting, *approval)?, *break_glass);
                Request::Approve { approval, break_glass, act_hash: None }
            }
            Request::Deny { approval } => Request::Deny { approval: self.approval(waiting, *approval)? },
            other => other.clone(),
        };
        Some(Asked { request, ..asked.clone() })
    }

    fn approval(&self, waiting: &Waiting, live: ApprovalId) -> Option<ApprovalId> {
        let wanted = &waiting.get(&live)?.proposal;
        let mut own = self.state.governed.approvals.iter();
        own.find(|(_, own)| own.proposal.act == wanted.act && own.proposal.by == wanted.by).map(|(id, _)| *id)
    }
}

/// Probes of a candidate that are others than the live ones of the same name, each in a sentence.
#[must_use]
pub fn other_probes(own: &Bundle, live: &Bundle) -> Vec<String> {
    let of = |(id, component): (&ComponentId, &crate::evaluate::Component)| {
        let says = |(name, other)| match other {
            Other::Kind => format!("{id}: probe `{name}` asks something else than the live one"),
            Other::Timeout(own, live) => format!("{id}: probe `{name}` has {own} instead of the live {live}"),
        };
        let live = live.components.get(id)?;
        Some(others(component, live).map(says).collect::<Vec<_>>())
    };
    own.components.iter().filter_map(of).flatten().collect()
}

/// Is this set of files neither of both, and made of parts of both? So a set looks that is promoted and not yet whole.
#[must_use]
pub fn is_half(
    files: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) -> bool {
    let names = files.keys().chain(live.keys()).chain(to.keys());
    let is_part = |name: &String| {
        let is = files.get(name);
        is == live.get(name) || is == to.get(name)
    };
    files != live && files != to && names.into_iter().all(is_part)
}

/// What a step did: acts for the hands, and what it did by itself.
fn deeds(records: &[Record]) -> Vec<Deed> {
    let deed = |record: &Record| {
        let own = |by: &By, act, reason: &str, component: Option<&ComponentId>| Deed {
            act: None,
            proposal: Proposal {
                by: by.clone(),
                act,
                reason: reason.to_owned(),
                component: component.cloned(),
                attempt: 0,
                slow: false,
            },
        };
        Some(match record {
            Record::Intent { act, proposal, .. } => Deed { act: Some(*act), proposal: proposal.clone() },
            Record::Claimed { key, claim } => {
                let act =
                    Act::SetMode { mode: claim.mode.clone(), key: key.clone(), spot: None, lasts: None };
                let component = match &claim.by {
                    By::Rule { component, .. } => Some(component),
                    By::Person { .. } => None,
                };
                own(&claim.by, act, &claim.reason, component)
            }
            Record::Blocked { component, by, reason, .. } => {
                own(by, Act::Block { component: component.clone() }, reason, Some(component))
            }
            Record::Announced { event, component, by, reason, .. } => {
                let act = Act::Event { event: event.clone(), component: component.clone() };
                own(by, act, reason, Some(component))
            }
            Record::TaskCreated { text, component, by, .. } => {
                let act = Act::Task { text: text.clone(), component: component.clone() };
                own(by, act, "", Some(component))
            }
            Record::Recommended { text, component, by, .. } => {
                let act = Act::Recommend { text: text.clone(), component: component.clone() };
                own(by, act, "", Some(component))
            }
            _ => return None,
        })
    };
    records.iter().filter_map(deed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_half_where_it_is_made_of_both_and_is_neither() {
        let set = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let live = set(&[("a", "1"), ("b", "1"), ("gone", "1")]);
        let to = set(&[("a", "2"), ("b", "2"), ("new", "2")]);
        for (files, half) in [
            (live.clone(), false),
            (to.clone(), false),
            (set(&[("a", "2"), ("b", "1"), ("gone", "1")]), true),
            (set(&[("a", "2"), ("b", "2"), ("new", "2"), ("gone", "1")]), true),
            (set(&[("a", "2"), ("b", "2")]), true),
            (set(&[("a", "3"), ("b", "1"), ("gone", "1")]), false),
            (set(&[("a", "2"), ("b", "2"), ("other", "2")]), false),
        ] {
            assert_eq!(is_half(&files, &live, &to), half, "{files:?}");
        }
    }
}
