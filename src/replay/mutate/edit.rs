//! Surgery on text: replacing, leaving out with the comma that belongs to it, numbers that are more or less.

use std::ops::Range;

use crate::config::duration;
use crate::config::reader::Item;
use crate::model::Span;
use crate::replay::mutate::Made;

/// The text with edits that do not overlap.
pub(in crate::replay) fn apply(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut edits: Vec<&(Range<usize>, String)> = edits.iter().collect();
    edits.sort_by_key(|(place, _)| place.start);
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (place, new) in edits {
        out.push_str(text.get(at..place.start).unwrap_or_default());
        out.push_str(new);
        at = place.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A stretch with the comma behind it, or, where there is none, the one before it.
pub(super) fn with_comma(text: &str, place: &Range<usize>) -> Range<usize> {
    let behind = text.get(place.end..).unwrap_or_default();
    let blank = behind.len() - behind.trim_start().len();
    if behind.trim_start().starts_with(',') {
        return place.start..place.end + blank + 1;
    }
    let before = text.get(..place.start).unwrap_or_default();
    match before.trim_end().strip_suffix(',') {
        Some(kept) => kept.len()..place.end,
        None => place.clone(),
    }
}

impl Made<'_> {
    /// A whole number is one more, and one less.
    pub(super) fn step(&mut self, item: &Item) {
        let Some(number) = item.value.as_integer().and_then(|number| number.as_str().parse::<i64>().ok())
        else {
            return;
        };
        for other in [number.saturating_add(1), number.saturating_sub(1)] {
            self.replace(item.span.clone(), &other.to_string());
        }
    }

    /// A number, a duration or another quantity is doubled, and halved.
    pub(super) fn scale(&mut self, item: &Item) {
        let raw = self.text.get(item.span.clone()).unwrap_or_default().to_owned();
        let scaled = match item.value.as_str() {
            Some(text) => scaled_quantity(text).map(|text| format!("\"{text}\"")).to_vec(),
            None => scaled_number(&raw),
        };
        for other in scaled {
            self.replace(item.span.clone(), &other);
        }
    }
}

/// Twice a number, and half of it; nothing is one instead. What is no number has neither.
pub(super) fn scaled_number(raw: &str) -> Vec<String> {
    let plain = raw.replace('_', "");
    if let Ok(number) = plain.parse::<i64>() {
        let others = if number == 0 { vec![1] } else { vec![number.saturating_mul(2), number / 2] };
        return others.iter().map(ToString::to_string).collect();
    }
    match plain.parse::<f64>() {
        Ok(number) => vec![format!("{:?}", number * 2.0), format!("{:?}", number / 2.0)],
        Err(_) => Vec::new(),
    }
}

/// Twice and half a duration, a size or a percentage; the same again where it is none of them, or nothing.
fn scaled_quantity(text: &str) -> [String; 2] {
    if let Some(length) = duration(text) {
        return [Span(length.0.saturating_mul(2)).to_string(), Span(length.0 / 2).to_string()];
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    match number.parse::<f64>() {
        Ok(number) => [format!("{}{unit}", number * 2.0), format!("{}{unit}", number / 2.0)],
        Err(_) => [text.to_owned(), text.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comma_goes_with_what_it_belongs_to() {
        for (text, word, left) in [
            ("[\"a\", \"b\"]", "\"a\"", "[ \"b\"]"),
            ("[\"a\", \"b\"]", "\"b\"", "[\"a\"]"),
            ("[\"a\"]", "\"a\"", "[]"),
            ("{ a = 1, until = 'ok' }", "until = 'ok'", "{ a = 1 }"),
            ("after = 2\nx = 1\n", "after = 2", "\nx = 1\n"),
        ] {
            let at = text.find(word).expect(word);
            let place = with_comma(text, &(at..at + word.len()));
            assert_eq!(apply(text, &[(place, String::new())]), left, "{text}");
        }
    }

    #[test]
    fn quantities_are_doubled_and_halved_in_their_own_notation() {
        assert_eq!(scaled_quantity("1m"), ["2m", "30s"]);
        assert_eq!(scaled_quantity("64MiB"), ["128MiB", "32MiB"]);
        assert_eq!(scaled_quantity("50%"), ["100%", "25%"]);
        assert_eq!(scaled_quantity("word"), ["word", "word"]);
        assert_eq!(scaled_number("3"), ["6", "1"]);
        assert_eq!(scaled_number("0"), ["1"]);
        assert_eq!(scaled_number("0.25"), ["0.5", "0.125"]);
        assert!(scaled_number("true").is_empty());
    }
}
