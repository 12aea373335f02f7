//! Signed checkpoints: whoever keeps one elsewhere can show later that the journal still holds what it held then.
//!
//! The form is C2SP's tlog-checkpoint in a signed note, Ed25519: the journal's name, how many entries it has, and a hash.
//! The hash is that of the last entry, which covers all before it; it is the head of a chain and not the root of a Merkle
//! tree, so nobody can prove from it that one entry is among the others without all of them.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// The file of the key, in the data directory.
const FILE: &str = "audit.key";

/// Ed25519, in signed notes.
const ALGORITHM: u8 = 1;

/// How a line of a signature begins.
const DASH: &str = "\u{2014} ";

/// How the name of a journal begins, and so each of its notes.
pub(super) const ORIGIN: &str = "grace-journal/";

/// No note is longer.
const LONGEST: usize = 1_024;

/// How a private key is written.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The key that signs.
pub struct Key {
    verifier: Verifier,
    pair: Ed25519KeyPair,
}

/// What is needed to check a signature. It is public: keep it away from the machine that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    public: Vec<u8>,
}

/// What was signed: that a journal of this name had so many entries, of which the last has this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The journal's name.
    pub origin: String,
    /// The number of the last entry.
    pub seq: i64,
    /// Its hash, in hex.
    pub hash: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum KeyError {
    /// Its file can neither be read nor made.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    /// It holds something else.
    #[error("{path}: holds no key for signed notes; move it away, and a new one is made at the next start")]
    Strange { path: PathBuf },
    /// The system has no random numbers.
    #[error("the system has no random numbers to give: {0}")]
    Random(String),
}

/// Why a text is no checkpoint of this key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has another form.
    #[error("this is no signed checkpoint")]
    Form,
    /// Somebody else signed it.
    #[error("it is not signed by {0}")]
    Unsigned(String),
    /// It was changed.
    #[error("its signature does not fit: it was changed, or signed with another key of this name")]
    Changed,
    /// The verifier's key is written wrongly.
    #[error("this is no verifier key: it is `NAME+ID+BASE64`, as `grace audit key` prints it")]
    Verifier,
}

impl Key {
    /// The key of a data directory; made where there is none.
    ///
    /// # Errors
    /// Its file cannot be read or made, or holds something else.
    pub fn of(dir: &Path, name: &str) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(&text).ok_or(KeyError::Strange { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(&path, name),
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    /// The key that is there; none is made.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it is something else.
    pub fn there(dir: &Path) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(&text).ok_or(KeyError::Strange { path }),
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    fn make(path: &Path, name: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Random(error.to_string()))?;
        let strange = || KeyError::Strange { path: path.to_owned() };
        let key = Self::of_seed(name, &seed).ok_or_else(strange)?;
        let text = format!("{PRIVATE}{}+{}+{}\n", name, key.verifier.id_hex(), encoded(&seed));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let written =
            file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Ok(key)
    }

    fn read(text: &str) -> Option<Self> {
        let (name, id, seed) = parts(text.trim().strip_prefix(PRIVATE)?)?;
        let key = Self::of_seed(name, &seed)?;
        (key.verifier.id_hex() == id).then_some(key)
    }

    fn of_seed(name: &str, seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let verifier = Verifier { name: name.to_owned(), public: pair.public_key().as_ref().to_vec() };
        Some(Self { verifier, pair })
    }

    /// What checks its signatures.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The checkpoint as a signed note.
    #[must_use]
    pub fn sign(&self, signed: &Signed) -> String {
        let text = signed.text();
        let mut signature = self.verifier.id().to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n{DASH}{} {}\n", self.verifier.name, BASE64_STANDARD.encode(signature))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.verifier)
    }
}

impl Signed {
    fn text(&self) -> String {
        let hash = crate::record::chain::unhex(&self.hash).unwrap_or_default();
        format!("{}\n{}\n{}\n", self.origin, self.seq, BASE64_STANDARD.encode(hash))
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, seq, hash) = (lines.next()?, lines.next()?.parse().ok()?, lines.next()?);
        let hash = BASE64_STANDARD.decode(hash).ok()?;
        let read = Self { origin: origin.to_owned(), seq, hash: hex::encode(hash) };
        // What is signed is the text: there is no second way to write the same.
        (read.text() == text && !origin.is_empty()).then_some(read)
    }
}

impl Verifier {
    fn id(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.name.as_bytes());
        hash.update([b'\n', ALGORITHM]);
        hash.update(&self.public);
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }

    fn id_hex(&self) -> String {
        hex::encode(self.id())
    }

    /// The name of the key, which is the journal's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The checkpoints in a text that holds any number of them, the oldest first.
    ///
    /// # Errors
    /// There is none, or one of them does not hold: whoever changes one is found, also among others that hold.
    pub fn all(&self, text: &str) -> Result<Vec<Signed>, NoteError> {
        let checked: Result<Vec<Signed>, NoteError> =
            notes(text).iter().map(|note| self.check(note)).collect();
        let mut all = checked?;
        all.sort_by(|a, b| (a.seq, &a.hash).cmp(&(b.seq, &b.hash)));
        all.dedup();
        if all.is_empty() { Err(NoteError::Form) } else { Ok(all) }
    }

    /// The checkpoint in a signed note.
    ///
    /// # Errors
    /// It is none, or not one of this key.
    pub fn check(&self, note: &str) -> Result<Signed, NoteError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(NoteError::Form)?;
        let text = format!("{text}\n");
        let signed = Signed::read(&text).ok_or(NoteError::Form)?;
        let own = signatures.lines().filter_map(|line| line.strip_prefix(DASH)?.rsplit_once(' '));
        let own = own.filter(|(name, _)| *name == self.name);
        let mut found = false;
        for (_, signature) in own {
            found = true;
            let bytes = BASE64_STANDARD.decode(signature).map_err(|_| NoteError::Changed)?;
            let (id, signature) = bytes.split_at_checked(4).ok_or(NoteError::Changed)?;
            let key = UnparsedPublicKey::new(&ED25519, &self.public);
            if id == self.id() && key.verify(text.as_bytes(), signature).is_ok() {
                return Ok(signed);
            }
        }
        Err(if found { NoteError::Changed } else { NoteError::Unsigned(self.to_string()) })
    }
}

