//! The kind `file`: is it there, how old and large is it, and is it another one than before?

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::model::{ComponentId, Reading};
use crate::probe::Found;
use crate::services::Seal;

/// What was changed is told for so long: as long as signals of an attack are looked at together.
const TOLD: Duration = Duration::from_hours(1);

/// Of a larger file nobody reads the content.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Which probe of which component.
type Key = (ComponentId, String);

/// What each probe saw last.
#[derive(Debug, Default)]
pub(super) struct Files(Mutex<BTreeMap<Key, Seen>>);

/// What a file was like.
#[derive(Debug, Clone)]
struct Seen {
    seal: Seal,
    /// When it was another one than at the look before.
    changed: Option<Instant>,
}

impl Files {
    /// Looks at a file. It may hang, on a network's disk: then the look is late, and nobody waits for it.
    pub(super) fn look(&self, key: &Key, path: &str, now: Instant) -> Found {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if is_missing(&error) => return Ok(missing(self.told(key, now))),
            Err(error) => return Err(format!("{path}: {error}")),
        };
        if !found.is_file() {
            return Err(format!("{path} is no regular file"));
        }
        let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        let changed = if found.len() > LARGEST { Reading::Missing } else { self.changed(key, path, now)? };
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

    fn changed(&self, key: &Key, path: &str, now: Instant) -> Result<Reading, String> {
        let before = self.lock().get(key).cloned();
        let seal = Seal::of(Path::new(path), before.as_ref().map(|before| &before.seal));
        let seal = seal.map_err(|error| format!("{path}: {error}"))?;
        let other = before.as_ref().is_some_and(|before| !before.seal.is_same(&seal));
        let changed = if other { Some(now) } else { before.and_then(|before| before.changed) };
        self.lock().insert(key.clone(), Seen { seal, changed });
        Ok(self.told(key, now))
    }

    /// Was it another one a short while ago?
    fn told(&self, key: &Key, now: Instant) -> Reading {
        let at = self.lock().get(key).and_then(|seen| seen.changed);
        at.is_some_and(|at| now.saturating_duration_since(at) < TOLD).into()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (files, key) = (Files::default(), (ComponentId::from("web"), "unit".to_owned()));
        let now = Instant::now();
        let look = |after: u64| {
            let facts = files.look(&key, path.to_str().expect("a path"), now + Duration::from_secs(after));
            let facts = facts.expect("facts");
            (facts["exists"].clone(), facts["file_changed"].clone())
        };
        let is = |exists: bool, changed: bool| (Reading::from(exists), Reading::from(changed));
        assert_eq!(look(0), is(false, false));
        fs::write(&path, "[Service]\n").expect("written");
        assert_eq!(look(1), is(true, false), "nothing to compare with");
        fs::write(&path, "[Service]\nUser=root\n").expect("written");
        assert_eq!(look(2), is(true, true));
        assert_eq!(look(3600), is(true, true));
        assert_eq!(look(3602), is(true, false), "an hour is over");
        fs::remove_file(&path).expect("removed");
        assert_eq!(look(3603), is(false, false));
        fs::write(&path, "[Service]\n").expect("written");
        assert_eq!(look(3604), is(true, true), "another one than the one that went");
        assert!(files.look(&key, dir.path().to_str().expect("a path"), now).is_err());
    }
}
