//! Receivers that are really told: a web server that checks the signature, and programs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::{Daemon, until};
use crate::hook::Hook;
use crate::scenarios::laid_over;

/// 24 bytes, as short as a secret may be.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A Grace whose requests for approval are told to this receiver.
fn told_to(receiver: &str) -> (tempfile::TempDir, Daemon) {
    let config = laid_over(Path::new("/nowhere"));
    let text = format!("approvals = \"oncall\"\nreceiver.oncall = {receiver}\n");
    fs::write(config.path().join("policies/notify.toml"), text).expect("written");
    let dir = Arc::new(tempfile::tempdir().expect("a folder"));
    let flags = ["--allow-faults", "--config", config.path().to_str().expect("a path")];
    let grace = Daemon::start_under(dir, &flags, &[("HOOK_SECRET", SECRET)]);
    (config, grace)
}

fn ask_for_a_restart(grace: &Daemon) {
    let body = json!({ "component": "task_executor", "reason": "it looks odd" }).to_string();
    let asked = grace.post("/api/health/restart", &body);
    assert_eq!(asked.status, 202, "{asked:?}");
}

/// How the notifications ended.
fn ends(grace: &Daemon) -> Vec<Value> {
    let all = grace.get("/api/journal?kind=end&limit=100");
    let all = all.as_array().expect("a list").iter().map(|entry| entry["body"].clone());
    all.filter(|body| body["component"].is_null()).collect()
}

fn first_end(grace: &Daemon) -> Value {
    until("the notification ends", || !ends(grace).is_empty());
    ends(grace).remove(0)
}

