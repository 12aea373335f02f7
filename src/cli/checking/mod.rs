//! Verbs about rule and policy files, without a running Grace: are they valid, tested and in form, and what do two sets
//! say differently?
//!
//! `places` says which files are meant. Whatever changes one (`mend`, `fmt`, `test --update`) replaces it at once.

pub(super) mod codes;
pub(super) mod diff;
pub(super) mod fmt;
mod mend;
mod places;
mod revision;
pub(super) mod test;
pub(super) mod validate;
