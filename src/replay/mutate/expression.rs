//! Mutants of a condition, made of the signs and numbers in its text.

use std::ops::Range;

use crate::config::reader::Item;
use crate::replay::mutate::Made;
use crate::replay::mutate::edit::scaled_number;

/// A sign, and what is written instead; the longer signs stand first.
const SIGNS: [(&str, &[&str]); 9] = [
    ("&&", &["||"]),
    ("||", &["&&"]),
    ("==", &["!="]),
    ("!=", &["=="]),
    (">=", &["<", ">"]),
    ("<=", &[">", "<"]),
    (">", &["<=", ">="]),
    ("<", &[">=", "<="]),
    ("!", &[""]),
];

impl Made<'_> {
    /// Every mutant of a condition.
    pub(super) fn condition(&mut self, item: &Item) {
        let Some(text) = item.value.as_str() else { return };
        for (place, others) in parts(text) {
            for other in others {
                self.replace(item.within(&place), &other);
            }
        }
    }
}

/// The signs and numbers of a condition, with what can be written instead.
fn parts(text: &str) -> Vec<(Range<usize>, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let first = rest.chars().next().unwrap_or(' ');
        let length = if let Some((sign, others)) = sign {
            let others = others.iter().map(|other| (*other).to_owned()).collect();
            found.push((at..at + sign.len(), others));
            sign.len()
        } else if first == '"' {
            string(rest)
        } else if first.is_ascii_digit() {
            let length = word(rest);
            found.push((at..at + length, scaled_number(rest.get(..length).unwrap_or_default())));
            length
        } else if first.is_alphabetic() || first == '_' {
            word(rest)
        } else {
            first.len_utf8()
        };
        at += length;
    }
    found
}

/// How long the name or number is that begins here; a dot belongs to both.
fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len())
}

/// How long the text in quotes is that begins here.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_numbers_are_found_and_names_and_texts_left_alone() {
        let text = r#"!a.p95_ms && (b.x >= 3 || mode != "a > \"1\"") && c == 0.5"#;
        let found: Vec<(&str, String)> =
            parts(text).into_iter().map(|(place, others)| (&text[place], others.join(" "))).collect();
        let expected = [
            ("!", ""),
            ("&&", "||"),
            (">=", "< >"),
            ("3", "6 1"),
            ("||", "&&"),
            ("!=", "=="),
            ("&&", "||"),
            ("==", "!="),
            ("0.5", "1.0 0.25"),
        ];
        assert_eq!(found, expected.map(|(sign, others)| (sign, others.to_owned())));
    }
}
