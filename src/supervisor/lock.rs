//! One Grace for one data directory: a second one is refused before it does anything.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::supervisor::StartError;

/// How long a killed process may take to end.
const DYING: Duration = Duration::from_secs(1);

/// Held for as long as Grace runs; the kernel gives it back even when she is killed.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "holding the open file is holding the lock")] File);

pub(super) fn take(data: &Path) -> Result<Lock, StartError> {
    let place = |source| StartError::DataDirectory { path: data.to_owned(), source };
    check(data).map_err(place)?;
    // The directory itself is locked, so that no file has to be kept for it.
    let directory = File::open(data).map_err(place)?;
    let mut locked = directory.try_lock();
    // A Grace that was killed just now may still be on her way out: the kernel gives the lock back at the end.
    let patience = Instant::now() + DYING;
    while matches!(locked, Err(std::fs::TryLockError::WouldBlock)) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
        locked = directory.try_lock();
    }
    match locked {
        Ok(()) => Ok(Lock(directory)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::AlreadyRunning { path: data.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(place(source)),
    }
}

/// What lies there says what Grace believes and whom she may end: nobody else may write it. Its path goes into
/// files that hold texts.
fn check(data: &Path) -> io::Result<()> {
    let refuse = |kind, says: &str| Err(io::Error::new(kind, says));
    if data.to_str().is_none() {
        return refuse(io::ErrorKind::InvalidFilename, "its path is not UTF-8; name another with `--data`");
    }
    let found = fs::metadata(data)?;
    let sticky = found.mode() & 0o1000 != 0;
    if found.mode() & 0o002 != 0 && !sticky {
        return refuse(
            io::ErrorKind::PermissionDenied,
            "everybody can write it; take the right away: chmod o-w",
        );
    }
    Ok(())
}
