//! What the tests have seen of the rules: which rules fired and which were false, what each leaf of a condition said,
//! which policies decided.
//!
//! The engine knows nothing of it. Each step is watched from outside, and the conditions that it asked are asked again,
//! leaf by leaf, against the state that it left behind: `critical` of each component with fresh readings, `warn` where
//! `critical` was False, `when` of every rule, `until` of every claim that stands or stood, and a policy's `when` for
//! each question that the step put to the policies.
//!
//! A leaf has been seen when it was both True and False. One that asks only for what the files fix (`tier`,
//! `component`) is wanted to say what it can say of the declared components.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::condition::{Condition, Truth};
use crate::engine::{Bundle, Input, State, Step};
use crate::evaluate::Scene;
use crate::govern::deciding;
use crate::model::{By, ComponentId, PolicyId, RuleId};
use crate::replay::sites::{GOVERNANCE, Key, Sites, Which};
use crate::replay::suite::{Suite, Test};
use crate::replay::{pool, stage};
use crate::say::line_column;

/// What the tests have seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coverage {
    /// The kinds of things that can be seen, with how many were and how many there are.
    pub kinds: Vec<(&'static str, usize, usize)>,
    /// What no test has seen.
    pub gaps: Vec<Gap>,
}

/// Something that no test has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The file.
    pub file: String,
    /// Line and column, from 1.
    pub position: (usize, usize),
    /// What was not seen.
    pub says: String,
}

impl Coverage {
    /// How much was seen, of a hundred; of nothing all.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let (seen, of) = self.kinds.iter().fold((0, 0), |sum, kind| (sum.0 + kind.1, sum.1 + kind.2));
        share(seen, of)
    }
}

/// A share of a hundred; of nothing all.
#[must_use]
pub fn share(part: usize, of: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many rules")]
    if of == 0 { 100.0 } else { part as f64 * 100.0 / of as f64 }
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    Fired(String, RuleId),
    False(String, RuleId),
    Leaf(Key, usize, bool),
    Decided(PolicyId),
}

impl Suite {
    /// What the tests see of the rules and policies, whether they pass or not.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let Some(bundle) = self.bundle.as_deref() else { return Coverage::default() };
        let of = |test: &Test| {
            let mut eyes = Eyes { bundle, seen: BTreeSet::new() };
            let _ =
                stage::play(bundle, &test.case, &mut |before, input, step| eyes.watch(before, input, step));
            eyes.seen
        };
        let seen: BTreeSet<Sight> = pool::each(&self.tests, of, |_| {}).into_iter().flatten().collect();
        tally(bundle, &Sites::of(bundle), &seen)
    }
}

/// Watches steps from outside.
struct Eyes<'b> {
    bundle: &'b Bundle,
    seen: BTreeSet<Sight>,
}