/// The notes in a file, one behind the other: each ends with its signatures.
fn notes(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = String::new();
    let mut signed = false;
    for line in text.lines() {
        let signature = line.starts_with(DASH);
        if signed && !signature {
            notes.push(std::mem::take(&mut note));
        }
        // An empty line between two notes belongs to neither.
        if !(note.is_empty() && line.is_empty()) {
            note.push_str(line);
            note.push('\n');
        }
        signed = signature;
    }
    if !note.is_empty() {
        notes.push(note);
    }
    notes
}

/// So many bytes at the end of a file of checkpoints are the beginning of a note whose rest is missing; also with zeros behind
/// them, which a power loss leaves where bytes were not written any more. None where all is whole, or is no note.
#[must_use]
pub fn torn(end: &[u8]) -> Option<usize> {
    // A line of a signature ends its note.
    let mut behind = 0;
    let mut at = 0;
    for line in end.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line.starts_with(DASH.as_bytes()) && line.ends_with(b"\n") {
            behind = at;
        }
    }
    let rest = end.get(behind..)?;
    let rest = if behind > 0 { rest.strip_prefix(b"\n").unwrap_or(rest) } else { rest };
    let written = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let written = rest.get(..written)?;
    let named = written.starts_with(ORIGIN.as_bytes()) || ORIGIN.as_bytes().starts_with(written);
    (!rest.is_empty() && written.len() <= LONGEST && named).then_some(rest.len())
}

fn encoded(bytes: &[u8]) -> String {
    let mut with_algorithm = vec![ALGORITHM];
    with_algorithm.extend_from_slice(bytes);
    BASE64_STANDARD.encode(with_algorithm)
}

/// The name, the id and the bytes of a key.
fn parts(text: &str) -> Option<(&str, &str, Vec<u8>)> {
    // A name holds no `+`; what comes behind the id may.
    let mut words = text.splitn(3, '+');
    let (name, id, bytes) = (words.next()?, words.next()?, words.next()?);
    let bytes = BASE64_STANDARD.decode(bytes).ok()?;
    let (algorithm, bytes) = bytes.split_first()?;
    (*algorithm == ALGORITHM && bytes.len() == 32 && !name.is_empty()).then(|| (name, id, bytes.to_vec()))
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, self.id_hex(), encoded(&self.public))
    }
}

impl FromStr for Verifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, public) = parts(text.trim()).ok_or(NoteError::Verifier)?;
        let verifier = Self { name: name.to_owned(), public };
        if verifier.id_hex() == id { Ok(verifier) } else { Err(NoteError::Verifier) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(seq: i64) -> Signed {
        Signed { origin: "grace/test".into(), seq, hash: "ab".repeat(32) }
    }

    #[test]
    fn what_is_signed_is_read_back_and_what_was_changed_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = Key::of(dir.path(), "grace/test").expect("made");
        let again = Key::of(dir.path(), "another").expect("read");
        assert_eq!(again.verifier(), key.verifier(), "a key is made once");
        let note = key.sign(&signed(7));
        let verifier: Verifier = key.verifier().to_string().parse().expect("a verifier key");
        assert_eq!(verifier.check(&note), Ok(signed(7)));
        for bit in 0..note.len() * 8 {
            let mut bytes = note.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(verifier.check(&text).is_err() || text.trim() == note.trim(), "bit {bit}: {text}");
        }
    }

    #[test]
    fn several_are_read_and_none_may_be_wrong() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = Key::of(dir.path(), "grace/test").expect("made");
        let other = Key::of(&dir.path().join("."), "grace/test").expect("read");
        let both = format!("{}\n{}", key.sign(&signed(7)), other.sign(&signed(9)));
        assert_eq!(key.verifier().all(&both), Ok(vec![signed(7), signed(9)]));
        assert!(key.verifier().all(&both.replacen("\n7\n", "\n8\n", 1)).is_err());
        assert_eq!(key.verifier().all(""), Err(NoteError::Form));
        let stranger = tempfile::tempdir().expect("a directory");
        let stranger = Key::of(stranger.path(), "grace/test").expect("made");
        assert_eq!(key.verifier().check(&stranger.sign(&signed(7))), Err(NoteError::Changed));
    }

    #[test]
    fn the_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let key = Key::of(dir.path(), "grace/test").expect("made");
        let mode = fs::metadata(dir.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{key:?}").contains(PRIVATE));
        fs::write(dir.path().join(FILE), "nonsense").expect("written");
        assert!(matches!(Key::of(dir.path(), "x"), Err(KeyError::Strange { .. })));
    }
}
