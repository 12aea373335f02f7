//! What could be changed so that a condition says something else: readings of this component and of others, thresholds.
//!
//! Each comparison has a bound, and the nearest value beyond it is proposed for the fact or the threshold on its other
//! side; where that stands in an arithmetic, the arithmetic is solved for it. What is true or false by itself is proposed
//! as the opposite. These are proposals: whether they really lead elsewhere is found by deciding the tick again.

use std::collections::BTreeSet;

use crate::condition::{Condition, OtherSymbol, Part, PartKind, Symbol};
use crate::evaluate::Component;
use crate::model::{ComponentId, FactId, Type, Value};
use crate::replay::explain::change::{Change, Place};
use crate::replay::explain::nearest::{count, measure, mirrored, negated, number, written};
use crate::replay::explain::shape::shown;
use crate::replay::explain::{Case, after};

/// The file in which a component is declared.
pub(super) fn own_file(component: &Component) -> String {
    format!("rules/{}.toml", component.id)
}

/// Every change that could turn this condition, or one of the statuses that it may ask for, of this component or another.
pub(super) fn candidates(case: &Case, asked: &Condition) -> Vec<Change> {
    let (component, own) = (case.component, own_file(case.component));
    let health = &after(case.tick).health;
    // What never asks how the component is, is turned by none of its readings but by those that it names.
    let by_status = asked.symbols().into_iter().any(follows_status);
    let status = |condition: &Option<Condition>| condition.clone().filter(|_| by_status);
    let (critical, warn) = (status(&component.critical), status(&component.warn));
    let mut all = vec![
        (component, Some(asked), case.rule.file.clone()),
        (component, critical.as_ref(), own.clone()),
        (component, warn.as_ref(), own),
    ];
    for other in others(case, asked) {
        let file = own_file(other);
        all.extend([(other, other.critical.as_ref(), file.clone()), (other, other.warn.as_ref(), file)]);
    }
    let mut found = Vec::new();
    for (of, condition, file) in &all {
        let tree = condition.and_then(|asked| case.scene.explain(health, &of.id, asked));
        if let Some(tree) = tree {
            let mut seeker = Seeker { case, of, file, found };
            seeker.part(&tree, true);
            found = seeker.found;
        }
    }
    found
}

/// The components that a condition asks how they are.
fn others<'c>(case: &Case<'c>, asked: &Condition) -> Vec<&'c Component> {
    let ids: BTreeSet<ComponentId> = asked
        .symbols()
        .into_iter()
        .filter_map(|symbol| match symbol {
            Symbol::Other(id, OtherSymbol::Status | OtherSymbol::Failures) => Some(id.clone()),
            _ => None,
        })
        .collect();
    let known = &case.tick.bundle.components;
    ids.iter().filter(|id| **id != case.component.id).filter_map(|id| known.get(id)).collect()
}

/// Is it otherwise where the component is otherwise in this tick?
fn follows_status(symbol: &Symbol) -> bool {
    matches!(
        symbol,
        Symbol::Status(_)
            | Symbol::Failures
            | Symbol::Incidents(_)
            | Symbol::Heals(_)
            | Symbol::FailedHeals(_)
            | Symbol::Relapses(_)
            | Symbol::SpreadBefore(_)
            | Symbol::Unheard(_)
            | Symbol::CriticalNow
    )
}

struct Seeker<'c> {
    case: &'c Case<'c>,
    /// Whose condition it is.
    of: &'c Component,
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
            _ if logic && self.is_ours(part) => {
                for wanted in [true, false] {
                    if part.value != Some(Value::Bool(wanted)) {
                        self.add(part, format!("= {wanted}"), Value::Bool(wanted));
                    }
                }
            }
            _ => {}
        }
    }

    /// Can it be changed?
    fn is_ours(&self, part: &Part) -> bool {
        part.kind == PartKind::Threshold || self.fact(part).is_some()
    }

    /// The fact that a part reads.
    fn fact(&self, part: &Part) -> Option<(ComponentId, FactId)> {
        match part.symbol.as_ref()? {
            Symbol::Fact(fact) => Some((self.of.id.clone(), fact.clone())),
            Symbol::Other(id, OtherSymbol::Fact(fact)) => Some((id.clone(), fact.clone())),
            _ => None,
        }
    }

    /// One side of a comparison, against the other as it is.
    fn side(&mut self, whole: &Part, side: &Part, sign: &'static str, other: &Part) {
        let Some(bound) = &other.value else { return };
        // What is true has to become false, what is false true; of what cannot be told both are tried.
        for wanted in [true, false] {
            if whole.value == Some(Value::Bool(wanted)) {
                continue;
            }
            let sign = if wanted { sign } else { negated(sign) };
            if side.kind == PartKind::Arithmetic {
                if let Some(bound) = number(bound) {
                    self.solve(side, sign, bound);
                }
                continue;
            }
            let Some(tried) = self.is_ours(side).then(|| self.beyond(side, sign, bound)).flatten() else {
                continue;
            };
            if side.value.as_ref() != Some(&tried) {
                self.add(side, format!("{sign} {}", shown(bound, other.unit.or(side.unit))), tried);
            }
        }
    }

    /// An arithmetic that has to be such against a bound: what each of its parts has to be while the others stay.
    fn solve(&mut self, part: &Part, sign: &'static str, bound: f64) {
        let worth = |part: &Part| part.value.as_ref().and_then(number);
        match (part.kind, part.sign, part.parts.as_slice()) {
            (PartKind::Arithmetic, Some("-"), [one]) => self.solve(one, mirrored(sign), -bound),
            (PartKind::Arithmetic, Some(op), [left, right]) => {
                let turned = |by: f64| if by < 0.0 { mirrored(sign) } else { sign };
                if let Some(right) = worth(right) {
                    match op {
                        "+" => self.solve(left, sign, bound - right),
                        "-" => self.solve(left, sign, bound + right),
                        "*" if right != 0.0 => self.solve(left, turned(right), bound / right),
                        "/" => self.solve(left, turned(right), bound * right),
                        _ => {}
                    }
                }
                if let Some(left) = worth(left) {
                    match op {
                        "+" => self.solve(right, sign, bound - left),
                        "-" => self.solve(right, mirrored(sign), left - bound),
                        "*" if left != 0.0 => self.solve(right, turned(left), bound / left),
                        "/" if bound != 0.0 => {
                            self.solve(right, mirrored(turned(left * bound)), left / bound);
                        }
                        _ => {}
                    }
                }
            }
            _ if self.is_ours(part) => {
                let near = Value::float(bound).and_then(|bound| self.beyond(part, sign, &bound));
                if let Some(tried) = near.filter(|tried| part.value.as_ref() != Some(tried)) {
                    self.add(part, format!("= {}", shown(&tried, part.unit)), tried);
                }
            }
            _ => {}
        }
    }

    /// The nearest value for which the comparison with the bound holds.
    fn beyond(&self, side: &Part, sign: &str, bound: &Value) -> Option<Value> {
        let bundle = &self.case.tick.bundle;
        let kind = self.fact(side).and_then(|(id, fact)| bundle.components.get(&id)?.facts.get(&fact));
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
                let whole = match kind {
                    Some(kind) => *kind == Type::Count,
                    None => matches!(side.value, Some(Value::Int(_))),
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

    /// As a rule of the explained component would call it.
    fn name(&self, part: &Part) -> String {
        match part.symbol {
            Some(Symbol::Fact(_)) if self.of.id != self.case.component.id => {
                format!("component(\"{}\").{}", self.of.id, part.text)
            }
            _ => part.text.clone(),
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
            name: self.name(part),
            fact: self.fact(part),
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
