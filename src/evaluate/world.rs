//! What conditions see of the world: the last readings, statuses and history.

use crate::condition::{OtherSymbol, Symbol, World};
use crate::evaluate::component::Component;
use crate::evaluate::state::{ComponentHealth, Health};
use crate::model::{ComponentId, FactId, FactNames, ModeId, Outcome, Reading, Span, Status, Time, Value};

/// What one component's conditions see.
pub(super) struct View<'a> {
    pub(super) component: &'a Component,
    pub(super) own: &'a ComponentHealth,
    pub(super) all: &'a Health,
    pub(super) mode: &'a ModeId,
    pub(super) now: Time,
}

impl World for View<'_> {
    fn read(&self, symbol: &Symbol) -> Option<Value> {
        let tries =
            |window, such: fn(Outcome) -> bool| Value::Int(self.own.history.tries(self.now, window, such));
        Some(match symbol {
            Symbol::Fact(fact) => self.own.fact(fact)?.clone(),
            // What cannot be told is neither healthy nor failed; that it cannot be told is known.
            Symbol::Status(Status::Unknown) => Value::Bool(self.own.status == Status::Unknown),
            Symbol::Status(_) if self.own.status == Status::Unknown => return None,
            Symbol::Status(status) => Value::Bool(self.own.status == *status),
            Symbol::Failures => Value::Int(self.own.failures.into()),
            Symbol::Tier => Value::Int(self.component.tier),
            Symbol::Component => Value::text(self.component.id.as_str()),
            Symbol::Mode => Value::text(self.mode.as_str()),
            Symbol::Incidents(window) => Value::Int(self.own.history.incidents(self.now, *window)),
            Symbol::Heals(window) => tries(*window, |_| true),
            Symbol::FailedHeals(window) => tries(*window, |outcome| !outcome.is_success()),
            Symbol::Relapses(window) => tries(*window, |outcome| outcome == Outcome::Relapsed),
            Symbol::Signals(window) => {
                Value::Int(self.all.signals.count(&self.component.id, self.now, *window))
            }
            Symbol::Spread(window) => number(self.struck(*window, None)),
            Symbol::SpreadBefore(window) => number(self.struck(*window, self.place())),
            Symbol::CriticalNow => number(self.critical()),
            Symbol::Tally(rule, asked) => self.all.tallies.read(&self.component.id, rule, *asked)?,
            Symbol::Changed(facts) => Value::Bool(self.changed(facts)?),
            Symbol::Other(id, asked) => {
                let other = self.all.components.get(id)?;
                match asked {
                    OtherSymbol::Status => Value::text(other.status.word()),
                    OtherSymbol::Failures => Value::Int(other.failures.into()),
                    OtherSymbol::Fact(fact) => other.fact(fact)?.clone(),
                }
            }
            Symbol::By | Symbol::Actor | Symbol::ActionKind | Symbol::ActionStricter => return None,
        })
    }

    fn row(&self, names: &FactNames) -> Option<&[Reading]> {
        self.own.last.facts.in_row(names)
    }
}

impl View<'_> {
    /// Other components with an incident that began in the last so long, and before this one where there is one. Every two
    /// have an order, so that of what fails in one tick each has its own place. What failed as long before that as well
    /// keeps failing, and would hide those that begin to fail beside it: of what failed before, it is none. Neither is what
    /// failed together with this one in the half hour before: that was told then.
    pub(super) fn struck<'v>(
        &'v self,
        window: Span,
        before: Option<(Time, &'v ComponentId)>,
    ) -> impl Iterator<Item = &'v ComponentId> {
        let others = self.all.components.iter().filter(|(id, _)| **id != self.component.id);
        let struck = others.filter(move |(id, other)| {
            let mut began = other.history.began(self.now, window);
            let Some(own) = before else { return began.next().is_some() };
            began.any(|began| (began, *id) < own)
                && !other.history.kept_failing(self.now, window)
                && !self.own.history.failed_together(&other.history, own.0, window)
        });
        struck.map(|(id, _)| id)
    }

    /// When its own incident began, where there is one, and its id: its place among those that fail.
    pub(super) fn place(&self) -> Option<(Time, &ComponentId)> {
        self.own.incident.as_ref().map(|incident| (incident.began, &self.component.id))
    }

    /// Those that are critical by their last known status, this one included.
    pub(super) fn critical(&self) -> impl Iterator<Item = &ComponentId> {
        let critical = self.all.components.iter().filter(|(_, one)| one.status == Status::Critical);
        critical.map(|(id, _)| id)
    }

    /// One that reads true says enough; else every one has to be read. Of none nothing changed.
    fn changed(&self, facts: &[FactId]) -> Option<bool> {
        let said = facts.iter().map(|fact| Some(*self.own.fact(fact)? == Value::Bool(true)));
        let said: Vec<Option<bool>> = said.collect();
        if said.contains(&Some(true)) {
            Some(true)
        } else {
            said.iter().all(Option::is_some).then_some(false)
        }
    }
}

fn number<T>(counted: impl Iterator<Item = T>) -> Value {
    Value::Int(i64::try_from(counted.count()).unwrap_or(i64::MAX))
}
