//! Statuses that were held against the record and are still as they were: to write them down in every tick would take
//! longer than to notice that none changed.

use crate::engine::Step;
use crate::model::Record;

/// What a tick said of the components last, and what came out as well; with the number of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Alike(Option<(usize, Box<str>)>);

impl Alike {
    /// Does a tick say what was said before, while no status has changed and no component has come?
    pub(super) fn still(&self, said: &str, step: &Step) -> bool {
        let moved = || step.records.iter().any(|record| matches!(record, Record::StatusChanged { .. }));
        self.0.as_ref().is_some_and(|(count, text)| {
            **text == *said && *count == step.state.health.components.len() && !moved()
        })
    }

    /// A tick said this, and it is what came out.
    pub(super) fn note(&mut self, said: &str, step: &Step) {
        let count = step.state.health.components.len();
        if self.0.as_ref().is_none_or(|(known, text)| *known != count || **text != *said) {
            self.0 = Some((count, said.into()));
        }
    }
}
