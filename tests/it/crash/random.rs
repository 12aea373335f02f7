//! Grace under kill -9: nothing acknowledged is lost, nothing is done twice, every intent ends once.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grace::record::Reader;
use grace::store;
use rusqlite::Connection;

use crate::scenarios::laid_over;

/// Rounds of the test: three Graces of a hundred lives each.
const LIVES: u64 = 100;

/// How long anything may take on a busy machine before the test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// One data directory and the Graces that live and die on it.
struct Lives {
    config: tempfile::TempDir,
    data: tempfile::TempDir,
    random: u64,
    acknowledged: Vec<String>,
    /// The newest entry that was seen before each kill.
    seen: Vec<(i64, Vec<u8>)>,
}

impl Lives {
    fn new(seed: u64) -> Self {
        let config = laid_over(Path::new("/nowhere"));
        // Faults rotate over the components again and again: no attack, and no budget that ends the work.
        fs::remove_file(config.path().join("rules/hunter.toml")).expect("removed");
        let budgets = "component = { budget = [{ max = 1000, within = \"10m\" }] }\nbackoff = { base = \"1ms\", cap = \"1ms\" }\n";
        fs::write(config.path().join("policies/budgets.toml"), budgets).expect("written");
        // A hundred short lives are meant here.
        let system =
            "interval = \"30s\"\nretention = \"90days\"\ncrash_loop = { max = 1000, within = \"10m\" }\n";
        fs::write(config.path().join("policies/system.toml"), system).expect("written");
        for rule in ["reflection_service", "task_executor", "trigger_mesh"] {
            // Short lives: act at the first failure, look soon.
            let file = config.path().join(format!("rules/{rule}.toml"));
            let text = fs::read_to_string(&file).expect("read");
            let text = text
                .replace("after      = 2", "after      = 1")
                .replace("delay = \"5s\"", "delay = \"50ms\"");
            fs::write(&file, text.replace("delay = \"1s\"", "delay = \"50ms\"")).expect("written");
        }
        let data = tempfile::tempdir().expect("a folder");
        Self { config, data, random: seed, acknowledged: Vec::new(), seen: Vec::new() }
    }

    /// A small generator of its own (xorshift), so that a seed gives the same kills again.
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn socket(&self) -> PathBuf {
        self.data.path().join("grace.sock")
    }

