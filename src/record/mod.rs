//! The journal: what Grace saw, decided, did and refused, written down before anything acts on it.
//!
//! One writer ([`Journal`]) appends entries to `journal.db`; each carries the hash of the one before, so that
//! a change is found ([`Reader::verify`]). A tick is one transaction: what went in, what was decided, the
//! intents and the engine's state become durable together, and only then are there [`Committed`] permits.
//! When the journal cannot be written there are none, and so nothing acts.
//!
//! Everybody else reads, through connections that cannot write ([`Reader`]): events for the mesh and the
//! API ([`Event`]), rows of the tables people query ([`rows`]), and what a replay needs ([`Recorded`]). Those
//! tables are views over the entries; the entries are the only truth. Readings expire, and nothing else.
//!
//! Two times stand side by side: an entry's `at` is the wall clock, because people read it; what the engine
//! calculates with is Grace's own time ([`Clock`]), inside the tick.

mod about;
mod answers;
mod audit_key;
mod candidate;
mod chain;
mod checks;
mod clock;
mod committed;
mod copy;
mod cursors;
mod deferred;
mod digest;
mod error;
mod event;
mod expiry;
mod export;
mod figures;
mod gone;
mod history;
mod incidents;
mod journal;
mod ledger;
mod lives;
mod moment;
mod names;
mod once;
mod own;
mod pages;
mod pen;
mod reader;
mod recommended;
mod replay;
pub mod rows;
mod signed;
mod state;
mod tables;
mod tick;
mod verify;
mod witness;
mod writer;

pub use answers::{Answers, KeptAnswer, Keyed};
pub use audit_key::{NotedKey, note_audit_key};
pub use candidate::Candidate;
pub use clock::Clock;
pub use committed::Committed;
pub use copy::Proven;
pub use deferred::Deferred;
pub use digest::decisions_digest;
pub use error::JournalError;
pub use event::Event;
pub use export::{Export, ExportError, Head, export};
pub use figures::{ExportedError, FiguresError, Making, Since, figures_of};
pub use incidents::Place;
pub use journal::{Done, Journal, Replaced};
pub use ledger::{LedgerError, Walked, origin, origin_of, walk as walk_ledger, walk_export};
pub use lives::{Exit, Life};
pub use moment::Moment;
pub use pages::{Activation, Entry, Incident, Paging, Search};
pub use reader::Reader;
pub use recommended::Recommendation;
pub use replay::{Passed, Recorded, Ticks};
pub use signed::{Key, KeyError, NoteError, Signed, Verifier, torn};
pub use state::{GenerationText, StateDigests, state_digest, state_digest_like};
pub use verify::{Broken, Damage, Verified};
