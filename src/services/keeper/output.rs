//! What a service says, kept within bounds: the end of it in two small files, the very end for the journal.
//!
//! Known secrets are taken out before anything is kept. A service that says more in a second than a disk
//! should be asked for is read on, so that it never waits, and what is too much is counted and left out.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One of the two files; when it is full it takes the place of the other.
const FILE_BYTES: usize = 256 * 1024;

/// More than this in a second is left out.
const PER_SECOND: usize = 1024 * 1024;

/// The end that the journal gets.
const TAIL_BYTES: usize = 4 * 1024;

/// What stands where a secret stood.
const HIDDEN: &str = "[hidden]";

/// Keeps what is said.
pub(super) struct Output {
    path: PathBuf,
    file: Option<File>,
    size: usize,
    tail: VecDeque<u8>,
    secrets: Vec<String>,
    /// The end of what was read, which may be the beginning of a secret.
    carry: Vec<u8>,
    second: Instant,
    spent: usize,
    left_out: usize,
}

impl Output {
    pub(super) fn new(path: PathBuf, secrets: Vec<String>) -> Self {
        // A very short secret would hide half of every text.
        let secrets = secrets.into_iter().filter(|secret| secret.len() > 3).collect();
        Self {
            path,
            file: None,
            size: 0,
            tail: VecDeque::new(),
            secrets,
            carry: Vec::new(),
            second: Instant::now(),
            spent: 0,
            left_out: 0,
        }
    }

    /// Reads until nobody can say anything any more; `heard` is called after each piece.
    pub(super) fn follow(mut self, mut from: impl Read, mut heard: impl FnMut(String)) {
        let mut piece = vec![0; 64 * 1024];
        loop {
            match from.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => self.take(piece.get(..length).unwrap_or_default()),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            heard(self.tail());
        }
        self.finish();
        heard(self.tail());
    }

    fn take(&mut self, piece: &[u8]) {
        self.carry.extend_from_slice(piece);
        let text = hide(std::mem::take(&mut self.carry), &self.secrets);
        // What could be the beginning of a secret waits for the next piece.
        let waits = self.secrets.iter().map(|secret| overlap(&text, secret.as_bytes())).max().unwrap_or(0);
        let (ready, rest) = text.split_at(text.len() - waits);
        self.keep(ready);
        self.carry = rest.to_vec();
    }

    fn finish(&mut self) {
        let rest = std::mem::take(&mut self.carry);
        self.keep(&rest);
        self.say_what_is_missing();
    }

    fn keep(&mut self, text: &[u8]) {
        self.tail.extend(text.iter().skip(text.len().saturating_sub(TAIL_BYTES)));
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        if self.second.elapsed() > Duration::from_secs(1) {
            self.say_what_is_missing();
            (self.second, self.spent) = (Instant::now(), 0);
        }
        let room = PER_SECOND.saturating_sub(self.spent).min(text.len());
        self.spent += room;
        self.left_out += text.len() - room;
        self.write(text.get(..room).unwrap_or_default());
    }

    fn say_what_is_missing(&mut self) {
        if self.left_out > 0 {
            let line = format!("\n[{} bytes left out]\n", std::mem::take(&mut self.left_out));
            self.write(line.as_bytes());
        }
    }

    /// A disk that is full or fails costs the text, never the service.
    fn write(&mut self, text: &[u8]) {
        for piece in text.chunks(FILE_BYTES) {
            if self.file.is_none() || self.size + piece.len() > FILE_BYTES {
                self.turn();
            }
            if let Some(file) = &mut self.file {
                let _ = file.write_all(piece);
                self.size += piece.len();
            }
        }
    }

    fn turn(&mut self) {
        let _ = fs::rename(&self.path, self.path.with_extension("out.old"));
        let new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path);
        (self.file, self.size) = (new.ok(), 0);
    }

    fn tail(&self) -> String {
        let bytes: Vec<u8> = self.tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The text with every secret replaced.
pub(super) fn hide(text: Vec<u8>, secrets: &[String]) -> Vec<u8> {
    secrets.iter().filter(|secret| !secret.is_empty()).fold(text, |text, secret| {
        let secret = secret.as_bytes();
        if !text.windows(secret.len()).any(|part| part == secret) {
            return text;
        }
        let mut clean = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(at) = rest.windows(secret.len()).position(|part| part == secret) {
            clean.extend_from_slice(rest.get(..at).unwrap_or_default());
            clean.extend_from_slice(HIDDEN.as_bytes());
            rest = rest.get(at + secret.len()..).unwrap_or_default();
        }
        clean.extend_from_slice(rest);
        clean
    })
}

/// How many bytes at the end of the text are the beginning of the secret.
fn overlap(text: &[u8], secret: &[u8]) -> usize {
    let most = secret.len().saturating_sub(1).min(text.len());
    (1..=most)
        .rev()
        .find(|length| secret.get(..*length).is_some_and(|start| text.ends_with(start)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its pieces one by one.
    struct Pieces(Vec<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            into[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    fn follow(pieces: Vec<Vec<u8>>, secrets: &[&str]) -> (String, Vec<u8>, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("0.out");
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let mut last = String::new();
        Output::new(path.clone(), secrets).follow(Pieces(pieces), |tail| last = tail);
        (last, fs::read(path).unwrap_or_default(), dir)
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_is_cut() {
        let text = b"user=me password=hunter22 hunter2";
        for at in 1..text.len() {
            let (one, two) = text.split_at(at);
            let (tail, file, _dir) = follow(vec![one.to_vec(), two.to_vec()], &["hunter22"]);
            assert_eq!(tail, "user=me password=[hidden] hunter2", "cut at {at}");
            assert_eq!(file, tail.as_bytes());
        }
    }

    #[test]
    fn gigabytes_are_read_and_not_kept() {
        let piece = vec![b'x'; 64 * 1024];
        let (tail, _, dir) = follow(vec![piece; 200], &[]);
        assert_eq!(tail.len(), TAIL_BYTES);
        let size: u64 = fs::read_dir(dir.path())
            .expect("listed")
            .map(|entry| entry.expect("an entry").metadata().expect("its size").len())
            .sum();
        assert!(size <= 2 * FILE_BYTES as u64, "{size}");
    }
}
