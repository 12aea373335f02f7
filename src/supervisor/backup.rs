//! `grace backup`: both databases in one file, of one moment, proven before it is called good.
//!
//! The copies are made in a folder beside the target (`.NAME.new`), so that what cannot be finished leaves nothing
//! under the target's name. Only when the copies are whole, the journal's chain holds, and the finished file was
//! read back and compared, is it renamed to the target. A folder that a killed backup left is used again.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::components::Components;
use crate::record::{Clock, Journal, JournalError};
use crate::store::{self, ArchiveError, End, Manifest, Member, StoreError};
use crate::supervisor::StartError;

/// The files of a backup.
pub(super) const FILES: [&str; 2] = [Components::FILE, Journal::FILE];

/// Who is told how far it is: of which file so many pages are done, of so many.
type Told<'t> = &'t mut dyn FnMut(&str, u64, u64);

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum BackupError {
    /// The target is there already.
    #[error("{path}: there is a file of this name; choose another, or add `--force` to replace it")]
    Exists { path: PathBuf },
    /// Somebody else makes a backup of the same name.
    #[error("{path}: another backup is being made here")]
    Busy { path: PathBuf },
    /// The directory holds databases already.
    #[error(
        "{path}: there are databases here; name another directory with `--data`, or add `--force` to move them aside"
    )]
    Occupied { path: PathBuf },
    /// The journal's chain does not hold.
    #[error("the journal does not hold: {says}; `grace audit verify` says more")]
    Broken { says: String },
    /// The backup is not what its manifest says.
    #[error("{path}: the backup and its manifest differ: {says}")]
    Differs { path: PathBuf, says: String },
    /// A file or folder cannot be made, read or renamed.
    #[error("{path}: cannot {doing}: {source}")]
    Place { path: PathBuf, doing: &'static str, source: io::Error },
    /// A database cannot be copied or checked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal cannot be copied or checked.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something of this name is there, and it is no file that could be replaced.
    #[error("{path}: is not a regular file, and nothing to replace; choose another name")]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// The backup file cannot be written or read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The data directory cannot be had.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Makes a backup of a data directory, whether Grace runs on it or not.
///
/// # Errors
/// Whatever keeps it from being whole; then there is nothing new under the target's name.
pub fn backup(data: &Path, target: &Path, force: bool, told: Told<'_>) -> Result<Manifest, BackupError> {
    if let Ok(there) = target.symlink_metadata() {
        if !force {
            return Err(BackupError::Exists { path: target.to_owned() });
        }
        if !there.is_file() && !there.is_symlink() {
            return Err(BackupError::NotAFile { path: target.to_owned() });
        }
    }
    let workshop = Workshop::open(target)?;
    let manifest = copy(data, &workshop.path, told)?;
    let young = workshop.path.join("backup");
    store::pack(&young, &manifest, &workshop.path)?;
    if store::unpack(&young, &FILES, None)? != manifest {
        let says = "it reads back otherwise than it was written".to_owned();
        return Err(BackupError::Differs { path: young, says });
    }
    put(&young, target, force)?;
    store::settle(target)?;
    Ok(manifest)
}

/// Copies and proves both databases.
fn copy(data: &Path, to: &Path, told: Told<'_>) -> Result<Manifest, BackupError> {
    let created = Clock::start(None).wall().to_string();
    let (journal, database) = (to.join(Journal::FILE), to.join(Components::FILE));
    // The journal first. A write that waits in it and is done in the working database by the time that is copied is
    // done again after a restore, which changes nothing. The other way round, one that the journal calls done would
    // be missing there, and lost.
    Journal::copy(data, &journal, &mut |done, all| told(Journal::FILE, done, all))?;
    Components::copy_database(data, &database, &mut |done, all| told(Components::FILE, done, all))?;
    let proven = Journal::prove(&journal)?;
    if let Some(broken) = proven.verified.broken {
        return Err(BackupError::Broken { says: broken.to_string() });
    }
    let files = BTreeMap::from([
        (Journal::FILE.to_owned(), Member::of(&journal, proven.version)?),
        (Components::FILE.to_owned(), Member::of(&database, Components::prove_database(&database)?)?),
    ]);
    Ok(Manifest::new(created, files, End { last_seq: proven.last, head: proven.verified.head }))
}

/// Gives the finished file its name.
fn put(young: &Path, target: &Path, force: bool) -> Result<(), BackupError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let placed = if force {
        fs::rename(young, target)
    } else {
        match renameat_with(CWD, young, CWD, target, RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::EXIST) => return Err(BackupError::Exists { path: target.to_owned() }),
            // Not every file system can do it; that there was no such file was asked before.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::rename(young, target),
            placed => placed.map_err(io::Error::from),
        }
    };
    placed.map_err(|source| BackupError::Place {
        path: target.to_owned(),
        doing: "give the backup this name",
        source,
    })
}

/// The folder in which a backup is made; it goes when it is dropped.
struct Workshop {
    path: PathBuf,
    /// Locked as long as it is used.
    _folder: File,
}

impl Workshop {
    fn open(target: &Path) -> Result<Self, BackupError> {
        let place =
            |doing| move |path: &Path, source| BackupError::Place { path: path.to_owned(), doing, source };
        let name = target.file_name().ok_or(io::ErrorKind::IsADirectory);
        let name = name.map_err(|why| place("write a backup here")(target, why.into()))?;
        let path = target.with_file_name(format!(".{}.new", name.to_string_lossy()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        if let Err(why) = made
            && why.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(place("make this folder")(&path, why));
        }
        let folder = File::open(&path).map_err(|why| place("open this folder")(&path, why))?;
        if folder.try_lock().is_err() {
            return Err(BackupError::Busy { path });
        }
        for name in FILES.into_iter().chain(["backup"]) {
            // Left by a backup that was killed; where there is none, nothing has to go.
            let _ = fs::remove_file(path.join(name));
        }
        Ok(Self { path, _folder: folder })
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, folder = %self.path.display(), "cannot remove this folder");
        }
    }
}
