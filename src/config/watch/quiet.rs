//! When the files may be read: not while somebody writes into one of them, and not in the middle of a save.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};

/// Files are looked at when nothing has happened to them for so long: a save is several events.
pub(super) const SETTLE: Duration = Duration::from_millis(50);

/// A folder in which nobody writes and that is never quiet is looked at all the same.
const RESTLESS: Duration = Duration::from_millis(500);

/// Who writes into a file and does not close it for so long has no claim to be waited for.
const WRITING: Duration = Duration::from_secs(5);

/// Without any event they are looked at this often; however many write one after the other, nobody waits for longer.
pub(super) const POLL: Duration = Duration::from_secs(30);

/// What happened, or what somebody wants.
pub(super) enum Hint {
    /// Something may have changed.
    Changed,
    /// Somebody writes into this file.
    Written(PathBuf),
    /// Who wrote into this file has closed it.
    Closed(PathBuf),
    /// Somebody wants the files read now, whether they changed or not, and to be called behind the delivery.
    Look(Box<dyn FnOnce() + Send>),
    /// Nobody wants to hear of the files any more.
    Stop,
}

/// What an event says; that somebody only reads says nothing.
pub(super) fn hints_of(event: &notify::Event) -> Vec<Hint> {
    let of = |hint: fn(PathBuf) -> Hint| event.paths.iter().cloned().map(hint).collect();
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => of(Hint::Closed),
        EventKind::Access(_) => Vec::new(),
        // Who writes into a log beside the rules is not waited for.
        EventKind::Modify(ModifyKind::Data(_)) if !event.paths.iter().any(|path| is_ours(path)) => Vec::new(),
        EventKind::Modify(ModifyKind::Data(_)) => of(Hint::Written),
        _ => vec![Hint::Changed],
    }
}

fn is_ours(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "toml")
}

/// Waits for a hint, for `patience` at most, and then for quiet; who asks for a look does not want to wait for that.
pub(super) fn await_hint(inbox: &Receiver<Hint>, mut patience: Duration) -> Hint {
    let mut writers = Writers::default();
    let (mut begun, mut restless) = (None, None);
    loop {
        match inbox.recv_timeout(patience) {
            Ok(Hint::Changed) => {}
            Ok(Hint::Written(path)) => writers.begin(path),
            Ok(Hint::Closed(path)) => writers.end(&path),
            Ok(hint) => return hint,
            Err(RecvTimeoutError::Disconnected) => return Hint::Stop,
            Err(RecvTimeoutError::Timeout) if writers.none_awaited() => return Hint::Changed,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if lasts(&mut begun) >= POLL {
            return Hint::Changed;
        }
        if !writers.none_awaited() {
            restless = None;
        } else if lasts(&mut restless) >= RESTLESS {
            return Hint::Changed;
        }
        patience = SETTLE;
    }
}

/// How long it lasts by now; it begins with the first time that somebody asks.
fn lasts(since: &mut Option<Instant>) -> Duration {
    since.get_or_insert_with(Instant::now).elapsed()
}

/// Who writes, and since when.
#[derive(Default)]
struct Writers(BTreeMap<PathBuf, Instant>);

impl Writers {
    fn begin(&mut self, path: PathBuf) {
        self.0.entry(path).or_insert_with(Instant::now);
    }

    fn end(&mut self, path: &PathBuf) {
        self.0.remove(path);
    }

    /// A file that was renamed or deleted is closed under its new name, or nobody tells: it was whole when it was moved.
    fn none_awaited(&mut self) -> bool {
        self.0.retain(|path, _| path.symlink_metadata().is_ok());
        self.0.values().all(|since| since.elapsed() >= WRITING)
    }
}
