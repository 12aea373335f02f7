//! Does the `OpenAPI` document tell what the router does? Kinds of content, headers and the shapes of bodies, as they are
//! sent and as they are said.

mod fits;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::{Value, json};

use crate::admission::be;
use crate::api::open_stream;
use crate::daemon::{Answer, Daemon, until};
use fits::fits;

/// What an answer may say besides its content, and what whoever asks goes by.
const TOLD: [&str; 10] = [
    "allow",
    "cache-control",
    "etag",
    "location",
    "preference-applied",
    "retry-after",
    "www-authenticate",
    "x-content-type-options",
    "x-grace-decision",
    "x-grace-reason",
];

/// The document, and what was seen of it.
struct Held {
    document: Value,
    kinds: BTreeSet<(String, String)>,
    headers: BTreeSet<String>,
}

impl Held {
    fn operation(&self, operation: &str) -> &Value {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        let found = &self.document["paths"][path][method.to_ascii_lowercase()];
        assert!(found.is_object(), "{operation} is not in the document");
        found
    }

    /// Holds an answer against what the document says of the operation.
    fn holds(&mut self, operation: &str, answer: &Answer) {
        let said = &self.operation(operation)["responses"];
        let one = [answer.status.to_string(), format!("{}XX", answer.status / 100)];
        let said = one.iter().map(|status| &said[status]).find(|said| said.is_object());
        let said = said.unwrap_or_else(|| panic!("{operation}: {} is not announced", answer.status)).clone();
        let header = |name: &str| {
            let line = answer.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.map(str::to_owned)
        };
        let kind = header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().to_owned();
        assert!(said["content"][&kind].is_object(), "{operation}: `{kind}` is not announced: {answer:?}");
        if kind.ends_with("json") && kind != "application/x-ndjson" {
            let shape = &said["content"][&kind]["schema"];
            let shaped = fits(&self.document, shape, &answer.json());
            assert_eq!(shaped, Ok(()), "{operation}: the body is not as it is announced: {answer:?}");
        }
        self.kinds.insert((operation.to_owned(), kind));
        let announced: BTreeSet<String> = keys(&said["headers"]).map(str::to_ascii_lowercase).collect();
        for name in TOLD.into_iter().filter(|name| header(name).is_some()) {
            assert!(announced.contains(name), "{operation}: the header {name} is not announced: {answer:?}");
            self.headers.insert(name.to_owned());
        }
    }
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().into_iter().flatten().map(|(key, _)| key.as_str())
}

fn asks(grace: &Daemon, operation: &str, headers: &str, body: &str) -> Answer {
    grace.ask(&format!(
        "{operation} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}content-length: \
         {}\r\n\r\n{body}",
        body.len()
    ))
}

/// The head of an answer that has no end.
fn stream(grace: &Daemon, headers: &str) -> Answer {
    let mut stream = open_stream(grace, headers);
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with("\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        text.push(char::from(byte[0]));
    }
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: text.to_ascii_lowercase(), body: String::new() }
}

fn every_kind(grace: &Daemon, held: &mut Held) {
    for (operation, headers) in [
        ("GET /api/health/mode", ""),
        ("GET /api/events", ""),
        ("GET /api/journal", ""),
        ("GET /api/journal", "accept: application/x-ndjson\r\n"),
        ("GET /metrics", ""),
        ("GET /metrics", "accept: application/openmetrics-text\r\n"),
        ("GET /livez", ""),
        ("GET /openapi.json", ""),
        ("GET /api/admission", ""),
    ] {
        let said = asks(grace, operation, headers, "");
        assert_eq!(said.status, 200, "{said:?}");
        held.holds(operation, &said);
    }
    held.holds("GET /api/events", &stream(grace, "last-event-id: 0\r\n"));
}

/// What there is to read, of all that there is.
fn every_body(grace: &Daemon, held: &mut Held) {
    let one = |path: &str| {
        let rule = path.replace("{rule}", "restart").replace("{component}", "task_executor");
        let path = rule.replace("/approvals/{id}", "/approvals/1").replace("{id}", "task_executor");
        path.replace("{act}", "1").replace("{path}", "x")
    };
    let paths: Vec<String> = keys(&held.document["paths"]).map(str::to_owned).collect();
    let mut empty = Vec::new();
    for path in paths {
        let operation = format!("GET {path}");
        let Some(said) = held.document["paths"][&path].get("get") else { continue };
        let shapes = said["responses"]["200"]["content"].as_object().into_iter().flatten();
        if shapes
            .clone()
            .any(|(_, content)| content["schema"].get("type").or(content["schema"].get("$ref")).is_none())
        {
            empty.push(path.clone());
        }
        held.holds(&operation, &asks(grace, &format!("GET {}", one(&path)), "", ""));
    }
    assert_eq!(empty, ["/openapi.json"], "of these nobody knows what they answer");
}

