//! Looks now and then whether the journal still holds and whether Grace's own program is the one that it was.
//!
//! It has a thread of its own and reads the journal as everybody does. What it finds the probe `guard` tells. The first
//! tick would like to know whether the journal is whole: a short one is walked at once, all else has a low priority.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::probe::Guard;
use crate::record::Reader;
use crate::services::Seal;

/// All of the journal is walked after a start, and then this often.
const EVERY: Duration = Duration::from_hours(6);

/// The first program is written down so long after the start.
const FIRST: Duration = Duration::from_secs(30);

/// A tenth of what everybody else gets. With the lowest priority of all, this thread would keep a killed Grace from being
/// gone for seconds on a busy machine, and the next one from starting.
const NICE: i32 = 10;

/// So many entries are walked within some milliseconds.
const SHORT: i64 = 1_000;

/// Where it is written down which program Grace is.
const PROGRAM: &str = "program.json";

/// The program that runs, whatever lies in its place by now.
const OWN: &str = "/proc/self/exe";

/// Ends when it is dropped.
pub(super) struct Warden {
    _alive: SyncSender<()>,
}

impl Warden {
    pub(super) fn start(data: PathBuf, guard: Arc<Guard>) -> Self {
        let (alive, ended) = sync_channel(0);
        let work = move || walk_now_and_then(&data, &guard, &ended);
        if let Err(error) = std::thread::Builder::new().name("warden".into()).spawn(work) {
            tracing::warn!(%error, "nobody looks whether the journal and the program are whole");
        }
        Self { _alive: alive }
    }
}

fn walk_now_and_then(data: &Path, guard: &Guard, ended: &Receiver<()>) {
    let short = Reader::open(data).and_then(|journal| journal.last_seq()).is_ok_and(|last| last < SHORT);
    if short {
        walk(data, guard);
    }
    // Without it the look costs the same, only at a worse time.
    let _ = rustix::process::nice(NICE);
    if !short {
        walk(data, guard);
    }
    // Nothing to compare with: then there is time, and a Grace that only lives for a moment reads no program.
    if before(data).is_none() && ended.recv_timeout(FIRST) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    own_program(data, guard);
    while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        walk(data, guard);
    }
}

fn walk(data: &Path, guard: &Guard) {
    match Reader::open(data).and_then(|journal| journal.verify()) {
        Ok(found) => {
            if let Some(broken) = &found.broken {
                tracing::error!("the journal is not whole: {broken}");
            }
            for what in &found.altered {
                tracing::error!("the journal's file was altered: {what}");
            }
            guard.journal(found.broken.is_none());
        }
        // That it could not be looked at says nothing about it.
        Err(error) => tracing::warn!(%error, "the journal could not be walked"),
    }
}

/// Compares Grace's own program with that of the start before, and writes down which it is now.
fn own_program(data: &Path, guard: &Guard) {
    let before = before(data);
    let seal = match Seal::of(Path::new(OWN), before.as_ref()) {
        Ok(seal) => seal,
        Err(error) => return tracing::warn!(%error, "Grace cannot read her own program"),
    };
    if before.as_ref().is_some_and(|before| !before.is_same(&seal)) {
        tracing::warn!("Grace's own program is another one than at the start before");
        guard.program_was_changed();
    }
    if before.as_ref() != Some(&seal)
        && let Err(error) = write(&data.join(PROGRAM), &seal)
    {
        tracing::warn!(%error, "which program this is could not be written down");
    }
}

/// The program of the start before.
fn before(data: &Path) -> Option<Seal> {
    serde_json::from_slice(&fs::read(data.join(PROGRAM)).ok()?).ok()
}

fn write(file: &Path, seal: &Seal) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, serde_json::to_vec(seal)?)?;
    fs::rename(beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_than_at_the_start_before_is_noticed_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let told = |guard: &Guard| guard.facts().get("binary_changed").cloned() == Some(true.into());
        let first = Guard::new(dir.path().to_owned());
        own_program(dir.path(), &first);
        assert!(!told(&first) && before(dir.path()).is_some(), "nothing to compare with");
        let again = Guard::new(dir.path().to_owned());
        own_program(dir.path(), &again);
        assert!(!told(&again), "it is the same");
        fs::write(dir.path().join("other"), "another program").expect("written");
        let other = Seal::of(&dir.path().join("other"), None).expect("reads");
        write(&dir.path().join(PROGRAM), &other).expect("written");
        let changed = Guard::new(dir.path().to_owned());
        own_program(dir.path(), &changed);
        assert!(told(&changed));
        let after = Guard::new(dir.path().to_owned());
        own_program(dir.path(), &after);
        assert!(!told(&after), "what was told is not told at the next start");
    }
}
