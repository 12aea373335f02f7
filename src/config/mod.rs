//! From the files people edit to a [`Bundle`], or a report of every problem with its place.
//!
//! One pipeline serves start, `validate`, reload and tests: `files` reads the folder, `reader` keeps the
//! places of every value, `draft` learns what each file declares, `rules` and `policies` compile what speaks
//! of other files. All files are one generation: it is used whole or not at all. What files may hold stands once
//! more in `grammar`, as data, for `format` and for the schemas of editors.

mod access;
mod allow;
mod changes;
mod compile;
mod conditions;
mod controls;
mod counsel;
pub mod diff;
mod draft;
mod files;
pub mod format;
pub mod grammar;
mod known;
mod launches;
mod lint;
mod names;
mod policies;
mod probes;
pub mod promotion;
mod quantity;
pub(crate) mod reader;
mod receivers;
mod rules;
pub mod schema;
mod terms;
pub mod watch;
mod windows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use changes::{changes, files_changed};
pub use files::MAX_FILE;
pub use receivers::is_private_url;
pub use terms::terms;

use crate::engine::Bundle;
use crate::model::{GenerationId, Span};
use crate::say::{Code, Diagnostic, Report, Severity};

/// A bundle, and what somebody should look at.
#[derive(Debug)]
pub struct Loaded {
    /// The bundle.
    pub bundle: Bundle,
    /// Warnings only.
    pub report: Report,
    /// The users whom the files belong to; nothing of texts that are no files.
    pub owners: BTreeMap<String, u32>,
}

/// Loads the folder that holds `rules/` and `policies/`, wherever it lies.
///
/// # Errors
/// Every problem at once, with its place and its mend.
pub fn load(dir: &Path) -> Result<Loaded, Box<Report>> {
    Folder::anywhere(dir).compile(None)
}

/// The texts of a folder, as they were read at once.
#[derive(Debug)]
pub struct Folder {
    texts: files::Texts,
    problems: Vec<Diagnostic>,
    /// They are files of people, and not a generation that ran.
    young: bool,
    owners: BTreeMap<String, u32>,
}

impl Folder {
    /// Reads the rule and policy files where they only are looked at. Whose they are and who can write them is a matter
    /// of the machine on which Grace runs: a checkout belongs to whoever made it.
    #[must_use]
    pub fn anywhere(dir: &Path) -> Self {
        let mut folder = Self::read(dir);
        folder.problems.retain(|found| !matches!(found.code, Code::UnsafeFile | Code::GroupWritable));
        folder
    }

    /// Reads the rule and policy files where they say what Grace does.
    #[must_use]
    pub fn read(dir: &Path) -> Self {
        let mut problems = Vec::new();
        let texts = files::read(dir, files::Wanted::Generation, &mut problems);
        let owners = files::owners(dir, &texts);
        Self { texts, problems, young: true, owners }
    }

    /// Can somebody write one of them, or their folders, who should not?
    #[must_use]
    pub fn is_unsafe(&self) -> bool {
        self.problems.iter().any(|found| found.code == Code::UnsafeFile)
    }

    /// What keeps these files from being used, whatever they say: what could not be read, and what others could have
    /// written.
    #[must_use]
    pub fn unfit(&self) -> Option<Report> {
        let errors = self.problems.iter().filter(|found| found.severity == Severity::Error);
        let mut report = Report { diagnostics: errors.cloned().collect(), texts: self.texts.clone() };
        report.tidy();
        report.is_fatal().then_some(report)
    }

    /// Texts that were read before: from the journal. They ran, so nobody asks what they can mean.
    #[must_use]
    pub fn of(files: &BTreeMap<String, String>) -> Self {
        let texts = files.iter().map(|(name, text)| (name.as_str().into(), text.as_str().into())).collect();
        Self { texts, problems: Vec::new(), young: false, owners: BTreeMap::new() }
    }

    /// Texts that somebody sent: looked at as files of people are, their names and their length included.
    #[must_use]
    pub fn sent(files: &BTreeMap<String, String>) -> Self {
        Self { young: true, problems: files::sent(files), ..Self::of(files) }
    }

    /// The digest that names the generation these texts would be.
    #[must_use]
    pub fn digest(&self) -> GenerationId {
        compile::digest(&self.texts)
    }

    /// The texts by name, as a generation holds them.
    #[must_use]
    pub fn into_files(self) -> BTreeMap<String, String> {
        self.texts.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
    }

    /// The names of the files that could be read.
    fn names(&self) -> Vec<Arc<str>> {
        self.texts.keys().cloned().collect()
    }

    /// What makes another look worth while: the digest, and what is wrong with the files themselves, such as
    /// who can write them.
    fn signature(&self) -> (GenerationId, Vec<Diagnostic>) {
        (self.digest(), self.problems.clone())
    }

    /// The digest of one file alone.
    fn digest_of(&self, name: &str) -> Option<GenerationId> {
        let (name, text) = self.texts.get_key_value(name)?;
        Some(compile::digest(&std::iter::once((Arc::clone(name), Arc::clone(text))).collect()))
    }

    /// Makes the bundle; `active` are the files that it would replace.
    ///
    /// # Errors
    /// Every problem at once, with its place and its mend.
    pub fn compile(self, active: Option<&BTreeMap<String, String>>) -> Result<Loaded, Box<Report>> {
        let found = reader::Problems::default();
        if let Some(active) = active {
            compile::check_cut_off(&self.texts, active, &found);
        }
        let unread = self.problems.iter().any(|found| {
            found.severity == Severity::Error
                && found.place.as_ref().is_none_or(|place| !self.texts.contains_key(&place.file))
        });
        let bundle = compile::compile(&self.texts, (unread, self.young), &found);
        let mut report = Report { diagnostics: self.problems, texts: self.texts };
        report.diagnostics.extend(found.take());
        if self.young {
            allow::apply(&report.texts, &mut report.diagnostics);
        }
        report.tidy();
        match bundle {
            Some(bundle) if !report.is_fatal() => Ok(Loaded { bundle, report, owners: self.owners }),
            _ => Err(Box::new(report)),
        }
    }
}

/// The test files beside the rules, by name; unreadable ones are problems.
#[must_use]
pub fn test_files(dir: &Path) -> (BTreeMap<Arc<str>, Arc<str>>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let texts = files::read(dir, files::Wanted::Tests, &mut problems);
    (texts, problems)
}

/// The files that a path names: a configuration folder's, a folder's, or the one file.
///
/// # Errors
/// Why there are none, as a sentence.
pub fn rule_files(path: &Path) -> Result<Vec<PathBuf>, String> {
    files::named(path)
}

/// A duration as people write it: `30s`, `2m`, `1h 30m`.
#[must_use]
pub fn duration(text: &str) -> Option<Span> {
    quantity::duration(text)
}

/// How long the files of a generation keep readings; none where they cannot be read.
#[must_use]
pub fn retention(files: &BTreeMap<String, String>) -> Option<Span> {
    let default = policies::default_system().retention;
    let Some(text) = files.get("policies/system.toml") else { return Some(default) };
    let table: toml::Table = text.parse().ok()?;
    table.get("retention").map_or(Some(default), |item| duration(item.as_str()?))
}
