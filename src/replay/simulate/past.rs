//! What a simulation holds against the record besides its ticks: the text of generations, and starts and reloads.

use std::sync::Arc;

use crate::engine::{Bundle, State};
use crate::model::{GenerationId, Record, Time};
use crate::record::state_digest;
use crate::replay::contradiction::Contradiction;
use crate::replay::prove::adoption;
use crate::replay::simulate::Simulation;
use crate::replay::simulate::lead::Lead;

/// What was before a start or a reload.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The generation before the active one, until somebody goes on with that.
    pub(super) before: Option<Arc<Bundle>>,
    /// Generations that were named before anything went on.
    named: u8,
    /// Something went on.
    later: bool,
    /// The text of this generation is not the one that its id names.
    unsound: Option<GenerationId>,
}

impl Past {
    /// A generation becomes active.
    pub(super) fn named(&mut self, id: &GenerationId, sound: bool) {
        self.before = None;
        self.named = self.named.saturating_add(1);
        self.unsound = Some(id.clone()).filter(|_| !sound);
    }

    /// Something else than a start came.
    pub(super) fn goes_on(&mut self) {
        self.later = true;
    }

    /// Nothing was before the one start so far.
    fn is_first(&self) -> bool {
        self.named == 1 && !self.later
    }
}

impl Simulation<'_> {
    /// Says that the rules are not the recorded ones, as soon as something rests on them.
    pub(super) fn hold_rules(&mut self, tick: u64, now: Time) {
        if let Some(generation) = self.past.unsound.take() {
            self.contradiction.get_or_insert_with(|| Contradiction::of_rules(tick, now, generation));
        }
    }

    /// Holds a start or a reload against what comes out, where the state before it is known.
    pub(super) fn hold_adoption(&mut self, kept: &State, records: &[Record]) {
        let first = self.past.is_first().then(State::default);
        self.past.goes_on();
        self.hold_rules(kept.tick, kept.now);
        let beside = self.lead.as_ref().or(self.witness.as_ref());
        let known = beside.map_or_else(|| self.candidate.recorded(), Lead::known);
        let (Some((_, active)), Some(before)) = (&self.active, known.or(first.as_ref())) else { return };
        if records.is_empty() {
            return;
        }
        let (derived, state) =
            adoption::derived((active, self.past.before.as_deref()), before, kept, records);
        if derived != records || state_digest(&state) != state_digest(kept) {
            let version = self.version.as_deref();
            let found = Contradiction::of_adoption(kept.tick, kept.now, version);
            self.contradiction.get_or_insert(found);
        }
    }
}
