//! Signs what the journal holds, now and then and after whatever disrupts, into a file that a log forwarder takes away.
//!
//! It has a thread of its own and reads the journal as everybody does: nothing that acts ever waits for it, and a file that
//! cannot be written stops nobody.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::model::{By, Record, Span};
use crate::record::{JournalError, Key, KeyError, Reader, Signed, origin};

/// The file in the data directory, where no other is named.
pub(super) const FILE: &str = "checkpoints";

/// What the sealer is asked.
enum Wish {
    /// Sign now.
    Now,
    /// Sign so often from now on.
    Every(Span),
}

/// The thread that signs.
pub(super) struct Sealer {
    wishes: Option<SyncSender<Wish>>,
    thread: Option<JoinHandle<()>>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
enum SealError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
}

impl Sealer {
    pub(super) fn start(data: PathBuf, file: PathBuf, every: Span) -> Self {
        let (wishes, inbox) = sync_channel(8);
        let work = move || Seals { data, file, every, sealed: 0, complained: false, key: None }.run(&inbox);
        let thread = std::thread::Builder::new().name("sealer".into()).spawn(work);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no checkpoints are signed");
        }
        Self { wishes: Some(wishes), thread: thread.ok() }
    }

    /// Signs soon. Where so many wishes wait already, one of them does it.
    pub(super) fn now(&self) {
        self.wish(Wish::Now);
    }

    pub(super) fn every(&self, span: Span) {
        self.wish(Wish::Every(span));
    }

    fn wish(&self, wish: Wish) {
        let _ = self.wishes.as_ref().map(|wishes| wishes.try_send(wish));
    }
}

impl Sealer {
    /// Signs once more and ends. It comes before the journal is closed: whoever still reads it then keeps its log from being
    /// folded in.
    pub(super) fn finish(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Seals {
    data: PathBuf,
    file: PathBuf,
    every: Span,
    /// The last entry that was signed.
    sealed: i64,
    /// That it does not work is said once.
    complained: bool,
    key: Option<Key>,
}

impl Seals {
    fn run(mut self, inbox: &Receiver<Wish>) {
        loop {
            match inbox.recv_timeout(self.every.to_std()) {
                Ok(Wish::Every(every)) => self.every = every,
                Ok(Wish::Now) | Err(RecvTimeoutError::Timeout) => self.seal(),
                Err(RecvTimeoutError::Disconnected) => return self.seal(),
            }
        }
    }

    fn seal(&mut self) {
        match self.try_seal() {
            Ok(()) => self.complained = false,
            Err(error) if !self.complained => {
                self.complained = true;
                tracing::warn!(%error, "no checkpoint could be signed; everything else goes on");
            }
            Err(error) => tracing::debug!(%error, "no checkpoint could be signed"),
        }
    }

    fn try_seal(&mut self) -> Result<(), SealError> {
        let reader = Reader::open(&self.data)?;
        let head = reader.head()?;
        let Some(name) = origin(&reader)?.filter(|_| head.seq > self.sealed) else { return Ok(()) };
        // One that was read once is kept: a file that vanishes meanwhile makes no other key, before the next start says so.
        let key = match self.key.take() {
            Some(key) => key,
            None => Key::of(&self.data, &name)?,
        };
        let note = self.key.insert(key).sign(&Signed { origin: name, seq: head.seq, hash: head.hash });
        append(&self.file, &note).map_err(|source| SealError::File { path: self.file.clone(), source })?;
        self.sealed = head.seq;
        Ok(())
    }
}

/// Appends a note in one write, so that a forwarder never sees half of one. Where there is room for half of it only, nothing
/// stays there: the next one would stand behind it and not be found.
fn append(file: &Path, note: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(file)?;
    let before = file.metadata()?.len();
    let written = file.write_all(format!("{note}\n").as_bytes()).and_then(|()| file.sync_data());
    // A pipe or a device has no length, and keeps nothing.
    written.inspect_err(|_| drop(file.set_len(before)))
}

/// Is there something among these that is signed at once?
pub(super) fn disrupts(records: &[Record]) -> bool {
    records.iter().any(|record| match record {
        Record::End { component, .. } => component.is_some(),
        Record::ModeChanged { by, .. } => matches!(by, By::Person { .. }),
        Record::Approved { break_glass, .. } => *break_glass,
        Record::TokenMade { .. } | Record::TokenEnded { .. } => true,
        _ => false,
    })
}
