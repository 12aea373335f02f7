//! Planned downtime: what fails while it is held, or while a window of it is open, was to be expected.

use std::collections::BTreeSet;

use crate::engine::run::Run;
use crate::evaluate::Component;
use crate::model::{ComponentId, Meaning};

impl Run<'_> {
    /// Whose downtime is planned now; none where the meaning that decides does not ask.
    pub(super) fn planned(&self) -> Option<BTreeSet<ComponentId>> {
        let components = self.bundle.components.values();
        let planned = components.filter(|component| self.is_planned(component));
        (self.meaning >= Meaning::VOTES).then(|| planned.map(|component| component.id.clone()).collect())
    }

    /// Is its downtime planned now? Holds and windows may be over or open since the last tick: the clock decides. A window
    /// whose hold a person has ended is over for this time.
    pub(super) fn is_planned(&self, component: &Component) -> bool {
        let (id, now) = (&component.id, self.desk.now);
        let mut holds = self.state.governed.holds.iter();
        let is_held = holds.any(|hold| {
            hold.component.as_ref().is_none_or(|held| held == id)
                && hold.until.is_none_or(|until| now < until)
        });
        let ended = self.state.windows.get(id);
        let mut begun = component.windows.iter().filter_map(|window| window.around(now));
        is_held || begun.any(|(begin, _)| ended.is_none_or(|ended| begin > *ended))
    }
}
