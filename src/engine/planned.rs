//! Planned downtime: what fails while it is held, or while a window of it is open, was to be expected. Of what is silenced
//! nobody wants to hear that it fails, which changes nothing but who is told.

use crate::engine::run::Run;
use crate::evaluate::{Component, Foreseen};
use crate::model::Meaning;

impl Run<'_> {
    /// Whose downtime is planned now, and what is silenced; none where the meaning that decides does not ask.
    pub(super) fn foreseen(&self) -> Option<Foreseen> {
        let those = |is_so: &dyn Fn(&Component) -> bool| {
            let components = self.bundle.components.values();
            components.filter(|component| is_so(component)).map(|component| component.id.clone()).collect()
        };
        (self.meaning >= Meaning::VOTES).then(|| Foreseen {
            planned: those(&|component: &Component| self.is_planned(component)),
            silenced: those(&|component: &Component| self.is_silenced(component)),
        })
    }

    fn is_silenced(&self, component: &Component) -> bool {
        let mut silences = self.state.governed.silences.iter();
        silences.any(|silence| {
            silence.component.as_ref().is_none_or(|id| *id == component.id) && self.desk.now < silence.end()
        })
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
