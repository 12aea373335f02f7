//! The smallest change that would have led elsewhere, found by deciding the tick again with it.
//!
//! What could be changed `seek` finds. The rules, the engine and the rest of the tick stay as they were. Of what really
//! turns the condition round the relatively smallest is told. Where it takes two, each is loosened as far as the other allows. The same is asked of the `until` that keeps a claim, and of
//! a rule that waits for more readings: whether fewer would have been enough.

use std::sync::Arc;

use serde::Serialize;

use crate::condition::{Condition, Truth};
use crate::engine::{Bundle, Input, Step, step};
use crate::evaluate::Component;
use crate::model::{By, Reading, Spot, Why};
use crate::replay::explain::change::{Change, Place};
use crate::replay::explain::seek::{candidates, own_file};
use crate::replay::explain::shape::{Gate, GateState};
use crate::replay::explain::{Case, Tick, after};

/// Pairs are tried of so many of the smallest changes.
const PAIRED: usize = 12;

/// Of so many pairs that lead there it is looked whether less is enough.
const LOOSENED: usize = 8;

/// What would have led elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "flip", rename_all = "snake_case")]
pub enum Flip {
    /// These changes together turn the condition round; mostly it is one.
    Change {
        /// The changes.
        changes: Vec<Change>,
        /// What the rule would have been at in this tick.
        then: String,
    },
    /// The condition is as it has to be; these gates have to open, mostly one.
    Gates {
        /// Each closed gate, and how it opens.
        gates: Vec<Opening>,
    },
    /// Nothing is known that would.
    Nothing {
        /// Why.
        says: String,
    },
}

/// A closed gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Opening {
    /// Its name.
    pub gate: String,
    /// How it opens.
    pub opens: String,
    /// What the rule would have been at with fewer readings, where these were enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fewer: Option<Fewer>,
}

/// A rule that asks for fewer readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fewer {
    /// The `after` that is enough.
    pub after: u32,
    /// The one in the file.
    pub instead_of: u32,
    /// What the rule would have been at.
    pub then: String,
}

/// Which condition is to be turned, and where to.
#[derive(Debug, Clone, Copy)]
struct Aim {
    wanted: Truth,
    /// The `until` of an act; nothing is the rule's `when`.
    until: Option<Spot>,
}

/// What would have made a rule act that did not, or kept one that did from acting.
pub(super) fn of_rule(case: &Case, acted: bool, gates: &[Gate]) -> Flip {
    let asks = gates.first().is_some_and(|condition| condition.state == GateState::Open);
    if acted {
        return search(case, Aim { wanted: Truth::False, until: None });
    }
    if !asks {
        return search(case, Aim { wanted: Truth::True, until: None });
    }
    let opening = |gate: &Gate| Opening {
        gate: gate.gate.clone(),
        opens: gate.opens.clone().unwrap_or_else(|| gate.says.clone()),
        fewer: if gate.gate == "readings" { fewer(case) } else { None },
    };
    // While the rule's own try is under way its act is the one in flight: that is one thing, and not two.
    let own = |gate: &Gate| gate.gate == "effort" && gate.state == GateState::Closed;
    let busy = gates.iter().any(own);
    let counts = |gate: &&Gate| gate.stops() && !(busy && gate.gate == "in_flight");
    let closed: Vec<Opening> = gates.iter().filter(counts).map(opening).collect();
    if closed.is_empty() {
        Flip::Nothing { says: "no gate is closed".into() }
    } else {
        Flip::Gates { gates: closed }
    }
}

/// What would have ended a claim whose `until` is not true.
pub(super) fn of_until(case: &Case, spot: Spot) -> Flip {
    search(case, Aim { wanted: Truth::True, until: Some(spot) })
}

/// Would the rule have fired with as many readings as there are?
fn fewer(case: &Case) -> Option<Fewer> {
    let Case { tick, component, rule, .. } = case;
    let state = after(tick).health.components.get(&component.id)?.rules.get(&rule.id)?;
    let have = rule.readings(state);
    if have == 0 || have >= rule.after {
        return None;
    }
    let mut bundle = Bundle::clone(&tick.bundle);
    let all = &mut bundle.components.get_mut(&component.id)?.rules;
    let other = all.iter_mut().find(|other| other.id == rule.id)?;
    // Consecutive readings stay consecutive ones.
    (other.after, other.of) = (have, if rule.of == rule.after { have } else { rule.of });
    let step = step(&bundle, &tick.before, &tick.input);
    let why = step.why.get(&component.id).and_then(|whys| whys.get(&rule.id))?;
    let fired = matches!(why, Why::Acted { .. } | Why::Fired { .. } | Why::Withheld { .. });
    fired.then(|| Fewer { after: have, instead_of: rule.after, then: at(case, why) })
}

