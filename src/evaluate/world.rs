//! What conditions see of the world: the last readings, statuses and history.

use crate::condition::{OtherSymbol, Symbol, World};
use crate::evaluate::component::Component;
use crate::evaluate::state::{ComponentHealth, Health};
use crate::model::{FactNames, ModeId, Outcome, Reading, Status, Time, Value};

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
