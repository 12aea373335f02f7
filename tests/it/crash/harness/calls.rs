//! The system calls at which Grace is killed: those that change something outside of her own memory.

use std::fmt;
use std::fs;
use std::path::Path;

use nix::libc::{
    self, SYS_clone, SYS_clone3, SYS_execve, SYS_fallocate, SYS_fdatasync, SYS_fork, SYS_fsync,
    SYS_ftruncate, SYS_kill, SYS_link, SYS_mkdir, SYS_open, SYS_openat, SYS_pidfd_send_signal, SYS_pwrite64,
    SYS_rename, SYS_renameat, SYS_renameat2, SYS_rmdir, SYS_sendmsg, SYS_sendto, SYS_unlink, SYS_unlinkat,
    SYS_vfork, SYS_write, SYS_writev,
};
use nix::sys::ptrace::getregs;
use nix::unistd::Pid;

/// Their names, and whether the first argument is a file that is open.
const CALLS: [(libc::c_long, &str, bool); 27] = [
    (SYS_write, "write", true),
    (SYS_writev, "writev", true),
    (SYS_pwrite64, "pwrite64", true),
    (SYS_fsync, "fsync", true),
    (SYS_fdatasync, "fdatasync", true),
    (SYS_ftruncate, "ftruncate", true),
    (SYS_fallocate, "fallocate", true),
    (SYS_sendto, "sendto", true),
    (SYS_sendmsg, "sendmsg", true),
    (SYS_rename, "rename", false),
    (SYS_renameat, "renameat", false),
    (SYS_renameat2, "renameat2", false),
    (SYS_link, "link", false),
    (SYS_unlink, "unlink", false),
    (SYS_unlinkat, "unlinkat", false),
    (SYS_mkdir, "mkdir", false),
    (SYS_rmdir, "rmdir", false),
    (SYS_open, "open", false),
    (SYS_openat, "openat", false),
    (SYS_clone, "clone", false),
    (SYS_clone3, "clone3", false),
    (SYS_fork, "fork", false),
    (SYS_vfork, "vfork", false),
    (SYS_execve, "execve", false),
    (SYS_kill, "kill", false),
    (SYS_pidfd_send_signal, "pidfd_send_signal", false),
    (libc::SYS_tgkill, "tgkill", false),
];

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Grace herself, or a command of hers.
    Grace,
    /// The process that keeps a program.
    Keeper,
    /// The process that becomes the program.
    Launch,
}

/// One kind of call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) role: Role,
    pub(crate) name: &'static str,
    /// The name of the file it is about, where that is one in her data directory.
    pub(crate) file: String,
}

impl Call {
    /// Does it change what lies in the data directory?
    pub(crate) fn changes_data(&self) -> bool {
        let names = ["openat", "mkdir", "rename", "unlink", "link", "rmdir"];
        !self.file.is_empty() || names.contains(&self.name)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.role, self.name)?;
        if self.file.is_empty() { Ok(()) } else { write!(f, " {}", self.file) }
    }
}

/// Where a stopped thread is: before a call or behind it.
pub(crate) struct Stop {
    pub(crate) number: libc::c_long,
    /// The kernel marks the result of a call that was not made yet.
    pub(crate) before: bool,
    first: u64,
    third: u64,
}

impl Stop {
    pub(crate) fn of(thread: Pid) -> Option<Self> {
        let regs = getregs(thread).ok()?;
        let number = libc::c_long::try_from(regs.orig_rax).unwrap_or(-1);
        let before = regs.rax.cast_signed() == -i64::from(libc::ENOSYS);
        Some(Self { number, before, first: regs.rdi, third: regs.rdx })
    }

    /// Which call this is, where it is one of those that count.
    pub(crate) fn call(&self, role: Role, thread: Pid, data: &Path) -> Option<Call> {
        let (number, name, open) = CALLS.iter().copied().find(|(number, ..)| *number == self.number)?;
        // Opening what is there changes nothing.
        if number == SYS_openat && self.third & u64::from(libc::O_CREAT.cast_unsigned()) == 0 {
            return None;
        }
        let file = if open { file(thread, self.first, data) } else { String::new() };
        Some(Call { role, name, file })
    }
}

/// The name of an open file, where it lies in the data directory. Numbers in names are all one.
fn file(thread: Pid, descriptor: u64, data: &Path) -> String {
    let Ok(path) = fs::read_link(format!("/proc/{thread}/fd/{descriptor}")) else { return String::new() };
    if !path.starts_with(data) {
        return String::new();
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.chars().map(|c| if c.is_ascii_digit() { 'N' } else { c }).collect()
}
