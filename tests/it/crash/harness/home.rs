//! The files on which Graces of this harness live and die, and a client of theirs.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const GRACE: &str = env!("CARGO_BIN_EXE_grace");

/// How long anything may take on a busy machine before a run is given up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Brakes that allow as many tries as there are deaths; hundreds of short lives are meant here.
const BUDGETS: &str = "component = { budget = [{ max = 1000, within = \"10m\" }] }\n\
                       overall = { in_flight = 16 }\nbackoff = { base = \"1ms\", cap = \"1ms\" }\n";
const SYSTEM: &str =
    "interval = \"30s\"\nretention = \"90days\"\ncrash_loop = { max = 1000, within = \"10m\" }\n";
const GOVERNANCE: &str = "policy.rules = { by = \"rule\", action = [\"restart\", \"scale\", \"set_mode\", \
                          \"block\", \"notify\", \"event\", \"task\", \"recommend\"], effect = \"allow\" }\n\
                          policy.people = { by = \"person\", action = [\"restart\", \"scale\", \"set_mode\", \
                          \"release\", \"hold\", \"unblock\"], effect = \"allow\" }\n\
                          policy.reviewed = { by = \"person\", action = [\"restart\"], when = 'tier == 3', \
                          effect = \"review\", approvers = 1, expires = \"15m\" }\n";

/// What each copy of a service does: it holds the marker open, writes down that it started, and tells of every
/// earlier copy that is still alive.
const SERVICE: &str = r#"exec 9<"$1/marker"
echo $$ >>"$1/$2.starts"
while read -r other; do
    [ "$other" = $$ ] && continue
    read -r stat 2>/dev/null </proc/$other/stat || continue
    case "$stat" in *"(sleep) Z"* | *"(sh) Z"* | *") X"*) ;; *"(sleep)"* | *"(sh)"*) echo "$other $$" >>"$1/$2.doubled" ;; esac
done <"$1/$2.starts"
exec sleep 600"#;

/// Rules, policies, data, and what is written beside them.
pub(crate) struct Home {
    dir: TempDir,
}

impl Home {
    /// With two services, and no data yet.
    pub(crate) fn new() -> Self {
        Self::within(tempfile::tempdir().expect("a folder"))
    }

    /// Without services: for commands that only look at data.
    pub(crate) fn plain() -> Self {
        let home = Self::new();
        for name in ["job", "crew"] {
            fs::remove_file(home.config().join(format!("rules/{name}.toml"))).expect("removed");
        }
        home
    }

    pub(crate) fn within(dir: TempDir) -> Self {
        let home = Self { dir };
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["rules", "policies"] {
            fs::create_dir_all(home.config().join(part)).expect("made");
        }
        for name in ["rules/database", "policies/modes", "policies/notify"] {
            let name = format!("{name}.toml");
            fs::copy(shipped.join(&name), home.config().join(&name)).expect("copied");
        }
        for name in ["reflection_service", "task_executor", "trigger_mesh"] {
            let name = format!("rules/{name}.toml");
            let text = fs::read_to_string(shipped.join(&name)).expect("read");
            // Short lives: act at the first failure, look soon.
            let text = text.replace("after      = 2", "after      = 1").replace("\"5s\"", "\"50ms\"");
            home.put(&name, &text.replace("delay = \"1s\"", "delay = \"50ms\""));
        }
        home.put("policies/budgets.toml", BUDGETS);
        home.put("policies/system.toml", SYSTEM);
        home.put("policies/governance.toml", GOVERNANCE);
        home.put("rules/job.toml", &home.service("job", "\"restart\"", 1));
        // What people want with it, somebody has to approve.
        let crew = home.service("crew", "\"restart\"", 1).replace("[component]\n", "[component]\ntier = 3\n");
        home.put("rules/crew.toml", &crew);
        fs::write(home.path("marker"), "").expect("written");
        home
    }

    fn service(&self, name: &str, act: &str, workers: u32) -> String {
        let dir = self.dir.path().display();
        format!(
            "[component]\nworkers = {workers}\n[control]\nkind = \"process\"\n\
             argv = [\"/bin/sh\", \"-c\", '''{SERVICE}''', \"sh\", \"{dir}\", \"{name}\"]\n\
             stop = {{ within = \"2s\" }}\n[probe.process]\nkind = \"process\"\n\
             [status]\ncritical = 'process.workers < process.wanted'\n\
             [rule.start]\nwhen = 'critical'\ndo = [{act}]\nverify = {{ delay = \"50ms\", within = \"5s\" }}\n\
             attempts = 20\n"
        )
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("config")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("log")
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.config().join(name), text).expect("written");
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A command of Grace's on these files.
    pub(crate) fn words(&self, words: &[&str]) -> Vec<String> {
        let (config, data) = (self.config(), self.data());
        let place =
            ["--config", &config.to_string_lossy(), "--data", &data.to_string_lossy()].map(str::to_owned);
        let own = [GRACE].iter().chain(words).map(|word| (*word).to_owned());
        own.chain(place).collect()
    }

