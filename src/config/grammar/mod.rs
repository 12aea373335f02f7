//! What the files may hold, as data: every table, key and word, in the order in which people should find them.
//!
//! The reader decides; this page tells. `fmt` takes its order from here and `schema` everything else, and a unit test
//! asks the reader for every key and word it knows, so that neither can go away from the other.

mod notify;
mod policies;
mod rules;
mod tests_of_rules;

#[cfg(test)]
mod tests;

use std::path::Path;

/// What kind of file it is, and so what it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `rules/NAME.toml`
    Rules,
    /// `rules/NAME.test.toml`
    Test,
    /// `policies/modes.toml`
    Modes,
    /// `policies/governance.toml`
    Governance,
    /// `policies/budgets.toml`
    Budgets,
    /// `policies/system.toml`
    System,
    /// `policies/notify.toml`
    Notify,
    /// `policies/access.toml`
    Access,
}

impl FileKind {
    /// All of them, with their word and the files they are, as people would look for them.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Rules, "rules", "rules/*.toml"),
        (Self::Test, "test", "rules/*.test.toml"),
        (Self::Modes, "policy-modes", "policies/modes.toml"),
        (Self::Governance, "policy-governance", "policies/governance.toml"),
        (Self::Budgets, "policy-budgets", "policies/budgets.toml"),
        (Self::System, "policy-system", "policies/system.toml"),
        (Self::Notify, "policy-notify", "policies/notify.toml"),
        (Self::Access, "policy-access", "policies/access.toml"),
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    /// What a file of this path is, where the path tells: the folder and the name decide.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let folder = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
        let policy = |(_, _, files): &&(Self, &str, &str)| *files == format!("policies/{name}");
        match folder {
            _ if name.ends_with(".test.toml") => Some(Self::Test),
            Some("policies") => Self::ALL.iter().find(policy).map(|(kind, ..)| *kind),
            Some("rules") => Some(Self::Rules),
            _ => None,
        }
    }

    /// What a file with these names at its top is most like.
    #[must_use]
    pub fn of_names(names: &[&str]) -> Self {
        let likeness = |kind: Self| {
            let table = kind.table();
            names.iter().filter(|name| table.forms.iter().any(|form| form.has(name))).count()
        };
        let all = Self::ALL.map(|(kind, ..)| (likeness(kind), kind));
        // Of equals the first: `[component]` alone is a rule file.
        all.into_iter().rev().max_by_key(|(likeness, _)| *likeness).map_or(Self::Rules, |(_, kind)| kind)
    }

    /// What it may hold.
    #[must_use]
    pub(crate) fn table(self) -> Table {
        match self {
            Self::Rules => rules::file(),
            Self::Test => tests_of_rules::file(),
            Self::Modes => policies::modes(),
            Self::Governance => policies::governance(),
            Self::Budgets => policies::budgets(),
            Self::System => policies::system(),
            Self::Notify => notify::file(),
            Self::Access => policies::access(),
        }
    }
}

/// A table: what it is for, and the forms it may have. Most have one; a probe has one for each kind.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) says: &'static str,
    pub(crate) forms: Vec<Form>,
}

/// The keys of one form, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) keys: Vec<Key>,
}

/// A key: what it is for, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) shape: Shape,
    pub(crate) needed: bool,
}

/// What a value may be.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// Any text, with one that could stand there.
    Text(&'static str),
    /// A text of a certain form: a pattern that each right one matches, and an example.
    Pattern(&'static str, &'static str),
    /// One of these words.
    Words(Vec<&'static str>),
    Truth,
    /// A whole number from the one to the other.
    Whole(i64, i64),
    /// A number from the one to the other.
    Number(f64, f64),
    Duration(&'static str),
    /// A number of bytes, or a size as people write it.
    Size(&'static str),
    /// A condition, and what it sees.
    Condition(&'static str),
    /// A value of a fact, or the word for none; a text that is such a word in a table of its own.
    Reading,
    /// A number, duration, size, text or truth in the unit of its name.
    Threshold,
    /// A list, and the fewest that may stand in it.
    List(Box<Shape>, usize),
    Table(Table),
    /// A table whose keys people choose, and what they have to look like.
    Named(Names, Box<Shape>),
    Any(Vec<Shape>),
}

/// What keys that people choose look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// A plain name, as rules, probes and modes have.
    Plain,
    /// `probe.fact`
    Facts,
    /// Any at all.
    Any,
    /// Thresholds: plain, and their end is a unit.
    Units,
}

impl Table {
    pub(crate) fn of(says: &'static str, keys: Vec<Key>) -> Self {
        Self { says, forms: vec![Form { keys }] }
    }
}

impl Form {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }
}

/// A key that may be left out.
fn may(name: &'static str, says: &'static str, shape: Shape) -> Key {
    Key { name, says, shape, needed: false }
}

/// A key that has to be there.
fn must(name: &'static str, says: &'static str, shape: Shape) -> Key {
    Key { name, says, shape, needed: true }
}

fn list(shape: Shape) -> Shape {
    Shape::List(Box::new(shape), 0)
}

fn some(shape: Shape) -> Shape {
    Shape::List(Box::new(shape), 1)
}

fn named(table: Table) -> Shape {
    Shape::Named(Names::Plain, Box::new(Shape::Table(table)))
}