/// What a rule is at.
fn at(case: &Case, why: &Why) -> String {
    match why {
        Why::Acted { .. } => "it acts".into(),
        Why::Fired { .. } if !case.rule.heals() => "it fires and acts".into(),
        other => other.to_string(),
    }
}

/// The condition that is to be turned, of the rule as it is or as it were.
fn aimed(component: &Component, case: &Case, aim: Aim) -> Option<Condition> {
    let rule = component.rule(&case.rule.id)?;
    let Some(spot) = aim.until else { return Some(rule.when.clone()) };
    rule.list(spot.list).get(usize::from(spot.index))?.until.clone()
}

fn search(case: &Case, aim: Aim) -> Flip {
    let mut lab = Lab { case, bundle: Bundle::clone(&case.tick.bundle) };
    let asked = aimed(case.component, case, aim);
    let mut changes = asked.as_ref().map(|asked| candidates(case, asked)).unwrap_or_default();
    // Of changes about as large a reading is told before a threshold: it is what can be seen.
    let rank = |change: &Change| (change.size * 100.0).round();
    changes.sort_by(|a, b| rank(a).total_cmp(&rank(b)).then(a.of.cmp(&b.of)));
    for change in &changes {
        if let Some(then) = lab.leads_to(&[change], aim) {
            return Flip::Change { changes: vec![change.clone()], then };
        }
    }
    let mut pairs: Vec<[&Change; 2]> = Vec::new();
    for (at, one) in changes.iter().enumerate().take(PAIRED) {
        let others = changes.iter().take(PAIRED).skip(at + 1);
        pairs.extend(
            others.filter(|other| (one.of, &one.name) != (other.of, &other.name)).map(|other| [one, other]),
        );
    }
    pairs.sort_by(|[a, b], [c, d]| (a.size + b.size).total_cmp(&(c.size + d.size)));
    if let Some(flip) = lab.together(&pairs, aim) {
        return flip;
    }
    let when = asked.as_ref().map_or("", Condition::source);
    let word = super::shape::word(aim.wanted);
    Flip::Nothing {
        says: format!(
            "no change of one or two readings or thresholds is known with which `{when}` would be {word}"
        ),
    }
}

/// Decides the tick again with something changed.
struct Lab<'c> {
    case: &'c Case<'c>,
    bundle: Bundle,
}

