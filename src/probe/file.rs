//! The kind `file`: is it there, how old and large is it, and is it another one than before?

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Reading, Span, Time};
use crate::probe::Found;
use crate::services::Seal;

/// What was changed is told for so long: as long as signals of an attack are looked at together.
const TOLD: Span = Span::minutes(60);

/// Where it is written down what was seen, so that a change over a restart of Grace is one as well.
const FILE: &str = "files.json";

/// What each probe saw last.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Where it is written down; without it they are remembered as long as Grace lives.
    written: Option<PathBuf>,
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// What a file was like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    path: String,
    seal: Seal,
    /// When it was another one than at the look before, by the wall clock.
    changed: Option<Time>,
}

impl Files {
    /// Remembers in the data directory what was seen.
    pub(super) fn in_folder(data: &Path) -> Self {
        let written = data.join(FILE);
        let seen = fs::read(&written).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { written: Some(written), seen: Mutex::new(seen.unwrap_or_default()) }
    }

    /// Looks at a file. It may hang, on a network's disk: then the look is late, and nobody waits for it.
    pub(super) fn look(&self, (component, probe): (&ComponentId, &str), path: &str, now: Time) -> Found {
        let key = format!("{component}/{probe}");
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if is_missing(&error) => return Ok(missing(self.told(&key, path, now))),
            Err(error) => return Err(format!("{path}: {error}")),
        };
        if !found.is_file() {
            return Err(format!("{path} is no regular file"));
        }
        let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        let changed =
            if found.len() > Seal::LARGEST { Reading::Missing } else { self.changed(&key, path, now)? };
        #[expect(clippy::cast_precision_loss, reason = "nobody counts the bytes of so large a file")]
        let size = found.len() as f64;
        Ok(BTreeMap::from([
            ("exists".to_owned(), true.into()),
            // One that was written in the future is new.
            ("age_s".to_owned(), Reading::float(age.unwrap_or_default().as_secs_f64())),
            ("size_bytes".to_owned(), Reading::float(size)),
            ("file_changed".to_owned(), changed),
        ]))
    }

    fn changed(&self, key: &str, path: &str, now: Time) -> Result<Reading, String> {
        let before = self.lock().get(key).filter(|seen| seen.path == path).cloned();
        let seal = Seal::of(Path::new(path), before.as_ref().map(|before| &before.seal));
        let seal = seal.map_err(|error| format!("{path}: {error}"))?;
        let other = before.as_ref().is_some_and(|before| !before.seal.is_same(&seal));
        let changed = if other { Some(now) } else { before.as_ref().and_then(|before| before.changed) };
        let seen = Seen { path: path.to_owned(), seal, changed };
        if before.as_ref() != Some(&seen) {
            self.lock().insert(key.to_owned(), seen);
            self.write();
        }
        Ok(self.told(key, path, now))
    }

    /// Was it another one a short while ago?
    fn told(&self, key: &str, path: &str, now: Time) -> Reading {
        let at = self.lock().get(key).filter(|seen| seen.path == path).and_then(|seen| seen.changed);
        at.is_some_and(|at| now - at < TOLD).into()
    }

    /// Whole or not at all. Where it cannot be written, it is remembered as long as Grace lives.
    fn write(&self) {
        let Some(file) = &self.written else { return };
        let all = self.lock();
        let text = serde_json::to_vec(&*all).unwrap_or_default();
        let beside = file.with_extension("new");
        if let Err(error) = fs::write(&beside, text).and_then(|()| fs::rename(&beside, file)) {
            tracing::warn!(%error, "what files are like could not be written down: {}", file.display());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A file that is gone is a fact; how old and large it is nobody knows.
fn missing(changed: Reading) -> BTreeMap<String, Reading> {
    BTreeMap::from([("exists".to_owned(), false.into()), ("file_changed".to_owned(), changed)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_or_mode_is_told_for_an_hour_and_a_gone_file_is_a_fact() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("web.service");
        let (mut files, web) = (Files::in_folder(dir.path()), ComponentId::from("web"));
        let name = path.to_str().expect("a path");
        let look = |files: &Files, seconds: i64| {
            let facts = files.look((&web, "unit"), name, Time(seconds * 1000)).expect("facts");
            (facts["exists"].clone(), facts["file_changed"].clone())
        };
        let is = |exists: bool, changed: bool| (Reading::from(exists), Reading::from(changed));
        assert_eq!(look(&files, 0), is(false, false));
        fs::write(&path, "[Service]\n").expect("written");
        assert_eq!(look(&files, 1), is(true, false), "nothing to compare with");
        fs::write(&path, "[Service]\nUser=root\n").expect("written");
        assert_eq!(look(&files, 2), is(true, true));
        assert_eq!(look(&files, 3600), is(true, true));
        assert_eq!(look(&files, 3602), is(true, false), "an hour is over");
        fs::remove_file(&path).expect("removed");
        assert_eq!(look(&files, 3603), is(false, false));
        fs::write(&path, "[Service]\n").expect("written");
        assert_eq!(look(&files, 3604), is(true, true), "another one than the one that went");
        // A Grace that starts anew still knows it, and sees what happened while she was down.
        files = Files::in_folder(dir.path());
        assert_eq!(look(&files, 3605), is(true, true));
        assert_eq!(look(&files, 9000), is(true, false));
        fs::write(&path, "[Service]\nUser=mallory\n").expect("written");
        files = Files::in_folder(dir.path());
        assert_eq!(look(&files, 9001), is(true, true));
        assert!(files.look((&web, "unit"), dir.path().to_str().expect("a path"), Time(0)).is_err());
    }
}
