//! The text of a file: one empty line between tables, `=` below `=`, comments behind lines where they were.

use std::collections::BTreeMap;

use crate::config::format::parts::{Entry, Lead, Parts, Section};
use crate::config::format::rows::What;
use crate::config::grammar::FileKind;

/// In tests the lists are long, and only these lines are aligned with each other, where they are lines.
const TEST_LINES: [&[&str]; 2] = [&["why", "start", "end"], &["expect", "forbid", "only"]];

/// One line of the text, without its end.
#[derive(Debug)]
struct Written {
    text: String,
    /// The comment behind it, and the column that it had.
    behind: Option<(String, usize)>,
}

/// The text of a file.
pub(super) fn text(parts: &Parts, kind: FileKind, end_of_line: &str) -> String {
    let mut lines: Vec<Written> = Vec::new();
    for comment in &parts.head {
        plain(&mut lines, comment);
    }
    for section in &parts.sections {
        write_section(&mut lines, section, kind);
    }
    if !parts.foot.is_empty() {
        blank(&mut lines);
    }
    leads(&mut lines, &parts.foot);
    while lines.last().is_some_and(|line| line.text.is_empty()) {
        lines.pop();
    }
    place_comments(&mut lines);
    lines.iter().flat_map(|line| [line.text.as_str(), end_of_line]).collect()
}

fn write_section(lines: &mut Vec<Written>, section: &Section, kind: FileKind) {
    let mut first = true;
    if let Some(header) = &section.header {
        blank(lines);
        let What::Header { text, .. } = header.line.what else { return };
        entry(lines, header, text.to_owned());
        first = header.tail.is_empty();
    } else if !section.pairs.is_empty() {
        blank(lines);
    }
    for group in groups(&section.pairs) {
        if !first {
            blank(lines);
        }
        first = false;
        let widths = widths(group, kind);
        for pair in group {
            let What::Pair { key, value } = pair.line.what else { continue };
            let width = beside(pair, kind).and_then(|set| widths.get(&set).copied()).unwrap_or(0);
            entry(lines, pair, format!("{key:<width$} = {value}"));
        }
    }
}

/// What stands together: an empty line divides, and so do comments that belong to what is above them.
fn groups<'p, 'a>(pairs: &'p [Entry<'a>]) -> impl Iterator<Item = &'p [Entry<'a>]> {
    pairs.chunk_by(|one, next| one.tail.is_empty() && !next.apart)
}

/// How wide the keys of a group are, by what is aligned with each other.
fn widths(group: &[Entry], kind: FileKind) -> BTreeMap<usize, usize> {
    let mut widths = BTreeMap::new();
    for pair in group {
        let (Some(beside), What::Pair { key, .. }) = (beside(pair, kind), pair.line.what) else { continue };
        let width = widths.entry(beside).or_default();
        *width = key.chars().count().max(*width);
    }
    widths
}

/// What the pair is aligned with: everything, or in a test one of the sets of lines.
fn beside(pair: &Entry, kind: FileKind) -> Option<usize> {
    if kind != FileKind::Test {
        return Some(0);
    }
    let name = pair.line.path.first().filter(|_| !is_long(pair))?;
    TEST_LINES.iter().position(|lines| lines.contains(name))
}

fn is_long(entry: &Entry) -> bool {
    matches!(entry.line.what, What::Pair { value, .. } if value.contains('\n'))
}

fn entry(lines: &mut Vec<Written>, entry: &Entry, text: String) {
    leads(lines, &entry.lead);
    let behind = entry.line.comment.map(|comment| (comment.text.to_owned(), comment.column));
    lines.push(Written { text, behind });
    for comment in &entry.tail {
        plain(lines, comment);
    }
}

fn leads(lines: &mut Vec<Written>, leads: &[Lead]) {
    for lead in leads {
        match lead {
            Lead::Blank => blank(lines),
            Lead::Comment(text) => plain(lines, text),
        }
    }
}

fn plain(lines: &mut Vec<Written>, text: &str) {
    lines.push(Written { text: text.to_owned(), behind: None });
}

/// An empty line, unless there is one, or nothing yet.
fn blank(lines: &mut Vec<Written>) {
    if lines.last().is_some_and(|line| !line.text.is_empty()) {
        plain(lines, "");
    }
}

/// Comments behind lines keep their column; those that shared one go on sharing it.
fn place_comments(lines: &mut [Written]) {
    let column = |line: &Written| line.behind.as_ref().map(|(_, column)| *column);
    for run in lines.chunk_by_mut(|one, next| column(one) == column(next)) {
        let lengths =
            run.iter().map(|line| line.text.rsplit('\n').next().unwrap_or_default().chars().count());
        let longest = lengths.max().unwrap_or(0);
        for line in run {
            let Some((comment, column)) = line.behind.take() else { continue };
            let column = if column > longest { column } else { longest + 2 };
            let length = line.text.rsplit('\n').next().unwrap_or_default().chars().count();
            let gap = " ".repeat(column.saturating_sub(length));
            line.text = format!("{}{gap}{comment}", line.text);
        }
    }
}
