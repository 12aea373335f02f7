//! Where the processes of one component are written down: small files that outlive Grace.
//!
//! For each worker `N.json` says which process it is and how it ended, `N.lock` is held by its keeper for as
//! long as anything of it lives, and `N.out` holds the end of what it said. None of it holds a secret.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::services::identity::{Identity, boot_id};

/// The name under which a worker's processes know whose they are.
pub(super) const MARK: &str = "GRACE_SERVICE";

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
    /// The folder it was written down in: a copy of that folder is somebody else's.
    #[serde(default)]
    pub home: Option<Home>,
}

/// A folder, wherever it is moved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Home {
    path: PathBuf,
    device: u64,
    inode: u64,
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
    /// The place of a component below the services' folder; made for its owner alone. One that somebody else owns
    /// is not used: what is written there would say whom Grace may end.
    pub(super) fn make(services: &Path, component: &str) -> io::Result<Self> {
        let dir = services.join(component);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        for folder in [services, &dir] {
            let found = fs::symlink_metadata(folder)?;
            let own = rustix::process::geteuid().as_raw();
            if !found.is_dir() || (found.uid() != own && found.uid() != 0) || found.mode() & 0o022 != 0 {
                let says =
                    format!("{}: must be a folder that only user {own} or root can write", folder.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, says));
            }
        }
        Ok(Self(dir))
    }

    /// Which folder this is.
    pub(super) fn home(&self) -> Option<Home> {
        let path = fs::canonicalize(&self.0).ok()?;
        let found = fs::metadata(&path).ok()?;
        Some(Home { path, device: found.dev(), inode: found.ino() })
    }

    /// What stands in the environment of this worker's processes: so they are found when nothing is written down.
    pub(super) fn mark(&self, worker: u32) -> String {
        let path = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        format!("{MARK}={}/{worker}", path.display())
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
        (slot.boot == boot_id() && !self.is_copied(&slot)).then_some(slot)
    }

    /// Was this folder copied from one that is still there? A moved one is the same.
    fn is_copied(&self, slot: &Slot) -> bool {
        let (Some(own), Some(home)) = (self.home(), &slot.home) else { return false };
        let there = fs::metadata(&home.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (home.device, home.inode));
        (own.device, own.inode) != (home.device, home.inode) && there
    }

    /// How this process of a worker ended, even after the next one began.
    pub(super) fn end(&self, worker: u32, main: Identity) -> Option<End> {
        let text = fs::read(self.0.join(format!("{worker}.end"))).ok()?;
        let (of, end): (Identity, End) = serde_json::from_slice(&text).ok()?;
        (of == main).then_some(end)
    }

    /// Writes down how a process ended.
    pub(super) fn write_end(&self, worker: u32, main: Identity, end: &End) -> io::Result<()> {
        self.put(&format!("{worker}.end"), &serde_json::to_vec(&(main, end))?)
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

    /// How many workers were wanted last, for as long as the file says what it said then.
    pub(super) fn wanted(&self, declared: u32) -> Option<u32> {
        let text = fs::read_to_string(self.0.join("wanted")).ok()?;
        let (wanted, then) = text.trim().split_once(' ')?;
        (then.parse() == Ok(declared)).then(|| wanted.parse().ok()).flatten()
    }

    /// Keeps how many workers are wanted, where the file says another number.
    pub(super) fn want(&self, workers: u32, declared: u32) -> io::Result<()> {
        self.put("wanted", format!("{workers} {declared}").as_bytes())
    }

    fn put(&self, name: &str, text: &[u8]) -> io::Result<()> {
        let young = self.0.join(format!("{name}.new"));
        let _ = fs::remove_file(&young);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&young)?;
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

    /// What would be written down of this test.
    fn ours(home: Option<Home>) -> Slot {
        let own = Identity::own().expect("we run");
        Slot {
            boot: boot_id(),
            keeper: own,
            main: own,
            group: None,
            since_ms: 7,
            end: None,
            closed: false,
            home,
        }
    }

    #[test]
    fn what_is_written_is_read_and_nonsense_is_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let slot = ours(None);
        place.write(0, &slot).expect("written");
        assert_eq!(place.read(0), Some(slot.clone()));
        assert!(slot.lives());
        place.write(3, &Slot { boot: "another".into(), ..slot }).expect("written");
        assert_eq!(place.read(3), None, "another boot's numbers mean nothing");
        fs::write(dir.path().join("web/5.json"), "{\"boot\":").expect("written");
        assert_eq!(place.read(5), None);
        assert_eq!(place.workers(), [0, 3, 5]);
        place.want(4, 1).expect("written");
        assert_eq!((place.wanted(1), place.wanted(2)), (Some(4), None), "until the file says another number");
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

    #[test]
    fn a_copy_of_a_folder_is_somebody_elses_and_a_moved_one_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let slot = ours(place.home());
        place.write(0, &slot).expect("written");
        let copy = Place::make(dir.path(), "copy").expect("made");
        fs::copy(dir.path().join("web/0.json"), dir.path().join("copy/0.json")).expect("copied");
        assert_eq!((place.read(0), copy.read(0)), (Some(slot.clone()), None));
        fs::rename(dir.path().join("web"), dir.path().join("moved")).expect("moved");
        assert_eq!(Place::at(&dir.path().join("moved")).read(0), Some(slot));
    }

    #[test]
    fn a_folder_that_others_can_write_says_nothing_of_processes() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("set");
        assert!(Place::make(dir.path(), "web").is_err());
    }
}
