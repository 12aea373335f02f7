//! How far the mark of what has expired may have come: as far as the files say that were active, and no further.

use std::collections::BTreeMap;

use crate::config;
use crate::model::{GenerationId, Record, Span};

/// Earlier versions took the clock's time for the mark a moment after the tick: readings that are that close to their
/// end are no loss.
const MOMENT: Span = Span::minutes(1);

/// The retention of the generation that is active, and where the mark may be.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// The text of a generation stands with its first entry only; none where it cannot be read.
    known: BTreeMap<GenerationId, Option<Span>>,
    now: Now,
    /// The newest time before the first generation.
    newest: Option<i64>,
    /// The mark never moves back, so a retention that was shorter once counts for what was old by then.
    furthest: Option<i64>,
}

/// What the files say.
#[derive(Debug, Clone, Copy, Default)]
enum Now {
    /// There are none yet.
    #[default]
    Nothing,
    /// Nobody knows: then all may have gone.
    Anything,
    /// Readings are kept so long.
    Keeps(Span),
}

impl Retention {
    /// A generation becomes active.
    pub(super) fn on(&mut self, record: &Record) {
        let Record::Generation { generation, files, .. } = record else { return };
        if !files.is_empty() {
            self.known.insert(generation.clone(), config::retention(files));
        }
        self.now = self.known.get(generation).copied().flatten().map_or(Now::Anything, Now::Keeps);
    }

    /// Something was written at this time.
    pub(super) fn at(&mut self, at: i64) {
        let kept = match self.now {
            Now::Nothing => {
                self.newest = self.newest.max(Some(at));
                return;
            }
            Now::Anything => 0,
            Now::Keeps(kept) => kept.0.saturating_sub(MOMENT.0).max(0),
        };
        self.furthest = self.furthest.max(Some(at.saturating_sub(kept)));
    }

    /// May everything before this time have expired? Before anything is written nothing is there that could.
    pub(super) fn allows(&self, before: i64) -> bool {
        self.furthest.or(self.newest).is_none_or(|furthest| before <= furthest)
    }
}
