//! A tracer of our own: it counts the calls of Grace, of her keepers and of what they launch, and at the chosen
//! one it kills the caller, or lets the call fail.
//!
//! `strace` counts for each thread apart, so it never comes to most of the calls of a program with many threads.
//! This one counts for each role over all threads, and kills before the call or behind it. Everything that it
//! follows goes on by itself when the tracing thread ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::calls::{Call, Role, Stop};

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The caller is killed before the call is made.
    KillBefore,
    /// It is killed when the call is made, and has not come back yet.
    KillAfter,
    /// The call is not made and fails.
    Fail(Errno),
    /// It fails, and so does every later one of its kind.
    FailFromNow(Errno),
    /// It fails, and from then on everything that would change the data directory.
    DiskFails(Errno),
}

impl Deed {
    /// Is it the disk that fails, and nobody who dies?
    pub(crate) fn is_fault(self) -> bool {
        !matches!(self, Self::KillBefore | Self::KillAfter)
    }
}

/// One point of a run: the `nth` call of a kind, counted from 1.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) call: Call,
    pub(crate) nth: u64,
    pub(crate) deed: Deed,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) counts: BTreeMap<Call, u64>,
    /// Was the point reached?
    pub(crate) hit: bool,
    pub(crate) status: ExitStatus,
}

/// What is known of a thread.
struct Thread {
    process: Pid,
    inside: bool,
    /// The call it is in fails with this.
    fails: Option<Errno>,
    /// It is killed when the call it is in has been made.
    dies: bool,
}

struct Tracer<'a> {
    root: Pid,
    data: &'a Path,
    point: Option<&'a Point>,
    roles: BTreeMap<Pid, Role>,
    threads: BTreeMap<Pid, Thread>,
    counts: BTreeMap<Call, u64>,
    hit: bool,
}

/// Runs a command of Grace's to its end under the tracer; what it says on stderr goes to `log`.
///
/// # Errors
/// Nobody may trace here.
pub(crate) fn run(
    (words, data): (&[String], &Path),
    log: &Path,
    point: Option<&Point>,
    begun: impl FnOnce(i32),
) -> Result<Traced, String> {
    let log = File::options().append(true).create(true).open(log).map_err(|why| why.to_string())?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", "read -r go && exec \"$@\" </dev/null", "sh"])
        .args(words)
        .env("GRACE_LOG", "info")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|why| why.to_string())?;
    let root = Pid::from_raw(i32::try_from(child.id()).map_err(|why| why.to_string())?);
    let follow = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC;
    let seized = ptrace::seize(root, follow).and_then(|()| ptrace::interrupt(root));
    if let Err(why) = seized {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("processes cannot be traced here: {why}"));
    }
    begun(root.as_raw());
    let mut stdin = child.stdin.take().ok_or("no input")?;
    stdin.write_all(b"go\n").map_err(|why| why.to_string())?;
    let mut tracer = Tracer {
        root,
        data,
        point,
        roles: BTreeMap::new(),
        threads: BTreeMap::new(),
        counts: BTreeMap::new(),
        hit: false,
    };
    let status = tracer.follow()?;
    Ok(Traced { counts: tracer.counts, hit: tracer.hit, status })
}

