//! The process table: who descends from whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use procfs::process::Stat;

use crate::services::identity::{Identity, lives};

/// All processes as they were at one moment.
#[derive(Debug, Default)]
pub struct Table {
    all: BTreeMap<i32, Stat>,
    children: BTreeMap<i32, Vec<i32>>,
}

impl Table {
    /// Reads it. Processes that come and go meanwhile may be there or not.
    #[must_use]
    pub fn read() -> Self {
        let mut table = Self::default();
        for process in procfs::process::all_processes().into_iter().flatten().flatten() {
            let Ok(stat) = process.stat() else { continue };
            if lives(&stat) {
                table.children.entry(stat.ppid).or_default().push(stat.pid);
                table.all.insert(stat.pid, stat);
            }
        }
        table
    }

    /// Everything that descends from these processes, they themselves not included.
    #[must_use]
    pub fn descendants(&self, roots: &[Identity]) -> BTreeSet<Identity> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<i32> =
            roots.iter().filter(|root| self.holds(**root)).map(|root| root.pid).collect();
        while let Some(pid) = todo.pop() {
            for child in self.children.get(&pid).into_iter().flatten() {
                if let Some(identity) = self.identity(*child)
                    && found.insert(identity)
                {
                    todo.push(*child);
                }
            }
        }
        found
    }

    /// The processes that were begun with this in their environment, `NAME=value` whole. It costs a file for each
    /// process on the machine.
    #[must_use]
    pub fn marked(&self, mark: &str) -> BTreeSet<Identity> {
        let is_marked = |stat: &&Stat| {
            let environment = std::fs::read(format!("/proc/{}/environ", stat.pid)).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        self.all.values().filter(is_marked).map(identity).collect()
    }

    /// What the kernel says of a process, where it is the same one.
    #[must_use]
    pub fn stat(&self, of: Identity) -> Option<&Stat> {
        self.all.get(&of.pid).filter(|stat| stat.starttime == of.start)
    }

    /// Every process.
    pub fn all(&self) -> impl Iterator<Item = &Stat> {
        self.all.values()
    }

    fn holds(&self, of: Identity) -> bool {
        self.stat(of).is_some()
    }

    fn identity(&self, pid: i32) -> Option<Identity> {
        self.all.get(&pid).map(identity)
    }
}

/// The table as it was a moment ago, shared by all who look in the same tick: reading it costs the same for one
/// as for a hundred.
#[derive(Debug, Clone, Default)]
pub struct Recent(Arc<Mutex<Option<Read>>>);

/// A table, and when it was read.
type Read = (Instant, Arc<Table>);

/// How old a moment may be.
const MOMENT: Duration = Duration::from_millis(100);

impl Recent {
    /// The table. It may not show who came or went within the last tenth of a second.
    #[must_use]
    pub fn table(&self) -> Arc<Table> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((at, table)) if at.elapsed() < MOMENT => Arc::clone(table),
            _ => {
                let table = Arc::new(Table::read());
                *last = Some((Instant::now(), Arc::clone(&table)));
                table
            }
        }
    }
}

/// Which process this is.
#[must_use]
pub fn identity(stat: &Stat) -> Identity {
    Identity { pid: stat.pid, start: stat.starttime }
}
