//! What there is to read over HTTP, a page at a time, and how changes are asked for: dry, once, and only of what was read.

use serde_json::{Value, json};

use crate::daemon::{Answer, Daemon, until};

/// A call over the socket with headers of its own.
fn call(grace: &Daemon, (method, path): (&str, &str), headers: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    grace.ask(&format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// Restarts the executor by breaking the glass; gives the act's number.
fn restarted(grace: &Daemon) -> u64 {
    let asked = grace.post("/api/health/restart", r#"{"component": "task_executor", "reason": "a test"}"#);
    let approval = asked.json()["approval"].as_u64().expect("waits");
    assert!(asked.head.contains(&format!("location: /api/approvals/{approval}")), "{asked:?}");
    let glass = json!({ "reason": "alone", "break_glass": true }).to_string();
    let done = grace.post(&format!("/api/approvals/{approval}/approve"), &glass);
    assert_eq!(done.status, 200, "{done:?}");
    done.json()["act"].as_u64().expect("an act")
}

#[test]
fn everything_that_happened_is_listed_a_page_at_a_time() {
    let grace = Daemon::start();
    let acts = [restarted(&grace), restarted(&grace), restarted(&grace)];
    let page = grace.get("/api/actions?limit=2");
    let shown = |page: &Value| -> Vec<u64> {
        page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|one| one["act"].as_u64().expect("a number"))
            .collect()
    };
    assert_eq!(shown(&page), [acts[2], acts[1]]);
    let next = page["next"].as_i64().expect("there is a next page");
    let rest = grace.get(&format!("/api/actions?limit=2&before={next}"));
    assert_eq!((shown(&rest), &rest["next"]), (vec![acts[0]], &Value::Null));
    assert_eq!(shown(&grace.get("/api/actions?component=task_executor&is=success")).len(), 3);
    assert!(shown(&grace.get("/api/actions?is=failed")).is_empty());
    assert_eq!(grace.get(&format!("/api/actions/{}", acts[0]))["result"], "success");
    assert_eq!(grace.get("/api/approvals/1")["answer"], "approved");
    let components = grace.get("/api/components");
    assert_eq!(components.as_array().map(Vec::len), Some(5));
    assert_eq!(grace.get("/api/components/database")["label"], "database");
    let rules = grace.get("/api/rules");
    let first = &rules[0];
    let path = format!(
        "/api/rules/{}/{}",
        first["rule"].as_str().expect("x"),
        first["component"].as_str().expect("x")
    );
    let why = grace.get(&path);
    assert!(why["summary"].as_str().is_some_and(|text| !text.is_empty()), "{why}");
    let active = grace.get("/api/generations");
    assert_eq!(active["items"][0]["generation"], grace.get("/api/health/status")["generation"]);
    assert_eq!(grace.get("/api/blocks"), json!([]));
    let entries = grace.get("/api/journal?kind=intent");
    let heals = |entry: &&Value| entry["body"]["proposal"]["act"]["act"] == "heal";
    assert_eq!(entries.as_array().expect("a list").iter().filter(heals).count(), 3, "{entries}");
    let get = |path: &str| call(&grace, ("GET", path), "", &Value::Null);
    for path in [
        "/api/actions/999",
        "/api/actions/x",
        "/api/approvals/999",
        "/api/components/databaze",
        "/api/rules/x/y",
    ] {
        get(path).problem(404, "not_found");
    }
    for path in [
        "/api/actions?limit=0",
        "/api/actions?is=sucess",
        "/api/incidents?is=closed",
        "/api/journal?limit=9999",
    ] {
        get(path).problem(422, "invalid");
    }
    get("/api/actions?befor=1").problem(400, "invalid");
    get("/api/rules/x/y?at=%00").problem(422, "invalid");
}

#[test]
fn incidents_begin_and_end() {
    let grace = Daemon::start();
    grace.grace(&["fault", "inject", "trigger_mesh", "stop"]);
    let listed = |which: &str| {
        grace.get(&format!("/api/incidents?component=trigger_mesh&is={which}"))["items"].clone()
    };
    until("an incident is over", || listed("over").as_array().is_some_and(|all| !all.is_empty()));
    let over = listed("over");
    assert!(over[0]["began_at"].as_str() <= over[0]["ended_at"].as_str(), "{over}");
}

#[test]
fn the_journal_is_exported_line_by_line() {
    let grace = Daemon::start();
    restarted(&grace);
    let export = call(&grace, ("GET", "/api/journal"), "accept: application/x-ndjson\r\n", &Value::Null);
    assert!(export.head.contains("content-type: application/x-ndjson"), "{}", export.head);
    let numbers: Vec<i64> = export
        .body
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["seq"].as_i64())
        .collect();
    assert!(numbers.len() > 5 && numbers.iter().zip(1..).all(|(seq, at)| *seq == at), "{numbers:?}");
}

#[test]
fn a_dry_run_says_what_would_become_of_it_and_does_nothing() {
    let grace = Daemon::start();
    let dry = |method: &str, path: &str, body: Value| {
        call(&grace, (method, &format!("{path}?dry_run=true")), "", &body)
    };
    let mode = json!({ "mode": "read_only", "reason": "x" });
    let restart = json!({ "component": "task_executor" });
    let before = grace
        .get("/api/journal?limit=1000")
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["kind"] != "tick")
        .count();
    for (said, result) in [
        (dry("POST", "/api/health/mode", mode), "success"),
        (dry("POST", "/api/health/restart", restart), "waiting_for_approval"),
        (dry("POST", "/api/holds", json!({ "reason": "x" })), "success"),
        (dry("POST", "/api/tasks", json!({ "text": "x" })), "success"),
        (dry("POST", "/api/faults", json!({ "component": "database", "fault": "down" })), "success"),
        (dry("POST", "/api/tokens", json!({ "name": "x", "role": "viewer" })), "success"),
    ] {
        let reply = said.json();
        assert_eq!((reply["result"].as_str(), &reply["dry_run"]), (Some(result), &json!(true)), "{said:?}");
        assert!(said.status < 300, "{said:?}");
    }
    dry("DELETE", "/api/holds/all", Value::Null).problem(404, "not_found");
    dry("DELETE", "/api/shadow", Value::Null).problem(404, "not_found");
    let slip = call(&grace, ("POST", "/api/health/mode?dry_run=yes"), "", &json!({ "mode": "emergency" }));
    slip.problem(400, "invalid");
    assert_eq!(grace.get("/api/health/mode")["mode"], "normal");
    assert_eq!((grace.get("/api/holds"), grace.get("/api/tokens")), (json!([]), json!([])));
    let after = grace
        .get("/api/journal?limit=1000")
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["kind"] != "tick")
        .count();
    assert_eq!(after, before, "nothing was written either");
}

