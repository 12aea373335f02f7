//! Series: one reading for each tick of the grid, written in a row.
//!
//! `3 3 0 _ missing` is a value a tick; `_` leaves the fact as it is. `0x4` is four times the same, `35+30x3`
//! is 35, 65, 95, 125. `0!` takes no tick of its own: it happens just after the tick before, and the component
//! reports it.

use crate::config::reader::Item;
use crate::model::{FactId, Reading, Span, Time, Type, Value};
use crate::replay::given::{Given, fact, parse_word};
use crate::replay::words::Names;
use crate::say::Code;

/// "Just after" a tick.
const JUST_AFTER: Span = Span(1);

/// More readings than a day has ticks are a slip.
const MOST: usize = 10_000;

/// What the series of a test give.
pub(super) fn read(names: &Names, item: &Item, start: Time, grid: Span) -> Vec<Given> {
    let Some(table) = item.table() else { return Vec::new() };
    let mut all = Vec::new();
    for (name, span, item) in table.named() {
        let Some(component) = &names.own else {
            item.error(Code::MissingKey, "of which component?", "write `component = \"...\"` in the test");
            continue;
        };
        let Some(kind) = fact(names, Some(component), name, span, &table) else { continue };
        let Some(text) = item.text() else { continue };
        match parse(text, &kind) {
            Ok(points) => {
                let mut at = start;
                for point in points {
                    let when = if point.reported { at - grid + JUST_AFTER } else { at };
                    if let Some(reading) = point.reading {
                        all.push(Given::fact(component, when, FactId::from(name), reading, point.reported));
                    }
                    if !point.reported {
                        at = at + grid;
                    }
                }
            }
            Err(word) => {
                let help = "write values with spaces between them: `3 3 0! _ missing`, `35+30x3`, `0x4`";
                item.error(Code::BadValue, format!("`{word}` is no part of a series of {kind}"), help);
            }
        }
    }
    all
}

#[derive(Debug, Clone, PartialEq)]
struct Point {
    reading: Option<Reading>,
    reported: bool,
}

fn parse(text: &str, kind: &Type) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    for word in text.split_whitespace() {
        let more = one(word, kind).ok_or_else(|| word.to_owned())?;
        points.extend(more);
        if points.len() > MOST {
            return Err(word.to_owned());
        }
    }
    Ok(points)
}

fn one(word: &str, kind: &Type) -> Option<Vec<Point>> {
    if let Some(value) = word.strip_suffix('!') {
        return Some(vec![Point { reading: Some(parse_word(value, kind)?), reported: true }]);
    }
    let (value, times) = match word.rsplit_once('x') {
        Some((value, times)) => (value, times.parse::<usize>().ok().filter(|times| *times <= MOST)?),
        None => (word, 1),
    };
    let point = |reading| Point { reading, reported: false };
    if value == "_" {
        return Some(vec![point(None); times]);
    }
    if let Some(reading) = parse_word(value, kind) {
        return Some(vec![point(Some(reading)); times]);
    }
    // `35+30x3`: the first value, and three more.
    let (first, step) = value
        .char_indices()
        .skip(1)
        .find(|(_, c)| matches!(c, '+' | '-'))
        .and_then(|(at, _)| value.split_at_checked(at))?;
    let (first, step) = (parse_word(first, kind)?, step.parse::<f64>().ok()?);
    (0..=times).map(|index| Some(point(Some(moved(&first, step, index)?)))).collect()
}

/// The reading moved on by so many steps.
fn moved(first: &Reading, step: f64, index: usize) -> Option<Reading> {
    let index = u32::try_from(index).ok()?;
    match first.value()? {
        Value::Float(first) => Some(Reading::float(first + step * f64::from(index))),
        #[expect(clippy::cast_possible_truncation, reason = "a step of a count is a small whole number")]
        Value::Int(first) => first.checked_add((step * f64::from(index)) as i64).map(Reading::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let points = parse(text, &Type::Count).expect(text);
        let show = |point: &Point| {
            let value =
                point.reading.as_ref().and_then(Reading::value).map_or("_".into(), ToString::to_string);
            if point.reported { format!("{value}!") } else { value }
        };
        points.iter().map(show).collect()
    }

    #[test]
    fn the_notation_says_what_it_says() {
        assert_eq!(values("3 0! _ 3x2"), ["3", "0!", "_", "3", "3"]);
        assert_eq!(values("35+30x3"), ["35", "65", "95", "125"]);
        assert_eq!(values("5-1x2"), ["5", "4", "3"]);
        assert_eq!(values("missing"), ["_"]);
        for wrong in ["three", "3y4", "x", "3x99999999"] {
            assert!(parse(wrong, &Type::Count).is_err(), "{wrong}");
        }
    }
}
