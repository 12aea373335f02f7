//! The file named STOP in the data directory. It is an input of each step, and comes and goes between two of them: whoever
//! asks what may happen now looks at it then.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::model::Time;

/// Where it lies.
pub(super) fn file(data: &Path) -> PathBuf {
    data.join("STOP")
}

/// Since when it is as it is.
pub(super) fn since(path: &Path) -> Option<Time> {
    let written = path.symlink_metadata().and_then(|found| found.modified()).ok()?;
    let since = written.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Time)
}

/// Whatever keeps us from knowing that there is none counts as one.
pub(super) fn is_set(path: &Path) -> bool {
    !matches!(path.symlink_metadata(), Err(error) if error.kind() == ErrorKind::NotFound)
}
