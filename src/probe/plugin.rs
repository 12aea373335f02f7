//! How monitoring plugins speak: the exit code is a state, the first line a message, and behind a bar stand
//! performance data, `label=value[unit];warn;crit;min;max`, on that line and on those after the second bar.
//!
//! The form is that of the Monitoring Plugins' development guidelines.

use std::collections::BTreeMap;

use crate::model::{FactSpec, Reading, Shape, Unit, Value};

/// What a plugin said.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    /// The first line without its data.
    pub message: String,
    data: BTreeMap<String, (f64, String)>,
}

/// What an exit code means; one that means nothing is unknown.
pub(super) fn state(code: i32) -> &'static str {
    match code {
        0 => "ok",
        1 => "warning",
        2 => "critical",
        _ => "unknown",
    }
}

/// Reads what a plugin said.
pub(super) fn read(output: &str) -> Said {
    let mut lines = output.lines();
    let first = lines.next().unwrap_or_default();
    let (message, data) = first.split_once('|').unwrap_or((first, ""));
    let mut all = data.to_owned();
    // Long text follows, and behind the next bar nothing but data.
    let mut behind = false;
    for line in lines {
        let data = match line.split_once('|') {
            Some((_, data)) if !behind => {
                behind = true;
                data
            }
            _ if behind => line,
            _ => continue,
        };
        all.push(' ');
        all.push_str(data);
    }
    Said { message: message.trim().to_owned(), data: entries(&all) }
}

/// Takes `label=value` apart, one after the other. A label in quotes may hold anything, two quotes mean one.
fn entries(text: &str) -> BTreeMap<String, (f64, String)> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((label, after)) = label(rest) else { break };
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (datum, next) = after.split_at(end);
        let value = datum.split(';').next().unwrap_or_default();
        found.extend(number(value).map(|value| (label, value)));
        rest = next.trim_start();
    }
    found
}

fn label(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let (label, rest) = text.split_once('=')?;
        return Some((label.trim().to_owned(), rest));
    };
    let mut label = String::new();
    let mut signs = quoted.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match (sign, signs.peek()) {
            ('\'', Some((_, '\''))) => {
                signs.next();
                label.push('\'');
            }
            ('\'', _) => return Some((label, quoted.get(at + 1..)?.strip_prefix('=')?)),
            _ => label.push(sign),
        }
    }
    None
}

/// A number and its unit; `U` says that the plugin could not tell.
fn number(text: &str) -> Option<(f64, String)> {
    // Some speak with a comma.
    let text = text.replace(',', ".");
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.to_owned()))
}

impl Said {
    /// The datum of this label as the fact, in the fact's unit.
    pub(super) fn datum(&self, label: &str, fact: &FactSpec) -> Reading {
        let Some((value, unit)) = self.data.get(label) else { return Reading::Missing };
        match fact.shape {
            Shape::Bool(_) => Reading::from(*value != 0.0),
            Shape::Count(_) => whole(*value),
            Shape::Measure(_) => {
                scaled(*value, unit, Unit::of_name(&fact.name)).map_or(Reading::Missing, Reading::float)
            }
            Shape::Text | Shape::Word(_) => Reading::Value(Value::text(&format!("{value}{unit}"))),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
fn whole(value: f64) -> Reading {
    if value.fract() == 0.0 && value.abs() < 9.0e15 { Reading::from(value as i64) } else { Reading::Missing }
}

/// The value in the wanted unit; nothing where the plugin's unit is of another kind.
fn scaled(value: f64, unit: &str, wanted: Option<Unit>) -> Option<f64> {
    let Some(wanted) = wanted else { return Some(value) };
    let factor = match (wanted, unit) {
        // A plugin that names no unit means the usual one.
        (_, "") | (Unit::Seconds, "s") | (Unit::Milliseconds, "ms") | (Unit::Bytes, "B") => 1.0,
        (Unit::Seconds, "ms") | (Unit::Milliseconds, "us") => 1e-3,
        (Unit::Seconds, "us") => 1e-6,
        (Unit::Milliseconds, "s") => 1e3,
        // Plugins count memory and disks in powers of two, whatever they call them.
        (Unit::Bytes, "KB" | "kB" | "KiB") => 1024.0,
        (Unit::Bytes, "MB" | "MiB") => 1_048_576.0,
        (Unit::Bytes, "GB" | "GiB") => 1_073_741_824.0,
        (Unit::Bytes, "TB" | "TiB") => 1_099_511_627_776.0,
        (Unit::Ratio, "%") => 0.01,
        _ => return None,
    };
    Some(value * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommandProbe;

    fn datum(output: &str, label: &str, name: &str, kind: &str) -> Reading {
        read(output).datum(label, &CommandProbe::declared(name, kind).expect("a type"))
    }

    #[test]
    fn data_are_read_with_their_units() {
        let http =
            "HTTP OK: 200 - 615 bytes in 0.002 second |time=0.002018s;;;0.000000;10.000000 size=615B;;;0";
        assert_eq!(read(http).message, "HTTP OK: 200 - 615 bytes in 0.002 second");
        for (output, label, name, kind, value) in [
            (http, "time", "took_s", "measure", Reading::float(0.002_018)),
            (http, "time", "took_ms", "measure", Reading::float(0.002_018 * 1e3)),
            (http, "size", "size_bytes", "measure", Reading::float(615.0)),
            (http, "size", "size", "count", Reading::from(615)),
            (http, "size", "took_s", "measure", Reading::Missing),
            (http, "nothing", "x", "measure", Reading::Missing),
            (
                "DISK OK|/=1024MB;;;0;2000 '/a b'=3KB",
                "/",
                "root_bytes",
                "measure",
                Reading::float(1_073_741_824.0),
            ),
            (
                "DISK OK|/=1024MB;;;0;2000 '/a b'=3KB",
                "/a b",
                "other_bytes",
                "measure",
                Reading::float(3072.0),
            ),
            ("x | 'it''s'=50%;80;90", "it's", "full_ratio", "measure", Reading::float(0.5)),
            ("x | a=U b=1", "a", "a", "measure", Reading::Missing),
            ("x | a=U b=1", "b", "b", "count", Reading::from(1)),
            ("x | a=1,5", "a", "a", "measure", Reading::float(1.5)),
            ("x\nlong\nlonger | a=1\nb=2 c=3", "c", "c", "count", Reading::from(3)),
            ("x | a=1\nlong | b=2", "b", "b", "count", Reading::from(2)),
            ("x | =1 'a", "a", "a", "count", Reading::Missing),
            ("", "a", "a", "count", Reading::Missing),
        ] {
            assert_eq!(datum(output, label, name, kind), value, "{label} as {name} in {output}");
        }
    }

    #[test]
    fn whatever_a_plugin_says_is_survived() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        runner
            .run(&"[a'=|;.0-9 \n\u{e9}-]{0,60}", |output| {
                let _ = datum(&output, "a", "a_s", "measure");
                Ok(())
            })
            .expect("no panic");
    }
}
