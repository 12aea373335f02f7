//! Keeps a program that runs on: it is written down, followed, and its whole tree collected to the end.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{WaitOptions, wait};

use crate::services::cgroup;
use crate::services::identity::{Identity, boot_id};
use crate::services::keeper::output::Output;
use crate::services::keeper::program::{code, go, launch, next, reply};
use crate::services::keeper::spec::{Answer, Spec};
use crate::services::place::{End, Held, Place, Slot};
use crate::services::table::Table;
use crate::services::tree::Tree;

/// A program that has begun has so long before its tree is moved into a control group.
const SETTLED: Duration = Duration::from_millis(200);

/// So often newcomers are looked for who were begun meanwhile. Later ones are born into the group.
const GATHERINGS: u32 = 20;

/// So long the rest of the output is waited for when everything has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Starts the program and keeps it for as long as anything of it lives.
pub(super) fn run(spec: &Spec, place: &Place, worker: u32) -> Result<(), String> {
    let say = |why: io::Error| format!("{}: {why}", place.dir().display());
    let Some(held) = place.hold(worker).map_err(say)? else { return taken() };
    let place = held.place();
    let before = place.read(worker);
    if before.as_ref().is_some_and(|before| before.lives() || Tree::of(before).lives()) {
        return taken();
    }
    let keeper = Identity::own().ok_or("the keeper cannot find itself")?;
    let group = cgroup::make(&cgroup::name(&spec.component, worker, keeper.pid));
    let (from, to) = io::pipe().map_err(|why| format!("no pipe: {why}"))?;
    let (launched, mut slot) = match begin(spec, group.as_deref(), to, keeper) {
        Ok(begun) => begun,
        Err(why) => return abandon(group.as_deref(), why),
    };
    slot.home = place.home();
    held.write(&slot).map_err(say)?;
    if let Err(why) = go(launched, None) {
        held.take_back(before.as_ref()).map_err(say)?;
        return abandon(group.as_deref(), why);
    }
    reply(&Answer::Started(slot.main));
    detach();
    if let Some(group) = slot.group.clone() {
        std::thread::spawn(move || gather(keeper, &group));
    }
    let heard = listen(Output::new(place.output(worker), spec.secrets.clone()), from);
    reap(&mut slot, |slot| note(&held, slot, &heard.0));
    let _ = heard.1.recv_timeout(LAST_WORDS);
    slot.closed = true;
    note(&held, &mut slot, &heard.0);
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
            home: None,
        },
    ))
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
            slot.end = Some(End {
                since_ms: slot.since_ms,
                code: code(status),
                at_ms: now_ms(),
                output: String::new(),
            });
            ended(slot);
        }
    }
}

/// Writes down how the program ended and what it said last.
fn note(held: &Held, slot: &mut Slot, heard: &Mutex<String>) {
    if let Some(end) = &mut slot.end {
        end.output.clone_from(&heard.lock().unwrap_or_else(PoisonError::into_inner));
        // A full disk must not keep us from collecting the rest. Told by now is the end where its file is gone.
        let written = if slot.closed && held.is_told(slot.main) { Ok(()) } else { held.end(slot.main, end) };
        let _ = written.and_then(|()| held.write(slot));
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
