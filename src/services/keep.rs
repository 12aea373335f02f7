//! `grace keep`: one small process for each program that Grace starts. It outlives Grace.
//!
//! The keeper is what makes leaving alone safe. Orphans of the program come back to it, so the whole tree can be
//! found; the program's output goes to it, so no pipe breaks when Grace is upgraded; it collects how the
//! program ended, whether Grace was there or not; and it holds the worker's lock for as long as anything of
//! the tree lives, so nobody can start a second copy.
//!
//! A program is written down before it runs: `launch` waits for the keeper's word, which comes after.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, set_child_subreaper, setsid, wait};

use crate::services::identity::{Identity, boot_id};
use crate::services::output::Output;
use crate::services::place::{End, Place, Slot};
use crate::services::spec::{Answer, LONGEST, Spec, Task};
use crate::services::table::Table;
use crate::services::tree::{Tree, mark};
use crate::services::{answer, cgroup, user};

/// Grace's own file, even after it was replaced on the disk.
pub(super) const GRACE: &str = "/proc/self/exe";

/// A program that has begun has so long before its tree is moved into a control group.
const SETTLED: Duration = Duration::from_millis(200);

/// So often newcomers are looked for who were begun meanwhile. Later ones are born into the group.
const GATHERINGS: u32 = 20;

