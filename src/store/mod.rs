//! SQLite, opened one way: every database of Grace is checked, tuned and migrated here and nowhere else.
//!
//! What a database holds is its owner's business (`record` for the journal, `components` for the working
//! database); this floor knows only how to open one so that a commit that returned is on the disk
//! ([`open`]), how to look at one without being able to change it ([`open_read`]), how its tables grow from
//! version to version ([`Schema`]), how a copy of one is made and checked ([`copy()`]) and packed into a backup ([`pack`]), how a file gets smaller
//! again ([`shrink()`]), and how a full disk still leaves room for the last words ([`Reserve`]).

mod archive;
mod copy;
mod error;
mod migrate;
mod open;
mod place;
mod reserve;
mod shrink;

pub use archive::{ArchiveError, End, Manifest, Member, pack, unpack};
pub use copy::{Progress, copy, settle, sound};
pub use error::StoreError;
pub use migrate::Schema;
pub use open::{open, open_frozen, open_read, version};
pub use place::directory;
pub use reserve::Reserve;
pub use shrink::shrink;
