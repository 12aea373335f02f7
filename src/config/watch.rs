//! Follows the files while Grace runs. A folder is watched, never a file: editors and Kubernetes swap files by
//! rename. Any event is only a hint; the digest says whether anything changed, and a poll is the net below. A file that
//! somebody is writing into is not read before it is closed: half of it could be valid, and mean something else.

mod quiet;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher};

use crate::config::watch::quiet::{Hint, POLL, SETTLE, await_hint, hints_of};
use crate::config::{Folder, Loaded};
use crate::model::GenerationId;
use crate::say::{Diagnostic, Report};

/// A file is gone when it has stayed away for so long: `git checkout` and some editors delete before they write, and a
/// set without it may be valid and mean something else.
const GONE: Duration = Duration::from_secs(1);

/// A new generation, or every reason against it.
pub type Change = Result<Box<Loaded>, Box<Report>>;

/// Follows the files until it is dropped.
#[derive(Debug)]
pub struct Follower {
    hints: Hints,
    promised: Promised,
}

/// Texts of files, each by its digest.
type TextIds = BTreeSet<(String, GenerationId)>;

/// Texts that may come and are meant whole.
#[derive(Debug, Clone, Default)]
struct Promised(Arc<Mutex<TextIds>>);

impl Promised {
    fn texts(&self) -> MutexGuard<'_, TextIds> {
        // A set of digests is whole whatever became of who held it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A way to the one who follows the files.
#[derive(Debug, Clone)]
pub struct Hints(SyncSender<Hint>);

impl Follower {
    /// A way to it, for as long as it follows.
    #[must_use]
    pub fn hints(&self) -> Hints {
        self.hints.clone()
    }

    /// These texts, and no longer those of before, are meant whole when they come, and not half of what was there.
    pub fn mean(&self, files: &BTreeMap<String, String>) {
        *self.promised.texts() = ids(files).collect();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // The thread ends by itself: waiting for it could wait for what it wants to deliver.
        let _ = self.hints.0.try_send(Hint::Stop);
    }
}

impl Hints {
    /// Has the files read now, also when nothing changed. `then` is called behind the delivery of what they
    /// are; it is dropped where nobody follows them any more. May block for a moment.
    pub fn look(&self, then: impl FnOnce() + Send + 'static) {
        // Nobody left to look: then nobody answers either, and who waits learns that.
        let _ = self.0.send(Hint::Look(Box::new(then)));
    }
}

/// Follows the files in `dir`; `active` are those that were read last. `deliver` answers whether anybody
/// still listens.
///
/// # Errors
/// No thread could be started. A folder that cannot be watched is no error: the poll sees it.
pub fn follow(
    dir: PathBuf,
    active: BTreeMap<String, String>,
    deliver: impl Fn(Change) -> bool + Send + 'static,
) -> std::io::Result<Follower> {
    let (hints, inbox) = sync_channel(64);
    let hint = hints.clone();
    let promised = Promised::default();
    let told = promised.clone();
    std::thread::Builder::new().name("files".into()).spawn(move || {
        let mut watcher = watcher(hint);
        watch(watcher.as_mut(), &dir);
        let mut seen = Seen::first(&dir, active);
        loop {
            let then = match await_hint(&inbox, if seen.missing.is_some() { SETTLE } else { POLL }) {
                Hint::Stop => break,
                Hint::Changed | Hint::Written(_) | Hint::Closed(_) => None,
                Hint::Look(then) => Some(then),
            };
            // A folder that was swapped for another is watched anew.
            watch(watcher.as_mut(), &dir);
            if seen.look(&dir, then.is_some(), &told).is_some_and(|change| !deliver(change)) {
                break;
            }
            if let Some(then) = then {
                then();
            }
        }
        drop(watcher);
    })?;
    Ok(Follower { hints: Hints(hints), promised })
}

fn watcher(hints: SyncSender<Hint>) -> Option<notify::RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| {
        for hint in event.map_or_else(|_| vec![Hint::Changed], |event| hints_of(&event)) {
            // A full channel holds a hint already.
            let _ = hints.try_send(hint);
        }
    };
    notify::recommended_watcher(handler)
        .inspect_err(|error| tracing::warn!(%error, "files cannot be watched; they are polled"))
        .ok()
}

/// Watches the folders, as far as the system lets us; one that is watched already is watched once.
fn watch(watcher: Option<&mut notify::RecommendedWatcher>, dir: &Path) {
    let Some(watcher) = watcher else { return };
    for folder in [dir.to_owned(), dir.join("rules"), dir.join("policies")] {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::debug!(%error, folder = %folder.display(), "a folder cannot be watched; it is polled");
        }
    }
}

/// What was seen last.
struct Seen {
    /// The files, with what is odd about them on the disk; none where whatever is there is news.
    signature: Option<(GenerationId, Vec<Diagnostic>)>,
    names: Vec<Arc<str>>,
    /// Since when one of them is missing.
    missing: Option<Instant>,
    active: BTreeMap<String, String>,
    /// Each text that a file had while all of them were valid, by its digest.
    meant: TextIds,
}

fn ids(files: &BTreeMap<String, String>) -> impl Iterator<Item = (String, GenerationId)> {
    let folder = Folder::of(files);
    files.keys().filter_map(move |name| Some((name.clone(), folder.digest_of(name)?)))
}

/// So many texts are remembered.
const MEANT: usize = 10_000;

impl Seen {
    /// What was seen at the start: the files of the active generation. Where other files lie there by now, those are
    /// news, and so are those of the active one that are put back in their place: they were refused.
    fn first(dir: &Path, active: BTreeMap<String, String>) -> Self {
        let (there, own) = (Folder::read(dir), Folder::of(&active));
        let signature = (there.digest() == own.digest()).then(|| there.signature());
        let mut seen = Self { signature, names: own.names(), missing: None, active, meant: BTreeSet::new() };
        seen.remember();
        seen
    }

    /// Reads the files: what they are, where they changed or somebody asked.
    fn look(&mut self, dir: &Path, asked: bool, promised: &Promised) -> Option<Change> {
        let folder = Folder::read(dir);
        let signature = folder.signature();
        let gone = self.names.iter().any(|name| dir.join(&**name).symlink_metadata().is_err());
        if gone && !asked && self.missing.get_or_insert_with(Instant::now).elapsed() < GONE {
            return None;
        }
        self.missing = None;
        self.names = folder.names();
        if self.signature.as_ref() == Some(&signature) && !asked {
            return None;
        }
        self.signature = Some(signature);
        // What a file was before is no beginning of what it is: somebody took a change back. Nor is what was promised.
        let promised = promised.texts().clone();
        let whole = |name: &str| {
            let text = folder.digest_of(name).map(|text| (name.to_owned(), text));
            text.is_some_and(|text| self.meant.contains(&text) || promised.contains(&text))
        };
        let before = self.active.iter().filter(|(name, _)| !whole(name));
        let before = before.map(|(name, text)| (name.clone(), text.clone())).collect();
        let change = folder.compile(Some(&before)).map(Box::new);
        if let Ok(loaded) = &change {
            self.active.clone_from(&loaded.bundle.files);
            self.remember();
        }
        Some(change)
    }

    /// Remembers the texts of files that were valid together.
    fn remember(&mut self) {
        if self.meant.len() > MEANT {
            self.meant.clear();
        }
        self.meant.extend(ids(&self.active));
    }
}
