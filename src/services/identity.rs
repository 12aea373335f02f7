//! Which process is meant: a number is used again, the number with the start time and the boot is not.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use procfs::process::{Process, Stat};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// One process of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: i32,
    /// When it was begun, in the kernel's clock ticks since the boot.
    pub start: u64,
}

impl Identity {
    /// The process that has this number now.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let stat = stat(pid)?;
        lives(&stat).then_some(Self { pid, start: stat.starttime })
    }

    /// This very process.
    #[must_use]
    pub fn own() -> Option<Self> {
        Self::of(i32::try_from(std::process::id()).ok()?)
    }

    /// Is it still the same process, and alive? One that has ended and was not yet collected is not.
    #[must_use]
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// The file of the program that it runs, whatever lies in its place by now.
    #[must_use]
    pub fn program(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/exe", self.pid))
    }

    /// A handle on it that no other process can slip under: asked for its identity after it was opened.
    #[must_use]
    pub fn open(self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid)?;
        let handle = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
        self.is_alive().then_some(handle)
    }

    /// Sends it a signal. One that has ended needs none.
    ///
    /// # Errors
    /// It may not be signalled by us.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        let Some(handle) = self.open() else { return Ok(()) };
        match pidfd_send_signal(handle, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }
}

/// What the kernel says of a process.
pub(super) fn stat(pid: i32) -> Option<Stat> {
    Process::new(pid).ok()?.stat().ok()
}

/// Is it more than a number that waits to be collected?
pub(super) fn lives(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X' | 'x')
}

/// Names this boot: numbers and start times mean nothing beyond it.
#[must_use]
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_itself_and_no_other_of_its_number() {
        let own = Identity::own().expect("we run");
        assert!(own.is_alive() && own.open().is_some());
        let earlier = Identity { start: own.start - 1, ..own };
        assert!(!earlier.is_alive() && earlier.open().is_none());
        earlier.signal(Signal::KILL).expect("nobody is killed");
        assert!(!boot_id().is_empty());
    }

    #[test]
    fn one_that_ended_and_was_not_collected_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().expect("starts");
        let pid = i32::try_from(child.id()).expect("a number");
        let waited = std::time::Instant::now();
        while Identity::of(pid).is_some() {
            assert!(waited.elapsed().as_secs() < 10);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(stat(pid).is_some(), "it is still in the table");
        child.wait().expect("collected");
    }
}
