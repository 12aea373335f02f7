//! A window of planned downtime: times of day that come again, in UTC.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Time};

/// A day.
const DAY: Span = Span::minutes(24 * 60);

/// A window that comes every day, or on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// It begins so long after midnight, UTC.
    pub at: Span,
    /// It lasts so long, at most a day.
    pub lasts: Span,
    /// The days on which it begins, Monday first; on all where nothing was said.
    pub days: [bool; 7],
    /// What is planned.
    pub why: String,
}

impl Window {
    /// The days of the week, as files name them.
    pub const DAYS: [&'static str; 7] =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    /// From when to when it is open, if it is open now.
    #[must_use]
    pub fn around(&self, now: Time) -> Option<(Time, Time)> {
        let today = now.slot(DAY);
        // One that began yesterday may reach into today.
        [today, today + Span(-DAY.0)].into_iter().find_map(|midnight| {
            let (begin, end) = (midnight + self.at, midnight + self.at + self.lasts);
            let open = begin <= now && now < end && self.is_on(midnight);
            open.then_some((begin, end))
        })
    }

    /// Does it begin on this day? The first day of all was a Thursday.
    fn is_on(&self, midnight: Time) -> bool {
        let day = (midnight.0.div_euclid(DAY.0) + 3).rem_euclid(7);
        usize::try_from(day).ok().and_then(|day| self.days.get(day)).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).expect(text)
    }

    #[test]
    fn a_window_is_open_from_its_begin_until_before_its_end_also_over_midnight() {
        let mut window = Window {
            at: Span::minutes(23 * 60 + 30),
            lasts: Span::minutes(60),
            days: [true; 7],
            why: String::new(),
        };
        let around =
            |window: &Window, text| window.around(at(text)).map(|(begin, end)| (begin.clock(), end.clock()));
        let open = Some(("23:30:00".to_owned(), "00:30:00".to_owned()));
        assert_eq!(around(&window, "2026-11-25T23:29:59Z"), None);
        assert_eq!(around(&window, "2026-11-25T23:30:00Z"), open);
        assert_eq!(around(&window, "2026-11-26T00:29:59Z"), open);
        assert_eq!(around(&window, "2026-11-26T00:30:00Z"), None);
        // The 25th was a Wednesday: what begins on it reaches into Thursday.
        window.days = [false, false, true, false, false, false, false];
        assert_eq!(around(&window, "2026-11-26T00:10:00Z"), open);
        assert_eq!(around(&window, "2026-11-26T23:40:00Z"), None);
    }
}
