//! `grace run`: Grace herself in the foreground, from what she says at the start (`banner`) to her end.
//!
//! Beside her loop stand whoever started her: signals, systemd, and the log that they read.

mod banner;
mod log;
pub(super) mod run;
mod service;
mod systemd;
