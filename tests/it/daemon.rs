//! A whole Grace as people run her: the real binary on a directory of its own, asked over socket and TCP.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take on a busy machine before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running Grace.
pub(crate) struct Daemon {
    pub(crate) dir: Arc<TempDir>,
    child: Child,
    log: Arc<Mutex<String>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What a command said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        Self::start_with(&["--allow-faults"])
    }

    pub(crate) fn start_with(flags: &[&str]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().expect("a directory")), flags)
    }

    /// Starts and waits until it answers and has looked at everything.
    pub(crate) fn start_in(dir: Arc<TempDir>, flags: &[&str]) -> Self {
        Self::start_under(dir, flags, &[])
    }

    /// The same, under an environment.
    pub(crate) fn start_under(dir: Arc<TempDir>, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(&data(&dir));
        command.envs(environment.iter().copied());
        Self::launch(dir, command, flags)
    }

    /// The same, where it may have so many files open.
    pub(crate) fn start_with_files(most: u32) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let grace = command(&data(&dir));
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={most}:")).arg(grace.get_program()).args(grace.get_args());
        command.env("GRACE_LOG", "info").stdin(Stdio::null());
        Self::launch(dir, command, &[])
    }

    fn launch(dir: Arc<TempDir>, mut command: Command, flags: &[&str]) -> Self {
        let quick: &[&str] = if flags.contains(&"--interval") { &[] } else { &["--interval", "200ms"] };
        let mut child = command
            .args(["run", "--listen", "127.0.0.1:0"])
            .args(quick)
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let log: Arc<Mutex<String>> = Arc::default();
        let stderr = child.stderr.take().expect("is piped");
        let to = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                to.lock().expect("no panic").push_str(&(line + "\n"));
            }
        });
        let mut daemon = Self { dir, child, log };
        let began = Instant::now();
        while !daemon.is_ready() {
            assert!(daemon.child.try_wait().expect("waits").is_none(), "it ended: {}", daemon.log());
            assert!(began.elapsed() < PATIENCE, "it is not ready: {}", daemon.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    fn is_ready(&self) -> bool {
        self.log().contains("stop ")
            && UnixStream::connect(self.socket()).is_ok_and(|stream| {
                exchange(stream, "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").status == 200
            })
    }

    pub(crate) fn data(&self) -> PathBuf {
        data(&self.dir)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        grace::api::find_socket(&self.data())
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Where TCP is listened on, as the start says it.
    pub(crate) fn address(&self) -> SocketAddr {
        let log = self.log();
        let (_, rest) = log.split_once("listens http").expect("it says where it listens");
        let (_, rest) = rest.split_once("://").expect("an address");
        rest.split_whitespace().next().and_then(|text| text.parse().ok()).expect("an address")
    }

    /// Runs the command line on the data directory of this Grace.
    pub(crate) fn grace(&self, args: &[&str]) -> Said {
        said(&command(&self.data()).args(args).output().expect("runs"))
    }

    /// Sends a request over the socket.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        exchange(UnixStream::connect(self.socket()).expect("connects"), request)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(&post(path, body))
    }

    /// Sends a request over TCP.
    pub(crate) fn ask_tcp(&self, request: &str) -> Answer {
        exchange(TcpStream::connect(self.address()).expect("connects"), request)
    }

    /// Asks for the end in good order, and says how it ended.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal("-TERM");
        let code = self.child.wait().expect("ends").code();
        std::thread::sleep(Duration::from_millis(50));
        (code, self.log())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                return status.code();
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that it is a problem of this status and code, and gives its sentence.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.head.contains("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!((problem["status"].as_u64(), problem["code"].as_str()), (Some(status.into()), Some(code)));
        assert!(problem["title"].is_string() && problem["type"] == "about:blank", "{problem}");
        problem["detail"].as_str().expect("a sentence").to_owned()
    }
}

fn data(dir: &TempDir) -> PathBuf {
    dir.path().join("data")
}

/// The binary with the shipped rules, on this data directory.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    command.arg("--config").arg(env!("CARGO_MANIFEST_DIR")).arg("--data").arg(data);
    command.env("GRACE_LOG", "info").stdin(Stdio::null());
    command
}

pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

pub(crate) fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends the request and reads until the end.
pub(crate) fn exchange(mut stream: impl Read + Write, request: &str) -> Answer {
    // One that is refused early is not read to its end; its answer is there nevertheless.
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The command line as another user, where that is possible here. Where not, the test says why and ends; on
/// the build machine that is a failure.
pub(crate) fn as_nobody(daemon: &Daemon, args: &[&str]) -> Option<Said> {
    let open =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
    open(daemon.dir.path(), 0o711);
    open(&daemon.data(), 0o711);
    open(&daemon.socket(), 0o666);
    let output = nobody(daemon.dir.path())?.arg("--data").arg(daemon.data()).args(args).output();
    Some(said(&output.expect("runs")))
}

/// The binary as another user, from a copy in a directory that everybody gets to.
pub(crate) fn nobody(dir: &Path) -> Option<Command> {
    // The checkout may lie in somebody's own directory.
    let binary = dir.join("grace");
    // By a process of its own: whatever another test starts while this one writes would keep the file busy.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_grace")).arg(&binary).status();
    assert!(copied.expect("runs").success(), "copied");
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).expect("its mode");
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid", "65534", "--clear-groups"]).arg(&binary);
    let can = Command::new("setpriv")
        .args(["--reuid", "65534", "--clear-groups"])
        .arg(&binary)
        .arg("--version")
        .output();
    if !can.as_ref().is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "no second user: {can:?}");
        let why = "skipped: no second user can run the binary here";
        writeln!(std::io::stderr(), "{why}: {can:?}").expect("says so");
        return None;
    }
    Some(nobody)
}
