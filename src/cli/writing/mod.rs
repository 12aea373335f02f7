//! Verbs for who begins to write: a first set of files for a service, and what lets editors complete and check them.
//!
//! What is written is held against `checking` first, as anybody's files are.

pub(super) mod init;
pub(super) mod schema;
