//! May something happen now? Asked by programs, by shell scripts, and by a real nginx for an application behind it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use grace::client::{Client, ClientError, Decision};
use serde_json::{Value, json};

use crate::daemon::{Answer, Daemon, exchange, post, until};

fn get(grace: &Daemon, query: &str) -> Answer {
    grace.ask_tcp(&format!(
        "GET /api/admission{query} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    ))
}

pub(crate) fn be(grace: &Daemon, mode: &str, reason: &str) {
    let asked = grace.post("/api/health/mode", &json!({ "mode": mode, "reason": reason }).to_string());
    if let Some(approval) = asked.json()["approval"].as_u64() {
        let glass = json!({ "reason": "alone", "break_glass": true }).to_string();
        grace.post(&format!("/api/approvals/{approval}/approve"), &glass);
    }
    assert_eq!(grace.get("/api/health/mode")["mode"], mode);
}

#[test]
fn every_refusal_says_mode_reason_and_since_when() {
    let grace = Daemon::start();
    let allowed = get(&grace, "");
    assert_eq!((allowed.status, &allowed.json()["decision"]), (200, &json!("allow")), "{allowed:?}");
    assert!(allowed.head.contains("x-grace-decision: allow"), "{allowed:?}");
    be(&grace, "read_only", "disks are moved\u{e9}");
    let later = get(&grace, "?action=write");
    assert_eq!(later.status, 503, "{later:?}");
    assert!(
        later.head.contains("retry-after: 30") && later.head.contains("x-grace-mode: read_only"),
        "{later:?}"
    );
    let said = later.json();
    assert_eq!((&said["decision"], &said["code"]), (&json!("retry"), &json!("not_admitted")), "{said}");
    let since = grace.get("/api/health/mode")["claims"][0]["since"].as_str().expect("a time").to_owned();
    let detail = said["detail"].as_str().expect("a sentence");
    assert_eq!(detail, format!("read_only queues writes since {since}: disks are moved\u{e9}"));
    assert!(later.head.contains("disks are moved?"), "a header holds plain letters: {later:?}");
    assert_eq!(get(&grace, "?action=read").status, 200);
    assert_eq!(get(&grace, "?action=restart").status, 200);
    assert_eq!(get(&grace, "?refuse_with=403").status, 403);
    be(&grace, "emergency", "an attack");
    let denied = get(&grace, "?action=migrate").json();
    assert_eq!((&denied["decision"], &denied["retry_after_s"]), (&json!("deny"), &Value::Null), "{denied}");
    get(&grace, "?action=wirte").problem(422, "invalid");
    get(&grace, "?refuse_with=200").problem(422, "invalid");
    get(&grace, "?component=databaze").problem(404, "not_found");
    get(&grace, "?acton=write").problem(400, "invalid");
}

#[test]
fn a_hold_stops_deploys_until_it_ends_and_critical_components_take_no_writes() {
    let grace = Daemon::start();
    grace.post("/api/holds", r#"{"component": "database", "reason": "moving disks", "for": "10m"}"#);
    let body = r#"{"action": "deploy", "component": "database"}"#;
    let held = grace.ask_tcp(&post("/api/admission", body));
    assert_eq!(held.status, 503, "{held:?}");
    let said = held.json();
    let seconds = said["retry_after_s"].as_u64().expect("a time");
    assert!((500..=600).contains(&seconds), "{said}");
    assert!(said["reason"].as_str().expect("a reason").contains("moving disks"), "{said}");
    assert_eq!(get(&grace, "?action=deploy&component=trigger_mesh").status, 200);
    grace.grace(&["fault", "inject", "database", "down"]);
    until("a database that is down takes no writes", || get(&grace, "?component=database").status == 503);
    let said = get(&grace, "?component=database").json();
    assert!(said["reason"].as_str().is_some_and(|why| why.contains(" since 20")), "{said}");
}

/// Whatever the header says that is not one method which only looks, the client may be about to write.
#[test]
fn a_method_that_the_proxy_does_not_plainly_name_writes() {
    let grace = Daemon::start();
    be(&grace, "read_only", "disks are moved");
    let status = |named: &str| {
        let head = "GET /api/admission/proxy HTTP/1.1\r\nhost: localhost\r\nconnection: close";
        grace.ask_tcp(&format!("{head}\r\n{named}\r\n")).status
    };
    let (get, post) = ("x-original-method: GET\r\n", "x-original-method: POST\r\n");
    assert_eq!((status(""), status(get), status(post)), (200, 200, 503));
    for named in ["x-original-method: P\u{d6}ST\r\n", "x-original-method:\r\n"] {
        assert_eq!(status(named), 503, "{named}");
    }
    for (one, other) in [(get, post), (post, get), (get, get)] {
        assert_eq!(status(&format!("{one}{other}")), 503, "{one}{other}");
    }
}

/// A person's and a rule's claim are of one mode: the mode comes from the person's.
#[test]
fn of_two_claims_of_one_mode_all_speak_of_the_one_it_comes_from() {
    let grace = Daemon::start();
    be(&grace, "read_only", "disks are moved");
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    let claims = || grace.get("/api/health/mode")["claims"].as_array().map(Vec::len);
    until("the rule claims it as well", || claims() == Some(2));
    let mode = grace.get("/api/health/mode");
    assert_eq!(mode["reason"], "disks are moved", "{mode}");
    let said = get(&grace, "").json();
    let since = mode["changed_at"].as_str().expect("a time");
    assert_eq!(said["since"], since, "{said}");
    assert_eq!(said["reason"], format!("read_only queues writes since {since}: disks are moved"), "{said}");
}

/// The mode stays for another's sake when the claim ends that it came from: nobody is told of what is gone.
#[test]
fn once_the_claim_that_the_mode_came_from_ends_all_speak_of_one_that_stands() {
    let grace = Daemon::start();
    be(&grace, "read_only", "disks are moved");
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    let claims = || grace.get("/api/health/mode")["claims"].as_array().map(Vec::len);
    until("the rule claims it as well", || claims() == Some(2));
    let before = grace.get("/api/health/mode");
    let asked = grace.post("/api/health/mode/release", r#"{"claim": "person", "reason": "they are moved"}"#);
    let glass = json!({ "reason": "alone", "break_glass": true }).to_string();
    let done = grace.post(&format!("/api/approvals/{}/approve", asked.json()["approval"]), &glass);
    assert_eq!((done.status, claims()), (200, Some(1)), "{done:?}");
    let mode = grace.get("/api/health/mode");
    let reason = mode["claims"][0]["reason"].as_str().expect("a reason");
    assert_eq!(
        (&mode["reason"], &mode["changed_by"]),
        (&json!(reason), &json!("read_only/database")),
        "{mode}"
    );
    assert_eq!((&mode["mode"], &mode["changed_at"]), (&json!("read_only"), &before["changed_at"]));
    assert_eq!(grace.get("/api/health/status")["mode_reason"], reason);
    let shown = grace.grace(&["mode"]).out;
    assert!(shown.contains(reason) && !shown.contains("disks are moved"), "{shown}");
    let admitted = get(&grace, "?action=restart").json();
    assert_eq!((&admitted["decision"], &admitted["reason"]), (&json!("allow"), &json!(reason)), "{admitted}");
}

/// No tick comes meanwhile: whoever asks is told of the file as it is now, as whoever acts is stopped by it.
#[test]
fn stop_counts_at_once_for_whoever_asks_what_may_be() {
    let grace = Daemon::start_with(&["--interval", "1h"]);
    let tick = || grace.get("/api/health/status")["tick"].clone();
    let admitted = || get(&grace, "?action=restart").json();
    let would = || grace.grace(&["restart", "trigger_mesh", "--reason", "a try", "--dry-run"]).code;
    assert_eq!((admitted()["decision"].clone(), would()), (json!("allow"), Some(5)));
    let (file, began) = (grace.data().join("STOP"), tick());
    std::fs::write(&file, "").expect("written");
    let first = admitted();
    assert_eq!((&first["decision"], would()), (&json!("retry"), Some(4)), "{first}");
    assert_eq!(grace.get("/api/health/status")["stop"], true);
    std::fs::remove_file(&file).expect("removed");
    assert_eq!((admitted()["decision"].clone(), would()), (json!("allow"), Some(5)));
    assert_eq!(grace.get("/api/health/status")["stop"], false);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    std::fs::write(&file, "").expect("written");
    let again = admitted();
    assert!(again["reason"] != first["reason"], "another file, since another time: {first} {again}");
    assert_eq!(tick(), began, "a tick came between: this shows nothing");
}

#[test]
fn of_two_holds_the_longer_counts_and_stop_says_since_when() {
    let grace = Daemon::start();
    grace.post("/api/holds", r#"{"component": "database", "reason": "moving disks", "for": "10m"}"#);
    grace.post("/api/holds", r#"{"component": "all", "reason": "game day", "for": "30m"}"#);
    let said = get(&grace, "?action=restart&component=database").json();
    assert!(said["retry_after_s"].as_u64().is_some_and(|seconds| seconds > 1700), "{said}");
    assert!(said["reason"].as_str().is_some_and(|why| why.ends_with(": game day")), "{said}");
    std::fs::write(grace.data().join("STOP"), "").expect("written");
    let why = || get(&grace, "?action=restart").json()["reason"].as_str().unwrap_or_default().to_owned();
    until("STOP is seen", || why().starts_with("a file named STOP lies in the data directory since 20"));
}

/// An application behind a proxy: says what it was asked.
pub(crate) fn application() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or(0);
            let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned();
            let body = format!("the application took {line}\n");
            let _ = write!(stream, "HTTP/1.0 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    port
}

/// A running nginx that is ended with the test.
struct Nginx {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// nginx before the application, as the README shows it; none where there is no nginx.
    fn before(application: u16, grace: &Daemon) -> Option<Self> {
        if !std::path::Path::new("/usr/sbin/nginx").exists() {
            assert!(std::env::var_os("CI").is_none(), "nginx is missing");
            std::io::stderr().write_all(b"skipped: there is no nginx\n").expect("said");
            return None;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let readme = include_str!("../../README.md");
        let shown =
            readme.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).expect("is shown");
        let shown = shown
            .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{application}"))
            .replace("127.0.0.1:7171", &grace.address().to_string());
        let at = dir.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};"))
            .join("\n");
        let conf = format!(
            "daemon off;\nmaster_process off;\npid {at}/nginx.pid;\nerror_log {at}/error.log;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{shown}}}\n"
        );
        std::fs::write(dir.path().join("nginx.conf"), conf).expect("written");
        let child = Command::new("/usr/sbin/nginx")
            .args([
                "-p",
                &at.to_string(),
                "-e",
                &format!("{at}/error.log"),
                "-c",
                &format!("{at}/nginx.conf"),
            ])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let nginx = Self { child, port, _dir: dir };
        until("nginx listens", || TcpStream::connect(("127.0.0.1", nginx.port)).is_ok());
        Some(nginx)
    }

    fn ask(&self, method: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        exchange(
            stream,
            &format!(
                "{method} /orders HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"
            ),
        )
    }
}

#[test]
fn a_real_nginx_refuses_writes_while_grace_is_read_only_and_lets_reads_pass() {
    let grace = Daemon::start();
    let Some(nginx) = Nginx::before(application(), &grace) else { return };
    let passed = nginx.ask("POST");
    assert_eq!(passed.status, 200, "{passed:?}");
    assert!(passed.body.contains("the application took POST /orders"), "{passed:?}");
    be(&grace, "read_only", "disks are moved");
    let refused = nginx.ask("POST");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("read_only queues writes since"), "{refused:?}");
    assert!(
        refused.body.contains("disks are moved") && refused.head.contains("retry-after: 30"),
        "{refused:?}"
    );
    assert_eq!(nginx.ask("DELETE").status, 503);
    assert_eq!(nginx.ask("GET").status, 200);
    be(&grace, "normal", "they are moved");
    assert_eq!(nginx.ask("POST").status, 200);
}

#[test]
fn a_program_in_rust_asks_over_the_socket_or_over_tcp() {
    let grace = Daemon::start();
    let socket = Client::over_socket(grace.data()).expect("made");
    let tcp = Client::over_http(&format!("http://{}/", grace.address()), None).expect("made");
    for client in [&socket, &tcp] {
        assert_eq!(client.may("write", None).expect("answers").decision, Decision::Allow);
        assert!(matches!(client.may("wirte", None), Err(ClientError::Refused(_))));
    }
    be(&grace, "read_only", "disks are moved");
    for client in [&socket, &tcp] {
        let told = client.may("migrate", Some("database")).expect("answers");
        assert_eq!((told.decision, told.mode.as_str()), (Decision::Retry, "read_only"));
        assert!(told.reason.contains("disks are moved"), "{told:?}");
    }
    drop(grace);
    assert!(matches!(tcp.may("write", None), Err(ClientError::Unreachable(_))));
}
