//! What rule tests recorded, had they been real: a history without a journal.
//!
//! It is played while it is read, so that a long test needs no more memory than a short one.

use std::collections::VecDeque;

use crate::engine::Bundle;
use crate::record::{Recorded, decisions_digest, state_digest};
use crate::replay::stage::{Play, beginning};
use crate::replay::suite::{Suite, Test};

impl Suite {
    /// Each test's name and what a journal would hold of it.
    #[must_use]
    pub fn histories(&self) -> Vec<(String, Vec<Recorded>)> {
        let names = self.names().into_iter().map(str::to_owned);
        names.zip((0..).map_while(|place| Some(self.history(place)?.collect()))).collect()
    }

    /// The names of the tests, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.tests.iter().map(|test| test.case.name.as_str()).collect()
    }

    /// What a journal would hold of one test, a thing at a time.
    pub(super) fn history(&self, place: usize) -> Option<Told<'_>> {
        Some(Told::new(self.bundle.as_deref()?, self.tests.get(place)?))
    }
}

/// A test that is played for what it would leave in a journal.
pub(super) struct Told<'s> {
    ready: VecDeque<Recorded>,
    play: Play<'s>,
    seq: i64,
}

impl<'s> Told<'s> {
    fn new(bundle: &'s Bundle, test: &'s Test) -> Self {
        let state = Box::new(beginning(bundle, &test.case));
        let (id, files) = (bundle.generation.clone(), bundle.files.clone());
        let begin = [
            Recorded::Generation { seq: 1, id, files },
            Recorded::Adopted { seq: 1, state, records: Vec::new() },
        ];
        Self { ready: begin.into(), play: Play::new(bundle, &test.case), seq: 1 }
    }
}

impl Iterator for Told<'_> {
    type Item = Recorded;

    fn next(&mut self) -> Option<Recorded> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(ready);
        }
        self.seq += 1;
        let (seq, mut told) = (self.seq, None);
        self.play.tick(&mut |_, input, step| {
            let (input, records) = (Box::new(input.clone()), step.records.clone());
            let (decisions, state) = (decisions_digest(step), state_digest(&step.state));
            let (statuses, failures, changed) = (None, None, false);
            told =
                Some(Recorded::Tick { seq, input, decisions, records, state, statuses, failures, changed });
        })?;
        told
    }
}
