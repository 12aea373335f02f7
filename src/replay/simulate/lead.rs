//! What leads up to the time that counts.
//!
//! Until there, what was recorded happened, under the rules that were active: other rules begin where that time begins, with
//! the state of that moment, as a reload would let them. So they answer for nothing that was before them, and it does
//! not matter how much of it a history tells: a journal begins at the last state it kept, an export at its beginning.

use crate::engine::{Bundle, Input, State, advance};
use crate::replay::contradiction::{Held, Said};

/// The recorded state so far.
#[derive(Debug, Default)]
pub(super) struct Lead {
    state: Option<State>,
    /// Each tick is held against the record: what it leads to rests on it.
    held: Held,
    /// Ticks without their readings, since when nobody knows the state.
    pub(super) expired: u64,
}

impl Lead {
    /// A state that was recorded.
    pub(super) fn adopt(&mut self, state: State) {
        (self.state, self.expired, self.held.follows) = (Some(state), 0, true);
    }

    /// A tick whose readings are gone, or a place where the state is; of what has expired it is counted.
    pub(super) fn forget(&mut self, expired: bool) {
        self.state = None;
        self.expired += u64::from(expired);
    }

    /// One recorded tick; says whether the record contradicts itself in it. Where these rules cannot be read, nobody knows
    /// what came of it.
    pub(super) fn tick(&mut self, active: Option<&Bundle>, input: &Input, said: &Said) -> bool {
        let before = self.held.contradicts;
        let next = active.zip(self.state.take()).map(|(active, state)| advance(active, state, input));
        if let Some(next) = &next {
            self.held.hold(false, said, next);
        }
        self.state = next.map(|next| next.state);
        self.held.contradicts && !before
    }

    /// The state so far, where it is the recorded one.
    pub(super) fn known(&self) -> Option<&State> {
        self.state.as_ref().filter(|_| !self.held.contradicts)
    }

    /// The state to begin with.
    pub(super) fn state(self) -> Option<State> {
        self.state
    }
}
