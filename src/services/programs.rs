//! Is the program that runs now the one that ran before? Told of each process once, and remembered until the next one.
//!
//! Programs can be large, so that they are read by a thread of its own; until it is done nobody knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::Reading;
use crate::services::identity::Identity;
use crate::services::seal::Seal;

/// What is remembered of one service.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Last {
    main: Identity,
    seal: Seal,
    /// It was another one than that of the process before.
    changed: bool,
}

#[derive(Debug, Default)]
struct Inner {
    last: Option<Last>,
    /// Somebody reads a program already.
    reading: bool,
}

/// The programs of one service, one after the other.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Where it is written down, so that another Grace knows it.
    file: Option<PathBuf>,
    inner: Arc<Mutex<Inner>>,
}

impl Programs {
    /// Remembers in a file; without one as long as Grace lives.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        let last = file.as_deref().and_then(read);
        Self { file, inner: Arc::new(Mutex::new(Inner { last, reading: false })) }
    }

    /// The fact `binary_changed`: of this process, or where none runs of the last one. Missing until its program was read.
    pub fn changed(&self, main: Option<Identity>, program: impl FnOnce(Identity) -> PathBuf) -> Reading {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let last = inner.last.as_ref();
        let Some(main) = main.filter(|main| last.is_none_or(|last| last.main != *main)) else {
            return last.is_some_and(|last| last.changed).into();
        };
        if !inner.reading {
            inner.reading = true;
            let (this, path) = (self.clone(), program(main));
            let work = move || this.look(main, &path);
            inner.reading = std::thread::Builder::new().name("program".into()).spawn(work).is_ok();
        }
        Reading::Missing
    }

    fn look(&self, main: Identity, path: &Path) {
        // It is cheap to be slow here, and nobody waits.
        let _ = rustix::process::nice(10);
        let before = self.inner.lock().unwrap_or_else(PoisonError::into_inner).last.clone();
        let sealed = Seal::of(path, before.as_ref().map(|before| &before.seal));
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.reading = false;
        let Ok(seal) = sealed else { return };
        let changed = before.is_some_and(|before| !before.seal.is_same(&seal));
        let last = Last { main, seal, changed };
        if let Some(file) = &self.file
            && let Err(error) = write(file, &last)
        {
            tracing::warn!(%error, "what runs could not be written down: {}", file.display());
        }
        inner.last = Some(last);
    }
}

fn read(file: &Path) -> Option<Last> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Whole or not at all.
fn write(file: &Path, last: &Last) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, serde_json::to_vec(last)?)?;
    fs::rename(beside, file)
}