impl Lab<'_> {
    /// The smallest two changes that only together lead there. Each was proposed for the tick as it was; with the other
    /// less of it may be enough.
    fn together(&mut self, pairs: &[[&Change; 2]], aim: Aim) -> Option<Flip> {
        let leading = pairs.iter().filter(|pair| self.leads_to(&pair[..], aim).is_some()).take(LOOSENED);
        let leading: Vec<[Change; 2]> =
            leading.map(|[one, other]| [(*one).clone(), (*other).clone()]).collect();
        let mut all = Vec::new();
        for [one, other] in leading {
            let other = self.loosened(&one, other, aim);
            let one = self.loosened(&other, one, aim);
            let then = self.leads_to(&[&one, &other], aim);
            all.extend(then.map(|then| (vec![one, other], then)));
        }
        let size = |changes: &[Change]| changes.iter().map(|change| change.size).sum::<f64>();
        let least = all.into_iter().min_by(|(a, _), (b, _)| size(a).total_cmp(&size(b)));
        least.map(|(changes, then)| Flip::Change { changes, then })
    }

    /// The least change of the same thing that is enough with another one.
    fn loosened(&mut self, with: &Change, change: Change, aim: Aim) -> Change {
        let Some(found) = self.beside(with, aim) else { return change };
        let same = |other: &Change| (other.of, &other.name) == (change.of, &change.name);
        let mut less: Vec<Change> =
            found.into_iter().filter(|other| same(other) && other.size < change.size).collect();
        less.sort_by(|a, b| a.size.total_cmp(&b.size));
        less.into_iter().find(|less| self.leads_to(&[with, less], aim).is_some()).unwrap_or(change)
    }

    /// What could be changed in the tick as it is with one change.
    fn beside(&self, change: &Change, aim: Aim) -> Option<Vec<Change>> {
        let Case { tick, component, rule, .. } = self.case;
        let (mut bundle, mut input) = (Bundle::clone(&tick.bundle), tick.input.clone());
        match change.of {
            Place::Reading => self.read(&mut input, change),
            Place::Threshold => hold(bundle.components.get_mut(&component.id)?, change),
        }
        let step = step(&bundle, &tick.before, &input);
        let bundle = Arc::new(bundle);
        let tick = Tick {
            bundle: Arc::clone(&bundle),
            before: tick.before.clone(),
            input,
            step,
            contradiction: None,
        };
        let component = bundle.components.get(&component.id)?;
        let rule = component.rule(&rule.id)?;
        let case = Case { tick: &tick, component, rule, scene: tick.scene(&bundle) };
        let asked = aimed(component, &case, aim)?;
        Some(candidates(&case, &asked))
    }

    /// What the rule would have been at, where these changes make the condition say what is wanted.
    fn leads_to(&mut self, changes: &[&Change], aim: Aim) -> Option<String> {
        let Case { tick, component, .. } = self.case;
        let mut input = tick.input.clone();
        let mut other = Component::clone(component);
        for change in changes {
            match change.of {
                Place::Reading => self.read(&mut input, change),
                Place::Threshold => hold(&mut other, change),
            }
        }
        let asked = aimed(&other, self.case, aim)?;
        self.bundle.components.insert(component.id.clone(), other);
        let step = step(&self.bundle, &tick.before, &input);
        let mut scene = tick.scene(&self.bundle);
        scene.now = step.state.now;
        if scene.ask(&step.state.health, &component.id, &asked) != aim.wanted {
            return None;
        }
        if aim.until.is_some() {
            return self.ends(&step);
        }
        step.why
            .get(&component.id)
            .and_then(|whys| whys.get(&self.case.rule.id))
            .map(|why| at(self.case, why))
    }

    /// A claim is really over, where its `until` is true.
    fn ends(&self, step: &Step) -> Option<String> {
        let by = By::Rule { rule: self.case.rule.id.clone(), component: self.case.component.id.clone() };
        let stands = step.state.governed.claims.contains_key(&by.claim_key());
        (!stands).then(|| format!("its claim ends, and the mode is {}", step.state.governed.mode))
    }

    fn read(&self, input: &mut Input, change: &Change) {
        let Some((id, fact)) = &change.fact else { return };
        let last = || {
            let own = after(self.case.tick).health.components.get(id);
            own.map(|own| own.last.clone()).unwrap_or_default()
        };
        let readings = input.snapshot.entry(id.clone()).or_insert_with(last);
        readings.facts.insert(fact.clone(), Reading::Value(change.tried.clone()));
    }
}

/// Puts a threshold into the conditions of its file.
fn hold(component: &mut Component, change: &Change) {
    let Some(file) = &change.file else { return };
    let put = |condition: &mut Condition| {
        if let Some(supposed) = condition.supposing(&change.name, &change.tried) {
            *condition = supposed;
        }
    };
    if *file == own_file(component) {
        component.critical.iter_mut().chain(&mut component.warn).for_each(put);
    }
    for rule in component.rules.iter_mut().filter(|rule| rule.file == *file) {
        put(&mut rule.when);
        let items = rule.acts.iter_mut().chain(&mut rule.on_failure);
        items.filter_map(|item| item.until.as_mut()).for_each(put);
    }
}

impl Flip {
    /// What would have ended a claim, in one sentence.
    #[must_use]
    pub fn ends(&self) -> String {
        match self {
            Self::Change { changes, then } => {
                let all = changes.iter().map(Change::says).collect::<Vec<_>>().join(", and ");
                format!("with {all}: {then}")
            }
            other => other.says(false),
        }
    }

    /// The change in one sentence.
    #[must_use]
    pub fn says(&self, acted: bool) -> String {
        match self {
            Self::Change { changes, then } => {
                let all = changes.iter().map(Change::says).collect::<Vec<_>>().join(", and ");
                let need = if changes.len() > 1 { "two things are needed: " } else { "" };
                if acted {
                    format!("{need}with {all} it would not have acted")
                } else {
                    format!("{need}with {all} its condition would be true; then: {then}")
                }
            }
            Self::Gates { gates } => {
                let all: Vec<String> = gates.iter().map(Opening::says).collect();
                let need = match all.len() {
                    1 => "one gate is closed: ",
                    2 => "two things are needed: ",
                    _ => "several things are needed: ",
                };
                format!("{need}{}", all.join("; "))
            }
            Self::Nothing { says } => says.clone(),
        }
    }
}

impl Opening {
    fn says(&self) -> String {
        let Self { gate, opens, fewer } = self;
        let fewer = fewer.as_ref().map(|fewer| {
            let Fewer { after, instead_of, then } = fewer;
            format!("; with `after = {after}` instead of {instead_of} it would have fired now: {then}")
        });
        format!("{gate} opens {opens}{}", fewer.unwrap_or_default())
    }
}
