//! Rows put together: a section has its lines, and every comment belongs to something.

use crate::config::format::rows::{Line, Row, What};

/// A whole file.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// The comment at the top, with an empty line below it.
    pub(super) head: Vec<&'a str>,
    pub(super) sections: Vec<Section<'a>>,
    /// What stands below everything.
    pub(super) foot: Vec<Lead<'a>>,
}

/// A header with what stands below it; the first has none.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    pub(super) header: Option<Entry<'a>>,
    pub(super) pairs: Vec<Entry<'a>>,
}

/// A line and its comments.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// An empty line stands before it.
    pub(super) apart: bool,
    /// What stands above it and belongs to it.
    pub(super) lead: Vec<Lead<'a>>,
    pub(super) line: Line<'a>,
    /// Comments directly below it, with an empty line below them.
    pub(super) tail: Vec<&'a str>,
}

/// A comment, or the empty line between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lead<'a> {
    Blank,
    Comment(&'a str),
}

/// Puts the rows of a file together.
pub(super) fn parts(rows: Vec<Row<'_>>) -> Parts<'_> {
    let mut parts = Parts { sections: vec![Section::default()], ..Parts::default() };
    let mut pending = Vec::new();
    // Empty lines at the top divide nothing.
    for row in rows.into_iter().skip_while(|row| *row == Row::Blank) {
        match row {
            Row::Blank => pending.push(Lead::Blank),
            Row::Comment(text) => pending.push(Lead::Comment(text)),
            Row::Line(line) => {
                parts.settle(&mut pending, false);
                let apart = pending.first() == Some(&Lead::Blank);
                let lead = std::mem::take(&mut pending).split_off(usize::from(apart));
                parts.add(Entry { apart, lead, line, tail: Vec::new() });
            }
        }
    }
    parts.settle(&mut pending, true);
    parts.foot = pending;
    parts
}

impl<'a> Parts<'a> {
    /// Comments directly below a line belong to it where something else is not directly below them.
    fn settle(&mut self, pending: &mut Vec<Lead<'a>>, at_end: bool) {
        let length = pending.iter().position(|lead| *lead == Lead::Blank);
        let Some(length) = length.or(at_end.then_some(pending.len())) else { return };
        let rest = pending.split_off(length);
        let comments = std::mem::replace(pending, rest).into_iter();
        self.last().extend(comments.filter_map(|lead| match lead {
            Lead::Comment(text) => Some(text),
            Lead::Blank => None,
        }));
    }

    /// Where comments go that stand below the last line; without one they are the file's head.
    fn last(&mut self) -> &mut Vec<&'a str> {
        let last =
            self.sections.last_mut().and_then(|section| section.pairs.last_mut().or(section.header.as_mut()));
        last.map_or(&mut self.head, |entry| &mut entry.tail)
    }

    fn add(&mut self, entry: Entry<'a>) {
        if matches!(entry.line.what, What::Header { .. }) {
            self.sections.push(Section { header: Some(entry), pairs: Vec::new() });
        } else if let Some(section) = self.sections.last_mut() {
            section.pairs.push(entry);
        }
    }
}

impl<'a> Parts<'a> {
    /// The names at the file's top.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        let (top, below) = self.sections.split_at(self.sections.len().min(1));
        let pairs = top.iter().flat_map(|section| &section.pairs);
        let headers = below.iter().filter_map(|section| section.header.as_ref());
        pairs.chain(headers).filter_map(|entry| entry.line.path.first().copied())
    }
}
