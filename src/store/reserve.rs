//! The reserve: room that Grace keeps for herself, so that she can still write down that the disk is full.
//!
//! It is a file of real blocks beside the databases. When the disk is full it is deleted, and what it held
//! is enough for the last words; when there is room again it is made anew.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The size of the reserve in bytes: some hundred entries with their pages in the log and in the file.
const SIZE_BYTES: usize = 1 << 20;

/// So much more than its size has to be free before it is made anew; otherwise the reserve itself would
/// fill the disk again.
const ROOM_FACTOR: u64 = 8;

/// The reserve of one data directory.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// The reserve of this directory, whether it is there yet or not.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self { path: dir.join("reserve") }
    }

    /// Is it there?
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.path.exists()
    }

    /// Gives the room back to the disk. True when there was something to give.
    pub fn release(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Makes it where it is missing and the disk has room to spare. True when it is there afterwards.
    pub fn keep(&self) -> io::Result<bool> {
        if self.is_kept() {
            return Ok(true);
        }
        if !self.has_room()? {
            return Ok(false);
        }
        let young = self.path.with_extension("new");
        fill(&young).and_then(|()| fs::rename(&young, &self.path)).inspect_err(|_| {
            // Half a reserve is only a smaller disk.
            let _ = fs::remove_file(&young);
        })?;
        Ok(true)
    }

    fn has_room(&self) -> io::Result<bool> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let disk = rustix::fs::statvfs(dir)?;
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(free_bytes >= ROOM_FACTOR * SIZE_BYTES as u64)
    }
}

/// Writes every block, with bytes no file system can squeeze or skip: a hole would keep no room.
fn fill(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = Vec::with_capacity(SIZE_BYTES);
    while block.len() < SIZE_BYTES {
        // xorshift: any bytes will do that do not repeat.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        block.extend_from_slice(&seed.to_le_bytes());
    }
    file.write_all(&block)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn it_holds_real_blocks_and_comes_back_after_its_release() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        assert!(reserve.keep().unwrap());
        let file = fs::metadata(dir.path().join("reserve")).unwrap();
        assert!(file.blocks() * 512 >= SIZE_BYTES as u64, "{} blocks", file.blocks());
        assert_eq!(file.mode() & 0o777, 0o600);
        assert!(reserve.release().unwrap());
        assert!(!reserve.release().unwrap(), "there is nothing left to give");
        assert!(reserve.keep().unwrap());
        assert!(reserve.is_kept());
    }
}
