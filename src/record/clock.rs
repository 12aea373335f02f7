//! Grace's own time: it starts at the wall clock and goes on steadily.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Span, Time};

/// The one clock of a running Grace. Copies tell the same time.
///
/// [`Clock::now`] never goes back and never jumps, so a wall clock that is stepped ends no cooldown early
/// and makes none last an hour longer; [`Clock::wall`] is what people's clocks say, for the journal's `at`.
/// The steady clock of Linux stands still while the machine sleeps, and so does Grace's time.
#[derive(Debug, Clone)]
pub struct Clock {
    anchor: Time,
    started: Instant,
}

impl Clock {
    /// Starts at the wall clock, but not before `last`, the last time the journal knows: a machine that
    /// woke up with a wrong clock does not live through the same minutes twice.
    #[must_use]
    pub fn start(last: Option<Time>) -> Self {
        Self { anchor: last.map_or(wall(), |last| last.max(wall())), started: Instant::now() }
    }

    /// The time on Grace's own time line.
    #[must_use]
    pub fn now(&self) -> Time {
        self.anchor + Span::from(self.started.elapsed())
    }

    /// The time on the wall.
    #[must_use]
    pub fn wall(&self) -> Time {
        wall()
    }
}

/// A machine whose clock stands before 1970 is at its beginning.
fn wall() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Time(0) + Span::from(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_at_the_wall_and_never_before_the_last_time() {
        let before = wall();
        let clock = Clock::start(None);
        assert!(clock.now() >= before && clock.now() - before < Span::minutes(1));
        let future = wall() + Span::minutes(60);
        let clock = Clock::start(Some(future));
        assert!(clock.now() >= future);
        assert!(clock.wall() < future, "the wall clock says what it says");
    }

    #[test]
    fn it_goes_on_and_its_copies_agree() {
        let clock = Clock::start(None);
        let copy = clock.clone();
        let first = clock.now();
        std::thread::sleep(Duration::from_millis(3));
        assert!(copy.now() > first);
    }
}
