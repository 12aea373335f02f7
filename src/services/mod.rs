//! Services that are none of Grace's own parts: how their processes are started, kept, found and ended.
//!
//! Nothing here knows a rule. [`Control`] is the face that probes and hands see, of a service as of a part of
//! Grace; [`Services`] holds the services that the active generation declares.
//!
//! A program that Grace starts is never her own child. It belongs to a keeper (`grace keep`), a small process
//! that outlives her: it collects orphans and exit codes, takes in what the program says, and writes down in
//! the data directory which process it is. A Grace that comes back reads that, opens a handle on each process
//! and asks whether it still is the same: by number, start time and boot. So a restart of Grace, or her death,
//! is no event in the life of a service, and no second copy of one is ever started.
//!
//! In reading order: `identity` and `table` (which process, whose child), `tree` and `cgroup` (all of it, and
//! how it is killed), `place` (what is written down), `keeper` and `hire` (between Grace and the program), `worker`
//! and `process` (what Grace sees of it; `recover` where nothing is written down any more), `command` (what only runs
//! for a moment), `set` (all of a generation's), `find` and `sight` (what somebody else started), `seal` and `programs` (is it still the same program), `able` and `ready`
//! (could it be started), `live` (what `validate --live` tries).

mod able;
mod cgroup;
mod command;
mod control;
pub mod find;
mod hire;
mod identity;
mod keeper;
pub mod live;
mod place;
mod process;
mod programs;
mod ready;
mod recover;
mod report;
mod seal;
mod set;
pub mod setting;
pub mod sight;
mod table;
mod tree;
pub mod user;
mod watch;
mod worker;

use std::ffi::OsString;

pub use command::{run, tell};
pub use control::{BoxFuture, Control, ControlError, Controls, Ran};
pub use identity::{Identity, boot_id};
pub use process::{MOST_WORKERS, Told};
pub use programs::Programs;
pub use report::{News, Reporter};
pub use seal::Seal;
pub use set::{Declared, Services};
pub use table::{Recent, Table, identity};
pub use watch::Watch;

/// The two verbs that Grace has for herself: they start small and have nothing of hers but the file they are
/// in. Answers the exit code, or nothing where it is neither of them.
#[must_use]
pub fn errand(mut words: impl Iterator<Item = OsString>) -> Option<u8> {
    let verb = words.nth(1)?;
    match verb.to_str()? {
        "keep" => Some(keeper::main()),
        "launch" => Some(keeper::launch::main(words)),
        _ => None,
    }
}
