//! Grace's own time: it starts at the wall clock and goes on steadily, over restarts as well.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Span, Time};
use crate::record::moment::{self, Moment};

/// The one clock of a running Grace. Copies tell the same time.
///
/// [`Clock::now`] never goes back and never jumps, so a wall clock that is stepped ends no cooldown early
/// and makes none last an hour longer; [`Clock::wall`] is what people's clocks say, for the journal's `at`.
/// The steady clock of Linux stands still while the machine sleeps, and so does Grace's time.
#[derive(Debug, Clone)]
pub struct Clock {
    anchor: Time,
    started: Instant,
    /// The boot this happens under, where the kernel tells.
    boot: Option<Arc<str>>,
}

impl Clock {
    /// Starts at the wall clock, but not before `last`, the last time the journal knows: a machine that
    /// woke up with a wrong clock does not live through the same minutes twice.
    #[must_use]
    pub fn start(last: Option<Time>) -> Self {
        Self::resume(last, None)
    }

    /// Goes on from the moment of the last commit by the time that really went by since; where that cannot be
    /// known, because the machine was booted anew, it starts at the wall clock.
    #[must_use]
    pub fn resume(last: Option<Time>, before: Option<&Moment>) -> Self {
        let (boot, up) = (moment::boot(), moment::up());
        let known = before.zip(boot.as_deref()).and_then(|(before, boot)| before.then(boot, up));
        let anchor = anchor(last, known, wall());
        Self { anchor, started: Instant::now(), boot: boot.map(Arc::from) }
    }

    /// This moment on both clocks, where the kernel tells its boot.
    pub(super) fn moment(&self) -> Option<Moment> {
        let boot = self.boot.as_deref()?.to_owned();
        Some(Moment { at: self.now(), boot, up: moment::up() })
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

/// Where the time line goes on: never before the last time.
fn anchor(last: Option<Time>, known: Option<Time>, wall: Time) -> Time {
    let goes_on = known.unwrap_or(wall);
    last.map_or(goes_on, |last| last.max(goes_on))
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
    fn over_a_restart_what_really_went_by_counts_and_the_wall_only_after_a_reboot() {
        let (wall, last) = (Time(90_000_000), Some(Time(5_000)));
        let kept = Moment { at: Time(6_000), boot: "a".into(), up: Span(100) };
        for (boot, up, goes_on) in [
            ("a", 100, Time(6_000)),
            ("a", 2_100, Time(8_000)),
            ("a", 99, wall),
            ("b", 2_100, wall),
            ("", 2_100, wall),
        ] {
            assert_eq!(anchor(last, kept.then(boot, Span(up)), wall), goes_on, "{boot} {up}");
        }
        assert_eq!(anchor(Some(Time(7_000)), kept.then("a", Span(200)), wall), Time(7_000));
        assert_eq!(anchor(None, None, wall), wall);
    }

    #[test]
    fn a_clock_goes_on_from_its_own_moment() {
        let ahead = Clock::start(Some(wall() + Span::minutes(60)));
        let Some(kept) = ahead.moment() else { return };
        let clock = Clock::resume(None, Some(&kept));
        let behind = clock.now() - ahead.now();
        assert!(behind.0.abs() < 5_000, "{behind:?}");
        assert!(clock.now() - clock.wall() > Span::minutes(59), "it does not ask the wall");
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
