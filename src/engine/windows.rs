//! Windows of planned downtime: while one is open its component is held, as if a person had said so.

use crate::engine::run::Run;
use crate::engine::{Bundle, State};
use crate::evaluate::Component;
use crate::govern::Hold;
use crate::model::{Act, Actor, ComponentId, Meaning, Proposal, Time, Window};

/// Who holds what is in a window.
pub(super) const WINDOW: &str = "window";

impl Run<'_> {
    /// Holds what has a window that is open now, and no longer than it is open, whatever files and people do meanwhile. A
    /// person who ends that hold has ended it for this time.
    pub(super) fn keep_windows(&mut self) {
        for (id, component) in &self.bundle.components {
            let open = self.open_window(component);
            let own = self
                .state
                .governed
                .holds
                .iter()
                .find(|hold| hold.component.as_ref() == Some(id) && hold.actor.as_str() == WINDOW);
            let own = own.map(|hold| hold.until);
            let Some((window, (begin, end))) = open else {
                self.state.windows.remove(id);
                if own.is_some() {
                    self.desk.end_hold(
                        &mut self.state.governed,
                        id,
                        "its window is closed",
                        &mut self.records,
                    );
                }
                continue;
            };
            let ended = self.state.windows.get(id).is_some_and(|ended| {
                if self.meaning < Meaning::VOTES { begin == *ended } else { begin <= *ended }
            });
            if ended
                || own == Some(Some(end))
                || own.is_none() && self.is_held(id, end)
                || self.person_holds(id)
            {
                continue;
            }
            let who = (Actor::from(WINDOW), window.why.clone());
            self.desk.hold_until(&mut self.state.governed, Some(id), who, Some(end), &mut self.records);
        }
        let declared = &self.bundle.components;
        self.state.windows.retain(|id, _| declared.contains_key(id));
    }

    fn open_window<'c>(&self, component: &'c Component) -> Option<Open<'c>> {
        open(component, self.state.windows.get(&component.id), (self.desk.now, self.meaning))
    }

    /// Is it held that long already?
    fn is_held(&self, id: &ComponentId, end: Time) -> bool {
        let mut holds = self.state.governed.holds.iter();
        holds.any(|hold| {
            hold.component.as_ref().is_none_or(|held| held == id)
                && hold.until.is_none_or(|until| until >= end)
        })
    }

    /// A person holds it: there is one hold of a component, and a window takes it up behind that. An older meaning put the
    /// window's in its place.
    fn person_holds(&self, id: &ComponentId) -> bool {
        let mut holds = self.state.governed.holds.iter();
        self.meaning >= Meaning::VOTES
            && holds.any(|hold| hold.component.as_ref() == Some(id) && hold.actor.as_str() != WINDOW)
    }

    /// A hold has ended by hand: where a window is open that nobody ended, it holds at once.
    pub(super) fn window_goes_on(&mut self, proposal: &Proposal) {
        if self.meaning >= Meaning::VOTES && matches!(proposal.act, Act::EndHold { .. }) {
            self.keep_windows();
        }
    }

    /// A person ends a hold: where it is a window's, it is ended until the next one opens.
    pub(super) fn note_end_of_window(&mut self, proposal: &Proposal) {
        let Act::EndHold { component: Some(id) } = &proposal.act else { return };
        let held = self.state.governed.holds.iter().find(|hold| hold.component.as_ref() == Some(id));
        if held.is_none_or(|hold| hold.actor.as_str() != WINDOW) {
            return;
        }
        let windows = self.bundle.components.get(id).into_iter().flat_map(|component| &component.windows);
        let mut begun = windows.filter_map(|window| window.around(self.desk.now)).map(|(begin, _)| begin);
        // With it all that are open by now are ended.
        let last = if self.meaning < Meaning::VOTES { begun.next() } else { begun.max() };
        if let Some(begin) = last {
            self.state.windows.insert(id.clone(), begin);
        }
    }
}

/// A window with its begin and its end.
type Open<'c> = (&'c Window, (Time, Time));

/// The window that is open: of several the one that ends last, and sooner one that nobody has ended. An older meaning
/// took the first that files name, and so took up another only behind its end.
fn open<'c>(
    component: &'c Component,
    ended: Option<&Time>,
    (now, meaning): (Time, Meaning),
) -> Option<Open<'c>> {
    let mut open = component.windows.iter().filter_map(|window| Some((window, window.around(now)?)));
    if meaning < Meaning::VOTES {
        return open.next();
    }
    open.max_by_key(|(_, (begin, end))| (ended.is_none_or(|ended| begin > ended), *end))
}

/// The holds of windows that wait behind what a person holds: they take over when that ends.
pub(super) fn waiting(bundle: &Bundle, state: &State) -> Vec<Hold> {
    let holds = bundle.components.iter().filter_map(|(id, component)| {
        let ended = state.windows.get(id);
        let (window, (begin, end)) = open(component, ended, (state.now, Meaning::default()))?;
        ended.is_none_or(|ended| begin > *ended).then(|| Hold {
            component: Some(id.clone()),
            actor: Actor::from(WINDOW),
            reason: window.why.clone(),
            since: begin,
            until: Some(end),
        })
    });
    holds
        .filter(|hold| {
            !state
                .governed
                .holds
                .iter()
                .any(|held| held.actor == hold.actor && held.component == hold.component)
        })
        .collect()
}
