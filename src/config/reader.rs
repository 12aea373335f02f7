//! Reads TOML tables without losing places: every value knows where it stands, every key that nobody asked
//! for is reported with the nearest right one, and no problem hides the next.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::quantity;
use crate::model::Span;
use crate::say::{Code, Diagnostic, Fix, Place, meant, nearest, suggest};

/// Where problems are collected.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Diagnostic>>);

impl Problems {
    pub(crate) fn push(&self, found: Diagnostic) {
        self.0.borrow_mut().push(found);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub(crate) fn take(&self) -> Vec<Diagnostic> {
        self.0.take()
    }
}

/// One file being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) text: &'a str,
    pub(crate) problems: &'a Problems,
}

impl File<'_> {
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.name, span)
    }

    pub(crate) fn error(
        &self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Diagnostic::error(code, message).at(self.place(span)).help(help));
    }

    /// An error about a word that is none of those there are; with the nearest one as its mend.
    pub(crate) fn unknown<'w>(
        &self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        (word, known): (&str, impl IntoIterator<Item = &'w str> + Clone),
    ) {
        let fix = meant(word, known.clone()).and_then(|meant| self.instead(span.clone(), word, meant));
        let found = Diagnostic::error(code, message).at(self.place(span));
        self.problems.push(found.help(suggest(word, known)).fix(fix));
    }

    /// The same about a name that people choose: it may be the other end that is misspelt, so nothing is certain.
    pub(crate) fn unknown_name<'w>(
        &self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        (word, known): (&str, impl IntoIterator<Item = &'w str> + Clone),
    ) {
        let fix =
            nearest(word, known.clone()).and_then(|meant| self.instead(span.clone(), word, (meant, false)));
        let found = Diagnostic::error(code, message).at(self.place(span));
        self.problems.push(found.help(suggest(word, known)).fix(fix));
    }

    /// Another word in the place of this one, in the quotes it has there.
    pub(crate) fn instead(&self, span: Range<usize>, word: &str, (meant, sure): (&str, bool)) -> Option<Fix> {
        let raw = self.text.get(span.clone())?;
        let quotes = ["", "\"", "'"].into_iter().find(|quote| raw == format!("{quote}{word}{quote}"))?;
        let fix = Fix::instead(self.place(span), format!("{quotes}{meant}{quotes}"));
        Some(if sure { fix.safe() } else { fix })
    }
}

/// One value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    pub(crate) file: File<'a>,
    pub(crate) name: String,
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) span: Range<usize>,
}

impl<'a> Item<'a> {
    fn new(file: File<'a>, name: &str, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { file, name: name.to_owned(), value: value.get_ref(), span: value.span() }
    }

    pub(crate) fn error(&self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.file.error(code, self.span.clone(), message, help);
    }

    fn wrong<T>(&self, wanted: &str, help: &str) -> Option<T> {
        let message =
            format!("`{}` wants {wanted}, and this is {}", self.name, article(self.value.type_str()));
        self.error(Code::WrongType, message, help);
        None
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.wrong("a string", "write it in quotes"))
    }

    /// One of these words.
    pub(crate) fn one_of(&self, words: &[&str]) -> Option<String> {
        let word = self.text()?;
        if words.contains(&word) {
            return Some(word.to_owned());
        }
        let known = (word, words.iter().copied());
        self.file.unknown(
            Code::BadValue,
            self.span.clone(),
            format!("`{}` cannot be `{word}`", self.name),
            known,
        );
        None
    }

    pub(crate) fn truth(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong("true or false", "write it without quotes"))
    }

    pub(crate) fn whole(&self, allowed: Range<i64>) -> Option<i64> {
        self.count(allowed.start..=allowed.end - 1)
    }

    /// A whole number up to the last that is allowed.
    pub(crate) fn count(&self, allowed: RangeInclusive<i64>) -> Option<i64> {
        let Some(number) = self.value.as_integer() else {
            let quoted = self.value.as_str().is_some();
            let help = if quoted { "write it without quotes" } else { "write a number such as 3" };
            return self.wrong("a whole number", help);
        };
        let parsed = i64::from_str_radix(&number.as_str().replace('_', ""), number.radix());
        match parsed {
            Ok(parsed) if allowed.contains(&parsed) => Some(parsed),
            _ => {
                let help = format!("it can be {} to {}", allowed.start(), allowed.end());
                self.error(Code::BadValue, format!("`{}` cannot be {}", self.name, number.as_str()), help);
                None
            }
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        let text = match self.value {
            DeValue::Integer(number) => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => return self.wrong("a number", "write it without quotes"),
        };
        let parsed = text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite());
        if parsed.is_none() {
            self.error(Code::BadValue, format!("`{}` cannot be {text}", self.name), "write a finite number");
        }
        parsed
    }

    pub(crate) fn duration(&self) -> Option<Span> {
        const HELP: &str = "write a duration such as \"30s\", \"2m\" or \"1h 30m\"";
        let Some(text) = self.value.as_str() else { return self.wrong("a duration", HELP) };
        let parsed = quantity::duration(text);
        if parsed.is_none() {
            self.error(Code::BadValue, format!("`{text}` is no duration"), HELP);
        }
        parsed
    }

    /// A duration that is longer than nothing.
    pub(crate) fn length(&self) -> Option<Span> {
        let length = self.duration()?;
        if length == Span::ZERO {
            self.error(Code::BadValue, format!("`{}` cannot be nothing", self.name), "write a longer time");
            return None;
        }
        Some(length)
    }

    pub(crate) fn table(&self) -> Option<Table<'a>> {
        match self.value.as_table() {
            Some(entries) => Some(Table::new(self.file, &self.name, entries, self.span.clone())),
            None => self.wrong("a table", "write `{ ... }` or a `[table]`"),
        }
    }

    pub(crate) fn items(&self) -> Vec<Item<'a>> {
        match self.value.as_array() {
            Some(items) => items.iter().map(|item| Self::new(self.file, &self.name, item)).collect(),
            None => self.wrong("a list", "write `[...]`").unwrap_or_default(),
        }
    }

    pub(crate) fn texts(&self) -> Vec<(Item<'a>, &'a str)> {
        self.items().into_iter().filter_map(|item| item.text().map(|text| (item.clone(), text))).collect()
    }

    /// Where a stretch of the string's own text lies in the file: escapes make the two differ.
    pub(crate) fn within(&self, inner: &Range<usize>) -> Range<usize> {
        let raw = self.file.text.get(self.span.clone()).unwrap_or_default();
        let map = quantity::decoded(raw);
        let at = |byte: usize| self.span.start + map.get(byte).or(map.last()).copied().unwrap_or(0);
        at(inner.start)..at(inner.end).max(at(inner.start) + 1)
    }
}

