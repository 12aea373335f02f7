//! What came out of a step, in 64 letters.

use std::sync::LazyLock;

use serde::Serialize;

use crate::engine::Step;
use crate::record::chain;

/// Of a step that decided nothing, which most do.
static QUIET: LazyLock<String> = LazyLock::new(|| digest(&[[(); 0]; 3]));

/// The SHA-256, in hex, of everything a step decided: its records, permits and answers as JSON.
///
/// The journal keeps it with every tick, and a replay that decides the same gets the same, byte for byte.
#[must_use]
pub fn decisions_digest(step: &Step) -> String {
    if step.is_quiet() { QUIET.clone() } else { digest(&(&step.records, &step.permits, &step.answers)) }
}

fn digest(decided: &impl Serialize) -> String {
    // Plain data with names as keys always becomes JSON; were it not so, the digest of the reason still
    // differs from that of any decision.
    chain::digest(&serde_json::to_vec(decided).unwrap_or_else(|why| why.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::State;
    use crate::model::Record;

    fn step(records: Vec<Record>) -> Step {
        Step {
            state: State::default(),
            records,
            permits: Vec::new(),
            answers: Vec::new(),
            why: std::collections::BTreeMap::new(),
            questions: Vec::new(),
        }
    }

    #[test]
    fn the_same_decisions_have_the_same_digest_and_others_another() {
        let stopped = |reason: &str| step(vec![Record::Stopped { reason: reason.into() }]);
        assert_eq!(decisions_digest(&stopped("a")), decisions_digest(&stopped("a")));
        assert_ne!(decisions_digest(&stopped("a")), decisions_digest(&stopped("b")));
        let quiet = step(Vec::new());
        assert_ne!(decisions_digest(&quiet), decisions_digest(&stopped("a")));
        assert_eq!(decisions_digest(&quiet), digest(&(&quiet.records, &quiet.permits, &quiet.answers)));
    }
}
