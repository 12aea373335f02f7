//! The witness: a small file beside the journal that names its last entry.
//!
//! An older copy of a journal is a whole journal: nothing inside it tells that it is old. So the last entry's
//! number and hash are kept outside as well, rewritten after each commit. It is not synchronised: after a power
//! loss it may lag behind the journal, which names an entry that is there all the same, and it is never ahead.
//! After a kill -9 it is exact.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::record::chain::{Hash, unhex};

/// Its name in the data directory.
pub(super) const FILE: &str = "journal.head";

/// It always has the same length, so that it is rewritten in place, with one write and without new blocks: a full
/// disk does not hinder it.
const LENGTH: usize = 20 + 1 + 64 + 1;

/// The witness of one data directory.
#[derive(Debug)]
pub(super) struct Witness {
    path: PathBuf,
    /// That it cannot be written is said once.
    failed: bool,
}

impl Witness {
    pub(super) fn of(dir: &Path) -> Self {
        Self { path: dir.join(FILE), failed: false }
    }

    /// The entry it names. What is no witness names none, and stops nobody.
    pub(super) fn read(&self) -> Option<(i64, Hash)> {
        let mut text = String::new();
        let file = self.open(OpenOptions::new().read(true)).ok()?;
        file.take(LENGTH as u64).read_to_string(&mut text).ok()?;
        parse(&text)
    }

    /// Names another entry.
    pub(super) fn note(&mut self, seq: i64, hash: &Hash) {
        match self.write(seq, hash) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                let path = self.path.display();
                tracing::warn!(%error, %path, "the journal's witness cannot be written");
            }
            Err(_) => {}
        }
    }

    /// The same, and on the disk when this returns.
    pub(super) fn seal(&self, seq: i64, hash: &Hash) -> io::Result<()> {
        self.write(seq, hash)?;
        self.open(OpenOptions::new().read(true))?.sync_all()
    }

    fn write(&self, seq: i64, hash: &Hash) -> io::Result<()> {
        let mut text = Vec::with_capacity(LENGTH);
        writeln!(text, "{seq:020} {}", hex::encode(hash))?;
        let file = self.open(OpenOptions::new().write(true).create(true).truncate(false).mode(0o600))?;
        file.write_all_at(&text, 0)?;
        if file.metadata()?.len() == text.len() as u64 { Ok(()) } else { file.set_len(text.len() as u64) }
    }

    /// Opens it, if it is a plain file: a pipe would be waited for, and a link leads elsewhere.
    fn open(&self, options: &mut OpenOptions) -> io::Result<File> {
        let careful = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = options.custom_flags(careful).open(&self.path)?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

fn parse(text: &str) -> Option<(i64, Hash)> {
    let (seq, hash) = text.trim_end().split_once(' ')?;
    let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
    Some((seq, unhex(hash)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_what_it_was_told_last() {
        let dir = tempfile::tempdir().unwrap();
        let mut witness = Witness::of(dir.path());
        assert_eq!(witness.read(), None);
        for (seq, hash) in [(1, [1; 32]), (i64::MAX, [0xfe; 32]), (70, [7; 32])] {
            witness.note(seq, &hash);
            assert_eq!(witness.read(), Some((seq, hash)));
        }
        assert_eq!(std::fs::metadata(dir.path().join(FILE)).unwrap().len(), LENGTH as u64);
    }

    #[test]
    fn garbage_names_nothing_and_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let long = format!("{:020} {}", 5, "zz".repeat(32));
        let huge = "9".repeat(100_000);
        for garbage in ["", "\0\0\0", "5", "5 5", &long, &huge, "-1 ".repeat(40).as_str()] {
            std::fs::write(&file, garbage).unwrap();
            let mut witness = Witness::of(dir.path());
            assert_eq!(witness.read(), None, "{garbage:.20}");
            witness.note(3, &[3; 32]);
            assert_eq!(witness.read(), Some((3, [3; 32])), "{garbage:.20}");
        }
    }

    #[test]
    fn what_is_no_plain_file_hinders_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let elsewhere = dir.path().join("elsewhere");
        let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        let mut witness = Witness::of(dir.path());
        witness.note(3, &[3; 32]);
        assert_eq!(witness.read(), None);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        witness.note(3, &[3; 32]);
        assert!(witness.read().is_none() && !elsewhere.exists());
    }
}
