//! Verbs for who installs Grace: a unit for systemd, manual pages, what shells complete.
//!
//! They print; they write into a directory only where one is named.

pub(super) mod completions;
pub(super) mod man;
pub(super) mod unit;
