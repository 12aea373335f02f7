//! A file that comes with all of its text, or not at all, also when whoever writes it is interrupted or killed.
//!
//! As long as it is written it has no name, so that nothing of it is left when the process ends. A file system that knows
//! no files without a name gets one under a hidden name, which the next run takes over.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat_with};

/// Writes a file and then puts it in its place, which nobody may have taken unless it is to be replaced.
pub(super) fn whole<T, E: From<io::Error>>(
    path: &Path,
    replaces: bool,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, E>,
) -> Result<T, E> {
    // What a link leads to is meant; a device or a pipe takes it as it comes.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return write(&mut BufWriter::new(File::options().write(true).open(path)?));
    }
    // Before any work, and once more when it gets its place.
    if !replaces && path.exists() {
        return Err(E::from(ErrorKind::AlreadyExists.into()));
    }
    let young = Young::open(path)?;
    let mut file = BufWriter::new(young.file.try_clone()?);
    let done = write(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    young.put(path, replaces)?;
    Ok(done)
}

/// A file that has not got its place yet. Dropped, it goes.
struct Young {
    file: File,
    /// The name it has meanwhile, where it has to have one.
    name: Option<PathBuf>,
}

impl Young {
    fn open(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let opened = openat(CWD, folder.unwrap_or(Path::new(".")), flags, Mode::from_raw_mode(0o666));
        match opened.map(File::from) {
            // It is given its name through this folder.
            Ok(file) if Path::new("/proc/self/fd").is_dir() => Ok(Self { file, name: None }),
            Ok(_) | Err(_) => Self::named(path),
        }
    }

    /// Where a file has to have a name: what an earlier run left under it is nobody's.
    fn named(path: &Path) -> io::Result<Self> {
        let name = beside(path, "")?;
        let file = File::options().write(true).create(true).truncate(false).open(&name)?;
        if file.try_lock().is_err() {
            let says = format!("{} is being written by somebody else", name.display());
            return Err(io::Error::new(ErrorKind::ResourceBusy, says));
        }
        file.set_len(0)?;
        Ok(Self { file, name: Some(name) })
    }

    fn put(mut self, path: &Path, replaces: bool) -> io::Result<()> {
        if let Some(name) = &self.name {
            let flags = if replaces { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
            return Ok(renameat_with(CWD, name, CWD, path, flags)?);
        }
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let link = |to: &Path| linkat(CWD, own.as_str(), CWD, to, AtFlags::SYMLINK_FOLLOW);
        // A link takes nobody's place; a name that moves does.
        match link(path) {
            Ok(()) => return Ok(()),
            Err(why) if !replaces => return Err(why.into()),
            Err(_) => {}
        }
        let name = beside(path, &format!(".{}", std::process::id()))?;
        link(&name)?;
        fs::rename(self.name.insert(name), path)
    }
}

impl Drop for Young {
    fn drop(&mut self) {
        // Once it has its place, nothing is here under that name.
        if let Some(name) = &self.name {
            let _ = fs::remove_file(name);
        }
    }
}

/// A hidden name in the same folder.
fn beside(path: &Path, more: &str) -> io::Result<PathBuf> {
    let mut hidden = OsString::from(".");
    hidden.push(path.file_name().ok_or(ErrorKind::InvalidInput)?);
    hidden.push(format!("{more}.new"));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let all = fs::read_dir(dir).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap());
        let mut all: Vec<String> = all.collect();
        all.sort();
        all
    }

    #[test]
    fn while_it_is_written_nothing_is_there_that_an_interruption_could_leave() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        for (text, before) in [("first", vec![]), ("second", vec!["history.jsonl"])] {
            let written: Result<_, io::Error> = whole(&path, true, |file| {
                file.write_all(text.as_bytes())?;
                file.flush()?;
                Ok(names(dir.path()))
            });
            let seen = written.unwrap();
            if seen.iter().any(|name| name == ".history.jsonl.new") {
                assert!(std::env::var_os("CI").is_none(), "no files without a name here");
                writeln!(io::stderr(), "skipped: this file system knows no files without a name").unwrap();
                return;
            }
            assert_eq!(seen, before);
            assert_eq!(
                (names(dir.path()), fs::read_to_string(&path).unwrap()),
                (vec!["history.jsonl".into()], text.into())
            );
        }
        let failed: Result<(), io::Error> = whole(&path, true, |_| Err(ErrorKind::Other.into()));
        assert!(failed.is_err());
        assert_eq!((names(dir.path()).len(), fs::read_to_string(&path).unwrap()), (1, "second".into()));
    }

    #[test]
    fn what_took_the_place_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        let written: Result<(), io::Error> = whole(&path, false, |_| fs::write(&path, "another's"));
        let again: Result<(), io::Error> = whole(&path, false, |_| panic!("before any work"));
        for result in [written, again] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        let young = Young::named(&path).unwrap();
        assert_eq!(young.put(&path, false).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((names(dir.path()).len(), fs::read_to_string(&path).unwrap()), (1, "another's".into()));
    }

    #[test]
    fn where_a_file_has_to_have_a_name_what_was_left_under_it_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        fs::write(dir.path().join(".history.jsonl.new"), "left by one that was killed, and longer").unwrap();
        let mut young = Young::named(&path).unwrap();
        assert_eq!(Young::named(&path).err().unwrap().kind(), ErrorKind::ResourceBusy);
        young.file.write_all(b"whole").unwrap();
        young.put(&path, true).unwrap();
        assert_eq!(
            (names(dir.path()), fs::read_to_string(&path).unwrap()),
            (vec!["history.jsonl".into()], "whole".into())
        );
        drop(Young::named(&path).unwrap());
        assert_eq!(names(dir.path()), ["history.jsonl"], "what is dropped goes");
    }
}
