//! A backup file: a tar with a manifest that names what else is in it, with sizes and digests.
//!
//! Only the names that are asked for are ever read out of one, into files that are made new; an entry of another
//! name, another kind or another size makes the whole file invalid.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::iter::once;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tar::{Archive, Builder, Entry, EntryType, Header};

/// The version of the format. A file of a later one is refused.
const FORMAT: u32 = 1;

/// The manifest's name in the tar; it comes first.
const MANIFEST: &str = "manifest.json";

/// A manifest is a few hundred bytes.
const LONGEST_MANIFEST: u64 = 64 * 1024;

/// A tar is made of blocks, and ends with two empty ones.
const BLOCK: u64 = 512;

/// What a backup file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format_version: u32,
    /// The Grace that made it.
    pub grace_version: String,
    /// When, by the wall clock.
    pub created: String,
    /// What else is in it.
    pub files: BTreeMap<String, Member>,
    /// Where the journal ends.
    pub journal: End,
    /// The SHA-256, in hex, of this manifest without it.
    pub sha256: String,
}

/// One file in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// The version of its schema.
    pub schema_version: i64,
}

/// Where a journal ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The number of its last entry.
    pub last_seq: i64,
    /// The hash of that entry, in hex.
    pub head: String,
}

/// Why a backup file cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum ArchiveError {
    /// It cannot be read or written.
    #[error("{path}: cannot {doing}: {source}")]
    Io { path: PathBuf, doing: &'static str, source: io::Error },
    /// It is not, or not wholly, what it should be.
    #[error("{path}: this is no whole backup of Grace: {says}")]
    Invalid { path: PathBuf, says: String },
    /// A later Grace made it.
    #[error("{path}: format {found} of this backup was made by a newer Grace; this one knows up to {FORMAT}")]
    Newer { path: PathBuf, found: u32 },
}

impl Manifest {
    /// The manifest of these files, made by this Grace.
    #[must_use]
    pub fn new(created: String, files: BTreeMap<String, Member>, journal: End) -> Self {
        let grace_version = env!("CARGO_PKG_VERSION").into();
        let sha256 = String::new();
        let plain = Self { format_version: FORMAT, grace_version, created, files, journal, sha256 };
        Self { sha256: plain.digest(), ..plain }
    }

    /// The digest that it should have.
    fn digest(&self) -> String {
        let plain = Self { sha256: String::new(), ..self.clone() };
        // Plain data with names as keys always becomes JSON.
        hex::encode(Sha256::digest(serde_json::to_vec(&plain).unwrap_or_default()))
    }
}

impl Member {
    /// What there is to say of a file.
    pub fn of(path: &Path, schema_version: i64) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Io { path: path.to_owned(), doing: "read this file", source };
        let file = File::open(path).map_err(failed)?;
        let (size, sha256) = pour(file, io::sink()).map_err(failed)?;
        Ok(Self { size, sha256, schema_version })
    }
}

/// Packs the manifest's files, which lie in `dir`, into a new tar. It is on the disk when this returns.
pub fn pack(path: &Path, manifest: &Manifest, dir: &Path) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Io { path: path.to_owned(), doing: "write this file", source };
    let file = new_file(path).map_err(failed)?;
    let mut tar = Builder::new(BufWriter::new(file));
    let text = serde_json::to_vec_pretty(manifest).map_err(|why| failed(why.into()))?;
    tar.append(&header(MANIFEST, text.len() as u64).map_err(failed)?, &text[..]).map_err(failed)?;
    for (name, member) in &manifest.files {
        let content = File::open(dir.join(name)).map_err(failed)?;
        tar.append(&header(name, member.size).map_err(failed)?, BufReader::new(content)).map_err(failed)?;
    }
    let file = tar.into_inner().and_then(|inner| Ok(inner.into_inner()?)).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_size(size);
    header.set_mode(0o600);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// Reads a backup file to its end and compares everything in it with its manifest. `names` are the files it has
/// to hold, and no other. With `into` they are written there, as new files.
pub fn unpack(path: &Path, names: &[&str], into: Option<&Path>) -> Result<Manifest, ArchiveError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|source| ArchiveError::Io {
        path: path.to_owned(),
        doing: "read this file",
        source,
    })?;
    let reading = Reading { path, names, into, left: names.iter().copied().collect() };
    if !metadata.is_file() {
        return Err(reading.invalid("it is no plain file"));
    }
    reading.all(file, metadata.len())
}

/// A backup file that is being read.
struct Reading<'r> {
    path: &'r Path,
    names: &'r [&'r str],
    into: Option<&'r Path>,
    left: BTreeSet<&'r str>,
}

