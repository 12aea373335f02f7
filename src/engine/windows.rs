//! Windows of planned downtime: while one is open its component is held, as if a person had said so.

use crate::engine::run::Run;
use crate::model::{Actor, ComponentId, Time};

/// Who holds what is in a window.
const WINDOW: &str = "window";

impl Run<'_> {
    /// Holds what has a window that is open now. Whoever ends that hold has ended it for this time; where somebody holds
    /// it longer already, nothing is to be done.
    pub(super) fn open_windows(&mut self) {
        let now = self.desk.now;
        let declared = &self.bundle.components;
        self.state.windows.retain(|id, _| declared.get(id).is_some_and(|own| !own.windows.is_empty()));
        for (id, component) in declared {
            let open = component.windows.iter().find_map(|window| Some((window, window.around(now)?)));
            let Some((window, (begin, end))) = open else { continue };
            if self.state.windows.insert(id.clone(), begin) == Some(begin) || self.is_held(id, end) {
                continue;
            }
            let (actor, reason) = (Actor::from(WINDOW), window.why.clone());
            self.desk.hold_until(
                &mut self.state.governed,
                Some(id),
                (actor, reason),
                Some(end),
                &mut self.records,
            );
        }
    }

    /// Is it held that long already?
    fn is_held(&self, id: &ComponentId, end: Time) -> bool {
        let holds = self.state.governed.holds.iter();
        let covers = |held: &Option<ComponentId>| held.as_ref().is_none_or(|held| held == id);
        holds.filter(|hold| covers(&hold.component)).any(|hold| hold.until.is_none_or(|until| until >= end))
    }
}