    fn born(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_grace"))
            .args(["run", "--interval", "100ms", "--allow-faults", "--listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(self.config.path())
            .arg("--data")
            .arg(self.data.path())
            .env("GRACE_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    /// One life: it works, it suffers, it is killed at any instant.
    async fn live(&mut self, life: u64) {
        let mut child = self.born();
        let lives = Duration::from_millis(30 + self.random(700));
        let mut end = Instant::now() + lives;
        // Some die at their start; the others first did something, however busy the machine is.
        let mut works = life.is_multiple_of(4);
        grace::probe::provide_crypto();
        let client = reqwest::Client::builder().unix_socket(self.socket()).build().expect("a client");
        let faults = [
            r#"{"component":"task_executor","fault":"kill-workers"}"#,
            r#"{"component":"trigger_mesh","fault":"stop"}"#,
            r#"{"component":"reflection_service","fault":"stop"}"#,
            r#"{"component":"database","fault":"down"}"#,
        ];
        let fault = faults[usize::try_from(life).expect("small") % faults.len()];
        let mut number = 0;
        let mut suffers = false;
        let born = Instant::now();
        while Instant::now() < end || !works {
            assert!(
                born.elapsed() < PATIENCE,
                "life {life} did nothing within {PATIENCE:?}: suffers {suffers}, {number} tasks, ended {:?}",
                child.try_wait()
            );
            if !suffers {
                suffers = post(&client, "/api/faults", fault.to_owned()).await;
            }
            let text = format!("{life}-{number}");
            // Each text is sent once: one whose answer did not come in time may have been done.
            number += 1;
            if post(&client, "/api/tasks", format!(r#"{{"text":"{text}"}}"#)).await {
                self.acknowledged.push(text);
                if suffers && !std::mem::replace(&mut works, true) {
                    end = Instant::now() + lives;
                }
            } else {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        self.remember();
        child.kill().expect("killed");
        let status = child.wait().expect("gone");
        assert!(status.code().is_none(), "life {life} ended by itself: {}", said(&mut child));
    }

    fn remember(&mut self) {
        let Ok(db) = Connection::open(self.data.path().join("journal.db")) else { return };
        let newest = "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1";
        if let Ok(newest) = db.query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?))) {
            self.seen.push(newest);
        }
    }

    /// The last life ends in peace, when nothing waits and nothing is open any more.
    async fn rest(&mut self) {
        let mut child = self.born();
        let begun = Instant::now();
        while !self.is_quiet() {
            assert!(begun.elapsed() < PATIENCE, "not quiet within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
        assert!(sent.success());
        let status = child.wait().expect("ended");
        assert!(status.success(), "{status}: {}", said(&mut child));
    }

    fn is_quiet(&self) -> bool {
        let open = self.count(OPEN_INTENTS);
        let waiting = self.count("SELECT count(*) FROM deferred_writes WHERE applied_at IS NULL");
        open == 0 && waiting == 0 && self.tasks().len() >= self.acknowledged.len()
    }

    fn count(&self, query: &str) -> i64 {
        let db = Connection::open(self.data.path().join("journal.db")).expect("a journal");
        db.query_row(query, [], |row| row.get(0)).expect(query)
    }

    /// The texts of the tasks, in their order.
    fn tasks(&self) -> Vec<String> {
        let db = Connection::open(self.data.path().join("grace.db")).expect("a database");
        let mut query = db.prepare("SELECT text FROM tasks ORDER BY rowid").expect("a table");
        let rows = query.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    }
}

const OPEN_INTENTS: &str = "SELECT count(*) FROM entries AS intent WHERE kind = 'intent'
    AND NOT EXISTS (SELECT 1 FROM entries AS done WHERE done.kind = 'end' AND done.act = intent.act)";

/// Was it acknowledged?
async fn post(client: &reqwest::Client, path: &str, body: String) -> bool {
    let request = client
        .post(format!("http://grace{path}"))
        .header("content-type", "application/json")
        .body(body)
        .timeout(Duration::from_secs(5));
    request.send().await.is_ok_and(|answer| answer.status().is_success())
}

fn said(child: &mut Child) -> String {
    let lines =
        child.stderr.take().map(|out| BufReader::new(out).lines().map_while(Result::ok).collect::<Vec<_>>());
    lines.unwrap_or_default().join("\n")
}

/// Grace is killed a hundred times on one data directory.
async fn die_often(seed: u64) {
    let mut lives = Lives::new(seed);
    for life in 0..LIVES {
        lives.live(life).await;
    }
    lives.rest().await;
    let reader = Reader::open(lives.data.path()).expect("a journal");
    let verified = reader.verify().expect("read");
    assert!(verified.is_whole(), "seed {seed}: {verified:?}");
    let db = Connection::open(lives.data.path().join("journal.db")).expect("a journal");
    for (seq, hash) in &lives.seen {
        let there: Vec<u8> = db
            .query_row("SELECT hash FROM entries WHERE seq = ?1", [seq], |row| row.get(0))
            .unwrap_or_else(|why| panic!("seed {seed}: entry {seq} was seen and is lost: {why}"));
        assert_eq!(there, *hash, "seed {seed}: entry {seq} is another");
    }
    assert_eq!(lives.count(OPEN_INTENTS), 0, "seed {seed}: an intent without an end");
    let doubled = "SELECT count(*) FROM (SELECT act FROM entries WHERE kind IN ('intent', 'end') GROUP BY kind, act HAVING count(*) > 1)";
    assert_eq!(lives.count(doubled), 0, "seed {seed}: something began or ended twice");
    assert!(
        lives.count("SELECT count(*) FROM healing_actions") > 20,
        "seed {seed}: hardly anything was healed"
    );
    let tasks = lives.tasks();
    let kept: Vec<&String> = tasks.iter().filter(|text| lives.acknowledged.contains(text)).collect();
    let wanted: Vec<&String> = lives.acknowledged.iter().collect();
    assert!(wanted.len() > 100, "seed {seed}: hardly anything was acknowledged");
    assert_eq!(kept, wanted, "seed {seed}: every acknowledged task once, in order");
    let proof = grace::replay::prove::prove(&reader).expect("read");
    assert!(proof.holds(), "seed {seed}: {:?}", proof.differences);
    assert!(store::directory(lives.data.path()).is_ok());
}

// A thread for each, because a killed process takes its time to be gone on a busy machine, and its end is awaited.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_hundred_kills_lose_nothing_and_double_nothing() {
    let seeds = [0x9e37_79b9_7f4a_7c15, 0xdead_beef_cafe_f00d, 0x1234_5678_9abc_def1];
    let lives: Vec<_> = seeds.into_iter().map(|seed| tokio::spawn(die_often(seed))).collect();
    for life in lives {
        life.await.expect("no life lost anything");
    }
}
