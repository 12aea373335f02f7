//! One Grace for one data directory: a second one is refused before it does anything.

use std::fs::File;
use std::path::Path;

use crate::supervisor::StartError;

/// Held for as long as Grace runs; the kernel gives it back even when she is killed.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "holding the open file is holding the lock")] File);

pub(super) fn take(data: &Path) -> Result<Lock, StartError> {
    let place = |source| StartError::DataDirectory { path: data.to_owned(), source };
    // The directory itself is locked, so that no file has to be kept for it.
    let directory = File::open(data).map_err(place)?;
    match directory.try_lock() {
        Ok(()) => Ok(Lock(directory)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::AlreadyRunning { path: data.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(place(source)),
    }
}
