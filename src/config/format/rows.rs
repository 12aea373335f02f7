//! A file as rows: what stands on lines of its own, with every byte that counts and none that does not.

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

/// What stands on a line of its own; a value may be longer than a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row<'a> {
    /// One empty line or several.
    Blank,
    Comment(&'a str),
    Line(Line<'a>),
}

/// A header or a key with its value, and the comment behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line<'a> {
    /// The names that it names, without quotes.
    pub(super) path: Vec<&'a str>,
    pub(super) what: What<'a>,
    pub(super) comment: Option<Behind<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What<'a> {
    /// `[table]`, or `[[table]]`.
    Header {
        text: &'a str,
        many: bool,
    },
    Pair {
        key: &'a str,
        value: &'a str,
    },
}

/// A comment behind something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Behind<'a> {
    pub(super) text: &'a str,
    /// Where it begins, in characters from the line's beginning.
    pub(super) column: usize,
}

/// The rows of a text that is right TOML, and the comments that stand inside values.
pub(super) fn read(text: &str) -> (Vec<Row<'_>>, Vec<&str>) {
    let tokens = Source::new(text).lex().into_vec();
    let mut events = Vec::new();
    parse_document(&tokens, &mut |event: Event| events.push(event), &mut ());
    let mut reader = Reader { text, ..Reader::default() };
    for event in &events {
        reader.take(event);
    }
    reader.end_of_line();
    (reader.rows, reader.inside)
}

#[derive(Debug, Default)]
struct Reader<'a> {
    text: &'a str,
    rows: Vec<Row<'a>>,
    inside: Vec<&'a str>,
    path: Vec<&'a str>,
    /// Where the header, key or value begins that is being read.
    header: Option<(usize, bool)>,
    key: Option<(usize, usize)>,
    value: Option<usize>,
    depth: usize,
    line: Option<Line<'a>>,
    comment: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, event: &Event) {
        let (start, end) = (event.span().start(), event.span().end());
        match event.kind() {
            EventKind::StdTableOpen => self.header = Some((start, false)),
            EventKind::ArrayTableOpen => self.header = Some((start, true)),
            EventKind::StdTableClose | EventKind::ArrayTableClose => self.end_of_header(end),
            EventKind::SimpleKey if self.depth == 0 => {
                self.path.push(unquoted(self.slice(start, end)));
                self.key = Some((self.key.map_or(start, |(first, _)| first), end));
            }
            EventKind::InlineTableOpen | EventKind::ArrayOpen => {
                self.value.get_or_insert(start);
                self.depth += 1;
            }
            EventKind::InlineTableClose | EventKind::ArrayClose => {
                self.depth = self.depth.saturating_sub(1);
                self.end_of_value(end);
            }
            EventKind::Scalar => {
                self.value.get_or_insert(start);
                self.end_of_value(end);
            }
            EventKind::Comment if self.depth > 0 => self.inside.push(self.slice(start, end)),
            EventKind::Comment => self.comment(start, end),
            EventKind::Newline if self.depth == 0 => self.end_of_line(),
            _ => {}
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn end_of_header(&mut self, end: usize) {
        let Some((start, many)) = self.header.take() else { return };
        self.key = None;
        let what = What::Header { text: self.slice(start, end), many };
        self.line = Some(Line { path: std::mem::take(&mut self.path), what, comment: None });
    }

    fn end_of_value(&mut self, end: usize) {
        if self.depth > 0 {
            return;
        }
        if let (Some((first, last)), Some(start)) = (self.key.take(), self.value.take()) {
            let what = What::Pair { key: self.slice(first, last), value: self.slice(start, end) };
            self.line = Some(Line { path: std::mem::take(&mut self.path), what, comment: None });
        }
    }

    fn comment(&mut self, start: usize, end: usize) {
        let text = self.slice(start, end).trim_end();
        match &mut self.line {
            None => self.comment = Some(text),
            Some(line) => {
                let before = self.text.get(..start).unwrap_or_default();
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
                line.comment = Some(Behind { text, column });
            }
        }
    }

    fn end_of_line(&mut self) {
        let row = match (self.line.take(), self.comment.take()) {
            (Some(line), _) => Row::Line(line),
            (None, Some(comment)) => Row::Comment(comment),
            (None, None) => Row::Blank,
        };
        if row != Row::Blank || self.rows.last() != Some(&Row::Blank) {
            self.rows.push(row);
        }
    }
}

/// A name as the grammar knows it. One with escapes in it is none that the grammar knows.
fn unquoted(name: &str) -> &str {
    let inside = |quote| name.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(name)
}

impl<'a> Row<'a> {
    pub(super) fn comment(&self) -> Option<&'a str> {
        match self {
            Row::Blank => None,
            Row::Comment(text) => Some(text),
            Row::Line(line) => line.comment.map(|comment| comment.text),
        }
    }
}
