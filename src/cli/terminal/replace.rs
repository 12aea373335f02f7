//! Replaces a file at once: whoever reads it sees the old text or the new one, never a part.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use nix::sys::signal::{SIGHUP, SIGINT, SIGTERM, SigSet};

/// Does something that must not be left half done. Whoever ends Grace meanwhile (Ctrl-C) ends her once it is done.
pub(in crate::cli) fn whole<T>(work: impl FnOnce() -> T) -> T {
    let ends: SigSet = [SIGINT, SIGTERM, SIGHUP].into_iter().collect();
    let before = SigSet::thread_get_mask().ok();
    let blocked = ends.thread_block().is_ok();
    let done = work();
    if let Some(before) = before.filter(|_| blocked) {
        // It was allowed a moment ago; what waited comes now.
        let _ = before.thread_set_mask();
    }
    done
}

/// Writes the bytes in the place of the file. A link stays and its target is replaced; owner and rights stay.
pub(in crate::cli) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What is not there is not replaced.
    fs::metadata(path)?;
    let target = whole(|| Staged::write(path, bytes)?.put())?;
    File::open(target.parent().unwrap_or(&target))?.sync_all()
}

/// A new text that is durable under a hidden name beside its place, and has not got it yet. Dropped, it goes.
#[derive(Debug)]
pub(in crate::cli) struct Staged {
    beside: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// Writes the text for this place. A new file has the owner of its folder.
    pub(in crate::cli) fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let before = match fs::metadata(path) {
            Ok(before) => Some(before),
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => return Err(why),
        };
        let target = if before.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
        let staged = Self { beside: beside(&target)?, target };
        staged.fill(bytes, before.as_ref())?;
        Ok(staged)
    }

    /// Gives it its place, and says which that is.
    pub(in crate::cli) fn put(self) -> io::Result<PathBuf> {
        fs::rename(&self.beside, &self.target)?;
        Ok(self.target.clone())
    }

    fn fill(&self, bytes: &[u8], before: Option<&fs::Metadata>) -> io::Result<()> {
        let mut file = File::options().write(true).create_new(true).open(&self.beside)?;
        let owner = match (before, self.target.parent()) {
            (Some(before), _) => (before.uid(), before.gid()),
            (None, Some(folder)) => fs::metadata(folder).map(|folder| (folder.uid(), folder.gid()))?,
            (None, None) => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != owner {
            fchown(&file, Some(owner.0), Some(owner.1))?;
        }
        // After the owner: a change of owner takes rights away.
        if let Some(before) = before {
            file.set_permissions(before.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // The old file is untouched, and of the new one nobody wants a half. Once it has its place nothing is here.
        let _ = fs::remove_file(&self.beside);
    }
}

/// A name in the same folder that no rule file can have, and that is left out when the folder is read.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    Ok(target.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_grace_waits_until_nothing_is_half_done() {
        let blocked = || SigSet::thread_get_mask().is_ok_and(|mask| mask.contains(SIGINT));
        assert!(!blocked());
        assert!(whole(blocked) && whole(|| whole(blocked)));
        assert!(!blocked(), "and comes then");
    }
}
