//! How fast a killed service is back, beside runit in the same run; and what a crash loop of a minute costs.
//!
//! `cargo bench --bench services` (needs Debian's packages redis-server and runit). Each round kills both, one
//! after the other, more than a second after whatever happened before, and takes the time until another Redis
//! answers. `GRACE_ROUNDS=30` and `GRACE_LOOP=60` (seconds) are the usual numbers.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program that measures says what it measured, and ends where it cannot"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grace::services::{Table, identity};
use rustix::process::Signal;

const GRACE: &str = env!("CARGO_BIN_EXE_grace");

fn main() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    for program in ["/usr/bin/redis-server", "/usr/bin/runsv"] {
        if !Path::new(program).exists() {
            println!("skipped: {program} is missing (Debian's packages redis-server and runit)");
            return;
        }
    }
    beside_runit(number("GRACE_ROUNDS", 30));
    crash_loop(Duration::from_secs(number("GRACE_LOOP", 60)));
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut heard = [0; 5];
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
    stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut heard).is_ok() && &heard == b"+PONG"
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_mins(1), "in vain: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The files of a Grace over one service.
fn house(dir: &Path, rules: &str, budgets: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    fs::create_dir_all(dir.join("rules")).expect("made");
    fs::create_dir_all(dir.join("policies")).expect("made");
    for policy in ["modes", "governance", "notify", "system"] {
        let name = format!("{policy}.toml");
        fs::copy(from.join(&name), dir.join("policies").join(&name)).expect("copied");
    }
    fs::write(dir.join("policies/budgets.toml"), budgets).expect("written");
    fs::write(dir.join("rules/service.toml"), rules).expect("written");
}

fn grace(dir: &Path) -> Child {
    Command::new(GRACE)
        .args(["run", "--listen", "off", "--interval", "10m", "--stop-services", "--config"])
        .arg(dir)
        .arg("--data")
        .arg(dir.join("data"))
        .env("GRACE_LOG", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Grace starts")
}

fn end(mut child: Child) {
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    child.wait().expect("ended");
}

/// The Redis on this port.
fn kill(port: u16) {
    let named = format!(":{port}");
    let table = Table::read();
    let found = table.all().find(|stat| {
        let words = fs::read(format!("/proc/{}/cmdline", stat.pid)).unwrap_or_default();
        stat.comm == "redis-server" && String::from_utf8_lossy(&words).contains(&named)
    });
    identity(found.expect("a Redis on this port")).signal(Signal::KILL).expect("killed");
}

fn beside_runit(rounds: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (port(), port());
    let argv = |port: u16| {
        format!("redis-server --port {port} --bind 127.0.0.1 --save '' --dir {}", dir.path().display())
    };
    let words: Vec<String> =
        argv(ours).split(' ').map(|word| format!("\"{}\"", word.replace("''", ""))).collect();
    let rules = format!(
        "[control]\nkind = \"process\"\nargv = [{}]\n[probe.process]\nkind = \"process\"\n\
         [status]\ncritical = '!process.running'\n[rule.start]\nwhen = 'critical'\nafter = 1\ndo = [\"restart\"]\n\
         verify = {{ delay = \"100ms\", within = \"5s\" }}\n",
        words.join(", ")
    );
    let free = "component = { budget = [{ max = 1000, within = \"1m\" }] }\nbackoff = { base = \"1ms\", cap = \"1ms\" }\n";
    house(&dir.path().join("grace"), &rules, free);
    let service = dir.path().join("runit");
    fs::create_dir_all(&service).expect("made");
    fs::write(service.join("run"), format!("#!/bin/sh\nexec {}\n", argv(theirs))).expect("written");
    fs::set_permissions(service.join("run"), fs::Permissions::from_mode(0o755)).expect("set");
    let grace = grace(&dir.path().join("grace"));
    let runsv = Command::new("runsv")
        .arg(&service)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("runsv starts");
    until("both answer", || answers(ours) && answers(theirs));
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for (which, port) in [(0, ours), (1, theirs)] {
            // Away from the second after the last tick, and from the one in which runit waits.
            std::thread::sleep(Duration::from_millis(1_500 + round * 7 % 100));
            let killed = Instant::now();
            kill(port);
            until("another answers", || answers(port));
            times[which].push(killed.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    let ours = summary("grace", &mut times[0]);
    let theirs = summary("runit", &mut times[1]);
    println!("killed until another answers: Grace is {:.1} ms behind runit (medians)\n", ours - theirs);
    end(grace);
    end(runsv);
}

fn summary(name: &str, times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "{name}: median {median:.1} ms, {:.1} to {:.1} ms in {} rounds",
        times[0],
        times[times.len() - 1],
        times.len()
    );
    median
}

/// Processor time of a process and of its children that ended, in seconds.
fn used(child: &Child) -> f64 {
    let stat = procfs::process::Process::new(i32::try_from(child.id()).expect("a number"))
        .and_then(|process| process.stat());
    let stat = stat.expect("it runs");
    let ticks = stat.utime + stat.stime + u64::try_from(stat.cutime + stat.cstime).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a few ticks")]
    let seconds = ticks as f64 / procfs::ticks_per_second() as f64;
    seconds
}

fn crash_loop(lasts: Duration) {
    let dir = tempfile::tempdir().expect("a folder");
    let rules = "[control]\nkind = \"process\"\nargv = [\"/bin/false\"]\n[probe.process]\nkind = \"process\"\n\
                 [status]\ncritical = '!process.running'\n[rule.start]\nwhen = 'critical'\nafter = 1\ndo = [\"restart\"]\n\
                 verify = { delay = \"100ms\", within = \"1s\" }\n";
    let budgets = "component = { budget = [{ max = 100, within = \"10m\" }], slow_try = \"20s\" }\n\
                   backoff = { base = \"1s\", cap = \"5m\" }\n";
    house(dir.path(), rules, budgets);
    let child = grace(dir.path());
    // Its start is another matter.
    std::thread::sleep(Duration::from_millis(500));
    let before = used(&child);
    std::thread::sleep(lasts);
    let cost = used(&child) - before;
    let journal = rusqlite::Connection::open(dir.path().join("data/journal.db")).expect("a journal");
    let tries: i64 =
        journal.query_row("SELECT count(*) FROM healing_actions", [], |row| row.get(0)).expect("a number");
    println!(
        "a crash loop of {} s: {tries} tries, {cost:.2} s of processor time, keepers and programs included",
        lasts.as_secs()
    );
    end(child);
}
