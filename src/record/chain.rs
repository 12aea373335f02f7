//! The chain: each entry's hash covers everything in it and the hash of the entry before.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// What the first entry has before it.
pub(super) const GENESIS: Hash = [0; 32];

/// One entry as the chain sees it: bytes, so that even an entry that is no text any more can be hashed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    pub seq: i64,
    pub at: i64,
    pub tick: Option<i64>,
    pub kind: &'a [u8],
    pub event: Option<&'a [u8]>,
    pub component: Option<&'a [u8]>,
    pub act: Option<i64>,
    pub body: &'a [u8],
}

impl Link<'_> {
    /// The entry's hash. Every field has its length before it, and one that is absent differs from an empty
    /// one, so no two entries run together into the same bytes.
    pub(super) fn hash(&self, prev: &Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(prev);
        hasher.update(self.seq.to_le_bytes());
        hasher.update(self.at.to_le_bytes());
        let number = |n: Option<i64>| n.map(i64::to_le_bytes);
        field(&mut hasher, number(self.tick).as_ref().map(<[u8; 8]>::as_slice));
        field(&mut hasher, Some(self.kind));
        field(&mut hasher, self.event);
        field(&mut hasher, self.component);
        field(&mut hasher, number(self.act).as_ref().map(<[u8; 8]>::as_slice));
        field(&mut hasher, Some(self.body));
        hasher.finalize().into()
    }
}

fn field(hasher: &mut Sha256, bytes: Option<&[u8]>) {
    match bytes {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    }
}

/// The SHA-256 of some bytes, in hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    let mut letters = [0; 64];
    // As many letters as a digest has: it cannot fail. `hex::encode` takes as long as the hash of a short text.
    let _ = hex::encode_to_slice(Sha256::digest(bytes), &mut letters);
    str::from_utf8(&letters).unwrap_or_default().to_owned()
}

/// A hash from its hex.
pub(super) fn unhex(text: &str) -> Option<Hash> {
    let mut hash = GENESIS;
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link<'_> = Link {
        seq: 1,
        at: 2,
        tick: Some(3),
        kind: b"end",
        event: Some(b"e"),
        component: None,
        act: None,
        body: b"{}",
    };

    #[test]
    fn every_field_counts() {
        let others = [
            Link { seq: 9, ..LINK },
            Link { at: 9, ..LINK },
            Link { tick: None, ..LINK },
            Link { kind: b"ende", event: Some(b""), ..LINK },
            Link { event: None, ..LINK },
            Link { component: Some(b""), ..LINK },
            Link { act: Some(0), ..LINK },
            Link { body: b"{ }", ..LINK },
        ];
        let own = LINK.hash(&GENESIS);
        for other in others {
            assert_ne!(other.hash(&GENESIS), own, "{other:?}");
        }
        assert_ne!(LINK.hash(&own), own);
    }

    #[test]
    fn hex_goes_both_ways() {
        let hash = LINK.hash(&GENESIS);
        assert_eq!(unhex(&hex::encode(hash)), Some(hash));
        for wrong in ["", "00", &"0".repeat(63), &"g".repeat(64), &"+0".repeat(32), &"ä".repeat(32)] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_the_sha_256_everybody_knows() {
        assert_eq!(digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
