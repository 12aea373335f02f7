//! What is written well and cannot be meant: conditions that never hold, times that do not fit, acts that nothing
//! allows or that undo each other, modes without a way out.
//!
//! Each file here looks at one subject. All of them see the whole set, and only what compiled: what is broken is
//! told already. Only files are looked at so, never a generation that the journal holds: it ran, and has to be
//! loaded again by every later Grace.

mod advice;
mod asked;
mod brakes;
mod budgets;
mod conditions;
mod deciders;
mod edges;
mod hidden;
mod modes;
mod safety;
mod undoing;
mod way_out;
mod ways;
mod windows;

use std::collections::BTreeMap;

use crate::condition::{Condition, Range, Reasoner, Symbol, TallySymbol};
use crate::config::draft::{Draft, Each};
use crate::config::reader::{Item, Table};
use crate::engine::System;
use crate::evaluate::{Component, History, Rule, Tallies};
use crate::govern::{Access, Brakes, Modes, Policy};
use crate::model::{ComponentId, Type, Value};
use crate::say::{Code, Diagnostic};

/// Everything that was understood.
pub(super) struct Set<'s, 'a> {
    pub(super) drafts: &'s [Draft<'a>],
    pub(super) components: &'s BTreeMap<ComponentId, Component>,
    /// Nothing where something is wrong with them.
    pub(super) modes: Option<&'s Modes>,
    /// Nothing where something is wrong with them.
    pub(super) policies: Option<&'s [Policy]>,
    pub(super) brakes: &'s Brakes,
    pub(super) system: &'s System,
    pub(super) access: &'s Access,
    /// The root of a policy file.
    pub(super) root: &'s dyn Fn(&str) -> Option<Table<'a>>,
    /// Every file was read, and everything in it was understood: only then it counts that something is not there.
    pub(super) whole: bool,
}

/// A rule with its place: where it stands, and for which component it was compiled.
struct Placed<'s, 'a> {
    component: &'s Component,
    /// When the component is critical, and when it is degraded, as far as that says something.
    statuses: (Option<&'s Condition>, Option<&'s Condition>),
    rule: &'s Rule,
    table: &'s Table<'a>,
    /// It is written for each component.
    each: bool,
}

/// Looks at everything.
pub(super) fn check(set: &Set) {
    let placed = placed(set);
    for component in set.components.values() {
        conditions::status(set, component);
    }
    for rule in &placed {
        conditions::rule(set, rule);
        advice::rule(set, rule);
        brakes::rule(set, rule);
        budgets::rule(set, rule);
        safety::rule(set, rule);
        undoing::rule(set, rule);
    }
    undoing::pairs(&placed);
    safety::approvals(set);
    deciders::check(set);
    brakes::probes(set);
    brakes::policies(set);
    conditions::policies(set);
    hidden::policies(set);
    hidden::tiers(set);
    hidden::budgets(set);
    modes::check(set, &placed);
    edges::check(set);
    windows::check(set);
}

/// Every rule, once for each component that it was compiled for.
fn placed<'s, 'a>(set: &'s Set<'s, 'a>) -> Vec<Placed<'s, 'a>> {
    let mut all = Vec::new();
    for component in set.components.values() {
        let statuses = statuses(component);
        for draft in set.drafts.iter().filter(|draft| draft.each != Each::No || draft.id == component.id) {
            for (name, _, table) in &draft.rules {
                let rules = component
                    .rules
                    .iter()
                    .filter(|rule| rule.table() == *name && rule.file == **table.file.name);
                let each = draft.each != Each::No;
                all.extend(rules.map(|rule| Placed { component, statuses, rule, table, each }));
            }
        }
    }
    all
}

