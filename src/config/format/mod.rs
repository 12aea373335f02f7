//! The form of rule, policy and test files: `grace fmt`.
//!
//! Tables and keys come in the grammar's order, `=` stands below `=` in each block, one empty line divides tables,
//! and every comment stays with what it belongs to: what stands directly above a line, behind it, or directly below
//! it with an empty line below that. Names that people chose stay in their order, and values stay as they are
//! spelt, to the byte. What a file means never changes: the result is read again and compared before anybody gets it.

mod layout;
mod order;
mod parts;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::grammar::FileKind;
use crate::config::reader::{File, Problems, parse};
use crate::say::{Code, Diagnostic, Place, Report};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text in its form. `kind` says what it is; without it its names tell.
///
/// # Errors
/// What is no TOML keeps its form, and the report says why.
pub fn format(name: &str, text: &str, kind: Option<FileKind>) -> Result<String, Box<Report>> {
    let name: Arc<str> = name.into();
    let problems = Problems::default();
    let body = text.strip_prefix(BYTE_ORDER_MARK);
    let mark = body.map(|_| BYTE_ORDER_MARK.to_string()).unwrap_or_default();
    let known = parse(File { name: &name, text, problems: &problems }).is_some();
    if known {
        let formed = form(body.unwrap_or(text), kind);
        if same(body.unwrap_or(text), &formed) {
            return Ok(mark + formed.as_str());
        }
        let found =
            Diagnostic::error(Code::Syntax, "cannot be brought into form without a change of meaning");
        problems.push(found.at(Place::new(&name, 0..0)).help("it stays as it is; write it in a plainer way"));
    }
    let texts = BTreeMap::from([(name, text.into())]);
    Err(Box::new(Report { diagnostics: problems.take(), texts }))
}

fn form(text: &str, kind: Option<FileKind>) -> String {
    let (rows, _) = rows::read(text);
    let mut parts = parts::parts(rows);
    let names: Vec<&str> = parts.names().collect();
    let kind = kind.unwrap_or_else(|| FileKind::of_names(&names));
    order::sort(&mut parts, kind.table());
    let first_end = text.find('\n').and_then(|at| text.get(..at));
    let windows = first_end.is_some_and(|line| line.ends_with('\r'));
    layout::text(&parts, kind, if windows { "\r\n" } else { "\n" })
}

/// Do both texts mean the same, with the same comments?
fn same(one: &str, other: &str) -> bool {
    // As text, because NaN is not equal to itself.
    let meaning = |text: &str| text.parse::<toml::Table>().ok().map(|table| format!("{table:?}"));
    let comments = |text| {
        let (rows, mut found) = rows::read(text);
        found.extend(rows.iter().filter_map(rows::Row::comment));
        found.sort_unstable();
        found.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    meaning(one).is_some() && meaning(one) == meaning(other) && comments(one) == comments(other)
}
