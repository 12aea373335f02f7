//! `grace launch`: the last step before a program runs. It takes its place, gives up what it may not have,
//! waits until its keeper has written it down, and becomes the program.
//!
//! Its standard input is a socket to the keeper: a byte comes in as the word to go, and what went wrong goes
//! out. A keeper that died before the word takes the launch with it, so that nothing runs that is not known.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, setrlimit, setsid, umask};

use crate::model::Limit;
use crate::services::user;

/// What the keeper says on the command line; none of it is secret.
#[derive(Debug, Default)]
struct Orders {
    dir: PathBuf,
    user: Option<String>,
    limits: Vec<(Limit, u64)>,
    /// So many bytes come behind the word, for the program to read.
    input: Option<u64>,
    argv: Vec<OsString>,
}

/// Becomes the program, or says why not.
pub(in crate::services) fn main(words: impl Iterator<Item = OsString>) -> u8 {
    // Kept for the complaint; the program gets none of it.
    let keeper = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3).map(UnixStream::from);
    let why = match (keeper.as_ref(), orders(words)) {
        (Ok(keeper), Some(orders)) => match go(keeper, &orders) {
            Err(why) => why,
        },
        _ => "grace launch is for Grace herself".into(),
    };
    if let Ok(mut keeper) = keeper {
        // Nobody may be there to read it any more.
        let _ = keeper.write_all(why.as_bytes());
    }
    127
}

fn orders(mut words: impl Iterator<Item = OsString>) -> Option<Orders> {
    let mut orders = Orders::default();
    loop {
        let word = words.next()?;
        match word.to_str()? {
            "--dir" => orders.dir = words.next()?.into(),
            "--user" => orders.user = Some(words.next()?.into_string().ok()?),
            "--input" => orders.input = Some(words.next()?.to_str()?.parse().ok()?),
            "--limit" => orders.limits.push(limit(words.next()?.to_str()?)?),
            "--" => break,
            _ => return None,
        }
    }
    orders.argv = words.collect();
    Some(orders)
}

/// `open_files=1024`
fn limit(text: &str) -> Option<(Limit, u64)> {
    let (word, number) = text.split_once('=')?;
    let (limit, _) = Limit::ALL.into_iter().find(|(_, known)| *known == word)?;
    Some((limit, number.parse().ok()?))
}

fn go(mut keeper: &UnixStream, orders: &Orders) -> Result<std::convert::Infallible, String> {
    let say = |what: &str| {
        let what = what.to_owned();
        move |why: rustix::io::Errno| format!("cannot {what}: {why}")
    };
    // Read before anything can go wrong: a complaint behind an unread word would be lost.
    let mut word = [0];
    keeper.read_exact(&mut word).map_err(|_| "the keeper went away".to_owned())?;
    let stdin = match orders.input {
        Some(length) => handed(keeper, length)?,
        None => OpenOptions::new().read(true).open("/dev/null").map_err(|why| why.to_string())?,
    };
    setsid().map_err(say("begin a session"))?;
    // The keeper blocks what would end it; the program has to hear that it shall end.
    let unblocked = nix::sys::signal::SigSet::empty().thread_set_mask();
    unblocked.map_err(|why| format!("cannot unblock signals: {why}"))?;
    umask(rustix::fs::Mode::from_raw_mode(0o022));
    for (limit, value) in &orders.limits {
        let most = Rlimit { current: Some(*value), maximum: Some(*value) };
        setrlimit(resource(*limit), most).map_err(say(&format!("limit {} to {value}", limit.word())))?;
    }
    // While we still may: the way to it can be closed to others.
    enter(&orders.dir)?;
    if let Some(name) = &orders.user {
        user::become_user(name)?;
    }
    rustix::stdio::dup2_stdin(stdin).map_err(say("replace the standard input"))?;
    let (program, arguments) = orders.argv.split_first().ok_or("there is no program")?;
    let why = Command::new(program).args(arguments).exec();
    Err(format!("cannot start {}: {why}", Path::new(program).display()))
}

/// A file in memory that holds what was said: a program that does not read it blocks nobody.
fn handed(from: impl Read, length: u64) -> Result<File, String> {
    let file = rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC);
    let mut file = file.map(File::from).map_err(|why| format!("no file in memory: {why}"))?;
    let held = io::copy(&mut from.take(length), &mut file).and_then(|held| file.rewind().map(|()| held));
    let held = held.map_err(|why| format!("cannot hand over the input: {why}"))?;
    if held == length { Ok(file) } else { Err("the keeper went away".into()) }
}

fn enter(dir: &Path) -> Result<(), String> {
    std::env::set_current_dir(dir).map_err(|why| format!("cannot work in {}: {why}", dir.display()))
}

fn resource(limit: Limit) -> Resource {
    match limit {
        Limit::OpenFiles => Resource::Nofile,
        Limit::Processes => Resource::Nproc,
        Limit::MemoryBytes => Resource::As,
        Limit::CoreBytes => Resource::Core,
        Limit::FileBytes => Resource::Fsize,
    }
}
