//! Plays a test with the components that it names, and leaves out those that can have no part in it.
//!
//! A component that a test does not name is well from its beginning to its end. It is *quiet* where, on those
//! readings, it is ok and no rule of its can fire: the rule's condition is False whatever the mode and the other
//! components are, because Kleene's False with those Unknown is False with any value of them. Nothing ever happens to
//! such a component: it has no failures, no incident, no firing, no proposal and no act, so it takes no number, no
//! budget and no place in flight from others. A test is played with what it names, with all that is not quiet, and
//! with what any of those depends on or asks about.
//!
//! What a quiet component does is to be judged ok at the first tick. A test that could see even that, because it looks
//! at all components, is played with the whole generation.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::{Condition, Symbol, Truth, World};
use crate::engine::Bundle;
use crate::evaluate::Component;
use crate::model::{ComponentId, Facts, Request, Status, Value};
use crate::replay::case::{Case, Kind};
use crate::replay::stage::well;
use crate::replay::wanted::Wanted;

/// What of a generation is quiet, and who needs whom.
#[derive(Debug)]
pub(super) struct Quiet {
    loud: BTreeSet<ComponentId>,
    needs: BTreeMap<ComponentId, BTreeSet<ComponentId>>,
}

impl Quiet {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let components = bundle.components.values();
        let loud = components.clone().filter(|component| !is_quiet(component));
        Self {
            loud: loud.map(|component| component.id.clone()).collect(),
            needs: components.map(|component| (component.id.clone(), needs(component))).collect(),
        }
    }

    /// The part of a generation that a test needs; nothing where it needs all of it.
    pub(super) fn part(&self, bundle: &Bundle, case: &Case) -> Option<Bundle> {
        if sees_all(case) {
            return None;
        }
        let mut part: BTreeSet<&ComponentId> = BTreeSet::new();
        let mut todo: Vec<&ComponentId> = named(case).chain(&self.loud).collect();
        while let Some(id) = todo.pop() {
            if part.insert(id) {
                todo.extend(self.needs.get(id).into_iter().flatten());
            }
        }
        if part.len() >= bundle.components.len() {
            return None;
        }
        let components = part.into_iter().filter_map(|id| bundle.components.get_key_value(id));
        Some(Bundle {
            generation: bundle.generation.clone(),
            // The texts say nothing to the engine.
            files: BTreeMap::new(),
            components: components.map(|(id, component)| (id.clone(), component.clone())).collect(),
            policies: bundle.policies.clone(),
            system: bundle.system.clone(),
            access: bundle.access.clone(),
            notify: bundle.notify.clone(),
        })
    }
}

/// Every component that a test speaks of.
fn named(case: &Case) -> impl Iterator<Item = &ComponentId> {
    let given = case.given.iter().flat_map(|given| {
        let asked = given.asks.as_ref().and_then(|(_, _, request)| match request {
            Request::Restart { component }
            | Request::Scale { component, .. }
            | Request::Run { component, .. }
            | Request::Unblock { component } => Some(component),
            Request::Hold { component, .. }
            | Request::EndHold { component }
            | Request::Silence { component, .. }
            | Request::EndSilence { component } => component.as_ref(),
            _ => None,
        });
        given.component.iter().chain(asked)
    });
    let expected = case.expect.iter().filter_map(|expect| expect.component.as_ref());
    let forbidden = case.forbid.iter().filter_map(|forbid| forbid.component.as_ref());
    given.chain(expected).chain(forbidden)
}

/// Does the test look at components that it does not name, so that it could see them be well?
fn sees_all(case: &Case) -> bool {
    let looks = |component: &Option<ComponentId>, wanted: &Wanted| {
        component.is_none() && (wanted.event.is_some() || wanted.why.is_some())
    };
    case.only.contains(&Kind::Status)
        || case.expect.iter().any(|expect| looks(&expect.component, &expect.wanted))
        || case.forbid.iter().any(|forbid| looks(&forbid.component, &forbid.wanted))
}

fn needs(component: &Component) -> BTreeSet<ComponentId> {
    let mut needs: BTreeSet<ComponentId> = component.depends_on.iter().cloned().collect();
    for rule in &component.rules {
        let items = rule.acts.iter().chain(&rule.on_failure);
        let conditions = items.filter_map(|item| item.until.as_ref()).chain([&rule.when]);
        needs.extend(conditions.flat_map(Condition::symbols).filter_map(|symbol| match symbol {
            Symbol::Other(component, _) => Some(component.clone()),
            _ => None,
        }));
    }
    needs
}

/// Does nothing ever happen to it while its readings are those of health?
fn is_quiet(component: &Component) -> bool {
    let resting = Resting { component, facts: well(component) };
    let never = |condition: &Condition| condition.eval(&resting) == Truth::False;
    component.critical.as_ref().is_none_or(never)
        && component.warn.as_ref().is_none_or(never)
        && component.rules.iter().all(|rule| never(&rule.when))
}

/// What a component sees that is ok and has no history; the mode and the others may be anything.
struct Resting<'c> {
    component: &'c Component,
    facts: Facts,
}

impl World for Resting<'_> {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        Some(match symbol {
            Symbol::Fact(fact) => self.facts.get(fact)?.value()?.clone(),
            Symbol::Status(status) => Value::Bool(*status == Status::Ok),
            Symbol::Failures
            | Symbol::Incidents(_)
            | Symbol::Heals(_)
            | Symbol::FailedHeals(_)
            | Symbol::Relapses(_) => Value::Int(0),
            // The readings of health tell of no change.
            Symbol::Changed(_) => Value::Bool(false),
            Symbol::Tier => Value::Int(self.component.tier),
            Symbol::Component => Value::text(self.component.id.as_str()),
            _ => return None,
        })
    }
}
