//! Durations, sizes and ratios as people write them, and the map from a string's text to its place in a file.

use crate::model::{Span, Unit, Value};

/// Nothing in a file is longer than ten years (3,660 days); a longer number is a slip.
const LONGEST: Span = Span::minutes(10 * 366 * 24 * 60);

/// A duration such as `30s`, `2m`, `1h 30m`.
pub(super) fn duration(text: &str) -> Option<Span> {
    let parsed = humantime::parse_duration(text).ok().map(Span::from);
    parsed.filter(|parsed| *parsed <= LONGEST)
}

/// A size such as `64MiB`, `10 kB`, `512`.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let factor = match unit.trim() {
        "" | "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor).filter(|size| size.is_finite())
}

/// What a string is worth in the unit of its name, or what to write instead.
pub(super) fn in_unit(unit: Unit, text: &str) -> Result<Value, &'static str> {
    let number = match unit {
        Unit::Seconds => duration(text).map(Span::as_seconds),
        Unit::Milliseconds => duration(text).map(|length| length.as_seconds() * 1000.0),
        Unit::Bytes => bytes(text),
        Unit::Ratio => text
            .strip_suffix('%')
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .map(|percent| percent / 100.0),
    };
    number.and_then(Value::float).ok_or(example(unit))
}

/// How a value of this unit is written.
pub(super) fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds | Unit::Milliseconds => "write a duration such as \"30s\", \"2m\" or \"250ms\"",
        Unit::Bytes => "write a size such as \"64MiB\" or \"10MB\"",
        Unit::Ratio => "write a percentage such as \"50%\", or a number from 0 to 1",
    }
}

/// For each byte of a TOML string's text, and for its end, the byte of the raw string it comes from.
pub(super) fn decoded(raw: &str) -> Vec<usize> {
    let quotes = if raw.starts_with("'''") || raw.starts_with("\"\"\"") { 3 } else { 1 };
    let mut at = quotes;
    if quotes == 3 {
        // A line break right behind the opening quotes is no part of the text.
        at += raw
            .get(3..)
            .map_or(0, |rest| if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) });
    }
    let end = raw.len().saturating_sub(quotes).max(at);
    let escapes = raw.starts_with('"');
    let mut map = Vec::new();
    while let Some(c) = raw.get(at..end).and_then(|rest| rest.chars().next()) {
        let (decoded, length) = if escapes && c == '\\' {
            escape(raw.get(at..end).unwrap_or_default())
        } else {
            (c.len_utf8(), c.len_utf8())
        };
        let plain = decoded == length;
        map.extend((0..decoded).map(|byte| if plain { at + byte } else { at }));
        at += length;
    }
    map.push(end);
    map
}

/// How many bytes an escape stands for, and how many it takes.
fn escape(rest: &str) -> (usize, usize) {
    let digits = match rest.chars().nth(1) {
        Some('u') => 4,
        Some('U') => 8,
        Some('x') => 2,
        Some(c) if c.is_whitespace() => {
            // A backslash at the end of a line swallows the white space that follows.
            let swallowed = rest.get(1..).map_or(0, |rest| rest.len() - rest.trim_start().len());
            return (0, 1 + swallowed);
        }
        _ => return (1, 2),
    };
    let code = rest.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
    (code.and_then(char::from_u32).map_or(1, char::len_utf8), 2 + digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_takes_the_unit_of_its_name() {
        for (unit, text, value) in [
            (Unit::Seconds, "2m", Some(120.0)),
            (Unit::Milliseconds, "1s", Some(1000.0)),
            (Unit::Bytes, "64MiB", Some(67_108_864.0)),
            (Unit::Ratio, "50%", Some(0.5)),
            (Unit::Seconds, "2 fortnights", None),
            (Unit::Seconds, "-1s", None),
            (Unit::Bytes, "12 parsec", None),
        ] {
            assert_eq!(in_unit(unit, text).ok(), value.map(Value::Float), "{text}");
        }
    }

    #[test]
    fn places_inside_strings_survive_escapes() {
        for (raw, byte, at) in [
            ("'abc'", 1, 2),
            ("\"abc\"", 1, 2),
            (r#""a\tb""#, 2, 4),
            (r#""\u00e9x""#, 2, 7),
            ("'''\nab'''", 0, 4),
            ("\"\"\"a\\\n  b\"\"\"", 1, 8),
        ] {
            assert_eq!(decoded(raw)[byte], at, "{raw}");
        }
    }
}
