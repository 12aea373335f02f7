//! How a running condition finds what its names are worth: a fact by its place in a row of readings, or else by name.

use crate::condition::{Symbol, World};
use crate::model::{FactId, Reading, Value};

/// A name in a condition.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) symbol: Symbol,
    /// Where it stands among the component's facts, if it is one.
    place: Option<u16>,
}

impl Name {
    pub(super) fn of(symbol: &Symbol, facts: &[FactId]) -> Self {
        let place = match symbol {
            Symbol::Fact(fact) => facts.binary_search(fact).ok().and_then(|place| u16::try_from(place).ok()),
            _ => None,
        };
        Self { symbol: symbol.clone(), place }
    }

    pub(super) fn place(&self) -> Option<usize> {
        self.place.map(usize::from)
    }
}

/// A row of readings and no world around it.
pub(super) struct Row<'r>(pub(super) &'r [Reading]);

impl World for Row<'_> {
    fn read(&self, _symbol: &Symbol) -> Option<Value> {
        None
    }
}

impl Row<'_> {
    pub(super) fn sight(&self) -> Sight<'_, Self> {
        Sight { world: self, row: self.0 }
    }
}

/// A world as one condition looks at it.
pub(super) struct Sight<'w, W> {
    pub(super) world: &'w W,
    /// Empty where the world's facts are others than those the condition was compiled for.
    row: &'w [Reading],
}

impl<'w, W: World> Sight<'w, W> {
    pub(super) fn new(world: &'w W, row: &'w [Reading]) -> Self {
        Self { world, row }
    }

    /// By name alone.
    pub(super) fn by_name(world: &'w W) -> Self {
        Self { world, row: &[] }
    }

    /// The reading of a name that has its place in the row.
    #[inline]
    pub(super) fn reading(&self, name: &Name) -> Option<&'w Reading> {
        self.row.get(name.place()?)
    }

    /// Looks at what a name is worth; nothing where that is not known.
    #[inline]
    pub(super) fn with<T>(&self, name: &Name, look: impl FnOnce(&Value) -> T) -> Option<T> {
        match self.reading(name) {
            Some(reading) => reading.value().map(look),
            None => self.world.read(&name.symbol).as_ref().map(look),
        }
    }
}
