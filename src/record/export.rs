//! Recorded history as a file of its own: JSON lines.
//!
//! The first line says what the file is: `{"grace_history":2,"version":...}`. Then comes what a replay needs and nothing
//! else, a thing on each line: generations, states, ticks with their readings and what came of them. The last line is
//! `{"end":{"lines":...,"seq":...,"head":...}}`: how many lines are before it, and the entry of the journal up to which
//! everything is there, with its hash in the chain. A file without it was cut short. The first form of the file had no
//! such line; it is read, and nobody can say whether it is whole.
//!
//! It is read and written a line at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record::{Recorded, once};

/// The version of the form. A file of a newer one is refused.
const FORMAT_VERSION: u32 = 2;

/// From this form on there is a last line.
const WITH_END: u32 = 2;

/// How the last line begins.
const END: &[u8] = b"{\"end\":";

/// A longer line is none of ours: the state of 10,000 components is shorter.
const LONGEST_LINE: u64 = 256 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct First {
    grace_history: u32,
    version: String,
}

/// The last entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number; 0 where there is none.
    pub seq: i64,
    /// Its hash, in hex.
    #[serde(rename = "head")]
    pub hash: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Last {
    end: End,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    lines: u64,
    #[serde(flatten)]
    head: Head,
}

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum ExportError {
    /// It cannot be opened or read.
    #[error("cannot read {}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    /// It is something else.
    #[error("{} is no exported history: its first line is no `{{\"grace_history\":2,...}}`", path.display())]
    Foreign { path: PathBuf },
    /// A newer version of Grace wrote it.
    #[error("{} is of form {found}, and this version reads up to {FORMAT_VERSION}", path.display())]
    Newer { path: PathBuf, found: u32 },
    /// It ends before its end.
    #[error(
        "{} is cut short after line {lines}: its last line, which says how many there are, is missing; export it again",
        path.display()
    )]
    Cut { path: PathBuf, lines: u64 },
    /// Something is left out, or was added.
    #[error(
        "{} holds {found} lines, and its last one says that there were {lines}: it was changed; export it again",
        path.display()
    )]
    Lines { path: PathBuf, lines: u64, found: u64 },
    /// A line is not what it should be.
    #[error("{}:{line}: {says}", path.display())]
    Line { path: PathBuf, line: u64, says: String },
}

/// Writes a history, a line at a time; it holds at least what a journal with this head holds.
pub fn export<E: From<io::Error>>(
    all: impl Iterator<Item = Result<Recorded, E>>,
    head: Head,
    to: &mut impl Write,
) -> Result<u64, E> {
    line(to, &First { grace_history: FORMAT_VERSION, version: env!("CARGO_PKG_VERSION").into() })?;
    let (mut ticks, mut lines) = (0, 1);
    for recorded in all {
        let recorded = recorded?;
        ticks += u64::from(matches!(recorded, Recorded::Tick { .. }));
        lines += 1;
        line(to, &recorded)?;
    }
    line(to, &Last { end: End { lines, head } })?;
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
    /// It has a last line.
    ends: bool,
    /// The entry of the last thing, since there was a state to go on from.
    last: Option<i64>,
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
        let mut export = Self {
            path: path.to_owned(),
            file,
            line: 0,
            text: Vec::new(),
            ends: true,
            last: None,
            over: false,
        };
        let foreign = || ExportError::Foreign { path: path.to_owned() };
        // What is no text, or one endless line, is no export.
        export
            .file
            .by_ref()
            .take(4096)
            .read_until(b'\n', &mut export.text)
            .map_err(|why| ExportError::File { path: path.to_owned(), why })?;
        export.line = 1;
        let head: First = serde_json::from_slice(&export.text).map_err(|_| foreign())?;
        if head.grace_history > FORMAT_VERSION {
            return Err(ExportError::Newer { path: path.to_owned(), found: head.grace_history });
        }
        export.ends = head.grace_history >= WITH_END;
        Ok(export)
    }

    /// Can its end be told from a place at which it was cut off? Of a file of the first form it cannot.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.ends
    }

    fn next_line(&mut self) -> Result<Option<Recorded>, ExportError> {
        self.read()?;
        if self.text.is_empty() && self.ends {
            return Err(ExportError::Cut { path: self.path.clone(), lines: self.line - 1 });
        }
        if self.text.is_empty() {
            return Ok(None);
        }
        if self.ends && self.text.starts_with(END) {
            return self.end().map(|()| None);
        }
        let (path, line) = (&self.path, self.line);
        let wrong = |says: String| ExportError::Line { path: path.clone(), line, says };
        if self.text.last() != Some(&b'\n') {
            return Err(wrong("the line has no end: the file was cut off".into()));
        }
        let nothing = |why: String| wrong(format!("this is nothing that was recorded: {why}"));
        let text = std::str::from_utf8(&self.text).map_err(|why| nothing(why.to_string()))?;
        let read: Recorded = serde_json::from_str(text).map_err(|why| nothing(why.to_string()))?;
        once::keys(text).map_err(|why| nothing(why.to_string()))?;
        match misplaced(&mut self.last, &read) {
            Some(says) => Err(wrong(says)),
            None => Ok(Some(read)),
        }
    }

    /// Reads a line; at the end of the file there is none.
    fn read(&mut self) -> Result<(), ExportError> {
        self.text.clear();
        self.line += 1;
        let read = self.file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.text);
        read.map(|_| ()).map_err(|why| ExportError::File { path: self.path.clone(), why })
    }

    /// Is the last line right, and the last?
    fn end(&mut self) -> Result<(), ExportError> {
        let path = || self.path.clone();
        let (line, before) = (self.line, self.line - 1);
        let Last { end: End { lines, .. } } = serde_json::from_slice(&self.text).map_err(|_| {
            // Half of it is no more than none.
            ExportError::Cut { path: path(), lines: before }
        })?;
        if lines != before {
            return Err(ExportError::Lines { path: path(), lines, found: before });
        }
        self.read()?;
        if self.text.is_empty() {
            return Ok(());
        }
        let says = format!("line {line} is the last one of an export, and more follows");
        Err(ExportError::Line { path: self.path.clone(), line: self.line, says })
    }
}

/// Says that something does not stand where it was recorded. What says under whom an export begins is older than it.
fn misplaced(last: &mut Option<i64>, read: &Recorded) -> Option<String> {
    let (seq, is_tick) = match read {
        Recorded::Tick { seq, .. } | Recorded::Expired { seq, .. } => (*seq, true),
        Recorded::Adopted { seq, .. } | Recorded::Checkpoint { seq, .. } => (*seq, false),
        Recorded::Started { seq, .. } | Recorded::Generation { seq, .. } => {
            (*last)?;
            (*seq, false)
        }
    };
    let last = last.replace(seq)?;
    // A state is kept with the last entry before it; each tick has an entry of its own.
    let follows = if is_tick { seq > last } else { seq >= last };
    (!follows).then(|| {
        format!("entry {seq} stands behind entry {last}: lines were put into another order; export it again")
    })
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