#[test]
fn a_webhook_is_signed_and_tried_again_under_the_same_id() {
    let hook = Hook::start(&["503 Service Unavailable", "204 No Content"]);
    let (_config, grace) = told_to(&format!(
        "{{ kind = \"webhook\", url = \"http://{}/grace?team=a\", secret_env = \"HOOK_SECRET\" }}",
        hook.address
    ));
    ask_for_a_restart(&grace);
    let end = first_end(&grace);
    assert_eq!(end["result"], "success", "{end}");
    let posted = hook.posted();
    assert_eq!(posted.len(), 2, "one that failed and one that did not: {posted:?}");
    assert!(posted.iter().all(|one| one.is_signed_with(SECRET)), "{posted:?}");
    assert!(!posted[0].is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert_eq!(posted[0].header("webhook-id"), posted[1].header("webhook-id"));
    assert!(posted[0].header("webhook-timestamp") < posted[1].header("webhook-timestamp"), "{posted:?}");
    assert_eq!(posted[0].header("content-type"), "application/json");
    let body = posted[1].json();
    assert_eq!((&body["type"], &body["data"]["approval"]), (&json!("grace.approval"), &json!(1)), "{body}");
    assert_eq!(body["data"]["component"], "task_executor", "{body}");
    let text = body["data"]["text"].as_str().expect("a text");
    assert!(text.contains("restart of task_executor") && text.contains("grace approve 1"), "{text}");
    assert!(body["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{body}");
    // The secret is nowhere.
    let journal = grace.get("/api/journal?limit=1000").to_string();
    let key = SECRET.trim_start_matches("whsec_");
    assert!(journal.contains("HOOK_SECRET"), "the generation names the place");
    for (what, text) in
        [("log", grace.log()), ("journal", journal), ("status", grace.get("/api/health/status").to_string())]
    {
        assert!(!text.contains(key), "{what}");
    }
}

#[test]
fn a_redirect_is_not_followed_and_a_refusal_not_repeated() {
    for (answer, says) in [
        ("302 Found\r\nlocation: /elsewhere", "redirects are not followed"),
        ("400 Bad Request", "answered 400"),
    ] {
        let hook = Hook::start(Box::leak(Box::new([answer])));
        let (_config, grace) = told_to(&format!(
            "{{ kind = \"webhook\", url = \"http://{}/\", secret_env = \"HOOK_SECRET\" }}",
            hook.address
        ));
        ask_for_a_restart(&grace);
        let end = first_end(&grace);
        assert!(end["result"] == "failed" && end["detail"].as_str().expect("a text").contains(says), "{end}");
        assert_eq!(hook.posted().len(), 1, "{answer}");
    }
}

#[test]
fn what_is_no_secret_is_said_without_showing_it() {
    let hook = Hook::start(&["200 OK"]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    for (text, says) in [("hunter2-hunter2", "not `whsec_`"), ("whsec_aHVudGVyMg==", "shorter than 24 bytes")]
    {
        fs::write(file.path(), text).expect("written");
        let receiver = format!(
            "{{ kind = \"webhook\", url = \"http://{}/\", secret_file = \"{}\" }}",
            hook.address,
            file.path().display()
        );
        let (_config, grace) = told_to(&receiver);
        ask_for_a_restart(&grace);
        let end = first_end(&grace);
        assert!(end["result"] == "failed" && end["detail"].as_str().expect("a text").contains(says), "{end}");
        let all = grace.get("/api/journal?limit=1000").to_string() + grace.log().as_str();
        assert!(!all.contains("hunter2") && !all.contains("aHVudGVyMg"), "{end}");
    }
    assert!(hook.posted().is_empty());
}

#[test]
fn a_command_finds_it_on_its_standard_input() {
    let dir = tempfile::tempdir().expect("a folder");
    let (script, found) = (dir.path().join("page"), dir.path().join("found"));
    let text = format!(
        "#!/bin/sh\ncat > {0}.tmp\nenv | sort >> {0}.tmp\necho told\nmv {0}.tmp {0}\n",
        found.display()
    );
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("its mode");
    let receiver = format!(
        "{{ kind = \"command\", argv = [\"{}\"], env = {{ PAGER = \"me\", TOKEN = {{ env = \"HOOK_SECRET\" }} }} }}",
        script.display()
    );
    let (_config, grace) = told_to(&receiver);
    ask_for_a_restart(&grace);
    let end = first_end(&grace);
    assert_eq!(end["result"], "success", "{end}");
    assert!(end["steps"].to_string().contains("exit code 0: told"), "{end}");
    let found = fs::read_to_string(found).expect("it ran");
    let (letter, env) = found.split_once('\n').expect("lines");
    let letter: Value = serde_json::from_str(letter).expect("json");
    assert_eq!(letter["data"]["approval"], 1, "{letter}");
    assert!(env.contains("PAGER=me") && env.contains(&format!("TOKEN={SECRET}")), "{env}");
    assert!(!env.contains("GRACE_LOG"), "its environment is its own: {env}");
    assert!(!grace.get("/api/journal?limit=1000").to_string().contains("MfKQ9r8G"));
}

#[test]
fn a_command_that_fails_or_hangs_is_told_as_failed() {
    for (argv, says) in [
        (r#"["/bin/sh", "-c", "echo no pager >&2; exit 3"]"#, "exit code 3: no pager"),
        (r#"["/bin/sleep", "600"]"#, "did not end within 1s"),
        (r#"["/nowhere/page"]"#, "cannot start"),
    ] {
        let (_config, grace) = told_to(&format!("{{ kind = \"command\", argv = {argv}, timeout = \"1s\" }}"));
        ask_for_a_restart(&grace);
        let end = first_end(&grace);
        assert!(end["result"] == "failed" && end["detail"].as_str().expect("a text").contains(says), "{end}");
    }
}

#[test]
fn a_heartbeat_is_sent_behind_ticks_alone() {
    let hook = Hook::start(&["503 Service Unavailable", "204 No Content"]);
    let config = laid_over(Path::new("/nowhere"));
    let place = config.path().join("beat");
    fs::write(&place, format!("http://{}/ping/a-secret\n", hook.address)).expect("written");
    let file = config.path().join("policies/notify.toml");
    let shipped = fs::read_to_string(&file).expect("read");
    let text = format!("{shipped}heartbeat = {{ url_file = \"{}\", every = \"1s\" }}\n", place.display());
    // A key behind a table would belong to the table: it stands first.
    let (receiver, rest): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("receiver."));
    fs::write(&file, format!("{}\n{}\n", rest.join("\n"), receiver.join("\n"))).expect("written");
    let grace = Daemon::start_with(&["--config", config.path().to_str().expect("a path")]);
    until("it is sent again and again", || hook.posted().len() >= 3);
    until("that it failed is told, and that it goes again", || {
        grace.log().contains("heartbeats are sent again")
    });
    assert!(grace.log().contains("no heartbeat could be sent: answered 503"), "{}", grace.log());
    assert!(
        !grace.log().contains("a-secret")
            && !grace.get("/api/journal?limit=1000").to_string().contains("a-secret")
    );
    // She answers still, and does no work: the journal cannot be written while somebody holds it.
    let db = rusqlite::Connection::open(grace.data().join("journal.db")).expect("opens");
    db.execute_batch("BEGIN IMMEDIATE").expect("held");
    std::thread::sleep(Duration::from_millis(1_500));
    let before = hook.posted().len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(hook.posted().len(), before, "no tick stands, so nothing is told");
    db.execute_batch("ROLLBACK").expect("given back");
    until("ticks stand again", || hook.posted().len() > before);
}
