//! Recorded history as a file of its own: JSON lines, the first of which says what the file is.
//!
//! It holds what a replay needs and nothing else: generations, states, ticks with their readings and what came of them.
//! It is read and written a line at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record::Recorded;

/// The version of the form. A file of a newer one is refused.
const FORMAT_VERSION: u32 = 1;

/// A longer line is none of ours: the state of 10,000 components is shorter.
const LONGEST_LINE: u64 = 256 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    grace_history: u32,
    version: String,
}

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum ExportError {
    /// It cannot be opened or read.
    #[error("cannot read {}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    /// It is something else.
    #[error("{} is no exported history: its first line is no `{{\"grace_history\":1,...}}`", path.display())]
    Foreign { path: PathBuf },
    /// A newer version of Grace wrote it.
    #[error("{} is of form {found}, and this version reads up to {FORMAT_VERSION}", path.display())]
    Newer { path: PathBuf, found: u32 },
    /// A line is not what it should be.
    #[error("{}:{line}: {says}", path.display())]
    Line { path: PathBuf, line: u64, says: String },
}

/// Writes a history, a line at a time.
pub fn export<E: From<io::Error>>(
    all: impl Iterator<Item = Result<Recorded, E>>,
    to: &mut impl Write,
) -> Result<u64, E> {
    let head = Head { grace_history: FORMAT_VERSION, version: env!("CARGO_PKG_VERSION").into() };
    line(to, &head)?;
    let mut ticks = 0;
    for recorded in all {
        let recorded = recorded?;
        ticks += u64::from(matches!(recorded, Recorded::Tick { .. }));
        line(to, &recorded)?;
    }
    to.flush()?;
    Ok(ticks)
}

fn line(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// An exported history, a line at a time.
#[derive(Debug)]
pub struct Export {
    path: PathBuf,
    file: BufReader<File>,
    line: u64,
    text: Vec<u8>,
    over: bool,
}

impl Export {
    /// Opens an export and looks at its first line.
    ///
    /// # Errors
    /// It cannot be read, is something else, or of a newer form.
    pub fn open(path: &Path) -> Result<Self, ExportError> {
        let file = File::open(path).map_err(|why| ExportError::File { path: path.to_owned(), why })?;
        let file = BufReader::with_capacity(1 << 20, file);
        let mut export = Self { path: path.to_owned(), file, line: 0, text: Vec::new(), over: false };
        let foreign = || ExportError::Foreign { path: path.to_owned() };
        // What is no text, or one endless line, is no export.
        export
            .file
            .by_ref()
            .take(4096)
            .read_until(b'\n', &mut export.text)
            .map_err(|why| ExportError::File { path: path.to_owned(), why })?;
        export.line = 1;
        let head: Head = serde_json::from_slice(&export.text).map_err(|_| foreign())?;
        if head.grace_history > FORMAT_VERSION {
            return Err(ExportError::Newer { path: path.to_owned(), found: head.grace_history });
        }
        Ok(export)
    }

    fn next_line(&mut self) -> Result<Option<Recorded>, ExportError> {
        self.text.clear();
        self.line += 1;
        let read = self.file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.text);
        read.map_err(|why| ExportError::File { path: self.path.clone(), why })?;
        if self.text.is_empty() {
            return Ok(None);
        }
        let wrong = |says: String| ExportError::Line { path: self.path.clone(), line: self.line, says };
        if self.text.last() != Some(&b'\n') {
            return Err(wrong("the line has no end: the file was cut off".into()));
        }
        let read = serde_json::from_slice(&self.text);
        read.map(Some).map_err(|why| wrong(format!("this is nothing that was recorded: {why}")))
    }
}

impl Iterator for Export {
    type Item = Result<Recorded, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_line().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
