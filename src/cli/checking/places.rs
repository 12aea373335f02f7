//! Paths as people name them: configuration directories, the folders in them, or single files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::terminal::failure::Failure;
use crate::say::{Diagnostic, Place, Report, Severity};

/// The configuration directories that the paths mean, with the files that are wanted of each; none means all.
pub(super) fn sort(
    paths: &[PathBuf],
    default: &Path,
) -> Result<BTreeMap<PathBuf, BTreeSet<String>>, Failure> {
    let mut places: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    let mut whole = BTreeSet::new();
    let default = [default.to_owned()];
    for path in if paths.is_empty() { &default } else { paths } {
        let (dir, wanted) = of(path)?;
        let files = places.entry(dir.clone()).or_default();
        if let Some(wanted) = wanted {
            files.insert(wanted);
        } else {
            whole.insert(dir);
        }
    }
    for dir in whole {
        places.insert(dir, BTreeSet::new());
    }
    Ok(places)
}

/// The configuration directory of a path, and the folder or file in it that is meant.
fn of(path: &Path) -> Result<(PathBuf, Option<String>), Failure> {
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let folder = |path: &Path| name(path).filter(|name| ["rules", "policies"].contains(&name.as_str()));
    let above = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => path.to_owned(),
    };
    if path.is_dir() {
        return Ok(match folder(path).filter(|_| !path.join("rules").is_dir()) {
            Some(folder) => (above(path), Some(format!("{folder}/"))),
            None => (path.to_owned(), None),
        });
    }
    let within =
        path.parent().filter(|_| path.is_file()).and_then(|parent| Some((folder(parent)?, above(parent))));
    match (within, name(path)) {
        (Some((folder, dir)), Some(name)) => Ok((dir, Some(format!("{folder}/{name}")))),
        _ if path.is_file() => {
            Err(Failure::Usage(format!("{} lies neither in `rules/` nor in `policies/`", path.display())))
        }
        _ if !path.exists() && path.extension().is_some_and(|end| end == "toml") => {
            Err(Failure::Usage(format!("there is no file {}", path.display())))
        }
        // What is not there is said with the words for a folder that cannot be read.
        _ => Ok((path.to_owned(), None)),
    }
}

/// Keeps what is said of the wanted files, and of no file at all. Errors stay wherever they are: with one of them
/// the whole set is not used.
pub(super) fn keep(report: &mut Report, only: &BTreeSet<String>) {
    retain(report, only, |found| found.severity == Severity::Error);
}

/// Keeps what is said of the wanted files alone.
pub(super) fn only(report: &mut Report, only: &BTreeSet<String>) {
    retain(report, only, |_| false);
}

fn retain(report: &mut Report, only: &BTreeSet<String>, besides: impl Fn(&Diagnostic) -> bool) {
    let wanted = |place: &Place| {
        only.iter()
            .any(|name| *place.file == **name || name.ends_with('/') && place.file.starts_with(&**name))
    };
    if !only.is_empty() {
        report.diagnostics.retain(|found| found.place.as_ref().is_none_or(wanted) || besides(found));
    }
}

/// One report of several directories; `whole` names each file with its directory, as it is found from here.
pub(super) fn joined<'r>(reports: impl Iterator<Item = (&'r Path, &'r Report)>, whole: bool) -> Report {
    let mut all = Report::default();
    for (dir, report) in reports {
        let name = |file: &Arc<str>| match dir.to_str() {
            Some(dir) if whole && dir != "." => {
                format!("{}/{}", dir.trim_end_matches('/'), file.trim_start_matches("./")).into()
            }
            _ => Arc::clone(file),
        };
        all.diagnostics.extend(report.diagnostics.iter().map(|found| renamed(found, name)));
        all.texts.extend(report.texts.iter().map(|(file, text)| (name(file), Arc::clone(text))));
    }
    all
}

fn renamed(found: &Diagnostic, name: impl Fn(&Arc<str>) -> Arc<str>) -> Diagnostic {
    let mut found = found.clone();
    let edits = found.fix.iter_mut().flat_map(|fix| &mut fix.edits).map(|edit| &mut edit.place);
    found.place.iter_mut().chain(edits).for_each(|place| place.file = name(&place.file));
    found
}
