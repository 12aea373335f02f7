//! Whose the keys of changes are.

use crate::daemon::Daemon;
use crate::decided::person;

/// What the predecessor of the same name was answered is not the answer to this one, and nothing is left out for it.
#[test]
fn a_key_is_the_tokens_and_not_its_names() {
    let grace = Daemon::start();
    let hold = |secret: &str| {
        let body = r#"{"component": "database", "reason": "x"}"#;
        grace.ask_tcp(&format!(
            "POST /api/holds HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {secret}\r\n\
             idempotency-key: one\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let task = |secret: &str| {
        let body = r#"{"text": "x"}"#;
        grace.ask_tcp(&format!(
            "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {secret}\r\n\
             idempotency-key: two\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let tasks = || grace.get("/api/tasks")["tasks"].as_array().map(Vec::len);
    let holds = || grace.get("/api/holds").as_array().map(Vec::len);
    let first = person(&grace, "deploy", "operator", "ann").secret;
    assert_eq!((hold(&first).status, hold(&first).status, holds()), (200, 200, Some(1)));
    assert_eq!(grace.grace(&["hold", "database", "--end"]).code, Some(0));
    assert_eq!((hold(&first).status, holds()), (200, Some(0)), "it is the same request");
    assert_eq!((task(&first).status, task(&first).status, tasks()), (201, 201, Some(1)));
    assert_eq!(grace.grace(&["token", "revoke", "deploy"]).code, Some(0));
    let second = person(&grace, "deploy", "operator", "bob").secret;
    assert_eq!((hold(&second).status, holds()), (200, Some(1)));
    assert_eq!((task(&second).status, tasks()), (201, Some(2)));
}
