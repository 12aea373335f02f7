//! `grace keep`: one small process for each program that Grace starts. It outlives Grace.
//!
//! The keeper is what makes leaving alone safe. Orphans of the program come back to it, so the whole tree can be
//! found; the program's output goes to it, so no pipe breaks when Grace is upgraded; it collects how the
//! program ended, whether Grace was there or not; and it holds the worker's lock for as long as anything of
//! the tree lives, so nobody can start a second copy.
//!
//! A program is written down before it runs: `launch` waits for the keeper's word, which comes after.

mod answer;
pub(super) mod launch;
mod output;
mod program;
mod serve;
pub(super) mod spec;

use std::io::{self, BufRead, Read};
use std::time::Duration;

use rustix::process::{getpid, set_child_subreaper, setsid};

use crate::services::place::Place;
use program::reply;
use spec::{Answer, LONGEST, Spec, Task};

/// Keeps one program.
pub(super) fn main() -> u8 {
    let Some(spec) = prepare() else { return 2 };
    let answered = match spec.task.clone() {
        Task::Serve { place, worker } => serve::run(&spec, &Place::at(&place), worker),
        Task::Answer { within_ms, leaves } => answer::run(&spec, Duration::from_millis(within_ms), leaves),
    };
    if let Err(why) = answered {
        reply(&Answer::Failed(why));
    }
    0
}

/// Leaves Grace's session, so that no key on her terminal reaches us, and hears what is to be kept.
fn prepare() -> Option<Spec> {
    // A signal to everything called `grace` is meant for Grace.
    let ignored = [nix::sys::signal::SIGTERM, nix::sys::signal::SIGINT, nix::sys::signal::SIGHUP];
    let ignored: nix::sys::signal::SigSet = ignored.into_iter().collect();
    ignored.thread_block().ok()?;
    setsid().ok()?;
    set_child_subreaper(Some(getpid())).ok()?;
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}