/// A refusal of admission says more than a question that was none.
fn both_refusals(grace: &Daemon, held: &mut Held) {
    for (query, status, code) in [
        ("", 503, "not_admitted"),
        ("?refuse_with=403", 403, "not_admitted"),
        ("?refuse_with=200", 422, "invalid"),
        ("?action=wrote", 422, "invalid"),
    ] {
        let said = asks(grace, &format!("GET /api/admission{query}"), "", "");
        assert_eq!((said.status, &said.json()["code"]), (status, &json!(code)), "{said:?}");
        held.holds("GET /api/admission", &said);
        // And the one is not taken for the other.
        let mut other = said.json();
        other["code"] = json!(if code == "invalid" { "not_admitted" } else { "invalid" });
        let shapes = &held.operation("GET /api/admission")["responses"]["5XX"]["content"];
        let shape = &shapes["application/problem+json"]["schema"];
        assert!(fits(&held.document, shape, &other).is_err(), "{other}");
    }
}

/// Each header that the document says may be sent along changes what becomes of the request.
fn every_header_is_heard(grace: &Daemon, held: &mut Held) {
    let restart = r#"{"component": "task_executor", "reason": "it looks odd"}"#;
    let waits = asks(grace, "POST /api/health/restart", "", restart);
    assert!(waits.status == 202 && waits.head.contains("location: /api/approvals/1"), "{waits:?}");
    held.holds("POST /api/health/restart", &waits);
    let glass = r#"{"reason": "alone", "break_glass": true}"#;
    let runs = asks(grace, "POST /api/approvals/1/approve", "prefer: respond-async\r\n", glass);
    assert!(runs.status == 202 && runs.head.contains("location: /api/actions/"), "{runs:?}");
    held.holds("POST /api/approvals/{id}/approve", &runs);
    let mode = r#"{"mode": "read_only", "reason": "a test"}"#;
    for (path, headers, status) in [
        ("POST /api/health/mode", "if-match: \"0\"\r\n", 412),
        ("POST /api/health/mode", "idempotency-key: \r\n", 400),
        ("GET /api/events", "last-event-id: -1\r\naccept: text/event-stream\r\n", 400),
    ] {
        let said = asks(grace, path, headers, if path.starts_with("GET") { "" } else { mode });
        assert_eq!(said.status, status, "{path} {headers}: {said:?}");
        held.holds(path, &said);
    }
    let all = held.document["paths"].as_object().expect("paths").values().flat_map(|item| {
        let operations = item.as_object().expect("an item").values();
        operations.flat_map(|operation| operation["parameters"].as_array().cloned().unwrap_or_default())
    });
    let sent: BTreeSet<String> = all
        .filter(|one| one["in"] == "header")
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect();
    let heard = ["Idempotency-Key", "If-Match", "Last-Event-ID", "Prefer", "X-Original-Method"];
    assert_eq!(sent, heard.map(str::to_owned).into());
}

#[test]
fn the_document_tells_what_the_router_sends() {
    let grace = Daemon::start();
    let document = grace.get("/openapi.json");
    let mut held = Held { document, kinds: BTreeSet::new(), headers: BTreeSet::new() };
    until("a first tick", || grace.get("/api/health/status")["health_checks"][0]["status"] != "unknown");
    every_kind(&grace, &mut held);
    every_header_is_heard(&grace, &mut held);
    every_body(&grace, &mut held);
    let made = grace.post("/api/tokens", &json!({ "name": "t", "role": "viewer" }).to_string());
    held.holds("POST /api/tokens", &made);
    let nobody = "GET /api/journal HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    held.holds("GET /api/journal", &grace.ask_tcp(nobody));
    held.holds("GET /api/health/mode", &asks(&grace, "PATCH /api/health/mode", "", ""));
    be(&grace, "read_only", "a test");
    let later = asks(&grace, "GET /api/admission", "", "");
    assert!(later.status == 503 && later.head.contains("retry-after: "), "{later:?}");
    held.holds("GET /api/admission", &later);
    both_refusals(&grace, &mut held);
    let looks = asks(&grace, "POST /api/admission/proxy", "x-original-method: GET\r\n", "");
    assert_eq!(looks.status, 200, "{looks:?}");
    held.holds("POST /api/admission/proxy", &looks);
    let mut many = (0..5_000).map(|_| asks(&grace, "POST /api/tasks?dry_run=true", "", r#"{"text": "x"}"#));
    let fast = many.find(|said| said.status == 429).expect("nobody asks so fast for long");
    assert!(fast.head.contains("retry-after: 1"), "{fast:?}");
    held.holds("POST /api/tasks", &fast);
    // And the other way round: where there is a choice, all of it was sent.
    let mut announced = BTreeMap::new();
    for (path, item) in held.document["paths"].as_object().expect("paths") {
        let kinds: BTreeSet<&str> = keys(&item["get"]["responses"]["200"]["content"]).collect();
        announced.insert(format!("GET {path}"), kinds);
    }
    for (operation, kinds) in announced.iter().filter(|(_, kinds)| kinds.len() > 1) {
        for kind in kinds {
            let sent = held.kinds.contains(&(operation.clone(), (*kind).to_owned()));
            assert!(sent, "{operation}: {kind} is announced, and not sent");
        }
    }
    let headers: BTreeSet<&str> = held.headers.iter().map(String::as_str).collect();
    let missing: Vec<_> = TOLD.iter().filter(|name| !headers.contains(*name)).collect();
    assert_eq!(missing, [&"preference-applied"], "of these the document would say too much");
}
