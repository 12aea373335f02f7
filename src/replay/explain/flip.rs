//! The smallest change that would have led elsewhere, found by deciding the tick again with it.
//!
//! Each comparison has a bound, and the nearest value beyond it is tried for the fact or the threshold on its other side;
//! what is true or false is tried as the opposite. The rules, the engine and the rest of the tick stay as they were. Of
//! what really turns the condition round the relatively smallest is told.

use serde::Serialize;

use crate::condition::{Condition, Part, PartKind, Truth};
use crate::engine::{Bundle, Input, step};
use crate::evaluate::Component;
use crate::model::{FactId, Reading, Type, Unit, Value, Why};
use crate::replay::explain::nearest::{count, measure, mirrored, negated, number, written};
use crate::replay::explain::shape::{Gate, GateState, shown};
use crate::replay::explain::{Case, after};

/// Pairs are tried of so many of the smallest changes.
const PAIRED: usize = 12;

/// What would have led elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// One reading or one threshold that is otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// `reading` or `threshold`.
    pub of: Place,
    /// Its name, as conditions write it.
    pub name: String,
    /// What it was.
    pub from: Option<Value>,
    /// What it has to be: `> 120`.
    pub to: String,
    /// The value that was tried.
    pub tried: Value,
    /// The unit of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// How large the change is, from 0 to 1.
    pub size: f64,
    /// The file of a threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A fact that was read.
    Reading,
    /// A threshold in a file.
    Threshold,
}

/// A closed gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// Its name.
    pub gate: String,
    /// How it opens.
    pub opens: String,
}