#[test]
fn a_change_with_a_key_is_made_once() {
    let grace = Daemon::start();
    let key = "idempotency-key: 7f1c\r\n";
    let hold = json!({ "component": "database", "reason": "x" });
    let first = call(&grace, ("POST", "/api/holds"), key, &hold);
    let again = call(&grace, ("POST", "/api/holds"), key, &hold);
    assert_eq!((first.status, first.body.as_str()), (again.status, again.body.as_str()));
    let entries = grace.get("/api/journal?kind=held");
    assert_eq!(entries.as_array().map(Vec::len), Some(1), "{entries}");
    let other = json!({ "component": "database", "reason": "y" });
    call(&grace, ("POST", "/api/holds"), key, &other).problem(422, "key_reused");
    let refused = json!({ "component": "databaze", "reason": "y" });
    let key = "idempotency-key: 8\r\n";
    let first = call(&grace, ("POST", "/api/holds"), key, &refused);
    assert_eq!(first.status, call(&grace, ("POST", "/api/holds"), key, &refused).status);
    call(&grace, ("POST", "/api/holds"), "idempotency-key: \r\n", &hold).problem(400, "invalid");
}

#[test]
fn a_mode_is_only_changed_while_it_is_the_one_that_was_read() {
    let grace = Daemon::start_with(&["--allow-faults"]);
    let read = call(&grace, ("GET", "/api/health/mode"), "", &Value::Null);
    let revision = read.json()["revision"].as_str().expect("a revision").to_owned();
    assert!(read.head.contains(&format!("etag: \"{revision}\"")), "{read:?}");
    let match_it = format!("if-match: \"{revision}\"\r\n");
    let mode = json!({ "mode": "read_only", "reason": "x" });
    assert_eq!(call(&grace, ("POST", "/api/health/mode"), &match_it, &mode).status, 200);
    call(&grace, ("POST", "/api/health/mode"), &match_it, &mode).problem(412, "stale");
    let release = json!({ "claim": "person", "reason": "x" });
    call(&grace, ("POST", "/api/health/mode/release"), &match_it, &release).problem(412, "stale");
    // The precondition is part of what was asked with a key.
    let keyed = |more: &str| {
        call(&grace, ("POST", "/api/health/mode"), &format!("{more}idempotency-key: 1\r\n"), &mode)
    };
    assert_eq!((keyed(&match_it).status, keyed(&match_it).status), (412, 412));
    for more in ["", "if-match: *\r\n"] {
        keyed(more).problem(422, "key_reused");
    }
    assert_eq!(call(&grace, ("POST", "/api/health/mode"), "if-match: *\r\n", &mode).status, 200);
    call(&grace, ("POST", "/api/health/mode"), "if-match: 1\r\n", &mode).problem(422, "invalid");
    // What waits for approval was asked for the mode that was read as well.
    let revision = grace.get("/api/health/mode")["revision"].as_str().expect("a revision").to_owned();
    let back = json!({ "mode": "normal", "reason": "all is well" });
    let waiting =
        [("/api/health/mode", &back), ("/api/health/mode/release", &release)].map(|(path, body)| {
            let waits = call(&grace, ("POST", path), &format!("if-match: \"{revision}\"\r\n"), body);
            waits.json()["approval"].as_u64().unwrap_or_else(|| panic!("{waits:?}"))
        });
    // A rule claims the mode besides.
    assert_eq!(grace.grace(&["fault", "inject", "database", "down"]).code, Some(0));
    for approval in waiting {
        let path = format!("/api/approvals/{approval}");
        until("it is void", || grace.get(&path)["answer"] == "ended");
        let reason = grace.get(&path)["answer_reason"].to_string();
        // What the rule claims is another mode than was read, and would be ended as well by who asks for `normal`.
        let voids =
            ["the mode is read_only meanwhile", "read_only/database claims read_only since it was asked"];
        assert!(voids.iter().any(|why| reason.contains(why)), "{reason}");
    }
}

#[test]
fn who_prefers_not_to_wait_is_told_where_it_goes_on() {
    let grace = Daemon::start();
    let asked = grace.post("/api/health/restart", r#"{"component": "reflection_service"}"#);
    let approval = asked.json()["approval"].as_u64().expect("waits");
    let glass = json!({ "reason": "alone", "break_glass": true });
    let path = format!("/api/approvals/{approval}/approve");
    let begun = call(&grace, ("POST", &path), "prefer: respond-async\r\n", &glass);
    assert_eq!((begun.status, &begun.json()["result"]), (202, &json!("running")), "{begun:?}");
    let place = format!("/api/actions/{}", begun.json()["act"]);
    assert!(begun.head.contains(&format!("location: {place}")), "{begun:?}");
    until("it has ended", || grace.get(&place)["result"] == "success");
}
