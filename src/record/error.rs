//! What can go wrong with the journal.

use std::path::Path;

use crate::model::ActId;
use crate::store::StoreError;

/// Why the journal did not do what was asked. Whatever it was, nothing of it was written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum JournalError {
    /// The file cannot be opened, read or written.
    #[error(transparent)]
    Store(StoreError),
    /// The disk is full. When `released`, the reserve was given up just now: the next short append succeeds.
    #[error("the disk is full and the journal cannot be written: {}", until(*released))]
    Full { released: bool },
    /// The disk failed: what the last commit left on it is unknown until the journal is opened anew.
    #[error("the journal failed ({detail}): nothing acts until Grace starts anew and looks at it")]
    Broken { detail: String },
    /// A permit whose intent is not among the records: it would act unrecorded.
    #[error("act {act} has a permit and no intent; nothing was written")]
    NoIntent { act: ActId },
    /// An entry that the journal's own rules refuse.
    #[error("the journal refuses this entry: {says}")]
    Refused { says: String },
    /// A text in the journal that does not read as what it should be.
    #[error("the journal cannot be read as what it should hold: {0}")]
    Text(#[from] serde_json::Error),
    /// The same, of the entry where that is.
    #[error(
        "entry {seq} of the journal, or what was kept with it, cannot be read as what it should hold ({says}): \
         `grace audit verify` tells whether it was changed, and `grace prove` goes on behind it"
    )]
    Entry { seq: i64, says: String },
}

/// Until when nothing acts.
fn until(released: bool) -> &'static str {
    if released {
        "what comes next goes into the reserve, and once that is used up nothing acts until there is room again"
    } else {
        "nothing acts until there is room again"
    }
}

impl JournalError {
    /// Is it the full disk? Then a short append can be tried once more, and more when there is room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Is there nothing left but to stop and open the journal anew?
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Store(why) => why.is_fatal(),
            _ => false,
        }
    }
}

/// The same inside `record`, before anybody asked which file it was about.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Text(#[from] serde_json::Error),
    #[error("entry {seq}: {says}")]
    Entry { seq: i64, says: String },
    #[error("its last entry is not the one that was written last")]
    Moved,
}

impl Fault {
    /// Says in which entry something stands that is not what it should be.
    pub(super) fn at(self, seq: i64) -> Self {
        match self {
            Self::Text(why) => Self::Entry { seq, says: why.to_string() },
            // It is none of SQLite's: a column holds something else than it should.
            Self::Sql(why) if why.sqlite_error_code().is_none() => Self::Entry { seq, says: why.to_string() },
            other => other,
        }
    }

    /// Says it of the journal at `path`.
    pub(super) fn about(self, path: &Path) -> JournalError {
        let source = match self {
            Self::Text(why) => return JournalError::Text(why),
            Self::Entry { seq, says } => return JournalError::Entry { seq, says },
            Self::Moved => return JournalError::Broken { detail: self.to_string() },
            Self::Sql(source) => source,
        };
        if source.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            let says = source.to_string();
            // SQLite names the column alone.
            let says = match says.as_str() {
                "UNIQUE constraint failed: entries.act" => {
                    "such an entry stands there already for an act of this number; if the state that Grace goes on from is \
                     older than the entries, stop her and start her again: she goes on behind them"
                        .to_owned()
                }
                _ => says,
            };
            return JournalError::Refused { says };
        }
        JournalError::Store(StoreError::sorted(path, source))
    }
}
