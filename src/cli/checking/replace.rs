//! Replaces a file at once: whoever reads it sees the old text or the new one, never a part.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

/// Writes the bytes in the place of the file. A link stays and its target is replaced; owner and rights stay.
pub(in crate::cli) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path)?;
    let before = fs::metadata(&target)?;
    let beside = beside(&target)?;
    let written = write(&beside, bytes, &before).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        // The old file is untouched, and of the new one nobody wants a half.
        let _ = fs::remove_file(&beside);
    }
    written?;
    File::open(target.parent().unwrap_or(&target))?.sync_all()
}

/// A name in the same folder that no rule file can have, and that is left out when the folder is read.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    Ok(target.with_file_name(hidden))
}

fn write(path: &Path, bytes: &[u8], before: &fs::Metadata) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        fchown(&file, Some(before.uid()), Some(before.gid()))?;
    }
    // After the owner: a change of owner takes rights away.
    file.set_permissions(before.permissions())?;
    file.write_all(bytes)?;
    file.sync_all()
}
