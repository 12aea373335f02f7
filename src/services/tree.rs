//! Kills a tree of processes: all of it, however it was planted.
//!
//! A process that forks twice and begins its own session leaves its group, but not its keeper: the kernel
//! hands orphans to the nearest ancestor that asked for them. So the tree is what descends from the keeper.
//! Where the keeper was killed as well, the control group and the environment are left to go by; never a session,
//! whose number may be a stranger's by then.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::services::cgroup;
use crate::services::identity::Identity;
use crate::services::place::Slot;
use crate::services::table::Table;

/// So long a tree may defend itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// So long a keeper may take to see that all of its tree has ended.
const LEAVING: Duration = Duration::from_millis(500);

/// So often the tree is looked through for newcomers before all of it is killed.
const SWEEPS: u32 = 20;

/// Whose tree it is.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// What it descends from; it is not killed itself.
    pub keeper: Identity,
    /// The process that began it, if there was one.
    pub main: Option<Identity>,
    /// Its control group.
    pub group: Option<std::path::PathBuf>,
}

impl Tree {
    pub(super) fn of(slot: &Slot) -> Self {
        Self { keeper: slot.keeper, main: Some(slot.main), group: slot.group.clone() }
    }

    /// Every process of it.
    pub(super) fn members(&self, table: &Table) -> BTreeSet<Identity> {
        if self.keeper.is_alive() {
            return table.descendants(&[self.keeper]);
        }
        let mut first = table.marked(&mark(self.keeper));
        first.extend(self.main.filter(|main| table.stat(*main).is_some()));
        let roots: Vec<Identity> = first.iter().copied().collect();
        let mut members = table.descendants(&roots);
        members.extend(first);
        members
    }

    /// Is anything of it alive?
    pub(super) fn lives(&self) -> bool {
        self.group.as_deref().is_some_and(cgroup::is_populated) || !self.members(&Table::read()).is_empty()
    }

    /// Lets all of it go on that was stopped.
    pub(super) fn go_on(&self) {
        self.members(&Table::read()).into_iter().for_each(|member| signal(member, Signal::CONT));
    }

    /// Kills all of it; answers whether nothing is left. It blocks.
    pub(super) fn kill(&self) -> bool {
        if self.kill_group() {
            return true;
        }
        let end = Instant::now() + PATIENCE;
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(group) = &self.group {
                cgroup::kill(group);
            }
            let members = self.stop_all();
            if members.is_empty() && !self.group.as_deref().is_some_and(cgroup::is_populated) {
                return true;
            }
            for member in &members {
                signal(*member, Signal::KILL);
            }
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Kills the control group. Nobody leaves one but by somebody's will: when the keeper then ends by itself,
    /// that was all of the tree, and nobody has to look through the table.
    fn kill_group(&self) -> bool {
        // A young tree is not in it yet.
        let Some(group) = self.group.as_ref().filter(|group| cgroup::is_populated(group)) else {
            return false;
        };
        cgroup::kill(group);
        let end = Instant::now() + LEAVING;
        while self.keeper.is_alive() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        !self.keeper.is_alive() && !cgroup::is_populated(group)
    }

    /// Stops every member, so that none of them begins another while they are killed; says who they are.
    fn stop_all(&self) -> BTreeSet<Identity> {
        let mut stopped = BTreeSet::new();
        for _ in 0..SWEEPS {
            let members = self.members(&Table::read());
            let new: Vec<Identity> = members.difference(&stopped).copied().collect();
            if new.is_empty() {
                return members;
            }
            for member in &new {
                signal(*member, Signal::STOP);
            }
            stopped.extend(new);
        }
        stopped
    }
}

/// What stands in the environment of everything that this keeper started.
pub(super) fn mark(keeper: Identity) -> String {
    format!("{MARK}={}.{}", keeper.pid, keeper.start)
}

/// The name under which processes know their keeper.
const MARK: &str = "GRACE_KEEPER";

/// Whoever may not be signalled is still there afterwards, and that is told then.
fn signal(to: Identity, signal: Signal) {
    if let Err(why) = to.signal(signal) {
        tracing::debug!(pid = to.pid, %why, "cannot be signalled");
    }
}