impl Eyes<'_> {
    fn watch(&mut self, before: &State, input: &Input, step: &Step) {
        let bundle = self.bundle;
        let scene = Scene {
            components: &bundle.components,
            mode: &before.governed.mode,
            now: step.state.now,
            grid: input.grid.unwrap_or(bundle.system.interval),
            meaning: input.meaning,
        };
        let world = World { scene: &scene, state: &step.state };
        self.statuses(&world, input);
        self.rules(&world);
        self.claims(&world, before);
        self.policies(step);
    }

    fn statuses(&mut self, world: &World, input: &Input) {
        let bundle = self.bundle;
        for component in input.snapshot.keys().filter_map(|id| bundle.components.get(id)) {
            let file = format!("rules/{}.toml", component.id);
            let Some(critical) = &component.critical else { continue };
            self.leaves(&(file.clone(), Which::Critical), world, &component.id, critical);
            if let (Some(warn), Truth::False) = (&component.warn, world.ask(&component.id, critical)) {
                self.leaves(&(file, Which::Warn), world, &component.id, warn);
            }
        }
    }

    fn rules(&mut self, world: &World) {
        let bundle = self.bundle;
        for component in bundle.components.values() {
            for rule in &component.rules {
                let key = (rule.file.clone(), Which::When(rule.table().into()));
                self.leaves(&key, world, &component.id, &rule.when);
                if world.ask(&component.id, &rule.when) == Truth::False {
                    self.seen.insert(Sight::False(rule.file.clone(), rule.table().into()));
                }
                let own = world.state.health.components.get(&component.id);
                if own.and_then(|own| own.rules.get(&rule.id)).is_some_and(|state| state.firing.is_some()) {
                    self.seen.insert(Sight::Fired(rule.file.clone(), rule.table().into()));
                }
            }
        }
    }

    /// A claim that ended in this step was asked as well as one that stands.
    fn claims(&mut self, world: &World, before: &State) {
        let bundle = self.bundle;
        for claim in before.governed.claims.values().chain(world.state.governed.claims.values()) {
            let (By::Rule { rule, component }, Some(spot)) = (&claim.by, claim.spot) else { continue };
            let rule = bundle.components.get(component).and_then(|component| component.rule(rule));
            let Some(rule) = rule else { continue };
            let item = rule.list(spot.list).get(usize::from(spot.index));
            if let Some(until) = item.and_then(|item| item.until.as_ref()) {
                self.leaves(
                    &(rule.file.clone(), Which::Until(rule.table().into(), spot)),
                    world,
                    component,
                    until,
                );
            }
        }
    }

    fn policies(&mut self, step: &Step) {
        let policies = &self.bundle.policies.policies;
        for question in &step.questions {
            self.seen.extend(deciding(policies, question).map(Sight::Decided));
            for policy in policies.iter().filter(|policy| policy.is_about(question)) {
                let Some(when) = &policy.when else { continue };
                let key = (GOVERNANCE.to_owned(), Which::Policy(policy.id.clone()));
                self.truths(&key, &when.each_leaf(question));
            }
        }
    }

    fn leaves(&mut self, key: &Key, world: &World, component: &ComponentId, condition: &Condition) {
        self.truths(key, &world.scene.each_leaf(&world.state.health, component, condition));
    }

    fn truths(&mut self, key: &Key, truths: &[Truth]) {
        for (index, truth) in truths.iter().enumerate().filter(|(_, truth)| **truth != Truth::Unknown) {
            self.seen.insert(Sight::Leaf(key.clone(), index, *truth == Truth::True));
        }
    }
}

/// What conditions see behind a step.
struct World<'a> {
    scene: &'a Scene<'a>,
    state: &'a State,
}

impl World<'_> {
    fn ask(&self, component: &ComponentId, condition: &Condition) -> Truth {
        self.scene.ask(&self.state.health, component, condition)
    }
}

/// Counts what was seen of what there is.
struct Tally<'a> {
    bundle: &'a Bundle,
    seen: &'a BTreeSet<Sight>,
    found: Coverage,
}

impl Tally<'_> {
    /// Counts one kind of things: what each would be seen as, where it stands, and what to say if it was not.
    fn kind(&mut self, kind: &'static str, things: Vec<(Sight, &str, &Range<usize>, String)>) {
        let of = things.len();
        let unseen: Vec<Gap> = things
            .into_iter()
            .filter(|(sight, ..)| !self.seen.contains(sight))
            .map(|(_, file, place, says)| {
                let text = self.bundle.files.get(file).map(String::as_str).unwrap_or_default();
                Gap { file: file.to_owned(), position: line_column(text, place.start), says }
            })
            .collect();
        self.found.kinds.push((kind, of - unseen.len(), of));
        self.found.gaps.extend(unseen);
    }
}

fn tally(bundle: &Bundle, sites: &Sites, seen: &BTreeSet<Sight>) -> Coverage {
    let mut tally = Tally { bundle, seen, found: Coverage::default() };
    let rules = sites.rules.iter().flat_map(|((file, id), place)| {
        let sight = |make: fn(String, RuleId) -> Sight, what: &str| {
            (make(file.clone(), id.clone()), file.as_str(), place, format!("rule {id} {what}"))
        };
        [sight(Sight::Fired, "never fired"), sight(Sight::False, "was never false")]
    });
    tally.kind("rules", rules.collect());
    let leaves = sites.conditions.iter().flat_map(|(key, site)| {
        site.leaves.iter().enumerate().flat_map(move |(index, leaf)| {
            leaf.can.iter().map(move |value| {
                let says = format!("`{}` was never {value}", leaf.text);
                (Sight::Leaf(key.clone(), index, *value), key.0.as_str(), &leaf.place, says)
            })
        })
    });
    tally.kind("branches", leaves.collect());
    let policies = sites.policies.iter().map(|((file, id), place)| {
        (Sight::Decided(id.clone()), file.as_str(), place, format!("policy {id} never decided"))
    });
    tally.kind("verdicts", policies.collect());
    let mut found = tally.found;
    found.gaps.sort_by(|a, b| (&a.file, a.position, &a.says).cmp(&(&b.file, b.position, &b.says)));
    found
}
