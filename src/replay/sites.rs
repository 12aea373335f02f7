//! Where the conditions and rules of a generation stand in its files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::condition::{Condition, Symbol, Truth, World};
use crate::config::reader::{File, Item, Problems, Table, parse};
use crate::engine::Bundle;
use crate::evaluate::Component;
use crate::model::{List, PolicyId, RuleId, Spot, Value};

/// Which condition of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    Critical,
    Warn,
    When(RuleId),
    Until(RuleId, Spot),
    Policy(PolicyId),
}

/// A condition's key: its file and which of it.
pub(super) type Key = (String, Which);

/// A condition, with the places of its leaves.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) leaves: Vec<Leaf>,
}

/// One leaf, and what it can say in this generation.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) place: Range<usize>,
    pub(super) text: String,
    pub(super) can: Vec<bool>,
}

/// Every place of a generation that can be covered.
#[derive(Debug, Default)]
pub(super) struct Sites {
    pub(super) conditions: BTreeMap<Key, Site>,
    /// Each rule's name in its file.
    pub(super) rules: BTreeMap<(String, RuleId), Range<usize>>,
    pub(super) policies: BTreeMap<(String, PolicyId), Range<usize>>,
}

/// The file of the policies that decide.
pub(super) const GOVERNANCE: &str = "policies/governance.toml";

impl Sites {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let mut sites = Self::default();
        for (name, text) in &bundle.files {
            let (name, problems): (Arc<str>, _) = (name.as_str().into(), Problems::default());
            let file = File { name: &name, text, problems: &problems };
            let Some(parsed) = parse(file) else { continue };
            sites.file(bundle, &Table::new(file, "", parsed.get_ref(), parsed.span()));
        }
        sites
    }

    fn file(&mut self, bundle: &Bundle, root: &Table) {
        let name = root.file.name.to_string();
        if let Some(status) = root.table("status") {
            for (key, which) in [("critical", Which::Critical), ("warn", Which::Warn)] {
                if let Some(item) = status.get(key) {
                    self.condition(bundle, &which, &item);
                }
            }
        }
        for (id, place, item) in root.table("rule").iter().flat_map(Table::named) {
            let id = RuleId::from(id);
            self.rules.insert((name.clone(), id.clone()), place);
            let Some(rule) = item.table() else { continue };
            if let Some(item) = rule.get("when") {
                self.condition(bundle, &Which::When(id.clone()), &item);
            }
            // A shadow rule makes no claim, so nobody ever asks whether one is over.
            let shadow = rule.get("shadow").and_then(|item| item.truth()).unwrap_or(false);
            let lists = [("do", List::Do), ("on_failure", List::OnFailure)];
            for (key, list) in lists.into_iter().filter(|_| !shadow) {
                let items = rule.get(key).map(|item| item.items()).unwrap_or_default();
                for (index, item) in (0u16..).zip(items) {
                    let until = item.value.as_table().and_then(|_| item.table()?.get("until"));
                    if let Some(item) = until {
                        self.condition(bundle, &Which::Until(id.clone(), Spot { list, index }), &item);
                    }
                }
            }
        }
        if name == GOVERNANCE {
            for (id, place, item) in root.table("policy").iter().flat_map(Table::named) {
                let id = PolicyId::from(id);
                self.policies.insert((name.clone(), id.clone()), place);
                let when = item.table().and_then(|policy| policy.get("when"));
                if let Some(item) = when {
                    self.condition(bundle, &Which::Policy(id), &item);
                }
            }
        }
    }

    fn condition(&mut self, bundle: &Bundle, which: &Which, item: &Item) {
        let name = item.file.name.to_string();
        let compiled = compiled(bundle, &name, which);
        let Some((_, first)) = compiled.first() else { return };
        let fixed: Vec<Vec<Truth>> =
            compiled.iter().map(|(component, condition)| condition.each_leaf(&Fixed(component))).collect();
        let leaf = |(index, span): (usize, Range<usize>)| Leaf {
            text: first.source().get(span.clone()).unwrap_or_default().to_owned(),
            place: item.within(&span),
            can: can(&fixed.iter().filter_map(|truths| truths.get(index).copied()).collect::<Vec<_>>()),
        };
        let leaves = first.leaves().into_iter().enumerate().map(leaf).collect();
        self.conditions.insert((name, which.clone()), Site { leaves });
    }
}

/// What a leaf can say: both, unless the files fix it for every component.
fn can(fixed: &[Truth]) -> Vec<bool> {
    if fixed.contains(&Truth::Unknown) {
        return vec![true, false];
    }
    [(Truth::True, true), (Truth::False, false)]
        .into_iter()
        .filter(|(truth, _)| fixed.contains(truth))
        .map(|(_, value)| value)
        .collect()
}

/// The condition as it was compiled, for each component that it is asked of.
fn compiled<'b>(bundle: &'b Bundle, file: &str, which: &Which) -> Vec<(&'b Component, &'b Condition)> {
    let components = bundle.components.values();
    let own = components.clone().filter(|component| file == format!("rules/{}.toml", component.id));
    // A rule for each healing stands in a component several times.
    let rules = |component: &'b Component, id: &RuleId| {
        let id = id.clone();
        component.rules.iter().filter(move |rule| rule.file == file && rule.table() == id.as_str())
    };
    let pair = |component: &'b Component, condition: Option<&'b Condition>| Some((component, condition?));
    match which {
        Which::Critical => own.filter_map(|component| pair(component, component.critical.as_ref())).collect(),
        Which::Warn => own.filter_map(|component| pair(component, component.warn.as_ref())).collect(),
        Which::When(id) => components
            .flat_map(|component| rules(component, id).map(move |rule| (component, &rule.when)))
            .collect(),
        Which::Until(id, spot) => {
            let until = |component| {
                rules(component, id).next()?.list(spot.list).get(usize::from(spot.index))?.until.as_ref()
            };
            components.filter_map(|component| pair(component, until(component))).collect()
        }
        Which::Policy(id) => {
            let policy = bundle.policies.policies.iter().find(|policy| policy.id == *id);
            let when = policy.and_then(|policy| policy.when.as_ref());
            components.filter_map(|component| pair(component, when)).collect()
        }
    }
}

/// What the files fix of a component: its tier and its name.
struct Fixed<'c>(&'c Component);

impl World for Fixed<'_> {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        match symbol {
            Symbol::Tier => Some(Value::Int(self.0.tier)),
            Symbol::Component => Some(Value::text(self.0.id.as_str())),
            _ => None,
        }
    }
}
