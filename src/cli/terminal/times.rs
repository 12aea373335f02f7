//! Times for people: `12:01:05 (3m ago)`, in UTC.

use crate::model::{Span, Time};

/// A length, in its one or two largest units.
pub(in crate::cli) fn length(span: Span) -> String {
    let seconds = span.0 / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..600 if seconds % 60 != 0 => format!("{minutes}m {}s", seconds % 60),
        60..3600 => format!("{minutes}m"),
        3600..86_400 if minutes % 60 != 0 => format!("{hours}h {}m", minutes % 60),
        3600..86_400 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

/// Reads a time as answers write it.
pub(in crate::cli) fn parse(text: &str) -> Option<Time> {
    Time::parse(text)
}

/// How long ago, or how soon.
pub(in crate::cli) fn relative(at: &str, now: Time) -> String {
    let Some(at) = parse(at) else { return at.to_owned() };
    let ago = now - at;
    if ago.0 >= 0 { format!("{} ago", length(ago)) } else { format!("in {}", length(Span(-ago.0))) }
}

/// The time of day, with the date where it is another day's.
pub(in crate::cli) fn clock(at: &str, now: Time) -> String {
    let Some(time) = parse(at) else { return at.to_owned() };
    let (day, of_day) = at.split_once('T').unwrap_or((at, ""));
    let of_day: String = of_day.chars().take(8).collect();
    let away = (now - time).0.abs();
    if away < Span::minutes(24 * 60).0 { of_day } else { format!("{day} {of_day}") }
}

/// Both: `12:01:05 (3m ago)`.
pub(in crate::cli) fn both(at: &str, now: Time) -> String {
    format!("{} ({})", clock(at, now), relative(at, now))
}

/// A duration as people write it, kept as they wrote it.
pub(in crate::cli) fn duration(text: &str) -> Result<String, String> {
    match crate::config::duration(text) {
        Some(span) if span.0 > 0 => Ok(text.to_owned()),
        _ => Err("write a duration such as `30s`, `2m` or `1h`, of at most ten years (3660d)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_its_largest_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (90, "1m 30s"),
            (600, "10m"),
            (3_599, "59m"),
            (3_660, "1h 1m"),
            (90_000, "1d"),
        ] {
            assert_eq!(length(Span::seconds(seconds)), text, "{seconds}");
        }
    }

    #[test]
    fn a_time_says_its_date_only_when_it_is_far() {
        let now = parse("2026-11-23T12:04:05Z").expect("a time");
        assert_eq!(both("2026-11-23T12:01:05Z", now), "12:01:05 (3m ago)");
        assert_eq!(both("2026-11-23T12:14:05.250Z", now), "12:14:05 (in 10m)");
        assert_eq!(clock("2026-11-20T12:01:05Z", now), "2026-11-20 12:01:05");
        assert_eq!(both("nonsense", now), "nonsense (nonsense)");
    }
}
