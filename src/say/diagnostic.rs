//! One problem, where it is, and how to mend it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::say::{Code, Fix};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The generation cannot be used.
    Error,
    /// It can be used, and somebody should look.
    Warning,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A stretch of a file, in bytes; line and column are worked out when it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as people know it: `rules/database.toml`.
    pub file: Arc<str>,
    /// From where to where.
    pub span: (usize, usize),
}

impl Place {
    /// A stretch of a file.
    #[must_use]
    pub fn new(file: &Arc<str>, span: Range<usize>) -> Self {
        Self { file: Arc::clone(file), span: (span.start, span.end) }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// Where; a problem of no file has no place.
    pub place: Option<Place>,
    /// What was expected, or the nearest right thing.
    pub help: Option<String>,
    /// The mend as edits, where there is one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A problem that makes the generation unusable.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        let message = plain(&message.into());
        Self { code, severity: Severity::Error, message, place: None, help: None, fix: None }
    }

    /// A problem that somebody should look at.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(plain(&help.into()));
        self
    }

    /// Says which edits mend it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into();
        self
    }
}

/// A sentence on one line that no terminal and no log takes for a command: names in files can hold anything.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// So many problems of one file are told.
const MOST_OF_A_FILE: usize = 100;

/// Every problem of a set of files, with the texts they were found in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The problems, in the order of files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, for excerpts.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}

impl Report {
    /// Is there a problem that makes the generation unusable?
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many problems of this severity there are.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|found| found.severity == severity).count()
    }

    /// Puts the problems in the order of files and places, each once: a rule for each component can be wrong
    /// for many of them, with other help for each.
    pub fn tidy(&mut self) {
        self.diagnostics.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
        self.diagnostics.dedup_by(|a, b| (&a.place, a.code, &a.message) == (&b.place, b.code, &b.message));
        self.shorten();
    }

    /// Of a file with hundreds of problems the first are told: it is no rule file, or one mistake makes the others.
    fn shorten(&mut self) {
        let mut told: BTreeMap<Option<Arc<str>>, usize> = BTreeMap::new();
        let mut more: BTreeMap<Arc<str>, (usize, Severity)> = BTreeMap::new();
        self.diagnostics.retain(|found| {
            let file = found.place.as_ref().map(|place| Arc::clone(&place.file));
            let count = told.entry(file.clone()).or_default();
            *count += 1;
            let Some(file) = file.filter(|_| *count > MOST_OF_A_FILE) else { return true };
            let (left, worst) = more.entry(file).or_insert((0, found.severity));
            (*left, *worst) = (*left + 1, found.severity.min(*worst));
            false
        });
        for (file, (left, severity)) in more {
            let end = self.texts.get(&file).map_or(0, |text| text.len());
            let message = format!("{left} more problems in this file are not told");
            let found = Diagnostic { severity, ..Diagnostic::error(Code::TooLarge, message) };
            let found = found.at(Place::new(&file, end..end)).help("mend the first ones, and look again");
            let behind = |other: &Diagnostic| other.place.as_ref().is_none_or(|place| place.file <= file);
            let place = self.diagnostics.partition_point(behind);
            self.diagnostics.insert(place, found);
        }
    }

    /// Line and column of a problem, from 1; the column counts characters.
    #[must_use]
    pub fn position(&self, found: &Diagnostic) -> Option<(usize, usize)> {
        let place = found.place.as_ref()?;
        self.texts.get(&place.file).map(|text| line_column(text, place.span.0))
    }
}

/// Line and column of a byte, from 1; the column counts characters.
#[must_use]
pub fn line_column(text: &str, byte: usize) -> (usize, usize) {
    let mut end = byte.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_with_hundreds_of_problems_the_first_are_told() {
        let (many, one): (Arc<str>, Arc<str>) = ("a.toml".into(), "b.toml".into());
        let found = |file: &Arc<str>, at: usize| {
            Diagnostic::warning(Code::UnknownKey, format!("problem {at}")).at(Place::new(file, at..at))
        };
        let mut diagnostics: Vec<Diagnostic> = (0..250).map(|at| found(&many, at)).collect();
        diagnostics.push(found(&one, 0));
        let mut report = Report { diagnostics, texts: BTreeMap::new() };
        report.tidy();
        assert_eq!(report.diagnostics.len(), MOST_OF_A_FILE + 2);
        let last = report.diagnostics.get(MOST_OF_A_FILE).expect("it is there");
        assert_eq!(last.message, "150 more problems in this file are not told");
        assert!(!report.is_fatal(), "warnings alone make no generation unusable");
        report
            .diagnostics
            .push(Diagnostic::error(Code::UnknownKey, "an error").at(Place::new(&many, 999..999)));
        report.tidy();
        assert!(report.is_fatal(), "an error that is not told counts");
    }

    #[test]
    fn a_message_is_one_line_whatever_a_name_holds() {
        let found = Diagnostic::error(Code::UnknownKey, "no key `x\n::error\u{1b}]0;`").help("a\rb");
        assert_eq!(found.message, r"no key `x\n::error\u{1b}]0;`");
        assert_eq!(found.help.as_deref(), Some(r"a\rb"));
    }

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let text = "a = 1\nü = 'x'\n";
        for (byte, place) in [(0, (1, 1)), (6, (2, 1)), (8, (2, 2)), (7, (2, 1)), (999, (3, 1))] {
            assert_eq!(line_column(text, byte), place, "{byte}");
        }
    }
}