impl<'a> Placed<'_, 'a> {
    fn item(&self, key: &'static str) -> Option<Item<'a>> {
        self.table.get(key)
    }

    /// Each thing it does, with its place, those of `on_failure` behind the others.
    fn acts(&self) -> Vec<(&crate::evaluate::Item, Item<'a>)> {
        let list = |key, acts| {
            let items = self.item(key).map(|item| item.items()).unwrap_or_default();
            std::iter::zip(acts, items).collect::<Vec<_>>()
        };
        let mut all = list("do", &self.rule.acts);
        all.extend(list("on_failure", &self.rule.on_failure));
        all
    }

    fn warn(&self, code: Code, item: Option<&Item>, message: String, help: impl Into<String>) {
        let span = item.map_or_else(|| self.table.head(), |item| item.span.clone());
        let found = Diagnostic::warning(code, message).at(self.table.file.place(span)).help(help);
        self.table.file.problems.push(found);
    }
}

fn warn(item: &Item, code: Code, message: impl Into<String>, help: impl Into<String>) {
    let found = Diagnostic::warning(code, message).at(item.file.place(item.span.clone())).help(help);
    item.file.problems.push(found);
}

fn error(item: &Item, code: Code, message: impl Into<String>, help: impl Into<String>) {
    let found = Diagnostic::error(code, message).at(item.file.place(item.span.clone())).help(help);
    item.file.problems.push(found);
}

/// The conditions of a component's status, where they can be true and can be false. Of the others it is told already
/// that they cannot; what rules make of them is no mistake besides.
fn statuses(component: &Component) -> (Option<&Condition>, Option<&Condition>) {
    let range = ranges(component, false);
    let bare = Reasoner { critical: None, warn: None, never_warns: false, range: &range };
    let open =
        |condition: &&Condition| bare.possible(&[(condition, true)]) && bare.possible(&[(condition, false)]);
    (component.critical.as_ref().filter(open), component.warn.as_ref().filter(open))
}

/// Nothing says when it is degraded. A rule for each component may mean the others.
fn never_warns(component: &Component, each: bool) -> bool {
    component.warn.is_none() && !each
}

/// What the files know of the values that conditions of this component see.
fn ranges(component: &Component, each: bool) -> impl Fn(&Symbol) -> Range + '_ {
    move |symbol| match symbol {
        Symbol::Fact(fact) => {
            let standard = component.probes.iter().any(|probe| {
                fact.as_str().strip_prefix(&*probe.name).and_then(|rest| rest.strip_prefix('.')).is_some_and(
                    |name| {
                        let specs = probe.kind.facts(&component.id).unwrap_or_default();
                        specs.iter().any(|spec| spec.name == name && spec.is_standard())
                    },
                )
            });
            let least = if standard { 0.0 } else { f64::NEG_INFINITY };
            match component.facts.get(fact) {
                Some(Type::Count) => Range::Number { least, most: f64::INFINITY, whole: true },
                Some(Type::Measure(_)) => Range::Number { least, most: f64::INFINITY, whole: false },
                _ => Range::Any,
            }
        }
        Symbol::Failures
        | Symbol::Signals(_)
        | Symbol::Spread(_)
        | Symbol::SpreadBefore(_)
        | Symbol::Unheard(_)
        | Symbol::CriticalNow => Range::COUNT,
        Symbol::Tally(_, TallySymbol::Closed) => {
            Range::Number { least: 0.0, most: f64::from(Tallies::NEWEST), whole: true }
        }
        Symbol::Tally(..) => Range::Number { least: 0.0, most: 1.0, whole: false },
        Symbol::Incidents(_) | Symbol::Heals(_) | Symbol::FailedHeals(_) | Symbol::Relapses(_) => {
            Range::Number { least: 0.0, most: f64::from(History::MOST), whole: true }
        }
        // Of one component it is known; a rule for each of them asks which one it is.
        Symbol::Tier if each => Range::Number { least: 1.0, most: 9.0, whole: true },
        Symbol::Tier => Range::Fixed(Value::Int(component.tier)),
        Symbol::Component if !each => Range::Fixed(Value::text(component.id.as_str())),
        _ => Range::Any,
    }
}
