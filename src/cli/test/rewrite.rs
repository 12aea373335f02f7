//! Test files that are written anew: whole or not at all, and shown as a difference.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use similar::{ChangeTag, TextDiff};

use crate::cli::failure::Failure;
use crate::cli::out::Look;
use crate::cli::test::show::Pen;
use crate::replay::Updates;

/// Writes every file that changes.
pub(super) fn write(dir: &Path, updates: &Updates) -> Result<(), Failure> {
    for file in &updates.files {
        let path = dir.join(&file.file);
        replace(&path, &file.after).map_err(|why| Failure::File { path, why })?;
    }
    Ok(())
}

/// Puts a text where a file is: beside it first, durable, and then in its place at once.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Through a link to where the file really lies, so that the link stays one.
    let path = fs::canonicalize(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = File::create_new(&beside).and_then(|mut file| {
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&beside, &path));
    if placed.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    placed
}

/// What changed, as a difference.
pub(super) fn show(pen: Pen, updates: &Updates, text: &mut String) {
    for file in &updates.files {
        let head = format!("updated {}", file.file);
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{}", pen.paint(Look::Head, &head));
        let diff = TextDiff::from_lines(&file.before, &file.after);
        for change in diff.iter_all_changes() {
            let (sign, look) = match change.tag() {
                ChangeTag::Delete => ('-', Look::Bad),
                ChangeTag::Insert => ('+', Look::Good),
                ChangeTag::Equal => continue,
            };
            let line = format!("{sign} {}", change.value().trim_end_matches(['\n', '\r']));
            let _ = writeln!(text, "{}", pen.paint(look, &line));
        }
    }
    let _ = writeln!(text, "{} values in {} files were written anew", updates.values, updates.files.len());
}
