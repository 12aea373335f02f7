//! How fast Grace answers, beside a route of axum that does nothing: `cargo bench --bench http`.
//!
//! The load comes from standard generators (Debian: `apt install wrk hey`): `wrk` asks as fast as it gets answers, `hey`
//! 2,000 times a second. Grace and the bare route have the first core, one after the other, and the generators the second.
//! `GRACE_SECONDS=5` makes each run shorter.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark says what it found, and may fail loudly"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The rate at which the times are measured.
const RATE: u32 = 2_000;

/// So many connections.
const CONNECTIONS: u32 = 20;

fn main() {
    if std::env::var_os("GRACE_BARE").is_some() {
        return bare();
    }
    for (tool, package) in [("wrk", "wrk"), ("hey", "hey"), ("taskset", "util-linux")] {
        let there = Command::new("which").arg(tool).stdout(Stdio::null()).status();
        assert!(there.is_ok_and(|found| found.success()), "`{tool}` is missing: apt install {package}");
    }
    println!("{:<24} {:>11} {:>8} {:>10} {:>10}", "", "requests/s", "of bare", "p50", "p99");
    let (mut child, address) = start_bare();
    let rate = show("a bare route of axum", address, "/", None);
    child.kill().unwrap();
    child.wait().unwrap();

    let dir = tempfile::tempdir().unwrap();
    let (mut child, address) = start_grace(dir.path());
    // What a status shows of the past is there.
    for _ in 0..20 {
        let body = r#"{"workers": 3, "reason": "the benchmark wants a past"}"#;
        let asked = format!(
            "POST /api/components/task_executor/scale HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(ask(dir.path(), &asked).starts_with("HTTP/1.1 200"), "a scale");
    }
    assert_eq!(tries(&status(dir.path())), 20);
    let before = status(dir.path());
    for path in ["/livez", "/api/health/mode", "/api/admission", "/api/health/status", "/metrics"] {
        show(path, address, path, Some(rate));
    }
    let after = status(dir.path());
    let ticks = after["tick"].as_u64().unwrap() - before["tick"].as_u64().unwrap();
    println!(
        "meanwhile {ticks} ticks, {} of them late; the status shows {} tries",
        after["overruns"],
        tries(&after)
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

fn seconds() -> u32 {
    std::env::var("GRACE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

fn tries(status: &serde_json::Value) -> usize {
    status["healing_actions"].as_array().map_or(0, Vec::len)
}

/// A route that does nothing, served as axum serves.
fn bare() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/", axum::routing::get(|| async { "ok" }));
        // Only a part of axum's features are asked for, and `serve` is not among them.
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let builder =
                    hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
                let _ = builder.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await;
            });
        }
    });
}

fn start_bare() -> (Child, SocketAddr) {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(std::env::current_exe().unwrap()).env("GRACE_BARE", "1");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn start_grace(dir: &Path) -> (Child, SocketAddr) {
    let mut command = Command::new("taskset");
    command.args(["-c", "0", env!("CARGO_BIN_EXE_grace"), "--config", env!("CARGO_MANIFEST_DIR"), "--data"]);
    command.arg(dir.join("data")).args([
        "run",
        "--listen",
        "127.0.0.1:0",
        "--interval",
        "1s",
        "--log",
        "json",
    ]);
    command.env("GRACE_LOG", "info").stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).ok()?;
            line["fields"]["listen"].as_str().or_else(|| line["listen"].as_str())?.parse().ok()
        })
        .unwrap();
    // Whoever reads nothing of the log would stop Grace once the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

fn ask(dir: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(dir.join("data/grace.sock")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status(dir: &Path) -> serde_json::Value {
    let answer = ask(dir, "GET /api/health/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Measures one route, and says what came out; gives the requests a second.
fn show(title: &str, address: SocketAddr, path: &str, bare: Option<f64>) -> f64 {
    // It answers, and well: a refusal would be quick.
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    let url = format!("http://{address}{path}");
    let time = format!("{}s", seconds());
    let wrk = load(&["wrk", "-t1", &format!("-c{CONNECTIONS}"), &format!("-d{time}"), &url]);
    assert!(!wrk.contains("Non-2xx") && !wrk.contains("Socket errors"), "{wrk}");
    let rate: f64 = number_behind(&wrk, "Requests/sec:");
    let each = (RATE / CONNECTIONS).to_string();
    let hey = load(&["hey", "-z", &time, "-c", &CONNECTIONS.to_string(), "-q", &each, &url]);
    assert!(hey.contains("[200]") && !hey.contains("Error distribution"), "{hey}");
    let at = |share: &str| 1e3 * number_behind(&hey, share);
    let of = bare.map_or_else(String::new, |bare| format!("{:.0} %", 100.0 * rate / bare));
    println!("{title:<24} {rate:>11.0} {of:>8} {:>7.2} ms {:>7.2} ms", at("50% in"), at("99% in"));
    let reached: f64 = number_behind(&hey, "Requests/sec:");
    if reached < 0.98 * f64::from(RATE) {
        println!("  only {reached:.0} a second were asked, not {RATE}");
    }
    rate
}

fn load(command: &[&str]) -> String {
    let output = Command::new("taskset").args(["-c", "1"]).args(command).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The number behind these words.
fn number_behind(text: &str, words: &str) -> f64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no `{words}` in {text}"));
    rest.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap()
}
