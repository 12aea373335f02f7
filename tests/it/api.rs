//! HTTP as others use it: the seed's bodies, problems, and what must not get through.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, post};

#[test]
fn the_seeds_calls_work_as_it_writes_them() {
    let grace = Daemon::start();
    let status = grace.get("/api/health/status");
    assert_eq!(status["system_mode"], "normal");
    let checks = status["health_checks"].as_array().expect("a list");
    let names: Vec<_> = checks.iter().map(|check| check["component"].as_str().expect("a name")).collect();
    assert_eq!(names, ["database", "grace", "reflection_service", "task_executor", "trigger_mesh"]);
    assert!(checks.iter().all(|check| check["status"] == "ok" && check["facts"].is_object()), "{status}");
    assert_eq!(status["healing_actions"], serde_json::json!([]));

    let asked = grace.post("/api/health/restart", r#"{"component": "reflection_service"}"#);
    assert_eq!(
        (asked.status, asked.json()["result"].as_str()),
        (202, Some("waiting_for_approval")),
        "{asked:?}"
    );

    let set = grace.post("/api/health/mode", r#"{"mode": "read_only", "reason": "maintenance"}"#);
    assert_eq!((set.status, set.json()["result"].as_str()), (200, Some("success")), "{set:?}");
    let mode = grace.get("/api/health/mode");
    assert_eq!((mode["mode"].as_str(), mode["reason"].as_str()), (Some("read_only"), Some("maintenance")));
    assert!(mode["changed_at"].as_str().expect("a time").ends_with('Z'), "{mode}");
    assert_eq!(mode["changed_by"].as_str(), Some(me().as_str()));
    assert_eq!(mode["claims"][0]["claim"], "person");
}

/// Who this test is to the socket.
fn me() -> String {
    format!("uid:{}", rustix::process::geteuid().as_raw())
}

#[test]
fn a_restart_is_answered_with_what_became_of_it() {
    let grace = Daemon::start();
    grace.post("/api/health/restart", r#"{"component": "task_executor"}"#);
    let glass = r#"{"reason": "nobody else is here", "break_glass": true}"#;
    let done = grace.post("/api/approvals/1/approve", glass);
    let reply = done.json();
    assert_eq!((done.status, reply["result"].as_str()), (200, Some("success")), "{reply}");
    assert_eq!(reply["outcome"], "healed");
    assert_eq!(reply["action"]["component"], "task_executor");
    assert_eq!(reply["action"]["actor"].as_str(), Some(me().as_str()));
    let status = grace.get("/api/health/status");
    assert_eq!(status["healing_actions"][0]["result"], "success");
}

#[test]
fn tcp_tells_whoever_it_does_not_know_how_it_is_and_nothing_else() {
    let grace = Daemon::start();
    let get = |path: &str, host: &str, more: &str| {
        grace.ask_tcp(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{more}connection: close\r\n\r\n"))
    };
    let host = grace.address().to_string();
    let read = get("/api/health/mode", &host, "");
    assert_eq!(read.status, 200, "{read:?}");
    assert!(!read.head.contains("access-control"), "{read:?}");
    assert_eq!(get("/livez", "localhost", "").body, "ok\n");
    let set = grace.ask_tcp(&post("/api/health/mode", r#"{"mode": "read_only", "reason": "x"}"#));
    assert!(set.problem(401, "unknown_caller").contains("grace.sock"), "{set:?}");
    assert!(set.head.contains("www-authenticate: bearer"), "{set:?}");
    let end = "DELETE /api/holds/all HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    grace.ask_tcp(end).problem(401, "unknown_caller");
    assert_eq!(grace.get("/api/health/mode")["mode"], "normal");
    for foreign in ["evil.example", "evil.example:7171", "192.168.0.1", "localhost.evil.example", ""] {
        get("/api/health/status", foreign, "").problem(421, "foreign_host");
    }
    get("/api/health/status", &host, "origin: http://evil.example\r\n").problem(421, "foreign_host");
    assert_eq!(get("/api/health/mode", &host, &format!("origin: http://{host}\r\n")).status, 200);
    let absolute =
        "GET http://evil.example/api/health/mode HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    grace.ask_tcp(absolute).problem(421, "foreign_host");
}

#[test]
fn what_is_not_as_it_should_be_is_told_so() {
    let grace = Daemon::start();
    let to = "/api/health/restart";
    grace.post(to, "{\"component\": ").problem(400, "invalid");
    assert!(grace.post(to, "{\"componend\": \"x\"}").problem(422, "invalid").contains("componend"));
    grace.post(to, "").problem(422, "invalid");
    grace.post(to, "[1,2]").problem(422, "invalid");
    grace.post(to, "{\"component\": \"database\", \"reason\": \" \"}").problem(422, "invalid");
    let found = grace.post(to, "{\"component\": \"databaze\"}").problem(404, "not_found");
    assert!(found.contains("did you mean `database`"), "{found}");
    let form = "POST /api/tasks HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}";
    grace.ask(form).problem(415, "invalid");
    let found =
        grace.post("/api/health/mode", r#"{"mode": "normal", "for": "soon"}"#).problem(422, "invalid");
    assert!(found.contains("for"), "{found}");
    let get = |path: &str| grace.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    let found = get("/api/health/statsu").problem(404, "not_found");
    assert!(found.contains("/api/health/status"), "{found}");
    let wrong = get(to);
    wrong.problem(405, "invalid");
    assert!(wrong.head.contains("allow: post"), "{wrong:?}");
    get("/api/events?limit=0").problem(422, "invalid");
    get("/api/events?aftr=1").problem(400, "invalid");
    grace.post("/api/approvals/99/approve", r#"{"reason": "x"}"#).problem(404, "not_found");
    grace.post("/api/faults", r#"{"component": "database", "fault": "hang"}"#).problem(422, "invalid");
    assert_eq!(get("/readyz").head.lines().filter(|line| line.contains("nosniff")).count(), 1);
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let grace = Daemon::start();
    let large = format!("{{\"text\": \"{}\"}}", "x".repeat(80 * 1024));
    grace.post("/api/tasks", &large).problem(413, "invalid");
    let head = "POST /api/tasks HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
    grace.ask(&format!("{head}{}0\r\n\r\n", chunk.repeat(10))).problem(413, "invalid");
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(20 * 1024));
    grace.post("/api/tasks", &long).problem(422, "invalid");
    assert_eq!(grace.post("/api/tasks", r#"{"text": "a short one"}"#).status, 201);
}

#[test]
fn what_is_no_http_is_told_so_with_a_body_and_only_the_bytes_of_a_head_count() {
    let grace = Daemon::start();
    for head in [
        "GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET / HTTP/9.1\r\nhost: localhost\r\n\r\n",
        "GET /livez HTTP/1.1\r\nho st: x\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip\r\n\r\n",
        "\u{16}\u{3}\u{1}\r\n\r\n",
    ] {
        grace.ask(head).problem(400, "invalid");
        grace.ask_tcp(head).problem(400, "invalid");
    }
    let with =
        |more: &str| format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    assert_eq!(grace.ask(&with(&"a:\r\n".repeat(4000))).status, 200, "16,000 bytes in the shortest headers");
    for more in ["a:\r\n".repeat(4200), format!("a: {}\r\n", "b".repeat(17 * 1024))] {
        assert!(grace.ask(&with(&more)).problem(431, "invalid").contains("16384"));
    }
    let chunk = "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n";
    assert!(grace.ask(chunk).problem(400, "invalid").contains("chunk"));
}

#[test]
fn a_head_that_never_ends_is_hung_up_on() {
    let grace = Daemon::start();
    let began = Instant::now();
    for request in ["", "GET /livez HTTP/1.1\r\nhost: localhost\r\nx-slow:"] {
        let mut stream = TcpStream::connect(grace.address()).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
        stream.write_all(request.as_bytes()).expect("writes");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("is closed from the other side");
        assert!(!String::from_utf8_lossy(&bytes).contains("200 OK"));
    }
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

#[test]
fn faults_need_leave() {
    let grace = Daemon::start_with(&[]);
    let fault = r#"{"component": "database", "fault": "down"}"#;
    grace.post("/api/faults", fault).problem(403, "faults_not_allowed");
}

/// Reads a stream of events until `enough` of them have come; gives their numbers.
fn follow(grace: &Daemon, more: &str, enough: usize) -> Vec<i64> {
    let mut stream = open_stream(grace, more);
    let mut text = String::new();
    let began = Instant::now();
    let mut bytes = [0; 4096];
    loop {
        let read = stream.read(&mut bytes).expect("goes on");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        let blocks = text.split("\n\n").filter(|block| block.contains("data: {"));
        let ids: Vec<i64> = blocks
            .filter_map(|block| block.lines().find_map(|line| line.strip_prefix("id: ")?.parse().ok()))
            .collect();
        if ids.len() >= enough {
            return ids;
        }
        assert!(read > 0 && began.elapsed() < Duration::from_mins(1), "only {ids:?} of {text}");
    }
}

pub(super) fn open_stream(grace: &Daemon, more: &str) -> UnixStream {
    let mut stream = UnixStream::connect(grace.socket()).expect("connects");
    let head = format!("GET /api/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).expect("writes");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a limit");
    stream
}

/// More events than are read at a time, and none of them remembered: Grace started anew since.
#[test]
fn a_follower_that_comes_back_far_behind_misses_nothing() {
    let grace = Daemon::start();
    for number in 0..120 {
        let body = format!(r#"{{"component": "database", "reason": "number {number}"}}"#);
        assert_eq!(grace.post("/api/silences", &body).status, 200);
    }
    let dir = std::sync::Arc::clone(&grace.dir);
    grace.stop();
    let grace = Daemon::start_in(dir, &[]);
    let listed = grace.get("/api/events?limit=1000");
    let listed: Vec<i64> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| event["id"].as_str().and_then(|id| id.parse().ok()).expect("a number"))
        .collect();
    assert!(listed.len() > 120, "{listed:?}");
    let followed = follow(&grace, "last-event-id: 0\r\n", listed.len());
    assert_eq!(followed[..listed.len()], listed);
}

#[test]
fn a_follower_goes_on_behind_the_last_event_it_saw() {
    let grace = Daemon::start();
    let first = follow(&grace, "last-event-id: 0\r\n", 4);
    assert!(first.windows(2).all(|pair| pair[0] < pair[1]), "{first:?}");
    let again = follow(&grace, &format!("last-event-id: {}\r\n", first[1]), 2);
    assert_eq!(again[..2], first[2..4]);
    let listed = grace.get("/api/events?pattern=health.*&limit=2");
    let kinds: Vec<_> =
        listed.as_array().expect("a list").iter().map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, [Some("health.status_changed"); 2]);
    let asked = |query: &str, more: &str| {
        let head = "host: x\r\nconnection: close\r\naccept: text/event-stream";
        grace.ask(&format!("GET /api/events{query} HTTP/1.1\r\n{head}\r\n{more}\r\n")).problem(400, "invalid")
    };
    for slip in ["seven", "-5", "1.5", "99999999999999999999", "7\u{e9}", "\u{e9}", "7\r\nlast-event-id: 7"] {
        assert!(asked("", &format!("last-event-id: {slip}\r\n")).contains("Last-Event-ID"), "{slip}");
    }
    for path in ["events?after=-5", "journal?after=-1", "incidents?before=-1", "health/status?before=-1"] {
        let asked = format!("GET /api/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert!(grace.ask(&asked).problem(422, "invalid").contains("the number of an entry"), "{path}");
    }
    assert!(asked("?limit=2", "").contains("a stream has no end"));
}
