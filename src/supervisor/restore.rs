//! `grace restore`: both databases back from one file, wholly or not at all.
//!
//! The order, so that a kill at any point leaves the old state or the new one:
//!
//! 1. the directory is locked, so that no Grace runs on it;
//! 2. the files are unpacked into the folder `restoring` in it, and everything is proven there;
//! 3. a note `restoring/ready` becomes durable: from here on the restore will be done. Before it, nothing of what
//!    was there has been touched;
//! 4. for each database, the old files are moved aside (`journal.db.before-restore-TIME`), then the new one gets its
//!    place;
//! 5. the witness names the new journal's last entry; the note and the folder go.
//!
//! Killed after the third step, the rest is done by the next `grace run` or `grace restore`: each move is made only
//! where it was not made yet.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, lchown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::components::Components;
use crate::record::{Clock, Journal};
use crate::store::{self, End, Manifest};
use crate::supervisor::backup::{BackupError, FILES};
use crate::supervisor::lock;

/// The folder in the data directory.
const FOLDER: &str = "restoring";

/// The note in it.
const READY: &str = "ready";

/// A file that was moved aside, with the names that SQLite gives to what belongs to it.
const SIDES: [&str; 3] = ["", "-wal", "-shm"];

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// What was there before, under its new names.
    pub moved_aside: Vec<PathBuf>,
}

/// The note that makes a restore certain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ready {
    /// The ending for what is moved aside.
    ending: String,
    journal: End,
}

/// Restores a backup into a data directory on which no Grace runs.
///
/// # Errors
/// Whatever is wrong with the backup or the directory; then nothing of what was there was touched.
pub fn restore(data: &Path, file: &Path, force: bool) -> Result<Restored, BackupError> {
    // Asked before anything is made: a wrong name must not leave a new directory behind.
    store::unpack(file, &FILES, None)?;
    store::directory(data)?;
    let _lock = lock::take(data)?;
    finish(data)?;
    if !force && FILES.iter().any(|name| data.join(name).symlink_metadata().is_ok()) {
        return Err(BackupError::Occupied { path: data.to_owned() });
    }
    let folder = data.join(FOLDER);
    let prepared =
        prepare(file, &folder).and_then(|manifest| Ok((note(data, &folder, &manifest)?, manifest)));
    let (ready, manifest) = prepared.inspect_err(|_| {
        // Nothing in it is needed; a disk may be full of it.
        let _ = fs::remove_dir_all(&folder);
    })?;
    move_in(data, &ready)?;
    let aside = FILES.iter().flat_map(|name| SIDES.map(|side| aside(data, name, &ready.ending, side)));
    Ok(Restored { manifest, moved_aside: aside.filter(|path| path.exists()).collect() })
}

/// Ends a restore that was killed when it was certain already; one that was not is forgotten.
pub(super) fn finish(data: &Path) -> Result<(), BackupError> {
    let folder = data.join(FOLDER);
    let note = folder.join(READY);
    match fs::read(&note) {
        Ok(text) => {
            let ready = serde_json::from_slice(&text)
                .map_err(|why| place("read this note of a restore")(&note, why.into()))?;
            tracing::warn!("a restore that was cut short is ended now");
            move_in(data, &ready)
        }
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            Err(place("read this note of a restore")(&note, why))
        }
        Err(_) if folder.is_dir() => {
            fs::remove_dir_all(&folder).map_err(|why| place("remove this folder")(&folder, why))
        }
        Err(_) => Ok(()),
    }
}

/// Unpacks the backup and proves it.
fn prepare(file: &Path, folder: &Path) -> Result<Manifest, BackupError> {
    DirBuilder::new().mode(0o700).create(folder).map_err(|why| place("make this folder")(folder, why))?;
    let manifest = store::unpack(file, &FILES, Some(folder))?;
    let proven = Journal::prove(&folder.join(Journal::FILE))?;
    let database = Components::prove_database(&folder.join(Components::FILE))?;
    if let Some(broken) = proven.verified.broken {
        return Err(BackupError::Broken { says: broken.to_string() });
    }
    let end = End { last_seq: proven.last, head: proven.verified.head };
    let version = |name| manifest.files.get(name).map(|member| member.schema_version);
    let same = end == manifest.journal
        && version(Journal::FILE) == Some(proven.version)
        && version(Components::FILE) == Some(database);
    if same {
        return Ok(manifest);
    }
    let says = "the journal's end or a schema's version".to_owned();
    Err(BackupError::Differs { path: file.to_owned(), says })
}

/// Makes the restore certain.
fn note(data: &Path, folder: &Path, manifest: &Manifest) -> Result<Ready, BackupError> {
    let stamp = Clock::start(None).wall().0 / 1000;
    let is_free =
        |ending: &String| FILES.iter().all(|name| aside(data, name, ending, "").symlink_metadata().is_err());
    let mut endings = (stamp..).map(|stamp| format!("before-restore-{stamp}"));
    let ending = endings.find(is_free).unwrap_or_default();
    let ready = Ready { ending, journal: manifest.journal.clone() };
    let (young, path) = (folder.join("ready.new"), folder.join(READY));
    let text = serde_json::to_vec(&ready).map_err(io::Error::from);
    let written = text.and_then(|text| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&young)?;
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(|why| place("write this note")(&young, why))?;
    fs::rename(&young, &path).map_err(|why| place("rename this note")(&young, why))?;
    store::settle(&path)?;
    // The folder's own name has to be durable as well.
    sync(data)?;
    Ok(ready)
}

/// Moves the old files aside and the new ones in, as far as that was not done yet.
fn move_in(data: &Path, ready: &Ready) -> Result<(), BackupError> {
    let folder = data.join(FOLDER);
    for name in FILES {
        let young = folder.join(name);
        if !young.exists() {
            continue;
        }
        for side in SIDES {
            let old = data.join(format!("{name}{side}"));
            if old.symlink_metadata().is_ok() {
                let to = aside(data, name, &ready.ending, side);
                fs::rename(&old, to).map_err(|why| place("move this file aside")(&old, why))?;
            }
        }
        give(&young, data)?;
        fs::rename(&young, data.join(name))
            .map_err(|why| place("put this file in its place")(&young, why))?;
        sync(data)?;
    }
    Journal::bear_witness(data, ready.journal.last_seq, &ready.journal.head)
        .map_err(|why| place("write the journal's witness")(data, why))?;
    give(&data.join(Journal::WITNESS), data)?;
    sync(data)?;
    fs::remove_dir_all(&folder).map_err(|why| place("remove this folder")(&folder, why))
}

/// Gives a file to whom the data directory belongs: restored by root, it is still Grace's.
fn give(path: &Path, data: &Path) -> Result<(), BackupError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owners = fs::symlink_metadata(path).and_then(|own| Ok((own, fs::metadata(data)?)));
    let (own, to) = owners.map_err(|why| place("ask for the owner of this file")(path, why))?;
    if (own.uid(), own.gid()) == (to.uid(), to.gid()) {
        return Ok(());
    }
    lchown(path, Some(to.uid()), Some(to.gid()))
        .map_err(|why| place("give this file to Grace's user")(path, why))
}

fn aside(data: &Path, name: &str, ending: &str, side: &str) -> PathBuf {
    data.join(format!("{name}.{ending}{side}"))
}

fn sync(dir: &Path) -> Result<(), BackupError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|why| place("synchronise this folder")(dir, why))
}

fn place(doing: &'static str) -> impl Fn(&Path, io::Error) -> BackupError {
    move |path, source| BackupError::Place { path: path.to_owned(), doing, source }
}
