//! What was read, and what the conditions made of it.

use crate::condition::{Condition, Symbol, Truth};
use crate::evaluate::Component;
use crate::model::{By, Reading, Spot, Status, Unit};
use crate::replay::explain::shape::{Asked, Claimed, Fact, Seen, word};
use crate::replay::explain::{Case, Tick, after, flip};

/// The readings of a component, and its status.
pub(super) fn seen(tick: &Tick, component: &Component) -> Option<Seen> {
    let health = &after(tick).health;
    let own = health.components.get(&component.id)?;
    let scene = tick.scene(&tick.bundle);
    let is = |condition: &Option<Condition>| {
        condition.as_ref().is_some_and(|asked| scene.ask(health, &component.id, asked) == Truth::True)
    };
    let because = match own.status {
        Status::Critical if is(&component.critical) => Some("critical"),
        Status::Warn if is(&component.warn) => Some("warn"),
        _ => None,
    };
    let facts = own.last.facts.iter().map(|(fact, reading)| Fact {
        fact: fact.to_string(),
        value: reading.value().cloned(),
        unit: reading.value().and_then(|_| Unit::of_name(fact.as_str())),
        lacks: match reading {
            Reading::Value(_) => None,
            Reading::Missing => Some("there was nothing to read".into()),
            Reading::Failed { failed } => Some(failed.clone()),
        },
    });
    Some(Seen {
        component: component.id.to_string(),
        status: own.status,
        since: own.since.to_string(),
        because,
        failures: own.failures,
        taken_at: own.last.taken_at.to_string(),
        occasion: own.last.occasion,
        fresh: tick.input.snapshot.contains_key(&component.id),
        facts: facts.collect(),
    })
}

/// The rule's `when`, then the conditions of the statuses that it asks for, then the `until` of its claim.
pub(super) fn conditions(case: &Case) -> Vec<Asked> {
    let when = &case.rule.when;
    let mut all = vec![("when".to_owned(), when)];
    let until = until(case);
    let asks = |wanted: &[Status]| {
        let of = |condition: &Condition| {
            condition
                .symbols()
                .into_iter()
                .any(|symbol| matches!(symbol, Symbol::Status(status) if wanted.contains(status)))
        };
        of(when) || until.is_some_and(|(until, _)| of(until))
    };
    // Critical is asked before warn, so it has its say in all of them.
    if asks(&Status::ALL) {
        all.extend(case.component.critical.as_ref().map(|asked| ("critical".to_owned(), asked)));
    }
    if asks(&[Status::Ok, Status::Warn, Status::Unknown]) {
        all.extend(case.component.warn.as_ref().map(|asked| ("warn".to_owned(), asked)));
    }
    all.extend(until.map(|(asked, _)| ("until".to_owned(), asked)));
    let health = &after(case.tick).health;
    let tree = |(condition, asked): (String, &Condition)| {
        let tree = case.scene.explain(health, &case.component.id, asked)?;
        Some(Asked { condition, truth: word(tree.truth()), tree })
    };
    all.into_iter().filter_map(tree).collect()
}

/// The condition that ends the rule's claim.
fn until<'c>(case: &'c Case) -> Option<(&'c Condition, Spot)> {
    let by = By::Rule { rule: case.rule.id.clone(), component: case.component.id.clone() };
    let key = by.claim_key();
    // A claim that ended in this very tick is gone from the state behind it.
    let claims = [&after(case.tick).governed.claims, &case.tick.before.governed.claims];
    let spot = claims.into_iter().find_map(|claims| claims.get(&key))?.spot?;
    let until = case.rule.list(spot.list).get(usize::from(spot.index))?.until.as_ref()?;
    Some((until, spot))
}

/// The claim of the rule that stands.
pub(super) fn claim(case: &Case) -> Option<Claimed> {
    let by = By::Rule { rule: case.rule.id.clone(), component: case.component.id.clone() };
    let key = by.claim_key();
    let claim = after(case.tick).governed.claims.get(&key)?;
    Some(Claimed {
        key: key.to_string(),
        mode: claim.mode.clone(),
        since: claim.since.to_string(),
        reason: claim.reason.clone(),
        expires: claim.expires.map(|at| at.to_string()),
        until: until(case).map(|(until, _)| until.source().to_owned()),
        // What holds the claim is its `until`, as long as it is not true.
        ends: until(case).map(|(_, spot)| flip::of_until(case, spot)),
    })
}
