//! Times as people ask for them: `2026-11-23T14:01:00Z`, `14:01`, `5m ago`.

use crate::model::{Span, Time};

const DAY: Span = Span::minutes(24 * 60);

/// A time that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A point in time.
    Point(Time),
    /// A time of day in UTC, so long after midnight: the newest in the history.
    Clock(Span),
    /// So long before the newest tick.
    Ago(Span),
}

impl std::str::FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let found = point(text).or_else(|| clock(text)).or_else(|| ago(text));
        found
            .ok_or_else(|| "write a time such as `2026-11-23T14:01:00Z`, `14:01:00` (UTC) or `5m ago`".into())
    }
}

impl At {
    /// The first and the last moment that are meant, in a history whose last tick was then. What is said to the second
    /// means all of that second.
    #[must_use]
    pub fn within(self, last: Time) -> (Time, Time) {
        let at = match self {
            Self::Point(at) => at,
            Self::Ago(length) => return (last - length, last - length),
            Self::Clock(of_day) => {
                let today = last.slot(DAY) + of_day;
                if today > last { today - DAY } else { today }
            }
        };
        (at, whole_second(at))
    }
}

/// Ticks lie between seconds as well: 12:02:01 means the one at 12:02:01.420.
fn whole_second(at: Time) -> Time {
    if at.0 % 1000 == 0 { at + Span(999) } else { at }
}

fn point(text: &str) -> Option<At> {
    Time::parse(text).map(At::Point)
}

fn clock(text: &str) -> Option<At> {
    let (text, millis) =
        text.split_once('.').map_or((text, Some(0)), |(text, part)| (text, thousandths(part)));
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] => (*hours, *minutes, "0"),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let minutes = number(hours, 24)? * 60 + number(minutes, 60)?;
    Some(At::Clock(Span(Span::minutes(minutes).0 + Span::seconds(number(seconds, 60)?).0 + millis?)))
}

/// A part of a second: `4` are 400 thousandths. Ticks have no finer ones.
fn thousandths(part: &str) -> Option<i64> {
    number(part, i64::MAX)?;
    number(&part.chars().chain("000".chars()).take(3).collect::<String>(), 1000)
}

fn number(text: &str, below: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number < below)
}

fn ago(text: &str) -> Option<At> {
    crate::config::duration(text.strip_suffix("ago")?.trim()).map(At::Ago)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let last = Time(3 * DAY.0 + Span::minutes(14 * 60 + 7).0);
        for (text, at) in [
            ("1970-01-04T14:01:00Z", Some("1970-01-04T14:01:00.999Z")),
            ("1970-01-04T14:01:00.250Z", Some("1970-01-04T14:01:00.250Z")),
            ("1970-01-04T14:01:00+02:00", Some("1970-01-04T12:01:00.999Z")),
            ("1970-01-04T14:01:00.250-00:30", Some("1970-01-04T14:31:00.250Z")),
            ("1970-01-04T14:01:00+2:00", None),
            ("1970-01-04T14:01:00+02:60", None),
            ("1970-01-04T14:01:00", None),
            ("14:01", Some("1970-01-04T14:01:00.999Z")),
            ("14:01:30", Some("1970-01-04T14:01:30.999Z")),
            ("14:01:30.420", Some("1970-01-04T14:01:30.420Z")),
            ("15:00", Some("1970-01-03T15:00:00.999Z")),
            ("5m ago", Some("1970-01-04T14:02:00Z")),
            ("1h 7m ago", Some("1970-01-04T13:00:00Z")),
            ("5m", None),
            ("24:00", None),
            ("14:01:30.4", Some("1970-01-04T14:01:30.400Z")),
            ("14:01:30.4209", Some("1970-01-04T14:01:30.420Z")),
            ("14:01:30.", None),
            ("14:01:30.4x", None),
            ("14:-1", None),
            ("yesterday", None),
            ("", None),
        ] {
            let found = text.parse::<At>().ok().map(|found| found.within(last).1.to_string());
            assert_eq!(found.as_deref(), at, "{text}");
        }
    }
}
