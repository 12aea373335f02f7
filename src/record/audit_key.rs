//! Which key signs checkpoints, as the journal holds it: a key that was deleted and made anew is another one, and nobody could
//! check what was signed before with it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::{Record, Time};
use crate::record::pages::Search;
use crate::record::{Journal, JournalError, Key, KeyError, Reader, origin};

/// A key as an entry names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedKey {
    /// The entry.
    pub seq: i64,
    /// When it was written.
    pub at: String,
    /// What checks its signatures.
    pub key: String,
    /// The key before it, where it is another.
    pub before: Option<String>,
}

/// Why it is not known which key signs.
#[derive(Debug, thiserror::Error)]
pub enum AuditKeyError {
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The key cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Reader {
    /// The keys that the journal names, the oldest first.
    pub fn audit_keys(&self) -> Result<Vec<NotedKey>, JournalError> {
        let search = Search { kind: Some("audit_key".into()), limit: 1_000, ..Search::default() };
        let mut found = Vec::new();
        for entry in self.search(&search)?.into_iter().rev() {
            if let Record::AuditKey { key, before } = serde_json::from_value(entry.body)? {
                found.push(NotedKey { seq: entry.seq, at: entry.at, key, before });
            }
        }
        Ok(found)
    }
}

/// Names the key that signs from now on, where the journal does not name it yet. Answers what was written, where another one
/// signed before.
///
/// # Errors
/// The journal or the key cannot be read or written.
pub fn note_audit_key(journal: &Journal, dir: &Path, wall: Time) -> Result<Option<NotedKey>, AuditKeyError> {
    let reader = Reader::open(dir)?;
    let Some(name) = origin(&reader)? else { return Ok(None) };
    let before = reader.audit_keys()?.pop().map(|known| known.key);
    let key = Key::of(dir, &name)?.verifier().to_string();
    if before.as_ref() == Some(&key) {
        return Ok(None);
    }
    let record = Record::AuditKey { key: key.clone(), before: before.clone() };
    let seq = journal.append(wall, &[record])?;
    Ok(before.is_some().then(|| NotedKey { seq, at: wall.to_string(), key, before }))
}