impl Tracer<'_> {
    /// Follows until the root has ended.
    fn follow(&mut self) -> Result<ExitStatus, String> {
        // Only what this very thread follows: others trace others.
        let ours = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            // The kernel names the oldest first, and a busy one would keep the others waiting for ever: so all that
            // wait are heard before the first goes on.
            let mut heard = vec![waitpid(None, Some(ours))];
            loop {
                match waitpid(None, Some(ours | WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) | Err(_) => break,
                    status => heard.push(status),
                }
            }
            for status in heard {
                if let Some(ended) = self.on(status)? {
                    return Ok(ended);
                }
            }
        }
    }

    /// Takes note of one thing that happened; answers how the root ended, if it did.
    fn on(&mut self, status: nix::Result<WaitStatus>) -> Result<Option<ExitStatus>, String> {
        match status {
            Ok(WaitStatus::Exited(pid, code)) if pid == self.root => {
                return Ok(Some(ExitStatus::from_raw(code << 8)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.root => {
                return Ok(Some(ExitStatus::from_raw(signal as i32)));
            }
            Ok(WaitStatus::PtraceSyscall(thread)) => self.on_call(thread),
            Ok(WaitStatus::PtraceEvent(thread, _, event)) => self.on_event(thread, event),
            Ok(WaitStatus::Stopped(thread, signal)) => go_on(thread, Some(signal)),
            Ok(WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, ..)) => {
                self.threads.remove(&thread);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => return Err(format!("the tracer cannot wait: {why}")),
        }
        Ok(None)
    }

    fn on_event(&mut self, thread: Pid, event: i32) {
        if event == nix::libc::PTRACE_EVENT_EXEC {
            match became(thread, thread == self.root) {
                Some(role) => drop(self.roles.insert(thread, role)),
                // A service is left alone.
                None if thread != self.root => {
                    self.threads.remove(&thread);
                    let _ = ptrace::detach(thread, None);
                    return;
                }
                None => {}
            }
        }
        go_on(thread, None);
    }

    fn on_call(&mut self, thread: Pid) {
        let Some(stop) = Stop::of(thread) else { return go_on(thread, None) };
        let known = self.known(thread);
        let begins = !known.inside && stop.before;
        known.inside = begins;
        if begins {
            self.before(thread, &stop);
        } else {
            let (fails, dies, process) = (known.fails.take(), known.dies, known.process);
            if let Some(errno) = fails {
                answer(thread, errno);
            }
            if dies {
                let _ = kill(process, Signal::SIGKILL);
            }
        }
        go_on(thread, None);
    }

    fn before(&mut self, thread: Pid, stop: &Stop) {
        let process = self.known(thread).process;
        let Some(call) = self.role(process).and_then(|role| stop.call(role, thread, self.data)) else {
            return;
        };
        let count = self.counts.entry(call.clone()).or_default();
        *count += 1;
        let count = *count;
        let Some(point) = self.point.filter(|point| self.meets(point, &call, count)) else { return };
        self.hit = true;
        match point.deed {
            Deed::KillBefore => drop(kill(process, Signal::SIGKILL)),
            Deed::KillAfter => self.known(thread).dies = true,
            Deed::Fail(errno) | Deed::FailFromNow(errno) | Deed::DiskFails(errno) => {
                self.known(thread).fails = Some(errno);
                skip(thread);
            }
        }
    }

    /// Is this call the point, or one that fails since then?
    fn meets(&self, point: &Point, call: &Call, count: u64) -> bool {
        let same = point.call == *call;
        match point.deed {
            Deed::FailFromNow(_) if same => count >= point.nth,
            Deed::DiskFails(_) if self.hit => call.role == Role::Grace && call.changes_data(),
            _ => same && count == point.nth,
        }
    }

    fn known(&mut self, thread: Pid) -> &mut Thread {
        self.threads.entry(thread).or_insert_with(|| Thread {
            process: number(thread, "Tgid:").unwrap_or(thread),
            inside: false,
            fails: None,
            dies: false,
        })
    }

    /// The role of a process; one that was just forked is about to become what its parent forks.
    fn role(&mut self, process: Pid) -> Option<Role> {
        if let Some(role) = self.roles.get(&process) {
            return Some(*role);
        }
        let parent = number(process, "PPid:").and_then(|parent| self.roles.get(&parent));
        let role = match parent? {
            Role::Grace => Role::Keeper,
            Role::Keeper | Role::Launch => Role::Launch,
        };
        self.roles.insert(process, role);
        Some(role)
    }
}

/// What a process became; nothing where it is a program of somebody else's.
fn became(process: Pid, root: bool) -> Option<Role> {
    let words = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let mut words = words.split(|byte| *byte == 0);
    let program = PathBuf::from(String::from_utf8_lossy(words.next()?).into_owned());
    if program.file_name()? != "grace" {
        return None;
    }
    match words.next()? {
        b"keep" => Some(Role::Keeper),
        b"launch" => Some(Role::Launch),
        _ => root.then_some(Role::Grace),
    }
}

fn number(process: Pid, name: &str) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok().map(Pid::from_raw)
}

/// Lets it go on to its next call. Who was killed meanwhile goes nowhere.
fn go_on(thread: Pid, signal: Option<Signal>) {
    let _ = ptrace::syscall(thread, signal);
}

/// The kernel does not make the call.
fn skip(thread: Pid) {
    if let Ok(mut regs) = ptrace::getregs(thread) {
        regs.orig_rax = u64::MAX;
        let _ = ptrace::setregs(thread, regs);
    }
}

/// The call answers this error.
fn answer(thread: Pid, errno: Errno) {
    if let Ok(mut regs) = ptrace::getregs(thread) {
        regs.rax = (-i64::from(errno as i32)).cast_unsigned();
        let _ = ptrace::setregs(thread, regs);
    }
}
