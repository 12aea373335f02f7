//! Why a rule acted, and why it did not: one tick, decided again and taken apart.
//!
//! `find` brings the tick from a history, `at` and `name` read what is asked, and [`explain`] takes the tick apart. It
//! is a pure function of the tick: conditions are asked again part by part (`facts`), every gate by itself in the
//! state in which the proposal met it (`gates`), and what would have to be otherwise is found by deciding the tick again
//! with one reading or one threshold changed (`seek`, `flip`). `say` puts the answer into one sentence, `shape` is the answer.
//!
//! Where no rule is meant but an action, [`why_none`] asks every rule that could have done it (`action`).
//!
//! A rule that wanted nothing was asked by no gate of governance. What they would have said is told all the same, of
//! what the rule would want first, in the state that the tick left behind.

mod action;
mod at;
mod change;
mod error;
mod facts;
mod find;
mod flip;
mod gates;
mod idle;
mod kept;
mod name;
mod nearest;
mod say;
mod seek;
mod shape;

use std::cell::RefCell;

pub use action::{Absence, Action, Could, Instead, action_named, why_none};
pub use at::At;
pub use change::{Change, Place};
pub use error::{FindError, NameError};
pub use find::{Ending, Tick, end_of, tick_at, tick_of};
pub use flip::{Fewer, Flip, Opening};
pub use idle::{Idle, idle};
pub use kept::last_of;
pub use name::rule_named;
pub use shape::{Asked, Claimed, Deed, Ended, Explanation, Fact, Gate, GateState, Policy, Seen, shown};

use crate::condition::Truth;
use crate::engine::{Bundle, State, step_watched};
use crate::evaluate::{Component, Rule, Scene};
use crate::govern::{About, Governed};
use crate::model::{Act, ActId, By, ComponentId, Proposal, Record, RuleId};

/// What is asked of a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// What was this rule at, and why?
    Rule(RuleId, ComponentId),
    /// Why was this act made?
    Act(ActId),
}

/// A proposal as it met governance, before anything was decided about it.
#[derive(Debug, Clone)]
struct Met {
    proposal: Proposal,
    about: About,
    governed: Governed,
    /// Its number, where it was permitted.
    act: Option<ActId>,
}

/// A rule of a tick, with everything that is known of it.
struct Case<'t> {
    tick: &'t Tick,
    component: &'t Component,
    rule: &'t Rule,
    scene: Scene<'t>,
}

impl Tick {
    /// What conditions saw in this tick, once the readings were taken in.
    fn scene<'t>(&'t self, bundle: &'t Bundle) -> Scene<'t> {
        Scene {
            components: &bundle.components,
            mode: &self.before.governed.mode,
            now: self.step.state.now,
            grid: self.input.grid.unwrap_or(bundle.system.interval),
            meaning: self.input.meaning,
        }
    }

    /// Did this rule want anything of governance in this tick?
    #[must_use]
    pub fn wanted(&self, rule: &RuleId, component: &ComponentId) -> bool {
        let by = By::Rule { rule: rule.clone(), component: component.clone() };
        !self.met(|proposal| proposal.by == by).is_empty()
    }

    /// The proposals of this tick that are asked about, in the order in which they were decided.
    fn met(&self, wanted: impl Fn(&Proposal) -> bool) -> Vec<Met> {
        let met = RefCell::new(Vec::new());
        let numbers = RefCell::new(Vec::new());
        let mut watch = |_: &crate::govern::Desk, governed: &Governed, proposal: &Proposal, about: &About| {
            numbers.borrow_mut().push(governed.last_act);
            let (proposal, governed, about) = (proposal.clone(), governed.clone(), about.clone());
            if wanted(&proposal) {
                let at = numbers.borrow().len();
                met.borrow_mut().push((at, Met { proposal, about, governed, act: None }));
            }
        };
        let step = step_watched(&self.bundle, &self.before, &self.input, &mut watch);
        let mut numbers = numbers.take();
        numbers.push(step.state.governed.last_act);
        // Whoever was permitted got the next number, which the next one found taken.
        let numbered = met.take().into_iter().map(|(at, met)| {
            let after = numbers.get(at).copied().filter(|after| *after > met.governed.last_act);
            Met { act: after, ..met }
        });
        numbered.collect()
    }
}

