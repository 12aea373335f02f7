//! The journal, from outside: what it keeps, what it refuses, and what survives.

mod chain;
mod commit;
mod deferred;
pub(crate) mod full;
mod kill;
mod open;
mod replaced;
mod replay;
pub(crate) mod sample;
mod tables;
