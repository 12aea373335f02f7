//! Which history a rehearsing verb goes by: the journal, or a file.

use std::path::Path;

use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::record::Reader;
use crate::replay::History;

/// The history that was named, or else the journal of the data directory.
pub(super) fn open(file: Option<&Path>, shared: &Shared, out: Out) -> Result<History, Failure> {
    let Some(file) = file else { return Ok(History::Journal(Reader::open(&shared.data)?)) };
    let history = History::open(file)?;
    if let Some(warning) = history.warning() {
        out.talk(format_args!("grace: warning: {warning}"));
    }
    Ok(history)
}
