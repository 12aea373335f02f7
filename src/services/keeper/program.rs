//! From a keeper to its program: how it is started, told to go, and collected; and how Grace is answered.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use crate::services::identity::Identity;
use crate::services::keeper::spec::{Answer, GRACE, LONGEST, Spec};
use crate::services::tree::mark;
use crate::services::user;

/// Answers Grace, who may be gone already.
pub(super) fn reply(answer: &Answer) {
    let text = serde_json::to_string(answer).unwrap_or_default();
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
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
    if let Some(input) = &spec.input {
        command.arg("--input").arg(input.len().to_string());
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
    let place = spec.dir.display();
    std::fs::create_dir_all(&spec.dir).map_err(|why| format!("{place}: {why}"))?;
    let Some(name) = &spec.user else { return Ok(()) };
    let user = user::find(name)?;
    let given = std::os::unix::fs::lchown(&spec.dir, Some(user.uid.as_raw()), Some(user.gid.as_raw()));
    given.map_err(|why| {
        format!("{place} cannot be given to the user `{name}`: {why}; only root can start it so")
    })
}

/// Gives the launch the word and what the program shall read, and hears whether it became the program.
pub(super) fn go(mut launched: UnixStream, input: Option<&str>) -> Result<(), String> {
    let said = launched.write_all(b"g").and_then(|()| launched.write_all(input.unwrap_or("").as_bytes()));
    said.map_err(|why| format!("the launch ended: {why}"))?;
    let mut why = String::new();
    // It says nothing and lets go when it has become the program.
    match launched.take(LONGEST).read_to_string(&mut why) {
        Ok(_) if why.is_empty() => Ok(()),
        Ok(_) => Err(why),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            Err("it was ended before it ran".into())
        }
        Err(error) => Err(error.to_string()),
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

/// The exit code as shells say it.
pub(super) fn code(status: WaitStatus) -> i32 {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
