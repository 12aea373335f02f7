//! Verbs about a data directory, whether Grace runs on it or not: is the journal's chain whole, and both databases in one
//! file and back.

pub(super) mod audit;
pub(super) mod backup;
