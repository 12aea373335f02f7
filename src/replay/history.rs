//! What rule tests recorded, had they been real: a history without a journal.

use crate::engine::{State, adopt};
use crate::record::{Recorded, decisions_digest, state_digest};
use crate::replay::stage;
use crate::replay::suite::{Suite, Test};

impl Suite {
    /// Each test's name and what a journal would hold of it.
    #[must_use]
    pub fn histories(&self) -> Vec<(String, Vec<Recorded>)> {
        let Some(bundle) = self.bundle.as_deref() else { return Vec::new() };
        let of = |test: &Test| {
            let state = Box::new(adopt(bundle, None, &State::default(), test.case.start).state);
            let (id, files) = (bundle.generation.clone(), bundle.files.clone());
            let mut all =
                vec![Recorded::Generation { seq: 1, id, files }, Recorded::Adopted { seq: 1, state }];
            let mut seq = 1;
            stage::play(bundle, &test.case, &mut |_, input, step| {
                seq += 1;
                let (input, records) = (Box::new(input.clone()), step.records.clone());
                let (decisions, state) = (decisions_digest(step), state_digest(&step.state));
                all.push(Recorded::Tick { seq, input, decisions, records, state });
            });
            (test.case.name.clone(), all)
        };
        self.tests.iter().map(of).collect()
    }
}
