//! Test files that are written anew: whole or not at all, and shown as a difference.

use std::fmt::Write;
use std::path::Path;

use similar::TextDiff;

use crate::cli::checking::test::show::Pen;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Look;
use crate::cli::terminal::replace::replace;
use crate::replay::Updates;
use crate::say;

/// Writes every file that changes.
pub(super) fn write(dir: &Path, updates: &Updates) -> Result<(), Failure> {
    for file in &updates.files {
        let path = dir.join(&file.file);
        replace(&path, file.after.as_bytes()).map_err(|why| Failure::File { path, why })?;
    }
    Ok(())
}

/// What changed, as `diff -u` writes it.
pub(super) fn show(pen: Pen, updates: &Updates, text: &mut String) {
    for file in &updates.files {
        let diff = TextDiff::from_lines(file.before.as_str(), file.after.as_str());
        let unified = diff.unified_diff().context_radius(0).header(&file.file, &file.file).to_string();
        for line in unified.lines() {
            let look = match line.chars().next() {
                Some('-') => Look::Bad,
                Some('+') => Look::Good,
                Some('@') => Look::Dim,
                _ => Look::Plain,
            };
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "{}", pen.paint(look, line));
        }
    }
    for left in &updates.left {
        let _ = writeln!(text, "left alone: {}", say::plain(left));
    }
    let _ = writeln!(text, "written anew: values {}, files {}", updates.values, updates.files.len());
}
