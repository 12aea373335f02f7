//! `--fix`: writes the safe mends of a directory's problems into its files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::checking::places;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::replace::replace;
use crate::config;
use crate::say::{self, Code, Report};

/// A mend can uncover another problem that can be mended as well; this often, and no more.
const ROUNDS: usize = 5;

/// Mends what can only be meant in one way, and says which files changed.
pub(super) fn mend(dir: &Path, only: &BTreeSet<String>, out: Out) -> Result<(), Failure> {
    let mut mended = BTreeSet::new();
    let done = rounds(dir, only, &mut mended);
    for path in mended {
        out.talk(format_args!("mended {}", path.display()));
    }
    done
}

fn rounds(dir: &Path, only: &BTreeSet<String>, mended: &mut BTreeSet<PathBuf>) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        let mut report = report(dir);
        let broken = unreadable(&report);
        places::only(&mut report, only);
        let fixed = say::fixed(&report);
        if fixed.is_empty() {
            break;
        }
        let mut files = config::Folder::read(dir).into_files();
        files.extend(fixed.iter().map(|(name, text)| (name.to_string(), text.clone())));
        let after =
            config::Folder::of(&files).compile(None).map_or_else(|report| *report, |loaded| loaded.report);
        // It may uncover what it hid; but what could be read has to stay readable.
        if unreadable(&after) > broken {
            break;
        }
        for (name, text) in &fixed {
            let path = dir.join(&**name);
            // Somebody saved it meanwhile: theirs is the newer text.
            let read = report.texts.get(name).map(|text| text.as_bytes());
            if std::fs::read(&path).ok().as_deref() != read {
                return Err(Failure::Usage(format!(
                    "{} changed meanwhile; nothing was mended in it",
                    path.display()
                )));
            }
            replace(&path, text.as_bytes()).map_err(|why| Failure::File { path: path.clone(), why })?;
            mended.insert(path);
        }
    }
    Ok(())
}

fn report(dir: &Path) -> Report {
    config::load(dir).map_or_else(|report| *report, |loaded| loaded.report)
}

/// What is no TOML, so that nothing else was looked at.
fn unreadable(report: &Report) -> usize {
    report.diagnostics.iter().filter(|found| found.code == Code::Syntax).count()
}
