//! Signs what the journal holds, at the start, now and then and after whatever disrupts, into a file that a log forwarder takes
//! away.
//!
//! It has a thread of its own and reads the journal as everybody does: nothing that acts ever waits for it, and a file that
//! cannot be written stops nobody.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::model::{Record, Span};
use crate::record::{JournalError, Key, KeyError, Reader, Signed, origin, torn};

/// The file in the data directory, where no other is named.
pub(super) const FILE: &str = "checkpoints";

/// No note is so long: the last whole one is found so near the end of the file.
const LONGEST_END: u64 = 4 * 1024;

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
        let work = move || {
            Seals { data, file, every, sealed: 0, mended: false, complained: false, key: None }.run(&inbox);
        };
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
    /// What a crash tore is cut off before the first note.
    mended: bool,
    /// That it does not work is said once.
    complained: bool,
    key: Option<Key>,
}

impl Seals {
    fn run(mut self, inbox: &Receiver<Wish>) {
        // The generation that became active with this start stands in the journal already.
        self.seal();
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
        self.mend();
        append(&self.file, &note).map_err(|source| SealError::File { path: self.file.clone(), source })?;
        self.sealed = head.seq;
        Ok(())
    }

    /// A file that may only be appended to, or not be read, gets its notes all the same.
    fn mend(&mut self) {
        if std::mem::replace(&mut self.mended, true) {
            return;
        }
        if let Err(error) = mend(&self.file) {
            let path = self.file.display();
            tracing::warn!(%error, %path, "whether the last checkpoint is whole could not be seen to");
        }
    }
}

/// Cuts back to the end of the last whole note where a power loss tore the one behind it: the next would be glued on, and
/// neither be found. What is no part of a note is somebody else's, and stays.
fn mend(path: &Path) -> io::Result<()> {
    let length = match path.metadata() {
        Ok(data) if data.is_file() => data.len(),
        // A pipe or a device keeps nothing.
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut end = vec![0; usize::try_from(length.min(LONGEST_END)).unwrap_or_default()];
    let from = length.saturating_sub(LONGEST_END);
    File::open(path)?.read_exact_at(&mut end, from)?;
    let Some(torn) = torn(&end).filter(|torn| from == 0 || *torn < end.len()) else { return Ok(()) };
    let whole = length.saturating_sub(u64::try_from(torn).unwrap_or_default());
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(whole).and_then(|()| file.sync_all())?;
    tracing::warn!(path = %path.display(), bytes = torn, "a checkpoint that a crash tore was cut off");
    Ok(())
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
        Record::Approved { break_glass, .. } => *break_glass,
        Record::ModeChanged { .. }
        | Record::Blocked { .. }
        | Record::Unblocked { .. }
        | Record::Held { .. }
        | Record::HoldEnded { .. }
        | Record::Generation { .. }
        | Record::TokenMade { .. }
        | Record::TokenEnded { .. } => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Actor, By, ComponentId, GenerationId, ModeId, RuleId};

    #[test]
    fn a_note_that_was_torn_at_any_byte_spoils_no_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, name) = (dir.path().join(FILE), "grace-journal/0123456789abcdef");
        let key = Key::of(dir.path(), name).expect("made");
        let note = |seq| key.sign(&Signed { origin: name.into(), seq, hash: "ab".repeat(32) });
        let (first, second) = (format!("{}\n", note(7)), format!("{}\n", note(8)));
        for before in ["", first.as_str()] {
            for (cut, zeros) in (0..=second.len()).flat_map(|cut| [(cut, 0), (cut, 9)]) {
                let torn = [before.as_bytes(), &second.as_bytes()[..cut], &vec![0; zeros]].concat();
                std::fs::write(&file, torn).expect("written");
                mend(&file).and_then(|()| append(&file, &note(9))).expect("written");
                let text = std::fs::read_to_string(&file).expect("text");
                let all =
                    key.verifier().all(&text).unwrap_or_else(|error| panic!("{cut} {zeros}: {error} {text}"));
                let found: Vec<i64> = all.iter().map(|one| one.seq).collect();
                // Its last line is whole with its end.
                let whole = cut + 1 >= second.len();
                let wanted = [(!before.is_empty()).then_some(7), whole.then_some(8), Some(9)];
                assert_eq!(found, wanted.into_iter().flatten().collect::<Vec<_>>(), "{cut} {zeros}");
            }
        }
    }

    #[test]
    fn what_is_no_note_stays_where_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("somebody's");
        for text in ["root:x:0:0", "a list\nof things\n", "grace-journals/1", &"grace-journal/\n".repeat(999)]
        {
            std::fs::write(&file, text).expect("written");
            mend(&file).expect("read");
            assert_eq!(std::fs::read_to_string(&file).expect("text"), text);
        }
        mend(&dir.path().join("none")).expect("nothing to mend");
        mend(Path::new("/dev/null")).expect("nothing to mend");
    }

    #[test]
    fn whatever_disrupts_is_signed_at_once_whoever_did_it() {
        let (component, reason) = (ComponentId::from("database"), String::from("x"));
        let by = By::Rule { rule: RuleId::from("r"), component: component.clone() };
        let (from, to) = (ModeId::from("normal"), ModeId::from("read_only"));
        let of = Some(component.clone());
        let held =
            |until| Record::Held { component: None, actor: Actor::from("uid:0"), reason: "x".into(), until };
        for record in [
            Record::ModeChanged { from, to, reason: reason.clone(), by: by.clone() },
            Record::Blocked {
                component: component.clone(),
                by: by.clone(),
                reason: reason.clone(),
                known: None,
            },
            Record::Generation {
                generation: GenerationId::from("g"),
                files: BTreeMap::new(),
                kept: Vec::new(),
                reset: Vec::new(),
                dropped: Vec::new(),
                state: None,
                meaning: None,
            },
            Record::Unblocked { component, by, reason: reason.clone() },
            held(None),
            Record::HoldEnded { component: of.clone(), reason: reason.clone() },
        ] {
            assert!(disrupts(std::slice::from_ref(&record)), "{record:?}");
        }
        assert!(!disrupts(&[Record::SilenceEnded { component: of, reason }]));
    }
}
