//! Decides recorded ticks again: the same inputs under the same generation give the same bytes.

use std::sync::Arc;

use crate::config::Folder;
use crate::engine::{Bundle, Input, State, step};
use crate::record::{JournalError, Reader, Recorded, decisions_digest};

/// What came of deciding again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Again {
    /// Ticks that gave the same bytes.
    pub same: u64,
    /// Ticks that did not.
    pub different: Vec<Different>,
    /// Ticks whose readings have expired.
    pub expired: u64,
}

/// A tick that was recorded with other decisions than its inputs give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Different {
    /// Its number.
    pub tick: u64,
    /// The journal's entry.
    pub seq: i64,
    /// The digest that was recorded.
    pub recorded: String,
    /// The digest that comes out now.
    pub now: String,
}

/// Decides every recorded tick again.
///
/// # Errors
/// The journal cannot be read.
pub fn again(reader: &Reader) -> Result<Again, JournalError> {
    let mut found = Again::default();
    let mut play = Play::default();
    for recorded in reader.ticks(0) {
        match recorded? {
            Recorded::Generation { files, .. } => play.bundle = bundle(&files),
            Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } => play.state = Some(*state),
            Recorded::Expired { .. } => {
                found.expired += 1;
                play.state = None;
            }
            Recorded::Tick { seq, input, decisions, .. } => match play.decide(&input) {
                Some(now) if now == decisions => found.same += 1,
                Some(now) => {
                    found.different.push(Different { tick: input.tick, seq, recorded: decisions, now });
                }
                // Between an expired tick and the next checkpoint nobody knows the state.
                None => found.expired += 1,
            },
        }
    }
    Ok(found)
}

#[derive(Default)]
struct Play {
    bundle: Option<Arc<Bundle>>,
    state: Option<State>,
}

impl Play {
    fn decide(&mut self, input: &Input) -> Option<String> {
        let step = step(self.bundle.as_deref()?, self.state.as_ref()?, input);
        let digest = decisions_digest(&step);
        self.state = Some(step.state);
        Some(digest)
    }
}

fn bundle(files: &std::collections::BTreeMap<String, String>) -> Option<Arc<Bundle>> {
    Folder::of(files).compile(None).ok().map(|loaded| Arc::new(loaded.bundle))
}
