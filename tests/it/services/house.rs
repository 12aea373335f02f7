//! A Grace over services of a test's own: files, data, deaths and new starts, and a clean floor afterwards.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grace::services::{Identity, Table};
use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{PATIENCE, Said, exchange, said};

/// Brakes that let a test try as often as it likes.
pub(crate) const NO_BRAKES: &str = "component = { budget = [{ max = 1000, within = \"10m\" }] }\n\
                                    overall = { in_flight = 16 }\n\
                                    backoff = { base = \"1ms\", cap = \"1ms\" }\n";

/// Files, data, and the Grace that runs on them, if one does.
pub(crate) struct House {
    dir: TempDir,
    grace: Option<Child>,
    log: Arc<Mutex<String>>,
    wrapper: Vec<String>,
}

impl House {
    /// A house with the shipped policies, but for the brakes, and this one rule file.
    pub(crate) fn new(component: &str, rules: &str) -> Self {
        let house = Self {
            dir: tempfile::tempdir().expect("a folder"),
            grace: None,
            log: Arc::default(),
            wrapper: Vec::new(),
        };
        fs::create_dir_all(house.config().join("rules")).expect("made");
        fs::create_dir_all(house.config().join("policies")).expect("made");
        for policy in ["modes", "governance", "notify"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("policies/{policy}.toml"));
            fs::copy(from, house.config().join(format!("policies/{policy}.toml"))).expect("copied");
        }
        house.put("policies/budgets.toml", NO_BRAKES);
        // Tests kill Grace again and again; that is no crash loop.
        house.put("policies/system.toml", "crash_loop = { max = 1000, within = \"10m\" }\n");
        house.put(&format!("rules/{component}.toml"), rules);
        house
    }

    /// Every Grace is started by this command, with her own words behind it.
    pub(crate) fn wrapped(mut self, words: &[&str]) -> Self {
        self.wrapper = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.config().join(name), text).expect("written");
    }

    /// Starts Grace and waits until she has looked at everything once.
    pub(crate) fn start(&mut self, flags: &[&str]) {
        let mut words = self.wrapper.clone();
        words.push(env!("CARGO_BIN_EXE_grace").to_owned());
        let (program, arguments) = words.split_first().expect("a program");
        let mut child = Command::new(program)
            .args(arguments)
            .args(["run", "--listen", "off"])
            .args(flags)
            .arg("--config")
            .arg(self.config())
            .arg("--data")
            .arg(self.data())
            .env("GRACE_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let stderr = child.stderr.take().expect("is piped");
        let to = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                to.lock().expect("no panic").push_str(&(line + "\n"));
            }
        });
        self.grace = Some(child);
        self.until("Grace is ready", |house| house.get("/readyz").is_some());
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Kills her in the middle of whatever she does.
    pub(crate) fn kill(&mut self) {
        let mut grace = self.grace.take().expect("she runs");
        grace.kill().expect("killed");
        grace.wait().expect("gone");
    }

    /// Asks her to end; answers her exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut grace = self.grace.take().expect("she runs");
        let sent = Command::new("kill").args(["-TERM", &grace.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        grace.wait().expect("ends").code()
    }

    pub(crate) fn grace(&self, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
        command.args(words).arg("--config").arg(self.config()).arg("--data").arg(self.data());
        said(&command.stdin(Stdio::null()).output().expect("runs"))
    }

    /// Asks for something over the socket; nothing where it is refused or nobody is there.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let stream = UnixStream::connect(grace::api::find_socket(&self.data())).ok()?;
        let answer =
            exchange(stream, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        (answer.status == 200).then(|| serde_json::from_str(&answer.body).unwrap_or(Value::Null))
    }

    /// How a component is, as `grace status` says it.
    pub(crate) fn check(&self, component: &str) -> Option<Value> {
        let status = self.get("/api/health/status")?;
        status["health_checks"].as_array()?.iter().find(|check| check["component"] == component).cloned()
    }

    pub(crate) fn is(&self, component: &str, status: &str) -> bool {
        self.check(component).is_some_and(|check| check["status"] == status)
    }

    pub(crate) fn fact(&self, component: &str, fact: &str) -> Value {
        self.check(component).map_or(Value::Null, |check| check["facts"][fact].clone())
    }

    /// The process of a worker, as it is written down.
    pub(crate) fn worker(&self, component: &str, number: u32) -> Option<Slot> {
        slot(&self.data().join(format!("services/{component}/{number}.json")))
    }

    pub(crate) fn journal(&self, query: &str) -> Vec<String> {
        let db = rusqlite::Connection::open(self.data().join("journal.db")).expect("a journal");
        let mut query = db.prepare(query).expect("a query");
        let rows = query.query_map([], |row| row.get::<_, Option<String>>(0)).expect("rows");
        rows.map(|row| row.expect("a row").unwrap_or_default()).collect()
    }

    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            if began.elapsed() > PATIENCE {
                let status = self.grace(&["status"]);
                panic!("in vain: {what}\n{}\n{}\n{}", status.out, status.err, self.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What is written down of a worker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slot {
    pub(crate) keeper: Identity,
    pub(crate) main: Identity,
    pub(crate) group: Option<PathBuf>,
}

fn slot(path: &Path) -> Option<Slot> {
    let value: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let identity = |name: &str| serde_json::from_value(value[name].clone()).ok();
    let group = value["group"].as_str().map(PathBuf::from);
    Some(Slot { keeper: identity("keeper")?, main: identity("main")?, group })
}

/// Ends everything that the files of this data directory name. Not by the code under test.
pub(crate) fn sweep(data: &Path) {
    for service in fs::read_dir(data.join("services")).into_iter().flatten().flatten() {
        for file in fs::read_dir(service.path()).into_iter().flatten().flatten() {
            let Some(slot) = slot(&file.path()) else { continue };
            if let Some(group) = &slot.group {
                let _ = fs::write(group.join("cgroup.kill"), "1");
            }
            for _ in 0..50 {
                let mut left = Table::read().descendants(&[slot.keeper]);
                left.extend([slot.main].into_iter().filter(|main| main.is_alive()));
                for one in &left {
                    let _ = one.signal(rustix::process::Signal::KILL);
                }
                if left.is_empty() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(grace) = &mut self.grace {
            let _ = grace.kill();
            let _ = grace.wait();
        }
        sweep(&self.data());
    }
}

/// Says why a test is not run here. On the build machine, which installs everything, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "not on the build machine: {why}");
    // Straight to the terminal: a skip is said even where output is captured.
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).expect("said");
}

/// A port of loopback that nobody used a moment ago.
pub(crate) fn port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
