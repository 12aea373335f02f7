//! A room with a systemd of its own as PID 1: its own mounts, processes, network, names and cgroups.
//!
//! What it writes lies in memory and ends with it (`tests/systemd/enter.sh`). It ends when it is dropped, and also
//! when the test that made it is killed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::daemon::{Said, said};

const SYSTEMD: &str = "/lib/systemd/systemd";

/// The namespaces of the room.
const SPACES: [&str; 6] = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"];

/// What systemd wants to be there, and what starts at the boot: nothing.
const TARGETS: [&str; 6] = ["sysinit", "basic", "shutdown", "network", "multi-user", "room"];

/// How long anything may take on a busy machine before the test gives up.
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) struct Room {
    dir: TempDir,
    cgroup: PathBuf,
    outer: Child,
    /// systemd, as it is called outside.
    init: String,
}

impl Room {
    /// Boots; where that is impossible, the test says why and ends. On the build machine that is a failure.
    pub(super) fn boot() -> Option<Self> {
        if let Err(why) = possible() {
            assert!(std::env::var_os("CI").is_none(), "no systemd of our own: {why}");
            writeln!(std::io::stderr(), "skipped: no systemd of our own: {why}").expect("says so");
            return None;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let units = dir.path().join("units");
        fs::create_dir(&units).expect("made");
        for target in TARGETS {
            let text = format!("[Unit]\nDescription={target}\nDefaultDependencies=no\n");
            fs::write(units.join(format!("{target}.target")), text).expect("written");
        }
        fs::copy(env!("CARGO_BIN_EXE_grace"), dir.path().join("grace")).expect("copied");
        let name = dir.path().file_name().expect("a name").to_string_lossy().replace('.', "grace-room-");
        let cgroup = unified().expect("was found before").join(name);
        fs::create_dir(&cgroup).expect("a cgroup");
        let outer = unshare(&cgroup, dir.path());
        let mut room = Self { dir, cgroup, outer, init: String::new() };
        room.until("systemd is there", |room| {
            fs::read_to_string(format!("/proc/{}/comm", room.inner())).is_ok_and(|name| name == "systemd\n")
        });
        room.init = room.inner();
        room.until("it has booted", |room| room.run(&["systemctl", "is-system-running"]).out == "running\n");
        Some(room)
    }

    /// The child of `unshare`, once there is one.
    fn inner(&self) -> String {
        let children = Command::new("pgrep").args(["-P", &self.outer.id().to_string()]).output();
        String::from_utf8_lossy(&children.expect("runs").stdout).trim().to_owned()
    }

    /// A file of the test's own, which the room sees under `/run/box`.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a program in the room, as root.
    pub(super) fn run(&self, words: &[&str]) -> Said {
        said(&self.enter().args(words).stdin(Stdio::null()).output().expect("runs"))
    }

    /// Runs it, and it has to end well.
    #[track_caller]
    pub(super) fn ok(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}\n{}", self.log());
        said.out.trim_end().to_owned()
    }

    /// A command of the shell in the room, which has to end well.
    #[track_caller]
    pub(super) fn sh(&self, line: &str) -> String {
        self.ok(&["sh", "-c", line])
    }

    /// Starts a program in the room that goes on.
    pub(super) fn leave_running(&self, line: &str) -> Child {
        let mut command = self.enter();
        command.args(["sh", "-c", line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("starts")
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init]).args(SPACES).arg("--").env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// One property of a unit.
    pub(super) fn property(&self, unit: &str, name: &str) -> String {
        self.ok(&["systemctl", "show", "--value", "--property", name, unit])
    }

    /// What Grace wrote to her log in this room.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// Waits until it is so.
    #[track_caller]
    pub(super) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // With unshare its child goes, and with PID 1 everybody in the room.
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        for _ in 0..100 {
            let _ = Command::new("find").arg(&self.cgroup).args(["-depth", "-type", "d", "-delete"]).output();
            if !self.cgroup.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn unshare(cgroup: &Path, dir: &Path) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systemd/enter.sh");
    // The cgroup it is in when it gets its own view of them is the root that it sees.
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]).arg(cgroup);
    command.args(["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child=KILL"]).args(SPACES);
    command.arg("sh").arg(script).arg(dir);
    let log = fs::File::create(dir.join("boot")).expect("made");
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("shared")).stderr(log).spawn().expect("starts")
}

/// Is there everything that a room needs?
fn possible() -> Result<(), String> {
    if !Path::new(SYSTEMD).exists() {
        return Err(format!("{SYSTEMD} is missing (Debian's package systemd)"));
    }
    let root = Command::new("id").arg("-u").output().map_err(|error| format!("id: {error}"))?;
    if root.stdout != b"0\n" {
        return Err("it takes root".into());
    }
    let mut trial = Command::new("unshare");
    trial.arg("--fork").args(SPACES).args(["mount", "--make-rprivate", "/"]);
    let trial = trial.output().map_err(|error| format!("unshare: {error}"))?;
    if !trial.status.success() {
        return Err(format!("no namespaces: {}", String::from_utf8_lossy(&trial.stderr).trim()));
    }
    unified().map(|_| ()).ok_or_else(|| "no cgroup2 is mounted".into())
}

/// Where the one tree of cgroups is.
fn unified() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mut fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields.find(|fields| fields.get(2) == Some(&"cgroup2")).map(|fields| PathBuf::from(fields[1]))
}
