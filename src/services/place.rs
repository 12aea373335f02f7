//! Where the processes of one component are written down: small files that outlive Grace.
//!
//! For each worker `N.json` says which process it is and how it ended, `N.lock` is held by its keeper for as
//! long as anything of it lives, and `N.out` holds the end of what it said. None of it holds a secret.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::services::identity::{Identity, boot_id};

/// The folder of one component's processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place(PathBuf);

/// What is known of one worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    /// The boot it belongs to.
    pub boot: String,
    /// Who keeps it.
    pub keeper: Identity,
    /// The process itself.
    pub main: Identity,
    /// Its control group, where it has one.
    pub group: Option<PathBuf>,
    /// When it was begun, by the wall clock, in milliseconds since 1970.
    pub since_ms: i64,
    /// How it ended.
    pub end: Option<End>,
    /// Its keeper saw the last of its tree end.
    #[serde(default)]
    pub closed: bool,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// Its exit code; 128 and more is a signal.
    pub code: i32,
    /// When, by the wall clock.
    pub at_ms: i64,
    /// The last it said.
    pub output: String,
}

impl Place {
    /// The place of a component below the services' folder; made for its owner alone.
    pub(super) fn make(services: &Path, component: &str) -> io::Result<Self> {
        let dir = services.join(component);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        Ok(Self(dir))
    }

    /// The place at this path.
    pub(super) fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    pub(super) fn lock_file(&self, worker: u32) -> PathBuf {
        self.0.join(format!("{worker}.lock"))
    }

    pub(super) fn output(&self, worker: u32) -> PathBuf {
        self.0.join(format!("{worker}.out"))
    }

    /// The working directory of services that name none.
    pub(super) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// The workers of which anything is known, in order.
    pub(super) fn workers(&self) -> Vec<u32> {
        let names = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok();
        let mut found: Vec<u32> = names.filter_map(number).collect();
        found.sort_unstable();
        found
    }

    /// What is known of a worker of this boot. A file that says nothing sensible is as good as none.
    pub(super) fn read(&self, worker: u32) -> Option<Slot> {
        let text = fs::read(self.0.join(format!("{worker}.json"))).ok()?;
        let slot: Slot = serde_json::from_slice(&text).ok()?;
        (slot.boot == boot_id()).then_some(slot)
    }

    /// Writes down what is known of a worker: whole or not at all.
    pub(super) fn write(&self, worker: u32, slot: &Slot) -> io::Result<()> {
        let text = serde_json::to_vec(slot)?;
        self.put(&format!("{worker}.json"), &text)
    }

    /// Nothing is to be known of a worker any more.
    pub(super) fn forget(&self, worker: u32) {
        let _ = fs::remove_file(self.0.join(format!("{worker}.json")));
    }

    /// The end of which process was told last. A file of its own: the other one is the keeper's, and a new keeper
    /// may write it at any moment.
    pub(super) fn told(&self, worker: u32) -> Option<Identity> {
        serde_json::from_slice(&fs::read(self.0.join(format!("{worker}.told"))).ok()?).ok()
    }

    /// The journal is about to hold how this process ended.
    pub(super) fn tell(&self, worker: u32, main: Identity) -> io::Result<()> {
        self.put(&format!("{worker}.told"), &serde_json::to_vec(&main)?)
    }

    /// How many workers were wanted last.
    pub(super) fn wanted(&self) -> Option<u32> {
        fs::read_to_string(self.0.join("wanted")).ok()?.trim().parse().ok()
    }

    /// Keeps how many workers are wanted.
    pub(super) fn want(&self, workers: u32) -> io::Result<()> {
        self.put("wanted", workers.to_string().as_bytes())
    }

    fn put(&self, name: &str, text: &[u8]) -> io::Result<()> {
        let young = self.0.join(format!("{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&young)?;
        file.write_all(text)?;
        fs::rename(young, self.0.join(name))
    }

    /// Takes the lock of a worker; nothing where a keeper holds it.
    pub(super) fn lock(&self, worker: u32) -> io::Result<Option<File>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.lock_file(worker))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(why)) => Err(why),
        }
    }
}

impl Slot {
    /// Is the process itself alive?
    pub(super) fn lives(&self) -> bool {
        self.end.is_none() && self.main.is_alive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_is_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let own = Identity::own().expect("we run");
        let slot = Slot {
            boot: boot_id(),
            keeper: own,
            main: own,
            group: None,
            since_ms: 7,
            end: None,
            closed: false,
        };
        place.write(0, &slot).expect("written");
        assert_eq!(place.read(0), Some(slot.clone()));
        assert!(slot.lives());
        place.write(3, &Slot { boot: "another".into(), ..slot }).expect("written");
        assert_eq!(place.read(3), None, "another boot's numbers mean nothing");
        fs::write(dir.path().join("web/5.json"), "{\"boot\":").expect("written");
        assert_eq!(place.read(5), None);
        assert_eq!(place.workers(), [0, 3, 5]);
        place.want(4).expect("written");
        assert_eq!(place.wanted(), Some(4));
    }

    #[test]
    fn a_worker_has_one_keeper() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let held = place.lock(0).expect("no error");
        assert!(held.is_some() && place.lock(0).expect("no error").is_none());
        drop(held);
        assert!(place.lock(0).expect("no error").is_some());
    }
}
