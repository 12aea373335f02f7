//! Many who connect: they share what there is, and nobody is kept out.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::api::open_stream;
use crate::daemon::{Daemon, PATIENCE, command, said, until};

#[test]
fn followers_are_bounded_and_those_who_do_not_read_harm_nobody() {
    // Half of the connections may be followers, and a quarter of the files connections.
    let grace = Daemon::start_with_files(256);
    let streams: Vec<UnixStream> = (0..32)
        .map(|_| {
            let mut stream = open_stream(&grace, "last-event-id: 0\r\n");
            let mut first = [0; 12];
            stream.read_exact(&mut first).expect("answers");
            assert_eq!(&first, b"HTTP/1.1 200");
            // From here on it never reads.
            stream
        })
        .collect();
    let one_more =
        "GET /api/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: text/event-stream\r\n\r\n";
    grace.ask(one_more).problem(503, "busy");
    let before = grace.get("/api/health/status")["tick"].as_u64();
    until("it goes on", || grace.get("/api/health/status")["tick"].as_u64() > before);
    drop(streams);
    until("places are free again", || {
        let mut stream = open_stream(&grace, "");
        let mut first = [0; 12];
        stream.read_exact(&mut first).is_ok() && &first == b"HTTP/1.1 200"
    });
}

const LIVE: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[test]
fn idle_connections_and_heads_that_never_end_keep_nobody_out() {
    // 2,048 connections on each way in; and as many who want one as this process may have open.
    let grace = Daemon::start_with_files(8_192);
    let open = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let many = usize::try_from(open).unwrap_or(usize::MAX).saturating_sub(200).clamp(2_500, 10_000);
    let mut follower = open_stream(&grace, "");
    let crowd: Vec<TcpStream> = (0..many)
        .map(|number| {
            let mut stream = TcpStream::connect(grace.address()).expect("connects");
            // Some say nothing, some begin, and some got an answer and stay.
            let says =
                ["", "GET /livez HTTP/1.1\r\nx-slow:", "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"];
            stream.write_all(says[number % 3].as_bytes()).expect("writes");
            stream
        })
        .collect();
    let began = Instant::now();
    let answer = grace.ask_tcp(LIVE);
    // Without making room it would take until the first of them is hung up on, 10 s, and again for each crowd.
    assert!(
        answer.status == 200 && began.elapsed() < Duration::from_secs(9),
        "{answer:?} {:?}",
        began.elapsed()
    );
    assert_eq!(grace.ask(LIVE).status, 200, "the socket has its own places");
    drop(crowd);
    // Whoever is served was not sent away.
    assert_eq!(grace.grace(&["hold", "all", "--reason", "crowd", "--for", "1h"]).code, Some(0));
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !text.contains("governance.held") {
        let read = follower.read(&mut bytes).expect("goes on");
        assert!(read > 0, "it was sent away: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}

/// Resident memory, in KiB.
fn resident(grace: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", grace.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// Reads on until what was told holds the words so often.
fn reads_on(stream: &mut UnixStream, text: &mut String, times: usize) {
    let began = Instant::now();
    let mut bytes = [0; 16 * 1024];
    while text.matches("governance.silenced").count() < times {
        match stream.read(&mut bytes) {
            Ok(read) => {
                assert!(read > 0, "goes on");
                text.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        assert!(began.elapsed() < PATIENCE, "{times}: {text}");
    }
}

#[test]
fn a_thousand_followers_hear_everything_and_memory_does_not_grow() {
    let grace = Daemon::start_with_files(8_192);
    let alone = resident(&grace);
    let mut followers: Vec<_> = (0..1_000).map(|_| (open_stream(&grace, ""), String::new())).collect();
    for (stream, text) in &mut followers {
        let mut head = [0; 12];
        stream.read_exact(&mut head).expect("answers");
        assert_eq!(&head, b"HTTP/1.1 200");
        // Where it is comes first: what happens from here on is told.
        while !text.contains("id: ") {
            let mut bytes = [0; 1_024];
            let read = stream.read(&mut bytes).expect("goes on");
            text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }
    let mut memory = Vec::new();
    for round in 1..=12 {
        let said =
            grace.grace(&["silence", "database", "--reason", &format!("round {round}"), "--for", "1h"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        for (stream, text) in &mut followers {
            reads_on(stream, text, round);
        }
        memory.push(resident(&grace));
    }
    assert!(memory[11] < memory[3] + 4 * 1_024, "it does not grow: {memory:?}");
    assert!(memory[11] < alone + 64 * 1_024, "a follower needs little: {alone} and {memory:?}");
    let ids = |text: &str| text.lines().filter(|line| line.starts_with("id: ")).count();
    assert!(followers.iter().all(|(_, text)| text.matches("round 7").count() == 1 && ids(text) >= 13));
}

/// Writes more into the journal than lies between two who are connected.
fn fill(grace: &Daemon) {
    let body = serde_json::json!({ "component": "database", "reason": "why ".repeat(500) }).to_string();
    std::thread::scope(|scope| {
        for _ in 0..150 {
            scope.spawn(|| assert_eq!(grace.post("/api/silences", &body).status, 200));
        }
    });
}

#[test]
fn those_who_ask_for_much_and_never_read_cost_little() {
    let grace = Daemon::start_with_files(8_192);
    fill(&grace);
    let ask = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
    let size = |path: &str| grace.ask(&ask(path, "connection: close\r\n")).body.len();
    let (document, journal) = (size("/openapi.json"), size("/api/journal?limit=1000"));
    assert!(document > 200_000 && journal > 400_000, "{document} {journal}");
    let before = resident(&grace);
    let open: Vec<TcpStream> = (0..2_000)
        .map(|_| {
            let mut stream = TcpStream::connect(grace.address()).expect("connects");
            stream.write_all(ask("/openapi.json", "").as_bytes()).expect("writes");
            stream
        })
        .collect();
    let local: Vec<UnixStream> = (0..500)
        .map(|_| {
            let mut stream = UnixStream::connect(grace.socket()).expect("connects");
            stream.write_all(ask("/api/journal?limit=1000", "").as_bytes()).expect("writes");
            stream
        })
        .collect();
    // Everybody is answered, and the answers lie where nobody takes them.
    let began = Instant::now();
    let mut took = Vec::new();
    for path in ["/livez", "/api/health/status", "/api/admission"] {
        for said in [
            grace.ask(&ask(path, "connection: close\r\n")),
            grace.ask_tcp(&ask(path, "connection: close\r\n")),
        ] {
            assert_eq!(said.status, 200, "{path}: {said:?}");
            took.push((path, began.elapsed()));
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{took:?}");
    let after = resident(&grace);
    assert!(after < before + 160 * 1_024, "from {before} to {after} KiB");
    drop((open, local));
    let path = ask("/api/journal?limit=1000", "connection: close\r\n");
    until("there is room again", || grace.ask(&path).status == 200);
}

#[test]
fn exports_that_nobody_reads_are_bounded() {
    let grace = Daemon::start();
    fill(&grace);
    let export = |end: &str| {
        format!("GET /api/journal HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\n{end}\r\n")
    };
    let open: Vec<UnixStream> = (0..16)
        .map(|_| {
            let mut stream = UnixStream::connect(grace.socket()).expect("connects");
            stream.write_all(export("").as_bytes()).expect("writes");
            stream.read_exact(&mut [0; 12]).expect("answers");
            stream
        })
        .collect();
    let refused = grace.ask(&export("connection: close\r\n"));
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    refused.problem(503, "busy");
    drop(open);
    until("there is room again", || grace.ask(&export("connection: close\r\n")).status == 200);
}

/// The kernel lets so many wait at a socket's door, and turns away whoever comes then: that is no Grace who is away.
#[test]
fn who_comes_while_a_crowd_waits_at_the_door_comes_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("grace.sock");
    let door = UnixListener::bind(&socket).expect("bound");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let knock = || runtime.block_on(tokio::net::UnixStream::connect(&socket));
    let crowd: Vec<_> = std::iter::from_fn(|| knock().ok()).collect();
    let asks = command(dir.path()).arg("events").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let client = grace::client::Client::over_socket(dir.path()).expect("made");
    let may = std::thread::spawn(move || client.may("write", None));
    std::thread::sleep(Duration::from_millis(700));
    drop(crowd);
    let served = std::thread::spawn(move || {
        let mut left = 2;
        for stream in door.incoming() {
            let (mut stream, mut head) = (stream.expect("comes"), [0; 1_024]);
            // Those of the crowd have gone.
            let Some(read) = stream.read(&mut head).ok().filter(|read| *read > 0) else { continue };
            let body = if String::from_utf8_lossy(&head[..read]).contains("/api/admission") {
                r#"{"decision": "allow", "action": "write", "mode": "normal", "reason": "so", "since": "then"}"#
            } else {
                "[]"
            };
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
            stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).expect("answered");
            left -= 1;
            if left == 0 {
                return;
            }
        }
    });
    let said = said(&asks.expect("runs").wait_with_output().expect("ends"));
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    let may = may.join().expect("asked").expect("answered");
    assert_eq!(may.decision, grace::client::Decision::Allow);
    served.join().expect("served");
}
