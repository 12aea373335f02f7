//! What has to be done now and then: noticing a stepped wall clock, letting old readings go, writing down what
//! no step decides.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::clock_stepped;
use crate::model::{Record, Span, Time};
use crate::supervisor::pulse::Pulse;

/// So many notes wait for a tick at the most.
const NOTES: usize = 1_000;

/// What is old is let go this often.
const EXPIRE_EVERY: Span = Span::minutes(60);

/// One portion of the working database may take so long.
const EXPIRING: Duration = Duration::from_secs(5);

impl Pulse {
    /// What has to be done now and then: noticing a stepped wall clock, letting old readings go.
    pub(super) fn housekeep(&mut self) {
        let (now, wall) = (self.now(), self.world.clock.wall());
        let ahead = (wall - now).0;
        if let Some(record) = clock_stepped(self.published.wall_ahead_ms, ahead) {
            let by_ms = ahead - self.published.wall_ahead_ms;
            self.world.guard.clock_stepped(by_ms);
            tracing::warn!(by_ms, "the wall clock was stepped; Grace's own time goes on");
            if self.world.journal.append(wall, &[record]).is_ok() {
                self.published.wall_ahead_ms = ahead;
            }
        }
        if now - self.expired > EXPIRE_EVERY {
            self.expired = now;
            self.expiring = true;
            self.expire_working_database(wall - self.bundle.system.retention);
        }
        // By the last tick and not by the clock: so what has expired follows from what stands in the journal.
        let last = self.published.tally.last_tick.as_ref().map(|last| last.at);
        if let (true, Some(last)) = (self.expiring, last) {
            self.expire(last - self.bundle.system.retention);
        }
    }

    /// Lets old readings go and their room with them, a bounded number a tick, until none is left.
    fn expire(&mut self, before: Time) {
        let journal = &self.world.journal;
        let went = journal.expire_readings(before).and_then(|gone| Ok(gone + journal.shrink()?));
        self.expiring = match went {
            Ok(went) => went > 0,
            Err(error) => {
                tracing::warn!(%error, "old readings could not be let go");
                false
            }
        };
    }

    fn expire_working_database(&self, before: Time) {
        let components = Arc::clone(&self.world.reach.components);
        self.world.runtime.spawn(async move {
            if let Err(error) = components.expire(before, EXPIRING).await {
                tracing::debug!(%error, "old rows of the working database could not be let go");
            }
        });
    }

    /// Keeps a note for the next tick. Of a flood of them only so many are kept, and the log tells of the rest.
    pub(super) fn note(&mut self, record: Record) {
        if self.noted.len() < NOTES {
            self.noted.push(record);
        } else {
            tracing::warn!(kind = record.kind(), "too much happens at once to be noted");
        }
    }

    /// Writes down what was noted. What cannot be written now is tried again with the next tick.
    pub(super) fn write_notes(&mut self) {
        if self.noted.is_empty() {
            return;
        }
        match self.world.journal.append(self.world.clock.wall(), &self.noted) {
            Ok(_) => {
                self.world.reach.services.written(&self.noted);
                self.noted.clear();
            }
            Err(error) => tracing::warn!(%error, "notes could not be written yet"),
        }
    }
}
