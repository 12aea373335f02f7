//! How far the mark of what has expired may have come: as far as the files say that were active, and no further.

use std::collections::BTreeMap;

use crate::config;
use crate::model::{GenerationId, Record, Span, Time};

/// Earlier versions took the clock's time for the mark a moment after the tick: readings that are that close to their
/// end are no loss.
const MOMENT: Span = Span::minutes(1);

/// They also went by the wall clock alone, which runs ahead of Grace's own time on a machine that sleeps or whose clock
/// is set: readings that have this part of their time left, one in so many, would have gone soon.
const SLACK: i64 = 10;

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
    /// The same by the ticks' own time, which goes on steadily: the wall clock beside an entry says what anybody
    /// wrote there, and nothing is derived from it.
    own: Option<i64>,
    /// The newest tick by its own time.
    last: Option<Time>,
    /// The newest tick by its own time whose readings are gone, and its entry.
    gone: Option<(i64, i64)>,
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

impl Now {
    /// How long readings are kept at least, less what is left to a clock; nothing where nothing is known yet.
    fn but(self, less: i64) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::Anything => Some(0),
            Self::Keeps(kept) => Some(kept.0.saturating_sub(less).max(0)),
        }
    }
}

impl Retention {
    /// A generation becomes active.
    pub(super) fn on(&mut self, record: &Record) {
        let Record::Generation { generation, files, .. } = record else { return };
        if !files.is_empty() {
            self.known.insert(generation.clone(), config::retention(files));
        }
        self.now = self.known.get(generation).copied().flatten().map_or(Now::Anything, Now::Keeps);
        if let Some(last) = self.last {
            self.tick(last);
        }
    }

    /// Something was written at this time.
    pub(super) fn at(&mut self, at: i64) {
        match self.now.but(MOMENT.0) {
            None => self.newest = self.newest.max(Some(at)),
            Some(kept) => self.furthest = self.furthest.max(Some(at.saturating_sub(kept))),
        }
    }

    /// There was a tick at this time of Grace's own.
    pub(super) fn tick(&mut self, now: Time) {
        self.last = self.last.max(Some(now));
        let slack = if let Now::Keeps(kept) = self.now { (kept.0 / SLACK).max(MOMENT.0) } else { 0 };
        if let Some(kept) = self.now.but(slack) {
            self.own = self.own.max(Some(now.0.saturating_sub(kept)));
        }
    }

    /// The readings of the tick of this entry are gone, which was at this time of Grace's own.
    pub(super) fn gone(&mut self, now: Time, seq: i64) {
        if self.gone.is_none_or(|(newest, _)| newest < now.0) {
            self.gone = Some((now.0, seq));
        }
    }

    /// The entry of a tick whose readings are gone though it was not old enough, by its own time and by that of all
    /// the others.
    pub(super) fn lost(&self) -> Option<i64> {
        let (newest, seq) = self.gone?;
        self.own.filter(|own| newest >= *own).map(|_| seq)
    }

    /// May everything before this time have expired? Before anything is written nothing is there that could.
    pub(super) fn allows(&self, before: i64) -> bool {
        self.furthest.or(self.newest).is_none_or(|furthest| before <= furthest)
    }
}
