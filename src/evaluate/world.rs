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
            Symbol::Spread(window) => number(self.struck(*window)),
            Symbol::SpreadBefore(window) => Value::Int(self.struck_before(*window)),
            Symbol::Unheard(window) => Value::Int(self.unheard(*window)),
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
    /// Other components with an incident that began in the last so long.
    pub(super) fn struck(&self, window: Span) -> impl Iterator<Item = &ComponentId> {
        let others = self.all.components.iter().filter(|(id, _)| **id != self.component.id);
        let struck = others.filter(move |(_, other)| other.history.began(self.now, window).next().is_some());
        struck.map(|(id, _)| id)
    }

    /// How many of them failed before this one. Of three that fail the third says 2, and whoever fails after it more than
    /// that, however many there are. What was there together in the half hour before was told then: it says 0, until
    /// somebody fails with it who was not there, and who says 2 again.
    fn struck_before(&self, window: Span) -> i64 {
        let Some(own) = self.place() else { return 0 };
        let ahead = self.ahead(own, window);
        if ahead.len() < 2 {
            return i64::try_from(ahead.len()).unwrap_or_default();
        }
        if !self.is_new(own, &ahead, window) {
            return 0;
        }
        let told = |one: &Place| {
            let before = self.ahead(*one, window);
            before.len() > 1 && self.is_new(*one, &before, window)
        };
        if ahead.iter().any(told) { i64::try_from(ahead.len().max(3)).unwrap_or(i64::MAX) } else { 2 }
    }

    /// How many failed before this one of which nobody wanted to hear, where that is all of them, and of this one somebody
    /// does: whoever tells of several was kept back for those, and for this one nothing would tell it.
    fn unheard(&self, window: Span) -> i64 {
        let Some(own) = self.place() else { return 0 };
        let ahead = self.ahead(own, window);
        let is_quiet =
            |(at, id): &Place| self.all.components.get(*id).is_some_and(|one| one.history.was_quiet(*at));
        if is_quiet(&own) || !ahead.iter().all(is_quiet) || !self.is_new(own, &ahead, window) {
            return 0;
        }
        i64::try_from(ahead.len()).unwrap_or(i64::MAX)
    }

    /// Those that failed in so long before this one.
    pub(super) fn before(&self, window: Span) -> impl Iterator<Item = &ComponentId> {
        let ahead = self.place().map(|own| self.ahead(own, window));
        ahead.into_iter().flatten().map(|(_, id)| id)
    }

    /// What failed in so long before this place. Every two places have an order, so that of what fails in one tick each has
    /// its own. What failed as long before that as well keeps failing, and would hide those that begin to fail beside it.
    fn ahead<'v>(&'v self, (at, id): Place<'v>, window: Span) -> Vec<Place<'v>> {
        let others = self.all.components.iter().filter(|(other, _)| *other != id);
        let struck = others.filter_map(|(other, own)| {
            let mut began = own.history.began(at, window);
            let began = began.find(|began| (*began, other) < (at, id))?;
            (!own.history.kept_failing(at, window)).then_some((began, other))
        });
        struck.collect()
    }

    /// Did these not all fail together in the half hour before?
    fn is_new(&self, (at, id): Place, ahead: &[Place], window: Span) -> bool {
        let history = |id: &ComponentId| self.all.components.get(id).map(|one| &one.history);
        let others = || ahead.iter().filter_map(|(_, other)| history(other));
        history(id).is_none_or(|own| !own.failed_with(others, at, window))
    }

    /// When its own incident began, where there is one, and its id.
    fn place(&self) -> Option<Place<'_>> {
        self.own.incident.as_ref().map(|incident| (incident.began, &self.component.id))
    }

    /// Those that are critical by their last known status, this one included.
    pub(super) fn critical(&self) -> impl Iterator<Item = &ComponentId> {
        let critical = self.all.components.iter().filter(|(_, one)| one.was_critical());
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

/// When an incident began, and whose it is: a place among those that fail.
type Place<'v> = (Time, &'v ComponentId);

fn number<T>(counted: impl Iterator<Item = T>) -> Value {
    Value::Int(i64::try_from(counted.count()).unwrap_or(i64::MAX))
}
