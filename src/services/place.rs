//! Where the processes of one component are written down: small files that outlive Grace.
//!
//! For each worker `N.json` says which process it is and how it ended, `N.out` holds the end of what it said, and
//! `N.PID-START.end` how a process ended until the journal holds that. `N.lock` is held by its keeper for as long as
//! anything of it lives, and says the same as `N.json`: even when the folder was deleted, the keeper still knows.
//! None of it holds a secret.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
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

/// What a keeper holds for as long as anything of its worker lives.
#[derive(Debug)]
pub(super) struct Held {
    /// The folder as the kernel knows it, whatever its path becomes.
    place: Place,
    _folder: File,
    lock: File,
    worker: u32,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// When it was begun, by the wall clock.
    #[serde(default)]
    pub since_ms: i64,
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
        let place = Self(services.join(component));
        place.again()?;
        Ok(place)
    }

    /// Makes it where it is not there, or not there any more.
    pub(super) fn again(&self) -> io::Result<()> {
        let Self(dir) = self;
        let services = dir.parent().unwrap_or(dir);
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        for folder in [services, dir.as_path()] {
            let found = fs::symlink_metadata(folder)?;
            let own = rustix::process::geteuid().as_raw();
            if !found.is_dir() || (found.uid() != own && found.uid() != 0) || found.mode() & 0o022 != 0 {
                let says =
                    format!("{}: must be a folder that only user {own} or root can write", folder.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, says));
            }
        }
        Ok(())
    }

    /// Which folder this is.
    pub(super) fn home(&self) -> Option<Home> {
        let path = fs::canonicalize(&self.0).ok()?;
        let found = fs::metadata(&path).ok()?;
        Some(Home { path, device: found.dev(), inode: found.ino() })
    }

    /// The place at this path.
    pub(super) fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    /// Which program ran last.
    pub(super) fn program(&self) -> PathBuf {
        self.0.join("program.json")
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
        serde_json::from_slice(&fs::read(self.0.join(end_file(worker, main))).ok()?).ok()
    }

    /// The processes of a worker whose end is written down, and that no journal holds yet.
    pub(super) fn ends(&self, worker: u32) -> Vec<Identity> {
        let beginning = format!("{worker}.");
        let names = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let main = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let (pid, start) = name.strip_prefix(&beginning)?.strip_suffix(".end")?.split_once('-')?;
            Some(Identity { pid: pid.parse().ok()?, start: start.parse().ok()? })
        };
        let mut found: Vec<Identity> = names.filter_map(main).collect();
        found.sort_by_key(|main| main.start);
        found
    }

    /// Writes down how a process ended.
    pub(super) fn write_end(&self, worker: u32, main: Identity, end: &End) -> io::Result<()> {
        self.put(&end_file(worker, main), &serde_json::to_vec(end)?)
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

    /// The journal holds how this process ended.
    pub(super) fn tell(&self, worker: u32, main: Identity) -> io::Result<()> {
        self.put(&format!("{worker}.told"), &serde_json::to_vec(&main)?)?;
        match fs::remove_file(self.0.join(end_file(worker, main))) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
            _ => Ok(()),
        }
    }

    /// How many workers were wanted last, for as long as the file says what it said then.
    pub(super) fn wanted(&self, declared: u32) -> Option<u32> {
        let text = fs::read_to_string(self.0.join("wanted")).ok()?;
        let (wanted, then) = text.trim().split_once(' ')?;
        (then.parse() == Ok(declared)).then(|| wanted.parse().ok()).flatten()
    }

    /// Keeps how many workers are wanted, where the file says another number. A full disk is no reason against what
    /// the file says.
    pub(super) fn want(&self, workers: u32, declared: u32) -> io::Result<()> {
        if workers == declared {
            return match fs::remove_file(self.0.join("wanted")) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
                _ => Ok(()),
            };
        }
        if self.wanted(declared) == Some(workers) {
            return Ok(());
        }
        self.put("wanted", format!("{workers} {declared}").as_bytes())
    }

    fn put(&self, name: &str, text: &[u8]) -> io::Result<()> {
        let young = self.0.join(format!("{name}.new"));
        let _ = fs::remove_file(&young);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&young)?;
        file.write_all(text)?;
        fs::rename(young, self.0.join(name))
    }

    /// Takes a worker in hand; nothing where another keeper has it.
    pub(super) fn hold(&self, worker: u32) -> io::Result<Option<Held>> {
        let folder = File::open(&self.0)?;
        // By its handle it is the same folder wherever it is moved to, and nobody else's when it was deleted.
        let place = Self(PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())));
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(true).truncate(false).mode(0o600);
        let lock = how.open(place.lock_file(worker))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Held { place, _folder: folder, lock, worker })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(why)) => Err(why),
        }
    }
}

