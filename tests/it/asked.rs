//! What a query asks for is what is answered: parts of the status, page by page, and a word that no route knows is told.

use serde_json::{Value, json};

use crate::daemon::{Answer, Daemon};

fn ask(grace: &Daemon, method: &str, path: &str) -> Answer {
    grace.ask(&format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    ))
}

fn names(list: &Value, key: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
}

/// Two scalings and a restart of the executor.
fn three_tries(grace: &Daemon) {
    for _ in 0..2 {
        let done = grace.post("/api/components/task_executor/scale", r#"{"workers": 3}"#);
        assert_eq!(done.status, 200, "{done:?}");
    }
    grace.post("/api/health/restart", r#"{"component": "task_executor"}"#);
    let glass = json!({ "reason": "alone", "break_glass": true }).to_string();
    assert_eq!(grace.post("/api/approvals/1/approve", &glass).status, 200);
}

#[test]
fn the_status_is_told_in_parts_and_page_by_page() {
    let grace = Daemon::start();
    three_tries(&grace);
    let of = |query: &str| grace.get(&format!("/api/health/status?{query}"));
    let all = grace.get("/api/health/status");
    let components = names(&all["health_checks"], "component");
    assert!(components.len() > 2 && all["next_check"].is_null() && all["next_action"].is_null(), "{all}");
    // One component: its check, its rules, its tries.
    let one = of("component=task_executor");
    assert_eq!(names(&one["health_checks"], "component"), ["task_executor"]);
    assert!(!names(&one["rules"], "component").is_empty(), "{one}");
    assert!(names(&one["rules"], "component").iter().all(|component| component == "task_executor"), "{one}");
    assert_eq!(one["healing_actions"].as_array().map(Vec::len), Some(3));
    assert_eq!(of("component=database")["healing_actions"], json!([]));
    // How it is, what was done, how it ended.
    assert_eq!(of("status=critical")["health_checks"], json!([]));
    assert_eq!(names(&of("status=ok")["health_checks"], "component"), components);
    assert_eq!(names(&of("kind=restart")["healing_actions"], "action"), ["restart"]);
    assert_eq!(names(&of("kind=scale")["healing_actions"], "action"), ["scale 3", "scale 3"]);
    assert_eq!(of("is=failed")["healing_actions"], json!([]));
    assert_eq!(of("is=success&kind=scale")["healing_actions"].as_array().map(Vec::len), Some(2));
    // Page by page, nothing twice and nothing left out.
    let (mut checks, mut tries, mut query) = (Vec::new(), Vec::new(), "limit=2".to_owned());
    loop {
        let page = of(&query);
        checks.extend(names(&page["health_checks"], "component"));
        tries
            .extend(page["healing_actions"].as_array().expect("a list").iter().map(|one| one["seq"].clone()));
        let Some(after) = page["next_check"].as_str() else { break };
        let before = page["next_action"].as_i64().unwrap_or(0);
        query = format!("limit=2&after={after}&before={before}");
    }
    let expected: Vec<Value> =
        all["healing_actions"].as_array().expect("a list").iter().map(|one| one["seq"].clone()).collect();
    assert_eq!((checks, tries), (components, expected));
}

#[test]
fn a_word_that_the_status_cannot_mean_is_told_with_the_nearest() {
    let grace = Daemon::start();
    for (query, status, code, says) in [
        ("componet=database", 400, "invalid", "did you mean `component`?"),
        ("component=databaze", 404, "not_found", "did you mean `database`?"),
        ("status=critcal", 422, "invalid", "did you mean `critical`?"),
        ("kind=restrat", 422, "invalid", "did you mean `restart`?"),
        ("is=sucess", 422, "invalid", "did you mean `success`?"),
        ("limit=0", 422, "invalid", "1 to 1000"),
        ("before=x", 400, "invalid", "before"),
        ("limit=1&limit=2", 400, "invalid", "limit"),
    ] {
        let said = ask(&grace, "GET", &format!("/api/health/status?{query}")).problem(status, code);
        assert!(said.contains(says), "{query}: {said}");
    }
}

#[test]
fn no_route_passes_over_a_key_that_it_does_not_know() {
    let grace = Daemon::start();
    let document = grace.get("/openapi.json");
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        // What a proxy's client asks is none of ours.
        let takes_any = path.ends_with("/proxy/{path}") || path.ends_with("/proxy/");
        for method in item.as_object().expect("an item").keys() {
            let path = path.replace("{id}", "0").replace("{component}", "x").replace("{name}", "x");
            let said = ask(&grace, &method.to_uppercase(), &format!("{path}?limitt=1"));
            if takes_any {
                assert_eq!(said.status, 200, "{method} {path}: {said:?}");
            } else {
                assert!(said.problem(400, "invalid").contains("no `limitt`"), "{method} {path}: {said:?}");
            }
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
    let said = ask(&grace, "GET", "/api/journal?limt=1").problem(400, "invalid");
    assert!(said.contains("did you mean `limit`?"), "{said}");
}

#[test]
fn what_cannot_be_meant_is_told_at_once() {
    let grace = Daemon::start();
    // Two hosts, over either way in.
    let twice =
        "GET /api/health/mode HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(grace.ask_tcp(twice).problem(400, "invalid").contains("more than one header Host"));
    grace.ask(twice).problem(400, "invalid");
    // Two of anything else that may be there once; what a proxy's client shows is for the application.
    for (name, one, other) in [
        ("Origin", "http://localhost", "http://evil.example"),
        ("Authorization", "Bearer grace_1", "Bearer grace_2"),
        ("Content-Type", "application/json", "text/plain"),
        ("Idempotency-Key", "one", "two"),
        ("Last-Event-ID", "1", "2"),
    ] {
        let twice = format!(
            " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{name}: {one}\r\n{name}: {other}\r\n\r\n"
        );
        let said = grace.ask_tcp(&format!("GET /api/health/mode{twice}")).problem(400, "invalid");
        assert!(said.contains(&format!("more than one header {name}")), "{said}");
        let proxied = grace.ask_tcp(&format!("GET /api/admission/proxy/x{twice}")).status;
        assert_eq!(proxied, if name == "Authorization" { 401 } else { 200 }, "{name}");
    }
    // Numbers of workers that no component can have.
    for (component, workers, says) in [
        ("task_executor", 0, "takes 1 to "),
        ("task_executor", 4_000_000_000_u32, "takes 1 to "),
        ("database", 2, "has no workers"),
    ] {
        for query in ["", "?dry_run=true"] {
            let path = format!("/api/components/{component}/scale{query}");
            let said = grace.post(&path, &json!({ "workers": workers }).to_string()).problem(422, "invalid");
            assert!(said.contains(says), "{path}: {said}");
        }
    }
    assert_eq!(grace.get("/api/health/status")["healing_actions"], json!([]));
}

#[test]
fn a_text_for_people_with_other_control_characters_than_lines_and_tabs_is_refused_and_named() {
    let grace = Daemon::start();
    for (path, body) in [
        ("/api/holds", r#"{"for": "1m", "reason": "a\u0000b"}"#),
        ("/api/silences", r#"{"for": "1m", "reason": "a\u0000b"}"#),
        ("/api/health/mode", r#"{"mode": "read_only", "reason": "a\u0000b"}"#),
        ("/api/health/restart", r#"{"component": "database", "reason": "a\u0000b"}"#),
        ("/api/tokens", r#"{"name": "x", "role": "viewer", "reason": "a\u0000b"}"#),
        ("/api/tasks", r#"{"text": "a\u0000b"}"#),
        ("/api/tasks", r#"{"text": "x", "key": "a\u0000b"}"#),
    ] {
        let said = grace.post(path, body).problem(422, "invalid");
        assert!(
            ["`reason`", "`text`", "`key`"].iter().any(|field| said.contains(field))
                && said.contains("U+0000")
                && said.contains("new lines and tabs"),
            "{path}: {said}"
        );
    }
    let said = ask(&grace, "DELETE", "/api/tokens/x?reason=a%1Bb").problem(422, "invalid");
    assert!(said.contains("U+001B"), "{said}");
    let said = grace.grace(&["hold", "all", "--for", "1m", "--reason", "a\u{1b}[2Jb"]);
    assert!(said.code == Some(2) && said.err.contains("U+001B") && !said.err.contains('\u{1b}'), "{said:?}");
    assert_eq!((grace.get("/api/holds"), grace.get("/api/tokens")), (json!([]), json!([])));
    let held = grace.post("/api/holds", r#"{"for": "1m", "reason": "one\r\n\ttwo"}"#);
    assert_eq!((held.status, &grace.get("/api/holds")[0]["reason"]), (200, &json!("one\n\ttwo")), "{held:?}");
}

#[test]
fn a_set_of_files_may_be_large_with_an_idempotency_key_as_well() {
    let grace = Daemon::start();
    let files = json!({ "rules/web.toml": format!("# {}\n", "x".repeat(100 * 1024)) });
    let body = json!({ "reason": "try", "files": files }).to_string();
    let with_key = grace.ask(&format!(
        "POST /api/shadow HTTP/1.1\r\nhost: x\r\nconnection: close\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(with_key.problem(422, "invalid").contains("the candidate is refused"), "{with_key:?}");
}

#[test]
fn whoever_changes_too_fast_is_told_when_to_come_back() {
    let grace = Daemon::start();
    let dry = crate::daemon::post("/api/tasks?dry_run=true", r#"{"text": "x"}"#);
    let refused = (0..2_000).map(|_| grace.ask(&dry)).find(|said| said.status == 429).expect("a limit");
    refused.problem(429, "too_fast");
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
}

#[test]
fn a_follower_of_another_journal_is_told_and_goes_on_at_the_end() {
    use std::io::Read;

    let grace = Daemon::start();
    let mut stream = crate::api::open_stream(&grace, "last-event-id: 999999999\r\n");
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains("held") {
        let read = stream.read(&mut bytes).expect("goes on");
        assert!(read > 0, "{text}");
        let first = !text.contains("reset");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        if first && text.contains("reset") {
            grace.post("/api/holds", r#"{"reason": "held", "for": "1m"}"#);
        }
    }
    let (_, events) = text.split_once("\r\n\r\n").expect("a body");
    assert!(events.contains("event: reset") && events.contains(r#""after":999999999"#), "{events}");
}

#[test]
fn who_reads_faster_than_the_files_say_is_told_when_to_come_back() {
    let config = crate::scenarios::laid_over(std::path::Path::new("/nowhere"));
    let path = config.path().join("policies/access.toml");
    let text = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, format!("reads_a_second = 20\n{text}")).expect("written");
    let dir = std::sync::Arc::new(tempfile::tempdir().expect("a folder"));
    let grace = Daemon::start_in(dir, &["--config", config.path().to_str().expect("a path")]);
    let refused = (0..200).map(|_| ask(&grace, "GET", "/api/health/mode")).find(|said| said.status == 429);
    let refused = refused.expect("a limit");
    assert!(refused.problem(429, "too_fast").contains("`reads_a_second`"), "{refused:?}");
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    // Changes have a pace of their own, and whoever watches Grace is not counted.
    assert_eq!(grace.post("/api/tasks", r#"{"text": "x"}"#).status, 201);
    assert_eq!(ask(&grace, "GET", "/livez").status, 200);
}

#[test]
fn a_change_with_a_key_is_made_once_over_restarts_too() {
    let grace = Daemon::start();
    let dir = std::sync::Arc::clone(&grace.dir);
    let scale = |grace: &Daemon, key: &str, query: &str| {
        let body = r#"{"workers": 3}"#;
        grace.ask(&format!(
            "POST /api/components/task_executor/scale{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let acts = |grace: &Daemon| grace.get("/api/health/status")["healing_actions"].as_array().map(Vec::len);
    let first = scale(&grace, "one", "");
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(scale(&grace, "dry", "?dry_run=true").status, 200);
    // Killed: nothing could be said last.
    drop(grace);
    let grace = Daemon::start_in(std::sync::Arc::clone(&dir), &[]);
    let again = scale(&grace, "one", "");
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(acts(&grace), Some(1), "made once");
    let other = grace.ask(&crate::daemon::post("/api/holds", r#"{"reason": "x"}"#).replacen(
        "\r\n",
        "\r\nidempotency-key: one\r\n",
        1,
    ));
    other.problem(422, "key_reused");
    assert_eq!(scale(&grace, "dry", "").status, 200, "a dry run took no key away for good");
    // What only looks like a dry run keeps its key as well.
    let lookalike = |grace: &Daemon| {
        let head = "host: x\r\nconnection: close\r\nidempotency-key: end";
        grace.ask(&format!("DELETE /api/holds/database?reason=dry_run=true HTTP/1.1\r\n{head}\r\n\r\n"))
    };
    assert_eq!(grace.post("/api/holds", r#"{"component": "database", "reason": "x"}"#).status, 200);
    let first = lookalike(&grace);
    assert_eq!(first.status, 200, "{first:?}");
    drop(grace);
    let grace = Daemon::start_in(std::sync::Arc::clone(&dir), &[]);
    let again = lookalike(&grace);
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(grace.stop().0, Some(0));
    // One that a crash cut short is not made again.
    let file = dir.path().join("data/answers.db");
    let db = rusqlite::Connection::open(&file).expect("opens");
    db.execute("UPDATE answers SET status = NULL WHERE key = 'one'", []).expect("changed");
    drop(db);
    let grace = Daemon::start_in(std::sync::Arc::clone(&dir), &[]);
    let said = scale(&grace, "one", "").problem(409, "over");
    assert!(said.contains("look what became of it"), "{said}");
    assert_eq!(acts(&grace), Some(2));
    assert_eq!(grace.stop().0, Some(0));
    // Without the file Grace runs as well.
    std::fs::write(&file, "no database").expect("written");
    let grace = Daemon::start_in(dir, &[]);
    assert_eq!(scale(&grace, "one", "").status, 200);
}
