//! Writes a set of files: all of them, or none.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::cli::terminal::failure::Failure;

/// What was made so far, so that it can be taken back.
#[derive(Debug, Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// Writes the files below the folder. Whatever is there already stays, and then nothing is written.
pub(super) fn all(dir: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    let there: Vec<String> = files
        .keys()
        .map(|name| dir.join(name))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !there.is_empty() {
        let message =
            format!("{} is there already; nothing was written. Take another directory", there.join(", "));
        return Err(Failure::Usage(message));
    }
    let mut made = Made::default();
    for (name, text) in files {
        let path = dir.join(name);
        if let Err(error) = made.write(&path, text) {
            made.take_back();
            return Err(Failure::Usage(format!(
                "cannot write {}: {error}; nothing was written",
                path.display()
            )));
        }
    }
    Ok(())
}

impl Made {
    fn write(&mut self, path: &Path, text: &str) -> io::Result<()> {
        self.folder(path.parent())?;
        // Others who could write a rule could have Grace do whatever they want.
        let mut file = File::options().write(true).create_new(true).mode(0o644).open(path)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes())
    }

    fn folder(&mut self, folder: Option<&Path>) -> io::Result<()> {
        let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) else {
            return Ok(());
        };
        self.folder(folder.parent())?;
        DirBuilder::new().mode(0o755).create(folder)?;
        self.folders.push(folder.to_owned());
        Ok(())
    }

    /// Only what was made here goes: a folder with something else in it stays.
    fn take_back(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