/// One table; it notes the keys that were asked for.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) file: File<'a>,
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    entries: &'a DeTable<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(file: File<'a>, name: &str, entries: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self { file, name: name.to_owned(), span, entries, asked: RefCell::default() }
    }

    /// The value of a key, if it is there.
    pub(crate) fn get(&self, key: &'static str) -> Option<Item<'a>> {
        self.asked.borrow_mut().insert(key);
        let (_, value) = self.entries.iter().find(|(known, _)| known.get_ref() == key)?;
        Some(Item::new(self.file, key, value))
    }

    /// The value of a key that has to be there.
    pub(crate) fn need(&self, key: &'static str, help: &str) -> Option<Item<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let name = if self.name.is_empty() { "the file".to_owned() } else { format!("`{}`", self.name) };
            let message = format!("{name} needs the key `{key}`");
            self.file.error(Code::MissingKey, self.head(), message, help);
        }
        found
    }

    /// The table of a key; where it is missing there is nothing to read.
    pub(crate) fn table(&self, key: &'static str) -> Option<Table<'a>> {
        self.get(key)?.table()
    }

    /// Every entry, for tables whose keys people choose.
    pub(crate) fn named(&self) -> Vec<(&'a str, Range<usize>, Item<'a>)> {
        let entry = |(key, value): (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)| {
            (key.get_ref().as_ref(), key.span(), Item::new(self.file, key.get_ref(), value))
        };
        self.entries.iter().map(entry).collect()
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        #[cfg(test)]
        asked_in_tests::note(self.file.name, &self.name, &asked);
        let entries = self.named();
        let there: BTreeSet<&str> = entries.iter().map(|(key, ..)| *key).collect();
        // One that stands there already cannot be meant, where another can.
        let free: Vec<&str> = asked.iter().copied().filter(|known| !there.contains(known)).collect();
        for (key, span, _) in entries {
            if !asked.contains(key) {
                let place = if self.name.is_empty() { String::new() } else { format!(" in `{}`", self.name) };
                let message = format!("there is no key `{key}`{place}");
                if nearest(key, free.iter().copied()).is_some() {
                    self.file.unknown(Code::UnknownKey, span, message, (key, free.iter().copied()));
                } else {
                    self.file.error(Code::UnknownKey, span, message, suggest(key, asked.iter().copied()));
                }
            }
        }
    }

    /// The place of the table's first line.
    pub(crate) fn head(&self) -> Range<usize> {
        let text = self.file.text.get(self.span.clone()).unwrap_or_default();
        let line = text.find('\n').unwrap_or(text.len());
        self.span.start..self.span.start + line
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// The tables of a file, or every syntax error in it.
pub(crate) fn parse(file: File<'_>) -> Option<Spanned<DeTable<'_>>> {
    let (table, errors) = DeTable::parse_recoverable(file.text);
    // One mistake makes the parser stumble several times: what it says first of a line tells it.
    let mut lines = BTreeMap::new();
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        let before = file.text.get(..file.text.floor_char_boundary(span.start)).unwrap_or_default();
        // Told apart by where the line begins.
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        lines.entry(line).or_insert((span, error.message()));
    }
    for (span, message) in lines.into_values() {
        file.error(Code::Syntax, span, message, "see the TOML specification, or quote the value");
    }
    errors.is_empty().then_some(table)
}

/// What unit tests learn of the keys that are asked for.
#[cfg(test)]
pub(crate) mod asked_in_tests {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    /// By the file and the table's name.
    pub(crate) type Asked = BTreeMap<(String, String), BTreeSet<&'static str>>;

    thread_local! { static ASKED: RefCell<Asked> = RefCell::default(); }

    pub(super) fn note(file: &str, table: &str, keys: &BTreeSet<&'static str>) {
        ASKED.with_borrow_mut(|asked| {
            asked.entry((file.to_owned(), table.to_owned())).or_default().extend(keys);
        });
    }

    pub(crate) fn take() -> Asked {
        ASKED.take()
    }
}
