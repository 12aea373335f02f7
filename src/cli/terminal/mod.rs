//! How every verb speaks and ends: data on stdout, talk on stderr, in the form that is wanted (`out`, `outputs`); times,
//! columns and other people's texts as a terminal takes them; failures with their sentence, and exit codes.
//!
//! The ground of the command line: it knows no verb.

pub(super) mod columns;
pub(super) mod exit;
pub(super) mod failure;
pub(super) mod out;
pub(super) mod outputs;
pub(super) mod replace;
pub(super) mod shared;
pub(super) mod text;
pub(super) mod times;
