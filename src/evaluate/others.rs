//! Of whom a rule speaks besides its own component: it counts others, and without them it would not fire.

use std::collections::BTreeSet;

use crate::condition::{Condition, Symbol, Truth, World};
use crate::evaluate::component::Rule;
use crate::evaluate::scene::Scene;
use crate::evaluate::state::Health;
use crate::evaluate::world::View;
use crate::model::{ComponentId, FactNames, Reading, RuleId, Value};

/// More others than any condition asks for.
const MANY: i64 = 1_000_000;

impl Rule {
    /// May it speak of other components besides its own? Not where it never holds while many of those fail as well.
    #[must_use]
    pub fn may_speak_of_others(&self) -> bool {
        let counts = |symbol: &&Symbol| Crowd.read(symbol).is_some();
        self.when.symbols().iter().any(counts) && self.when.eval(&Crowd) != Truth::False
    }
}

/// A world of which nothing is known but that many others fail as well.
struct Crowd;

impl World for Crowd {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        let counted = matches!(
            symbol,
            Symbol::Spread(_) | Symbol::SpreadBefore(_) | Symbol::Unheard(_) | Symbol::CriticalNow
        );
        counted.then_some(Value::Int(MANY))
    }
}

impl Scene<'_> {
    /// The other components that a rule's condition counts now, where it would not hold without them. One that asks for
    /// few others (`spread(w) < 2`), or holds anyway, speaks of its own component alone.
    #[must_use]
    pub fn speaks_of(&self, health: &Health, id: &ComponentId, rule: &RuleId) -> BTreeSet<ComponentId> {
        let found = self.components.get(id).zip(health.components.get(id));
        let Some((component, own)) = found else { return BTreeSet::new() };
        let when = component.rule(rule).map(|rule| &rule.when);
        when.map(|when| self.view(health, component, own).speaks_of(when)).unwrap_or_default()
    }
}

impl View<'_> {
    fn speaks_of(&self, when: &Condition) -> BTreeSet<ComponentId> {
        let mut others: BTreeSet<ComponentId> = BTreeSet::new();
        for symbol in when.symbols() {
            match symbol {
                Symbol::Spread(window) => others.extend(self.struck(*window).cloned()),
                // One that fails behind it, and of which somebody wants to hear, tells it itself.
                Symbol::SpreadBefore(window) | Symbol::Unheard(window) => {
                    others.extend(self.before(*window).cloned());
                }
                Symbol::CriticalNow => others.extend(self.critical().cloned()),
                _ => {}
            }
        }
        others.remove(&self.component.id);
        if !others.is_empty() && when.eval(&Alone(self)) == Truth::True { BTreeSet::new() } else { others }
    }
}

/// The same world without the other components that are counted.
struct Alone<'v>(&'v View<'v>);

impl World for Alone<'_> {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        match symbol {
            Symbol::Spread(_) | Symbol::SpreadBefore(_) | Symbol::Unheard(_) => Some(Value::Int(0)),
            Symbol::CriticalNow => Some(Value::Int(self.0.own.was_critical().into())),
            _ => self.0.read(symbol),
        }
    }

    fn row(&self, names: &FactNames) -> Option<&[Reading]> {
        self.0.row(names)
    }
}
