//! What a manager of services hears of Grace: a socket of its own in the place of systemd's.

use std::cell::RefCell;
use std::fs;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::daemon::{PATIENCE, exchange};
use crate::scenarios::laid_over;

/// A Grace who was started as a service, and what she said so far.
struct Service {
    dir: TempDir,
    socket: UnixDatagram,
    child: Child,
    heard: RefCell<Vec<String>>,
}

impl Service {
    fn start(watchdog_usec: &str) -> Self {
        let dir = laid_over(std::path::Path::new("/nowhere"));
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
        let log = fs::File::create(dir.path().join("log")).expect("made");
        let child = Command::new(env!("CARGO_BIN_EXE_grace"))
            .args(["run", "--interval", "200ms", "--listen", "off", "--allow-faults"])
            .arg("--config")
            .arg(dir.path())
            .arg("--data")
            .arg(dir.path().join("data"))
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", watchdog_usec)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("starts");
        Self { dir, socket, child, heard: RefCell::default() }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).expect("read")
    }

    /// One message, where one comes within a moment.
    fn hear(&self) -> Option<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if text != "WATCHDOG=1\n" {
            self.heard.borrow_mut().push(text.clone());
        }
        Some(text)
    }

    /// The next message that has the word in it.
    #[track_caller]
    fn next(&self, word: &str) -> String {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(text) = self.hear().filter(|text| text.contains(word)) {
                return text;
            }
        }
        panic!("nobody said {word}: {:?}\n{}", self.heard.borrow(), self.log());
    }

    /// Signs of life within the time.
    fn beats(&self, within: Duration) -> usize {
        let begun = Instant::now();
        let mut beats = 0;
        while begun.elapsed() < within {
            beats += usize::from(self.hear().is_some_and(|text| text.contains("WATCHDOG=1")));
        }
        beats
    }

    fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let stream = UnixStream::connect(self.data().join("grace.sock")).expect("connects");
        let answer =
            exchange(stream, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    fn status(&self) -> serde_json::Value {
        self.get("/api/health/status").1
    }

    fn grace(&self, args: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
        let ran = command.arg("--data").arg(self.data()).args(args).stdout(Stdio::null()).status();
        assert!(ran.expect("runs").success(), "{args:?}");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("runs").success());
    }

    fn replace(&self, from: &str, to: &str) {
        let file = self.dir.path().join("rules/database.toml");
        let text = fs::read_to_string(&file).expect("read");
        assert!(text.contains(from));
        fs::write(&file, text.replace(from, to)).expect("written");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn ready_is_said_once_everything_answers_and_then_the_status_follows() {
    let mut grace = Service::start("20000000");
    let first = grace.next("READY=1");
    assert_eq!(grace.heard.borrow().len(), 1, "nothing is said before: {:?}", grace.heard);
    assert_eq!(grace.get("/readyz").0, 200, "the socket answers, and a tick is done");
    assert!(first.contains("STATUS=mode normal; ") && first.contains("WATCHDOG=1"), "{first:?}");
    if !first.contains("5 components ok") {
        grace.next("STATUS=mode normal; 5 components ok");
    }
    grace.grace(&["fault", "inject", "database", "down"]);
    grace.next("STATUS=mode normal; database critical");
    grace.next("STATUS=mode read_only; database critical");
    fs::write(grace.data().join("STOP"), "").expect("written");
    grace.next("; STOP: no healing");
    let said = grace.heard.borrow().clone();
    let status: Vec<&String> = said.iter().filter(|text| text.contains("STATUS=")).collect();
    assert!(status.windows(2).all(|pair| pair[0] != pair[1]), "only when it changes: {status:?}");
    assert!(!grace.log().contains("WatchdogSec="), "{}", grace.log());
    grace.signal("-TERM");
    grace.next("STOPPING=1");
    assert_eq!(grace.child.wait().expect("ends").code(), Some(0), "{}", grace.log());
}

#[test]
fn only_a_tick_that_stands_in_the_journal_feeds_the_watchdog() {
    // Shorter than two ticks of 200 ms.
    let grace = Service::start("399000");
    grace.next("READY=1");
    assert!(grace.beats(Duration::from_secs(2)) >= 4, "{:?}", grace.heard);
    assert!(grace.log().contains("WatchdogSec= is 399ms, and a tick comes every 200ms"), "{}", grace.log());
    let other = Connection::open(grace.data().join("journal.db")).expect("opens");
    let lock = || other.execute_batch("BEGIN IMMEDIATE");
    while lock().is_err() {}
    // One tick may have been written just before.
    grace.beats(Duration::from_millis(300));
    assert_eq!(grace.beats(Duration::from_secs(2)), 0, "{:?}", grace.heard);
    assert_eq!(grace.get("/api/health/mode").0, 200, "the rest of her answers all the same");
    other.execute_batch("ROLLBACK").expect("let go");
    grace.next("WATCHDOG=1");
}

#[test]
fn a_reload_is_over_when_the_supervisor_has_dealt_with_the_files() {
    let grace = Service::start("20000000");
    grace.next("READY=1");
    for (from, to, refused) in
        [("250ms", "300ms", false), ("", "", false), ("ping.connected", "ping.conected", true)]
    {
        let before = grace.status()["generation"].clone();
        // The watch may have been quicker; the answer to SIGHUP comes behind both.
        grace.replace(from, to);
        grace.signal("-HUP");
        let begins = grace.next("RELOADING=1");
        assert!(begins.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{begins:?}");
        let ends = grace.next("READY=1");
        let after = grace.status();
        assert_eq!(after["generation"] != before, from == "250ms", "{from}");
        assert_eq!(after["rejected"].is_object(), refused, "{from}: {after}");
        assert_eq!(ends.contains("the files were refused"), refused, "{ends:?}");
    }
    // The same broken files again: they are read, and refused, again.
    let refusals = || grace.log().matches("the new files are not used").count();
    let before = refusals();
    grace.signal("-HUP");
    grace.next("RELOADING=1");
    assert!(grace.next("READY=1").contains("the files were refused"));
    assert!(refusals() > before, "{}", grace.log());
    grace.replace("ping.conected", "ping.connected");
    grace.signal("-HUP");
    grace.next("RELOADING=1");
    assert!(!grace.next("READY=1").contains("the files were refused"));
    assert!(grace.status()["rejected"].is_null());
}
