//! `--fix`: writes the safe mends of a directory's problems into its files.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::config;
use crate::say::{self, Report, Severity};

/// A mend can uncover another problem that can be mended as well; this often, and no more.
const ROUNDS: usize = 5;

/// Mends what can only be meant in one way, and says which files changed.
pub(super) fn mend(dir: &Path, out: Out) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        let report = report(dir);
        let fixed = say::fixed(&report);
        if fixed.is_empty() {
            break;
        }
        let mut files = config::Folder::read(dir).into_files();
        files.extend(fixed.iter().map(|(name, text)| (name.to_string(), text.clone())));
        let after =
            config::Folder::of(&files).compile(None).map_or_else(|report| *report, |loaded| loaded.report);
        // A mend that makes nothing better was none.
        if problems(&after) >= problems(&report) {
            break;
        }
        for (name, text) in &fixed {
            let path = dir.join(&**name);
            replace(&path, text).map_err(|why| Failure::File { path: path.clone(), why })?;
            out.talk(format_args!("mended {}", path.display()));
        }
    }
    Ok(())
}

fn report(dir: &Path) -> Report {
    config::load(dir).map_or_else(|report| *report, |loaded| loaded.report)
}

fn problems(report: &Report) -> usize {
    report.count(Severity::Error) + report.count(Severity::Warning)
}

/// Puts a new text in the place of a file at once, with its permissions: whoever follows the files never sees half.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays a link; what it leads to is replaced.
    let path = fs::canonicalize(path)?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let young = dir.join(format!(".{name}.{}.new", std::process::id()));
    let written = write_new(&young, text, &path).and_then(|()| fs::rename(&young, &path));
    if written.is_err() {
        let _ = fs::remove_file(&young);
    }
    written
}

fn write_new(young: &Path, text: &str, like: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(young)?;
    file.write_all(text.as_bytes())?;
    let like = fs::metadata(like)?;
    // Only root can give a file away, and whoever owns it may not need to.
    let _ = std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()));
    file.set_permissions(like.permissions())?;
    file.sync_all()
}
