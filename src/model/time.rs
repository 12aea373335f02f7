//! Time as the engine knows it: a number it is handed, never a clock it reads.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point on Grace's own time line, in milliseconds since 1970-01-01T00:00:00Z.
///
/// It starts at the wall clock and goes on with the steady one, so that a stepped wall clock ends no
/// cooldown early; the journal notes the wall clock beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

/// A length of time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// So many minutes.
    #[must_use]
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// The length in seconds, as conditions see it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact up to 285,000 years")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The length for the standard library's timers; a negative one is none.
    #[must_use]
    pub fn to_std(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

impl From<Duration> for Span {
    fn from(length: Duration) -> Self {
        Self(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Time {
    /// Behind every time there is: when something ends that only a person ends.
    pub const NEVER: Self = Self(i64::MAX);

    /// A point in time as RFC 3339 writes it, in UTC or with an offset: `2026-11-23T14:01:00Z`, `2026-11-23T16:01:00+02:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (text, offset) = match text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) {
            Some((local, offset)) if offset.starts_with(['+', '-']) => {
                (format!("{local}Z"), self::offset(offset)?)
            }
            _ => (text.to_owned(), Span::ZERO),
        };
        let at = humantime::parse_rfc3339(&text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self(0) + Span::from(at) - offset)
    }

    /// The beginning of the slot of `grid` that this time lies in.
    #[must_use]
    pub fn slot(self, grid: Span) -> Self {
        Self(self.0 - self.0.rem_euclid(grid.0.max(1)))
    }

    /// The time of day in UTC, to the millisecond where it is not a whole second: `12:01:05`.
    #[must_use]
    pub fn clock(self) -> String {
        self.to_string().chars().skip(11).take_while(|c| *c != 'Z').collect()
    }
}

/// How far a clock is ahead of UTC: `+02:00`.
fn offset(text: &str) -> Option<Span> {
    let (sign, clock) = text.split_at_checked(1)?;
    let (hours, minutes) = clock.split_once(':')?;
    let number = |text: &str, below: i64| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number < below)
    };
    let ahead = Span::minutes(number(hours, 24)? * 60 + number(minutes, 60)?);
    Some(if sign == "-" { Span(-ahead.0) } else { ahead })
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, length: Span) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl Sub<Span> for Time {
    type Output = Self;
    fn sub(self, length: Span) -> Self {
        Self(self.0.saturating_sub(length.0))
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC: `2026-11-23T12:01:05Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Beyond the year 9999 there is no RFC 3339; nothing real comes from there.
        let at =
            UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or(0).min(253_402_300_799_999));
        if self.0 % 1000 == 0 {
            write!(f, "{}", humantime::format_rfc3339_seconds(at))
        } else {
            write!(f, "{}", humantime::format_rfc3339_millis(at))
        }
    }
}

impl fmt::Display for Span {
    /// As people write it in files: `2m`, `1m 30s`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&humantime::format_duration(self.to_std()).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_holds_its_beginning_and_not_its_end() {
        let grid = Span::seconds(30);
        for (at, slot) in [(0, 0), (1, 0), (29_999, 0), (30_000, 30_000), (-1, -30_000)] {
            assert_eq!(Time(at).slot(grid), Time(slot), "{at}");
        }
    }

    #[test]
    fn times_and_lengths_read_as_people_write_them() {
        assert_eq!(Time(1_000).to_string(), "1970-01-01T00:00:01Z");
        assert_eq!(Time(1_250).clock(), "00:00:01.250");
        assert_eq!(Span(90_000).to_string(), "1m 30s");
        assert_eq!(Span::ZERO.to_string(), "0s");
    }
}