fn end_file(worker: u32, main: Identity) -> String {
    format!("{worker}.{}-{}.end", main.pid, main.start)
}

impl Held {
    /// The folder, wherever it lies by now.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Writes down what is known: in the keeper's own file, and where everybody looks.
    pub(super) fn write(&self, slot: &Slot) -> io::Result<()> {
        let text = serde_json::to_vec(slot)?;
        self.lock.set_len(0)?;
        self.lock.write_all_at(&text, 0)?;
        if self.is_ours()? { self.place.write(self.worker, slot) } else { Ok(()) }
    }

    /// Nothing runs after all: what was known before is still the truth.
    pub(super) fn take_back(&self, before: Option<&Slot>) -> io::Result<()> {
        self.lock.set_len(0)?;
        if !self.is_ours()? {
            return Ok(());
        }
        let Some(before) = before else {
            self.place.forget(self.worker);
            return Ok(());
        };
        self.place.write(self.worker, before)
    }

    /// Writes down how the process ended.
    pub(super) fn end(&self, main: Identity, end: &End) -> io::Result<()> {
        if self.is_ours()? { self.place.write_end(self.worker, main, end) } else { Ok(()) }
    }

    /// Does the journal hold already how this process ended?
    pub(super) fn is_told(&self, main: Identity) -> bool {
        self.place.told(self.worker) == Some(main)
    }

    /// Is this still the worker's lock? With the files deleted and a new worker begun, what is there is the new one's.
    fn is_ours(&self) -> io::Result<bool> {
        let (own, there) = (self.lock.metadata()?, fs::metadata(self.place.lock_file(self.worker)));
        Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())))
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
        place.want(1, 1).expect("taken away");
        assert_eq!(place.wanted(1), None, "what the file says needs no writing down");
    }

    #[test]
    fn a_worker_has_one_keeper() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let held = place.hold(0).expect("no error");
        assert!(held.is_some() && place.hold(0).expect("no error").is_none());
        drop(held);
        assert!(place.hold(0).expect("no error").is_some());
    }

    #[test]
    fn a_keeper_writes_where_its_folder_is_and_never_into_another() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let held = place.hold(0).expect("no error").expect("held");
        fs::rename(dir.path().join("web"), dir.path().join("moved")).expect("moved");
        let other = Place::make(dir.path(), "web").expect("made anew");
        let slot = ours(held.place().home());
        held.write(&slot).expect("written");
        assert_eq!((Place::at(&dir.path().join("moved")).read(0), other.read(0)), (Some(slot.clone()), None));
        fs::remove_file(dir.path().join("moved/0.json")).expect("there");
        fs::remove_file(dir.path().join("moved/0.lock")).expect("there");
        held.write(&slot).expect("nothing to write");
        assert_eq!(Place::at(&dir.path().join("moved")).read(0), None, "the worker may be another's by now");
    }

    #[test]
    fn ends_wait_each_for_itself_until_they_are_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::make(dir.path(), "web").expect("made");
        let (one, two) = (Identity { pid: 7, start: 70 }, Identity { pid: 5, start: 90 });
        let end = End { since_ms: 1, code: 0, at_ms: 2, output: String::new() };
        for main in [two, one] {
            place.write_end(0, main, &end).expect("written");
        }
        assert_eq!((place.ends(0), place.ends(1)), (vec![one, two], vec![]));
        place.tell(0, one).expect("told");
        assert_eq!((place.ends(0), place.told(0), place.end(0, two)), (vec![two], Some(one), Some(end)));
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