    pub(crate) const RUN: [&'static str; 7] =
        ["run", "--interval", "100ms", "--listen", "off", "--allow-faults", "--stop-services"];

    /// Starts her without a tracer.
    pub(crate) fn born(&self) -> Child {
        let log = File::options().append(true).create(true).open(self.log()).expect("a log");
        let words = self.words(&Self::RUN);
        let mut command = Command::new(GRACE);
        command.args(&words[1..]).env("GRACE_LOG", "info").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(log).spawn().expect("starts")
    }

    /// Runs a command of hers to its end: was it well?
    pub(crate) fn does(&self, words: &[&str]) -> Result<(), String> {
        let words = self.words(words);
        let done = Command::new(GRACE).args(&words[1..]).stdin(Stdio::null()).output();
        let done = done.map_err(|why| why.to_string())?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        if done.status.success() { Ok(()) } else { Err(format!("{words:?}: {} {said}", done.status)) }
    }

    /// Lets her live for a moment without a tracer, and has her add this task.
    pub(crate) fn lives_with(&self, task: &str) -> Result<(), String> {
        let mut grace = self.born();
        let there = format!("SELECT count(*) FROM tasks WHERE text = '{task}'");
        let body = format!(r#"{{"text":"{task}"}}"#);
        let added = until("the task is added", || self.post("/api/tasks", &body))
            .and_then(|()| until("it is written", || self.count("grace.db", &there) == Some(1)));
        let asked =
            i32::try_from(grace.id()).is_ok_and(|pid| kill(Pid::from_raw(pid), Signal::SIGTERM).is_ok());
        let status = grace.wait().map_err(|why| why.to_string())?;
        added?;
        if asked && status.success() { Ok(()) } else { Err(format!("{status}: {}", self.text("log"))) }
    }

    /// Sends a request; nothing where nobody answers.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let mut stream = UnixStream::connect(grace::api::find_socket(&self.data())).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let head = "host: x\r\nconnection: close\r\ncontent-type: application/json";
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}")
            .ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?.parse().ok()?;
        // An answer that was cut off is no answer.
        let whole = head.to_ascii_lowercase().contains(&format!("content-length: {}", body.len()));
        whole.then(|| (status, serde_json::from_str(body).unwrap_or_default()))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> bool {
        self.ask("POST", path, body).is_some_and(|(status, _)| (200..300).contains(&status))
    }

    /// How every component is.
    pub(crate) fn checks(&self) -> Vec<Value> {
        let (_, status) = self.ask("GET", "/api/health/status", "").unwrap_or_default();
        status["health_checks"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn check(&self, component: &str) -> Option<Value> {
        self.checks().into_iter().find(|check| check["component"] == component)
    }

    pub(crate) fn is_ok(&self, component: &str) -> bool {
        self.check(component).is_some_and(|check| check["status"] == "ok")
    }

    /// The process of a worker, as it is written down, where it is alive.
    pub(crate) fn main(&self, component: &str, worker: u32) -> Option<i32> {
        let text = fs::read(self.data().join(format!("services/{component}/{worker}.json"))).ok()?;
        let slot: Value = serde_json::from_slice(&text).ok()?;
        let pid = i32::try_from(slot["main"]["pid"].as_i64()?).ok()?;
        let start = slot["main"]["start"].as_u64()?;
        let same = grace::services::Identity::of(pid).is_some_and(|now| now.start == start && now.is_alive());
        (same && slot["end"].is_null()).then_some(pid)
    }

    /// One number out of a database that may be in use.
    pub(crate) fn count(&self, file: &str, query: &str) -> Option<i64> {
        let path = self.data().join(file);
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        db.busy_timeout(Duration::from_secs(5)).ok()?;
        db.query_row(query, [], |row| row.get(0)).ok()
    }
}

/// Waits until it is so.
///
/// # Errors
/// It does not come about.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), String> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > PATIENCE {
            return Err(format!("in vain for {PATIENCE:?}: {what}"));
        }
        std::thread::sleep(Duration::from_millis(15));
    }
    Ok(())
}
