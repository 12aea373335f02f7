//! Grace survives her own life: what she starts from after a deletion, a crash, another clock, another version.

mod backup;
mod caution;
mod crash_loop;
mod migrate;
mod proved;
mod replaced;
mod shrink;
mod stops;
mod time;