/// What would have made a rule act that did not, or kept one that did from acting.
pub(super) fn of_rule(case: &Case, acted: bool, gates: &[Gate]) -> Flip {
    let asks = gates.first().is_some_and(|condition| condition.state == GateState::Open);
    if acted {
        return search(case, Truth::False);
    }
    if !asks {
        return search(case, Truth::True);
    }
    let opening = |gate: &Gate| Opening {
        gate: gate.gate.clone(),
        opens: gate.opens.clone().unwrap_or_else(|| gate.says.clone()),
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

fn search(case: &Case, wanted: Truth) -> Flip {
    let mut lab = Lab { case, bundle: Bundle::clone(&case.tick.bundle) };
    let mut changes = candidates(case);
    // Of changes about as large a reading is told before a threshold: it is what can be seen.
    let rank = |change: &Change| (change.size * 100.0).round();
    changes.sort_by(|a, b| rank(a).total_cmp(&rank(b)).then(a.of.cmp(&b.of)));
    for change in &changes {
        if let Some(then) = lab.leads_to(&[change], wanted) {
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
    for pair in pairs {
        if let Some(then) = lab.leads_to(&pair, wanted) {
            return Flip::Change { changes: pair.into_iter().cloned().collect(), then };
        }
    }
    let (when, word) = (case.rule.when.source(), super::shape::word(wanted));
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
    /// What the rule would have been at, where these changes make the condition say what is wanted.
    fn leads_to(&mut self, changes: &[&Change], wanted: Truth) -> Option<String> {
        let Case { tick, component, rule, .. } = self.case;
        let mut input = tick.input.clone();
        let mut other = Component::clone(component);
        for change in changes {
            match change.of {
                Place::Reading => self.read(&mut input, change),
                Place::Threshold => hold(&mut other, change),
            }
        }
        let when = other.rule(&rule.id)?.when.clone();
        self.bundle.components.insert(component.id.clone(), other);
        let step = step(&self.bundle, &tick.before, &input);
        let mut scene = tick.scene(&self.bundle);
        scene.now = step.state.now;
        if scene.ask(&step.state.health, &component.id, &when) != wanted {
            return None;
        }
        let why = step.why.get(&component.id).and_then(|whys| whys.get(&rule.id))?;
        Some(match why {
            Why::Acted { .. } => "it acts".into(),
            Why::Fired { .. } if !rule.heals() => "it fires and acts".into(),
            other => other.to_string(),
        })
    }

    fn read(&self, input: &mut Input, change: &Change) {
        let id = &self.case.component.id;
        let last = || {
            let own = after(self.case.tick).health.components.get(id);
            own.map(|own| own.last.clone()).unwrap_or_default()
        };
        let readings = input.snapshot.entry(id.clone()).or_insert_with(last);
        readings.facts.insert(FactId::from(change.name.as_str()), Reading::Value(change.tried.clone()));
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
    component.rules.iter_mut().filter(|rule| rule.file == *file).for_each(|rule| put(&mut rule.when));
}

fn own_file(component: &Component) -> String {
    format!("rules/{}.toml", component.id)
}

/// Every change that could turn a comparison round, or something that is true or false by itself.
fn candidates(case: &Case) -> Vec<Change> {
    let (component, own) = (case.component, own_file(case.component));
    let health = &after(case.tick).health;
    let asked = [
        (Some(&case.rule.when), &case.rule.file),
        (component.critical.as_ref(), &own),
        (component.warn.as_ref(), &own),
    ];
    let mut found = Vec::new();
    for (condition, file) in asked {
        let tree = condition.and_then(|asked| case.scene.explain(health, &component.id, asked));
        if let Some(tree) = tree {
            let mut seeker = Seeker { component, file, found };
            seeker.part(&tree, true);
            found = seeker.found;
        }
    }
    found
}

struct Seeker<'c> {
    component: &'c Component,
    file: &'c str,
    found: Vec<Change>,
}

impl Seeker<'_> {
    /// `logic` says that the part is true or false by itself, and no side of a comparison.
    fn part(&mut self, part: &Part, logic: bool) {
        match (part.kind, part.parts.as_slice()) {
            (PartKind::And | PartKind::Or | PartKind::Not, parts) => {
                for part in parts {
                    self.part(part, logic);
                }
            }
            (PartKind::Comparison, [left, right]) => {
                let sign = part.sign.unwrap_or("==");
                self.side(part, left, sign, right);
                self.side(part, right, mirrored(sign), left);
            }
            (PartKind::Fact | PartKind::Threshold, _) if logic => {
                for wanted in [true, false] {
                    if part.value != Some(Value::Bool(wanted)) {
                        self.add(part, format!("= {wanted}"), Value::Bool(wanted));
                    }
                }
            }
            _ => {}
        }
    }

    /// One side of a comparison, against the other as it is.
    fn side(&mut self, whole: &Part, side: &Part, sign: &'static str, other: &Part) {
        let ours = matches!(side.kind, PartKind::Fact | PartKind::Threshold);
        let Some(bound) = other.value.as_ref().filter(|_| ours) else { return };
        // What is true has to become false, what is false true; of what cannot be told both are tried.
        for wanted in [true, false] {
            if whole.value == Some(Value::Bool(wanted)) {
                continue;
            }
            let sign = if wanted { sign } else { negated(sign) };
            let Some(tried) = self.beyond(side, sign, bound) else { continue };
            if side.value.as_ref() != Some(&tried) {
                self.add(side, format!("{sign} {}", shown(bound, other.unit.or(side.unit))), tried);
            }
        }
    }

    /// The nearest value for which the comparison with the bound holds.
    fn beyond(&self, side: &Part, sign: &str, bound: &Value) -> Option<Value> {
        let kind = self.component.facts.get(&FactId::from(side.text.as_str()));
        match bound {
            Value::Bool(bound) => Some(Value::Bool(if sign == "==" { *bound } else { !bound })),
            Value::Text(word) if sign == "==" => Some(Value::text(word)),
            Value::Text(word) => {
                let words = match kind {
                    Some(Type::Text { one_of }) => one_of.iter().find(|other| *other != word),
                    _ => None,
                };
                Some(Value::text(words.map_or("something else", |word| word)))
            }
            Value::Int(_) | Value::Float(_) => {
                let whole = match (side.kind, kind) {
                    (PartKind::Fact, Some(kind)) => *kind == Type::Count,
                    _ => matches!(side.value, Some(Value::Int(_))),
                };
                let bound = number(bound)?;
                match side.kind {
                    _ if whole => count(sign, bound),
                    PartKind::Threshold => written(sign, bound, side.unit),
                    _ => Value::float(measure(sign, bound)),
                }
            }
        }
    }

    fn add(&mut self, part: &Part, to: String, tried: Value) {
        let of = if part.kind == PartKind::Threshold { Place::Threshold } else { Place::Reading };
        let size = match (part.value.as_ref().and_then(number), number(&tried)) {
            (Some(from), Some(to)) => (to - from).abs() / from.abs().max(to.abs()).max(f64::MIN_POSITIVE),
            _ => 1.0,
        };
        let change = Change {
            of,
            name: part.text.clone(),
            from: part.value.clone(),
            to,
            tried,
            unit: part.unit,
            size,
            file: (of == Place::Threshold).then(|| self.file.to_owned()),
        };
        if !self.found.contains(&change) {
            self.found.push(change);
        }
    }
}

impl Flip {
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
                let all: Vec<String> =
                    gates.iter().map(|gate| format!("{} opens {}", gate.gate, gate.opens)).collect();
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

impl Change {
    fn says(&self) -> String {
        let was = self
            .from
            .as_ref()
            .map_or("it could not be read".to_owned(), |from| format!("it was {}", shown(from, self.unit)));
        format!("{} {} ({was})", self.name, self.to)
    }
}