/// Takes a tick apart.
///
/// # Errors
/// The tick's rules have no such rule, or the tick did not make that act.
pub fn explain(tick: &Tick, question: &Question) -> Result<Explanation, NameError> {
    match question {
        Question::Rule(rule, component) => {
            let by = By::Rule { rule: rule.clone(), component: component.clone() };
            let met = tick.met(|proposal| proposal.by == by && !is_news(proposal));
            of_rule(tick, (rule, component), &met, None)
        }
        Question::Act(act) => {
            let mut all = tick.met(|_| true);
            let made = all.iter().position(|met| met.act == Some(*act));
            let made = made.map(|at| all.swap_remove(at)).ok_or(NameError::NotMade { act: *act })?;
            match made.proposal.by.clone() {
                _ if is_news(&made.proposal) => Ok(of_no_rule(tick, &made)),
                By::Rule { rule, component } => of_rule(tick, (&rule, &component), &[made], Some(*act)),
                By::Person { .. } => Ok(of_no_rule(tick, &made)),
            }
        }
    }
}

fn of_rule(
    tick: &Tick,
    (rule, component): (&RuleId, &ComponentId),
    met: &[Met],
    act: Option<ActId>,
) -> Result<Explanation, NameError> {
    let named = format!("{rule}/{component}");
    let Some(case) = Case::of(tick, rule, component) else {
        return Err(rule_named(&tick.bundle, &named)
            .err()
            .unwrap_or(NameError::Unknown { word: named, help: String::new() }));
    };
    let mut told = case.told(met, act);
    told.flip = Some(flip::of_rule(&case, told.acted, &told.gates));
    Ok(told)
}

impl<'t> Case<'t> {
    fn of(tick: &'t Tick, rule: &RuleId, component: &ComponentId) -> Option<Self> {
        let component = tick.bundle.components.get(component)?;
        let rule = component.rule(rule)?;
        Some(Self { tick, component, rule, scene: tick.scene(&tick.bundle) })
    }

    /// Everything but what would have led elsewhere, for which the tick has to be decided again and again.
    fn told(&self, met: &[Met], act: Option<ActId>) -> Explanation {
        let Self { tick, component, rule, scene } = self;
        let truth = scene.ask(&tick.step.state.health, &component.id, &rule.when);
        let (about, gates) = gates::of_rule(self, met, truth);
        let mut told = Explanation {
            rule: Some(format!("{}/{}", rule.id, component.id)),
            act,
            acted: met.iter().any(|met| met.act.is_some()),
            seen: facts::seen(tick, component),
            why: rule.why.clone(),
            truth: Some(shape::word(truth)),
            conditions: facts::conditions(self),
            did: deeds(tick, met),
            claim: facts::claim(self),
            about,
            gates,
            ..shape::blank(tick)
        };
        told.summary = say::of_rule(self, &told, met, truth == Truth::True);
        told
    }
}

/// Is it what whoever hears of approvals is told? It stands in the name of who wants the approval, who did not ask for it.
fn is_news(proposal: &Proposal) -> bool {
    matches!(proposal.act, Act::Notify { approval: Some(_), .. })
}

/// A person's act, or news, asks no condition of a rule; it meets the gates all the same.
fn of_no_rule(tick: &Tick, made: &Met) -> Explanation {
    let component = made.proposal.component.as_ref().and_then(|id| tick.bundle.components.get(id));
    let mut told = Explanation {
        act: made.act,
        acted: true,
        seen: component.and_then(|component| facts::seen(tick, component)),
        did: deeds(tick, std::slice::from_ref(made)),
        about: Some(made.proposal.act.label()),
        gates: gates::of_governance(tick, made, true),
        ..shape::blank(tick)
    };
    told.summary = say::of_no_rule(made);
    told
}

/// What was done, and what it changed.
fn deeds(tick: &Tick, met: &[Met]) -> Vec<Deed> {
    let made = met.iter().filter_map(|met| {
        let (act, reason) = (Some(met.act?), met.proposal.reason.clone());
        Some(Deed { act, what: met.proposal.act.label(), reason })
    });
    let bys: Vec<&By> = met.iter().filter(|met| met.act.is_some()).map(|met| &met.proposal.by).collect();
    let moved = tick.step.records.iter().filter_map(|record| match record {
        Record::ModeChanged { from, to, reason, by } if bys.contains(&by) => Some(Deed {
            act: None,
            what: format!("the mode changed from {from} to {to}"),
            reason: reason.clone(),
        }),
        _ => None,
    });
    made.chain(moved).collect()
}

/// The state that a tick left behind.
fn after(tick: &Tick) -> &State {
    &tick.step.state
}