impl Reading<'_> {
    fn all(mut self, file: File, length: u64) -> Result<Manifest, ArchiveError> {
        let again = file.try_clone().map_err(|why| self.unreadable(&why))?;
        let mut tar = Archive::new(BufReader::new(file));
        let mut entries = tar.entries().map_err(|why| self.unreadable(&why))?;
        let first = entries.next().ok_or_else(|| self.invalid("it is empty"))?;
        let (manifest, size) = self.manifest(first.map_err(|why| self.unreadable(&why))?)?;
        let mut ends = vec![BLOCK + size];
        for entry in entries {
            let size = self.member(entry.map_err(|why| self.unreadable(&why))?, &manifest)?;
            ends.push(ends.last().map_or(0, |end| end.next_multiple_of(BLOCK)) + BLOCK + size);
        }
        if let Some(name) = self.left.first() {
            return Err(self.invalid(&format!("it does not hold {name}")));
        }
        let last = ends.last().map_or(0, |end| end.next_multiple_of(BLOCK));
        let filling = ends.iter().map(|end| *end..end.next_multiple_of(BLOCK));
        let empty = filling.chain(once(last..last + 2 * BLOCK)).all(|part| is_empty(&again, part));
        if length != last + 2 * BLOCK || !empty {
            return Err(self.invalid("it is cut off, or something was added to it"));
        }
        Ok(manifest)
    }

    /// The manifest, and how long it is.
    fn manifest(&self, entry: Entry<'_, impl Read>) -> Result<(Manifest, u64), ArchiveError> {
        #[derive(Deserialize)]
        struct Format {
            format_version: u32,
        }
        if &*entry.path_bytes() != MANIFEST.as_bytes() || entry.size() > LONGEST_MANIFEST {
            return Err(self.invalid("it does not begin with a manifest"));
        }
        let size = entry.size();
        let mut text = Vec::new();
        entry.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(|why| self.unreadable(&why))?;
        let wrong = |why: serde_json::Error| self.invalid(&format!("its manifest cannot be read: {why}"));
        let Format { format_version } = serde_json::from_slice(&text).map_err(wrong)?;
        if format_version > FORMAT {
            return Err(ArchiveError::Newer { path: self.path.to_owned(), found: format_version });
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(wrong)?;
        if manifest.digest() != manifest.sha256 {
            return Err(self.invalid("its manifest was changed"));
        }
        if !manifest.files.keys().map(String::as_str).eq(self.names.iter().copied().collect::<BTreeSet<_>>())
        {
            return Err(self.invalid(&format!("its manifest does not name {}", self.names.join(" and "))));
        }
        Ok((manifest, size))
    }

    /// One file; says how long it is.
    fn member(&mut self, entry: Entry<'_, impl Read>, manifest: &Manifest) -> Result<u64, ArchiveError> {
        let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let known = self.left.take(found.as_str()).and_then(|name| Some((name, manifest.files.get(name)?)));
        let Some((name, member)) = known else {
            return Err(self.invalid(&format!("it holds {found:?}, which has no place in it")));
        };
        if entry.header().entry_type() != EntryType::Regular || entry.size() != member.size {
            return Err(self.invalid(&format!("{name} is not of the size in the manifest")));
        }
        let poured = match self.into.map(|dir| dir.join(name)) {
            None => pour(entry, io::sink()).map_err(|why| self.unreadable(&why))?,
            Some(to) => {
                let failed = |source| ArchiveError::Io { path: to.clone(), doing: "write this file", source };
                let mut file = new_file(&to).map_err(failed)?;
                // Reading and writing both fail here; a full disk is the likely one, and its error says so.
                let poured = pour(entry, &mut file).map_err(failed)?;
                file.sync_all().map_err(failed)?;
                poured
            }
        };
        if poured != (member.size, member.sha256.clone()) {
            return Err(self.invalid(&format!("{name} was changed: its digest is not the manifest's")));
        }
        Ok(member.size)
    }

    fn invalid(&self, says: &str) -> ArchiveError {
        ArchiveError::Invalid { path: self.path.to_owned(), says: says.to_owned() }
    }

    /// What the tar itself makes impossible.
    fn unreadable(&self, why: &io::Error) -> ArchiveError {
        self.invalid(&why.to_string())
    }
}

/// Is there nothing but zeros in this part of the file?
fn is_empty(file: &File, part: Range<u64>) -> bool {
    let mut bytes = vec![1; usize::try_from(part.end - part.start).unwrap_or(0)];
    file.read_exact_at(&mut bytes, part.start).is_ok() && bytes.iter().all(|byte| *byte == 0)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Copies everything, and says how much it was and its SHA-256.
fn pour(mut from: impl Read, mut to: impl Write) -> io::Result<(u64, String)> {
    let (mut size, mut hasher, mut buffer) = (0, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        let count = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        to.write_all(bytes)?;
        size += count as u64;
    }
    Ok((size, hex::encode(hasher.finalize())))
}