/// So long the rest of the output is waited for when everything has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Keeps one program.
pub(super) fn main() -> u8 {
    let Some(spec) = prepare() else { return 2 };
    let answered = match spec.task.clone() {
        Task::Serve { place, worker } => serve(&spec, &Place::at(&place), worker),
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

/// Answers Grace, who may be gone already.
pub(super) fn reply(answer: &Answer) {
    let text = serde_json::to_string(answer).unwrap_or_default();
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Starts the program and keeps it for as long as anything of it lives.
fn serve(spec: &Spec, place: &Place, worker: u32) -> Result<(), String> {
    let say = |why: io::Error| format!("{}: {why}", place.dir().display());
    let Some(_lock) = place.lock(worker).map_err(say)? else { return taken() };
    let before = place.read(worker);
    if before.as_ref().is_some_and(|before| before.lives() || Tree::of(before).lives()) {
        return taken();
    }
    let keeper = Identity::own().ok_or("the keeper cannot find itself")?;
    let group = cgroup::make(&format!("grace-{}-{worker}-{}", spec.component, keeper.pid));
    let (from, to) = io::pipe().map_err(|why| format!("no pipe: {why}"))?;
    let (launched, mut slot) = match begin(spec, group.as_deref(), to, keeper) {
        Ok(begun) => begun,
        Err(why) => return abandon(group.as_deref(), why),
    };
    place.write(worker, &slot).map_err(say)?;
    if let Err(why) = go(launched) {
        // What was known before is still the truth.
        match before {
            Some(before) => place.write(worker, &before).map_err(say)?,
            None => place.forget(worker),
        }
        return abandon(group.as_deref(), why);
    }
    reply(&Answer::Started(slot.main));
    detach();
    if let Some(group) = slot.group.clone() {
        std::thread::spawn(move || gather(keeper, &group));
    }
    let heard = listen(Output::new(place.output(worker), spec.secrets.clone()), from);
    reap(&mut slot, |slot| note(place, worker, slot, &heard.0));
    let _ = heard.1.recv_timeout(LAST_WORDS);
    slot.closed = true;
    note(place, worker, &mut slot, &heard.0);
    if let Some(group) = &slot.group {
        cgroup::remove(group);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "it is the end of a way on which other ends are errors")]
fn taken() -> Result<(), String> {
    reply(&Answer::Taken);
    Ok(())
}

fn abandon(group: Option<&Path>, why: String) -> Result<(), String> {
    while wait(WaitOptions::empty()).is_ok() {}
    group.into_iter().for_each(cgroup::remove);
    Err(why)
}

/// Starts the launch, which waits for the word to go.
fn begin(
    spec: &Spec,
    group: Option<&Path>,
    output: io::PipeWriter,
    keeper: Identity,
) -> Result<(UnixStream, Slot), String> {
    let errors = output.try_clone().map_err(|why| format!("no pipe: {why}"))?;
    let (launched, main) = launch(spec, output.into(), errors.into())?;
    let group = group.map(Path::to_owned);
    Ok((
        launched,
        Slot {
            boot: boot_id(),
            keeper,
            main,
            group,
            since_ms: now_ms(),
            end: None,
            closed: false,
            told: false,
        },
    ))
}

/// Starts `grace launch` for the program; it runs when it is told to.
pub(super) fn launch(spec: &Spec, stdout: Stdio, stderr: Stdio) -> Result<(UnixStream, Identity), String> {
    if spec.own_dir {
        make_own_dir(spec)?;
    }
    let (ours, theirs) = UnixStream::pair().map_err(|why| format!("no socket: {why}"))?;
    let mut command = Command::new(GRACE);
    command.arg0("grace").arg("launch").arg("--dir").arg(&spec.dir);
    if let Some(user) = &spec.user {
        command.arg("--user").arg(user);
    }
    for (limit, value) in &spec.limits {
        command.arg("--limit").arg(format!("{limit}={value}"));
    }
    command.arg("--").args(&spec.argv).env_clear().envs(&spec.env);
    let own = Identity::own().ok_or("the keeper cannot find itself")?;
    // So that what it started can be found even when it is killed itself.
    command.envs(mark(own).split_once('='));
    command.stdin(std::os::fd::OwnedFd::from(theirs)).stdout(stdout).stderr(stderr);
    let child = command.spawn().map_err(|why| format!("no process: {why}"))?;
    let pid = i32::try_from(child.id()).map_err(|why| why.to_string())?;
    let main = Identity::of(pid).ok_or("the launch ended at once")?;
    Ok((ours, main))
}

fn make_own_dir(spec: &Spec) -> Result<(), String> {
    let say = |why: io::Error| format!("{}: {why}", spec.dir.display());
    std::fs::create_dir_all(&spec.dir).map_err(say)?;
    let Some(name) = &spec.user else { return Ok(()) };
    let user = user::find(name)?;
    std::os::unix::fs::chown(&spec.dir, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(say)
}

/// Gives the launch the word, and hears whether it became the program.
pub(super) fn go(mut launched: UnixStream) -> Result<(), String> {
    launched.write_all(b"g").map_err(|why| format!("the launch ended: {why}"))?;
    let mut why = String::new();
    // It says nothing and lets go when it has become the program.
    match launched.take(LONGEST).read_to_string(&mut why) {
        Ok(_) if why.is_empty() => Ok(()),
        Ok(_) => Err(why),
        Err(error) => Err(error.to_string()),
    }
}

/// Moves the tree into its control group. Not before the program runs: a move costs the kernel 10 ms and more,
/// in which nobody on the machine can fork, and until then the tree is held together by us.
fn gather(keeper: Identity, group: &Path) {
    std::thread::sleep(SETTLED);
    let mut moved = BTreeSet::new();
    for _ in 0..GATHERINGS {
        let tree = Table::read().descendants(&[keeper]);
        let new: Vec<Identity> = tree.difference(&moved).copied().collect();
        if new.is_empty() {
            return;
        }
        for one in &new {
            cgroup::take(group, one.pid);
        }
        moved.extend(new);
    }
}

/// Nothing ties us to Grace any more.
fn detach() {
    let nothing = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
    if let Ok(nothing) = nothing {
        let _ = rustix::stdio::dup2_stdin(&nothing);
        let _ = rustix::stdio::dup2_stdout(&nothing);
        let _ = rustix::stdio::dup2_stderr(&nothing);
    }
}

/// What was heard so far, and word of the end.
type Heard = (Arc<Mutex<String>>, Receiver<()>);

/// Reads the output on a thread of its own.
fn listen(output: Output, from: io::PipeReader) -> Heard {
    let heard = Arc::new(Mutex::new(String::new()));
    let tell = Arc::clone(&heard);
    let (end, ended) = channel();
    std::thread::spawn(move || {
        output.follow(from, |tail| *tell.lock().unwrap_or_else(PoisonError::into_inner) = tail);
        let _ = end.send(());
    });
    (heard, ended)
}

/// Collects whoever ends until nobody is left; `ended` is called when it was the program itself.
fn reap(slot: &mut Slot, mut ended: impl FnMut(&mut Slot)) {
    while let Some((pid, status)) = next() {
        if pid.as_raw_nonzero().get() == slot.main.pid && slot.end.is_none() {
            slot.end = Some(End { code: code(status), at_ms: now_ms(), output: String::new() });
            ended(slot);
        }
    }
}

/// The next of our children that ends; nothing when there is none left.
pub(super) fn next() -> Option<(Pid, WaitStatus)> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some(found)) => return Some(found),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Writes down how the program ended and what it said last.
fn note(place: &Place, worker: u32, slot: &mut Slot, heard: &Mutex<String>) {
    if let Some(end) = &mut slot.end {
        end.output.clone_from(&heard.lock().unwrap_or_else(PoisonError::into_inner));
        // A full disk must not keep us from collecting the rest.
        let _ = place.write(worker, slot);
    }
}

/// The exit code as shells say it.
pub(super) fn code(status: WaitStatus) -> i32 {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
