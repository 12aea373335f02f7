//! What a program's file is: its digest, owner and mode. Another program in its place shows by one of these.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So much is read at a time.
const PORTION: usize = 64 * 1024;

/// A program's file at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    digest: String,
    uid: u32,
    mode: u32,
    /// Device, inode, size and times: where all of them are the same nobody has to read the file again.
    stamp: Stamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Seal {
    /// Of a larger file that is looked at every tick nobody reads the content.
    pub const LARGEST: u64 = 64 * 1024 * 1024;

    /// The seal of a file. One that is known already saves the reading where the file was not touched since.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn of(path: &Path, known: Option<&Self>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let stamp = Stamp {
            device: found.dev(),
            inode: found.ino(),
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        };
        if let Some(known) = known.filter(|known| known.stamp == stamp) {
            return Ok(known.clone());
        }
        Ok(Self { digest: digest(&mut file)?, uid: found.uid(), mode: found.mode(), stamp })
    }

    /// Is it the same program, by what it does and who can change it? When it was written says nothing.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.digest, self.uid, self.mode) == (&other.digest, other.uid, other.mode)
    }
}

fn digest(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut portion = vec![0; PORTION];
    loop {
        match file.read(&mut portion)? {
            0 => break,
            read => hash.update(portion.get(..read).unwrap_or_default()),
        }
    }
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn content_and_mode_count_and_a_touch_does_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("program");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        fs::write(&path, "one").expect("written");
        mode(0o755);
        let first = Seal::of(&path, None).expect("reads");
        assert_eq!(Seal::of(&path, Some(&first)).expect("reads"), first);
        fs::write(dir.path().join("new"), "one").expect("written");
        fs::set_permissions(dir.path().join("new"), fs::Permissions::from_mode(0o755)).expect("set");
        fs::rename(dir.path().join("new"), &path).expect("moved");
        let touched = Seal::of(&path, Some(&first)).expect("reads");
        assert!(touched != first && touched.is_same(&first), "the same program, installed anew");
        mode(0o777);
        assert!(!Seal::of(&path, Some(&touched)).expect("reads").is_same(&first), "another mode");
        mode(0o755);
        fs::write(&path, "two").expect("written");
        assert!(!Seal::of(&path, Some(&touched)).expect("reads").is_same(&first), "another content");
        assert!(Seal::of(dir.path(), None).is_err() && Seal::of(&dir.path().join("none"), None).is_err());
    }
}
