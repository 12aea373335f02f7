//! Where databases lie: directories and files that nobody but their owner reads.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::Access;
use rustix::io::Errno;

use crate::store::StoreError;

/// Makes the data directory where there is none, for its owner alone. One that is there stays as it is.
pub fn directory(dir: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| StoreError::Place {
        path: dir.to_owned(),
        doing: "make this directory",
        source,
    })
}

/// Whether there is a file that this user may read; if not, whose it is.
pub(super) fn readable(path: &Path) -> Result<(), StoreError> {
    match rustix::fs::access(path, Access::READ_OK) {
        Ok(()) => regular(path),
        Err(Errno::ACCESS) => Err(denied(path)),
        Err(Errno::NOENT | Errno::NOTDIR) => Err(StoreError::Missing { path: path.to_owned() }),
        Err(why) => {
            Err(StoreError::Place { path: path.to_owned(), doing: "read this file", source: why.into() })
        }
    }
}

/// Whether what is there is a file: to open a pipe would wait for ever.
pub(super) fn regular(path: &Path) -> Result<(), StoreError> {
    let is_else = std::fs::metadata(path).is_ok_and(|known| !known.is_file());
    if is_else { Err(StoreError::NoFile { path: path.to_owned() }) } else { Ok(()) }
}

/// The file, or the directory behind which it cannot be seen, is somebody else's.
fn denied(path: &Path) -> StoreError {
    let known = path.ancestors().find_map(|place| Some((place, std::fs::metadata(place).ok()?)));
    let (place, owner) = known.map_or((path, 0), |(place, known)| (place, known.uid()));
    let uid = rustix::process::getuid().as_raw();
    StoreError::Denied { path: path.to_owned(), uid, place: place.to_owned(), owner }
}

/// Makes an empty file for its owner alone, so that SQLite, which gives its side files the same mode, never
/// makes one that others can read. A file that is there stays as it is.
pub(super) fn file(path: &Path) -> Result<(), StoreError> {
    match new_file(path) {
        Err(StoreError::Place { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            regular(path)
        }
        made => made,
    }
}

/// Makes an empty file for its owner alone. One that is there is an error.
pub(super) fn new_file(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(why) if why.raw_os_error() == Some(Errno::NOSPC.raw_os_error()) => {
            Err(StoreError::Full { path: path.to_owned() })
        }
        Err(source) => Err(StoreError::Place { path: path.to_owned(), doing: "make this file", source }),
    }
}
