//! The harness of exact kill points: a life of Grace's, cut short at any of its calls, and what has to hold then.
//!
//! In reading order: `calls` and `trace` (at which call, and how), `home` (the files), `scenario` (the life), `tools` (commands
//! that die), `checks` (what has to hold), `points` (which calls, and the tally).

pub(crate) mod calls;
pub(crate) mod checks;
pub(crate) mod home;
pub(crate) mod points;
pub(crate) mod scenario;
pub(crate) mod tools;
pub(crate) mod trace;
pub(crate) mod version_1;
