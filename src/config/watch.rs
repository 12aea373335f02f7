//! Follows the files while Grace runs. A folder is watched, never a file: editors and Kubernetes swap files by
//! rename. Any event is only a hint; the digest says whether anything changed, and a poll is the net below. A file that
//! somebody is writing into is not read before it is closed: half of it could be valid, and mean something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecursiveMode, Watcher};

use crate::config::{Folder, Loaded};
use crate::model::GenerationId;
use crate::say::{Diagnostic, Report};

/// Files are looked at when nothing has happened to them for so long: a save is several events.
const SETTLE: Duration = Duration::from_millis(50);

/// Who writes into a file and does not close it for so long has no claim to be waited for.
const WRITING: Duration = Duration::from_secs(5);

/// Without any event they are looked at this often.
const POLL: Duration = Duration::from_secs(30);

/// A new generation, or every reason against it.
pub type Change = Result<Box<Loaded>, Box<Report>>;

/// Follows the files until it is dropped.
#[derive(Debug)]
pub struct Follower {
    hints: Hints,
}

/// A way to the one who follows the files.
#[derive(Debug, Clone)]
pub struct Hints(SyncSender<Hint>);

enum Hint {
    /// Something may have changed.
    Changed,
    /// Somebody writes into this file.
    Written(PathBuf),
    /// Who wrote into this file has closed it.
    Closed(PathBuf),
    /// Somebody wants the files read now, whether they changed or not, and to be called behind the delivery.
    Look(Box<dyn FnOnce() + Send>),
    Stop,
}

impl Follower {
    /// A way to it, for as long as it follows.
    #[must_use]
    pub fn hints(&self) -> Hints {
        self.hints.clone()
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
    std::thread::Builder::new().name("files".into()).spawn(move || {
        let mut watcher = watcher(hint);
        watch(watcher.as_mut(), &dir);
        let mut seen = first(&dir, &active);
        let mut active = active;
        loop {
            let then = match await_hint(&inbox) {
                Hint::Stop => break,
                Hint::Changed | Hint::Written(_) | Hint::Closed(_) => None,
                Hint::Look(then) => Some(then),
            };
            // A folder that was swapped for another is watched anew.
            watch(watcher.as_mut(), &dir);
            if !look(&dir, &mut seen, &mut active, then.is_some(), &deliver) {
                break;
            }
            if let Some(then) = then {
                then();
            }
        }
        drop(watcher);
    })?;
    Ok(Follower { hints: Hints(hints) })
}

/// What was seen at the start: the files of the active generation, with what is odd about them on the disk. Where
/// other files lie there by now, those are news.
fn first(dir: &Path, active: &BTreeMap<String, String>) -> (GenerationId, Vec<Diagnostic>) {
    let (there, own) = (Folder::read(dir).signature(), Folder::of(active).signature());
    if there.0 == own.0 { there } else { own }
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

/// What an event says; that somebody only reads says nothing.
fn hints_of(event: &notify::Event) -> Vec<Hint> {
    let of = |hint: fn(PathBuf) -> Hint| event.paths.iter().cloned().map(hint).collect();
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => of(Hint::Closed),
        EventKind::Access(_) => Vec::new(),
        EventKind::Modify(ModifyKind::Data(_)) => of(Hint::Written),
        _ => vec![Hint::Changed],
    }
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

/// Waits for a hint and then for quiet; who asks for a look does not want to wait for that.
fn await_hint(inbox: &Receiver<Hint>) -> Hint {
    let mut written = BTreeSet::new();
    let mut patience = POLL;
    let mut since: Option<Instant> = None;
    // A folder that is never quiet is looked at all the same.
    while since.is_none_or(|since| since.elapsed() < if written.is_empty() { 10 * SETTLE } else { WRITING }) {
        match inbox.recv_timeout(patience) {
            Ok(Hint::Changed) => {}
            Ok(Hint::Written(path)) => {
                written.insert(path);
            }
            Ok(Hint::Closed(path)) => {
                written.remove(&path);
            }
            Ok(hint) => return hint,
            Err(RecvTimeoutError::Disconnected) => return Hint::Stop,
            Err(RecvTimeoutError::Timeout) => break,
        }
        since.get_or_insert_with(Instant::now);
        patience = if written.is_empty() { SETTLE } else { WRITING };
    }
    Hint::Changed
}

/// Reads the files and delivers what they are, where they changed or somebody asked. Answers whether to go on.
fn look(
    dir: &Path,
    seen: &mut (GenerationId, Vec<Diagnostic>),
    active: &mut BTreeMap<String, String>,
    asked: bool,
    deliver: &impl Fn(Change) -> bool,
) -> bool {
    let folder = Folder::read(dir);
    let signature = folder.signature();
    if *seen == signature && !asked {
        return true;
    }
    *seen = signature;
    let change = folder.compile(Some(active)).map(Box::new);
    if let Ok(loaded) = &change {
        active.clone_from(&loaded.bundle.files);
    }
    deliver(change)
}
