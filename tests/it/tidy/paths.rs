//! The paths that code names, with every `use` tree written out.

use super::source::{Source, Token};

/// `std::fs::read`, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) path: Vec<String>,
}

impl Named {
    pub(super) fn starts_with(&self, start: &str) -> bool {
        let start: Vec<&str> = start.split("::").collect();
        self.path.len() >= start.len() && self.path.iter().zip(&start).all(|(a, b)| a == b)
    }

    pub(super) fn first_two(&self) -> Option<(&str, &str)> {
        Some((self.path.first()?, self.path.get(1)?))
    }
}

/// Every path of a file, from `use` and from the code itself.
pub(super) fn all(source: &Source) -> Vec<Named> {
    let tokens = &source.tokens;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if text(at) == "use" && text(at + 1) != "<" {
            at = tree(tokens, at + 1, &[], &mut found);
        } else if is_word(text(at)) && text(at + 1) == "::" {
            let mut named = Named { line: tokens[at].line, path: vec![text(at).to_owned()] };
            while text(at + 1) == "::" && is_word(text(at + 2)) {
                named.path.push(text(at + 2).to_owned());
                at += 2;
            }
            found.push(named);
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Writes out one tree of a `use`; answers where it ends.
fn tree(tokens: &[Token], mut at: usize, before: &[String], found: &mut Vec<Named>) -> usize {
    let mut path = before.to_vec();
    while let Some(Token { line, text }) = tokens.get(at) {
        match text.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = tree(tokens, at, &path, found);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            "::" => at += 1,
            "as" => at += 2,
            "," | "}" | ";" => {
                found.push(Named { line: *line, path });
                return at;
            }
            word => {
                path.push(word.to_owned());
                at += 1;
            }
        }
    }
    at
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[test]
fn trees_are_written_out() {
    let code =
        "use crate::{say::Code, model::{self, Act as Other}};\npub use std::fs;\nfn a() { b::c::d(e::F); }";
    let found = all(&Source::new("src/x.rs", code));
    let paths: Vec<(usize, String)> = found.iter().map(|named| (named.line, named.path.join("::"))).collect();
    let expected = [
        (1, "crate::say::Code"),
        (1, "crate::model::self"),
        (1, "crate::model::Act"),
        (2, "std::fs"),
        (3, "b::c::d"),
        (3, "e::F"),
    ];
    assert_eq!(paths, expected.map(|(line, path)| (line, path.to_owned())));
}
