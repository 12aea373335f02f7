//! What one tick of a test came to.
//!
//! A long test has many, so a moment keeps only what a test can ask of it, and shares with the one before what stayed
//! the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::State;
use crate::model::{ComponentId, ModeId, Record, RuleId, Status, Time, Why, Writes};

/// What each rule was at.
pub(super) type Whys = BTreeMap<ComponentId, BTreeMap<RuleId, Why>>;

/// One tick of a test.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) now: Time,
    pub(super) sight: Arc<Sight>,
    pub(super) records: Vec<Record>,
    pub(super) why: Arc<Whys>,
    /// What becomes of writes.
    pub(super) writes: Writes,
}

/// How everything was at the end of a tick.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) mode: ModeId,
    /// The status, and the failures in a row.
    pub(super) components: BTreeMap<ComponentId, (Status, u32)>,
    pub(super) blocked: BTreeSet<ComponentId>,
}

/// A time that an expectation names: a second with all its ticks, or, where it is written finer, the tick of that millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) at: Time,
    pub(super) fine: bool,
}

impl Stamp {
    /// The stamp of a tick, as fine or as coarse.
    pub(super) fn of(moment: &Moment, fine: bool) -> Self {
        Self { at: if fine { moment.now } else { moment.second() }, fine }
    }

    /// Is this tick meant?
    pub(super) fn means(self, moment: &Moment) -> bool {
        Self::of(moment, self.fine) == self
    }

    /// As a test writes it.
    pub(super) fn clock(self) -> String {
        let text = self.at.clock();
        if self.fine && !text.contains('.') { text + ".000" } else { text }
    }
}

impl Moment {
    /// The second it lies in: tests are exact to the second, unless they say more.
    pub(super) fn second(&self) -> Time {
        self.now.slot(crate::model::Span::seconds(1))
    }
}

impl Sight {
    pub(super) fn of(state: &State) -> Self {
        let components = &state.health.components;
        Self {
            mode: state.governed.mode.clone(),
            components: components.iter().map(|(id, own)| (id.clone(), (own.status, own.failures))).collect(),
            blocked: state.governed.blocks.keys().cloned().collect(),
        }
    }
}

/// The new one, or the last where nothing changed.
pub(super) fn shared<T: PartialEq>(last: &mut Arc<T>, now: T) -> Arc<T> {
    if **last != now {
        *last = Arc::new(now);
    }
    Arc::clone(last)
}
