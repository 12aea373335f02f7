//! Who may what: every route for every kind of caller in every mode, tokens from their making to their end, and secrets
//! that are nowhere to be found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::daemon::{Answer, Daemon, until};
use crate::scenarios::laid_over;

/// A call over TCP, with a token or without.
fn call(grace: &Daemon, (method, path): (&str, &str), token: Option<&str>, body: &str) -> Answer {
    let shown = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    grace.ask_tcp(&format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{shown}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// Makes a token over the socket; gives its secret.
fn token(grace: &Daemon, name: &str, more: &Value) -> String {
    let mut body = json!({ "name": name });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let made = grace.post("/api/tokens", &body.to_string());
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["secret"].as_str().expect("a secret").to_owned()
}

/// Brings the mode about, by breaking the glass where it has to be approved.
fn be(grace: &Daemon, mode: &str) {
    let asked = grace.post("/api/health/mode", &json!({ "mode": mode, "reason": "the test" }).to_string());
    if let Some(approval) = asked.json()["approval"].as_u64() {
        let glass = json!({ "reason": "alone", "break_glass": true }).to_string();
        grace.post(&format!("/api/approvals/{approval}/approve"), &glass);
    }
    assert_eq!(grace.get("/api/health/mode")["mode"], mode);
}

/// The routes of the served document: method, path, and the permission that it declares.
fn routes(document: &Value) -> Vec<(String, String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("an item").iter().map(move |(method, operation)| {
            let permission =
                operation["x-permission"].as_str().unwrap_or_else(|| panic!("{path} declares one"));
            (method.to_uppercase(), path.clone(), permission.to_owned())
        })
    });
    all.collect()
}

/// What each kind of caller may, as the README prints it.
const MAY: [(&str, &[&str]); 6] = [
    ("anonymous", &["none", "health", "mode", "metrics"]),
    ("viewer", &["none", "health", "mode", "metrics", "read"]),
    ("operator", &["none", "health", "mode", "metrics", "read", "operate"]),
    ("approver", &["none", "health", "mode", "metrics", "read", "decide"]),
    ("admin", &["none", "health", "mode", "metrics", "read", "operate", "decide", "administer"]),
    ("nobody", &["none"]),
];

#[test]
fn every_route_is_for_those_whom_it_declares_in_every_mode() {
    let grace = Daemon::start();
    let document = grace.get("/openapi.json");
    let mut secrets = BTreeMap::new();
    for role in ["viewer", "operator", "approver", "admin"] {
        secrets.insert(role, token(&grace, role, &json!({ "role": role })));
    }
    secrets.insert("nobody", "grace_0000000000000000000000000000000000000000000000000000000000000000".into());
    let mut wrong = Vec::new();
    for mode in MODES {
        be(&grace, mode);
        for (method, path, permission) in routes(&document) {
            let path = path.replace("{id}", "0").replace("{component}", "x").replace("{name}", "x");
            for (who, may) in MAY {
                let body = if method == "GET" { "" } else { "{}" };
                let said = call(&grace, (&method, &path), secrets.get(who).map(String::as_str), body);
                let code = if said.status >= 400 { said.json()["code"].clone() } else { Value::Null };
                let let_in = code != "unknown_caller" && code != "forbidden";
                if let_in != may.contains(&permission.as_str()) || said.status == 500 {
                    wrong.push(format!(
                        "{method} {path} ({permission}) as {who} in {mode}: {} {code}",
                        said.status
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_openapi_document_is_the_one_that_is_kept() {
    let grace = Daemon::start();
    let served = grace.ask("GET /openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").body;
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi.json");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&kept, &served).expect("written");
    }
    let kept = fs::read_to_string(kept).expect("tests/openapi.json");
    assert!(
        served == kept,
        "the API has changed; `BLESS=1 cargo test --test it openapi` keeps the new document"
    );
}

/// The modes of the matrix, in an order that each can be reached in.
const MODES: [&str; 4] = ["normal", "read_only", "emergency", "observation_only"];

/// A path and a body with which a route has something to decide.
fn earnest(method: &str, path: &str) -> (String, String) {
    let path = path.replace("{rule}", "restart").replace("{component}", "task_executor");
    let id = if path.starts_with("/api/tasks") { "p1" } else { "task_executor" };
    let body = match path.rsplit('/').next().unwrap_or_default() {
        "restart" => r#"{"component": "task_executor"}"#,
        "scale" => r#"{"workers": 3}"#,
        "tasks" => r#"{"text": "look"}"#,
        "assign" => r#"{"to": "ann"}"#,
        "close" => r#"{"reason": "done"}"#,
        "holds" | "silences" => r#"{"reason": "x"}"#,
        "mode" => r#"{"mode": "emergency"}"#,
        _ => "{}",
    };
    (path.replace("{id}", id), if method == "GET" { String::new() } else { body.to_owned() })
}

/// What the mode says to an admin who is let in: nothing, that it waits, or no.
fn by_mode(said: &Answer) -> &'static str {
    let told: Value = serde_json::from_str(&said.body).unwrap_or_default();
    let is = |key: &str, word: &str| told[key] == word;
    let says_mode = || told["detail"].as_str().is_some_and(|why| why.contains("mode"));
    let refused = is("code", "refused_by_mode") || is("code", "refused") && says_mode();
    if is("result", "deferred") || is("code", "not_admitted") && is("decision", "retry") {
        "later"
    } else if refused || is("code", "not_admitted") {
        "no"
    } else {
        ""
    }
}

/// Tasks of rules are apart from those of people.
const OF_A_RULE: &str = "of a rule";

/// In which modes each route does what is asked of it, as an admin was answered in each of them.
fn in_modes(grace: &Daemon, document: &Value) -> BTreeMap<(String, String), String> {
    let admin = token(grace, "all", &json!({ "role": "admin" }));
    assert_eq!(grace.post("/api/tasks", r#"{"text": "the first"}"#).status, 201);
    let mut found: BTreeMap<(String, String), BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for mode in MODES {
        be(grace, mode);
        for (method, route, permission) in routes(document) {
            let (path, body) = earnest(&method, &route);
            let changes =
                ["operate", "decide", "administer"].contains(&permission.as_str()) && method != "GET";
            let path = if changes { format!("{path}?dry_run=true") } else { path };
            let mut ask = |route: String, path: &str| {
                let said = by_mode(&call(grace, (&method, path), Some(&admin), &body));
                found.entry((method.clone(), route)).or_default().entry(said).or_default().push(mode);
            };
            // What a rule asked is the engine's, and what a person asked the working database's.
            if route.starts_with("/api/tasks/") {
                ask(format!("{route} {OF_A_RULE}"), &path.replace("/p1/", "/1/"));
            }
            ask(route, &path);
        }
    }
    let told = |said: &BTreeMap<&str, Vec<&str>>| {
        let of = |word: &str| said.get(word).map(|modes| modes.join(", ")).unwrap_or_default();
        match (of(""), of("later"), of("no")) {
            (_, later, no) if later.is_empty() && no.is_empty() => "all".to_owned(),
            (yes, later, no) if later.is_empty() => format!("{yes}; not {no}"),
            (yes, later, no) if no.is_empty() => format!("{yes}; later {later}"),
            (yes, later, no) => format!("{yes}; later {later}; not {no}"),
        }
    };
    found.into_iter().map(|(route, said)| (route, told(&said))).collect()
}

/// The table of the README: each route, in which modes it does its work, and who may call it.
fn table(document: &Value, modes: &BTreeMap<(String, String), String>) -> String {
    let roles = MAY.iter().filter(|(who, _)| *who != "nobody");
    let mut lines =
        vec!["| route | asks for | in mode | anonymous | viewer | operator | approver | admin |".to_owned()];
    lines.push("|---|---|---|---|---|---|---|---|".to_owned());
    for (method, path, permission) in routes(document) {
        let may: Vec<&str> = roles
            .clone()
            .map(|(_, may)| if may.contains(&permission.as_str()) { "yes" } else { "" })
            .collect();
        let mut mode = modes[&(method.clone(), path.clone())].clone();
        if let Some(of_a_rule) = modes.get(&(method.clone(), format!("{path} {OF_A_RULE}"))) {
            mode = format!("a rule's (`12`): {of_a_rule}; a person's (`p7`): {mode}");
        }
        lines.push(format!("| `{method} {path}` | {permission} | {mode} | {} |", may.join(" | ")));
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_readmes_table_is_the_routers() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Beside a task that a person asks there is one that a rule did.
    let config = laid_over(Path::new("/nowhere"));
    let file = config.path().join("rules/database.toml");
    let asks = "\n[rule.asks]\nwhen = 'ok'\ndo   = [{ task = \"Look\" }]\n";
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text + asks).expect("written");
    let grace = Daemon::start_with(&["--config", config.path().to_str().expect("a path")]);
    until("a rule has asked", || grace.get("/api/tasks")["tasks"][0]["id"] == "1");
    let document = grace.get("/openapi.json");
    let table = table(&document, &in_modes(&grace, &document));
    let readme = fs::read_to_string(home.join("README.md")).expect("is there");
    let (head, rest) = readme.split_once("served document -->\n").expect("the table's beginning");
    let (found, tail) = rest.split_once("<!-- end of routes -->").expect("the table's end");
    if std::env::var_os("BLESS").is_some() {
        let readme = format!("{head}served document -->\n{table}<!-- end of routes -->{tail}");
        fs::write(home.join("README.md"), readme).expect("written");
    } else {
        assert!(found == table, "`BLESS=1 cargo test --test it the_readmes_table` writes the new table");
    }
}

#[test]
fn a_tokens_secret_is_shown_once_and_is_nowhere() {
    let grace = Daemon::start();
    let made =
        grace.grace(&["token", "create", "deploy", "--role", "operator", "--reason", "for the pipeline"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let secret = made.out.trim().to_owned();
    assert!(secret.starts_with("grace_") && secret.len() == 70, "{secret}");
    let hold = json!({ "reason": "a deploy", "for": "5m" }).to_string();
    let answer = call(&grace, ("POST", "/api/holds"), Some(&secret), &hold);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(grace.get("/api/holds")[0]["by"], "token:deploy");
    // A wrong one close to it, in an error and in the log.
    call(&grace, ("GET", "/api/tokens"), Some(&secret[..60]), "").problem(401, "unknown_caller");
    let listed = grace.grace(&["token", "list"]);
    assert!(listed.out.contains("deploy") && listed.out.contains("operator"), "{listed:?}");
    let events = grace.get("/api/events?limit=1000").to_string();
    assert!(events.contains("access.token_made"), "{events}");
    let bare = &secret["grace_".len()..];
    for (what, text) in [("events", events), ("the log", grace.log()), ("the list", listed.out)] {
        assert!(!text.contains(bare), "{what}");
    }
    for file in fs::read_dir(grace.data()).expect("listed") {
        let path = file.expect("a file").path();
        let bytes = if path.is_file() { fs::read(&path).expect("read") } else { Vec::new() };
        assert!(!bytes.windows(bare.len()).any(|part| part == bare.as_bytes()), "{}", path.display());
    }
    assert_eq!(grace.grace(&["token", "revoke", "deploy"]).code, Some(0));
    call(&grace, ("GET", "/api/health/status"), Some(&secret), "").problem(401, "unknown_caller");
}

#[test]
fn a_secret_where_none_belongs_is_refused_and_is_nowhere() {
    let grace = Daemon::start();
    let secret = token(&grace, "deploy", &json!({ "role": "admin" }));
    let escaped = secret.replacen('g', "\\u0067", 1);
    for (path, body) in [
        ("/api/holds", format!(r#"{{"reason": "it is {secret}", "for": "1m"}}"#)),
        ("/api/holds", format!(r#"{{"reason": "{escaped}", "for": "1m"}}"#)),
        ("/api/holds", format!(r#"{{"{secret}": "x"}}"#)),
        ("/api/health/restart", format!(r#"{{"component": "{secret}"}}"#)),
        ("/api/tasks", format!(r#"{{"text": "{secret}"}}"#)),
        ("/api/admission", format!(r#"{{"action": "{secret}"}}"#)),
    ] {
        let told = grace.post(path, &body).problem(422, "invalid");
        assert!(told.contains("this is a token's secret"), "{told}");
        assert_eq!(call(&grace, ("POST", path), Some(&secret), &body).problem(422, "invalid"), told);
    }
    let spelt = secret.replace("grace", "gr%61ce");
    for path in
        [format!("/api/{secret}"), format!("/api/components/{spelt}"), format!("/api/events?pattern={spelt}")]
    {
        for method in ["GET", "DELETE"] {
            call(&grace, (method, &path), Some(&secret), "").problem(422, "invalid");
        }
    }
    let header = "GET /livez HTTP/1.1\r\nconnection: close\r\nhost: localhost\r\n";
    for more in ["idempotency-key: ", "origin: http://", "last-event-id: "] {
        grace.ask_tcp(&format!("{header}{more}{secret}\r\n\r\n")).problem(422, "invalid");
    }
    for path in ["/livez", "/api/admission/proxy/x"] {
        let said =
            grace.ask_tcp(&format!("{}\r\n", header.replacen("GET /livez", &format!("{secret} {path}"), 1)));
        assert!(
            said.problem(422, "invalid").starts_with("the method") && !said.body.contains(&secret),
            "{said:?}"
        );
    }
    for args in [["hold", "all", "--for", "1m", "--reason"], ["task", "close", "1", "--reason", ""]] {
        let args: Vec<&str> =
            args.into_iter().filter(|word| !word.is_empty()).chain([secret.as_str()]).collect();
        let said = grace.grace(&args);
        assert!(said.code != Some(0) && !format!("{said:?}").contains(&secret), "{said:?}");
    }
    let bare = &secret["grace_".len()..];
    assert!(!grace.log().contains(bare) && grace.get("/api/holds") == json!([]));
    for file in fs::read_dir(grace.data()).expect("listed") {
        let path = file.expect("a file").path();
        let bytes = if path.is_file() { fs::read(&path).expect("read") } else { Vec::new() };
        assert!(!bytes.windows(bare.len()).any(|part| part == bare.as_bytes()), "{}", path.display());
    }
    // A client of a proxy's application shows what it likes.
    let proxied = format!("/api/admission/proxy/{secret}");
    assert_eq!(call(&grace, ("GET", &proxied), None, "").status, 200);
}

#[test]
fn a_token_ends_when_its_time_is_over() {
    let grace = Daemon::start();
    let secret = token(&grace, "short", &json!({ "role": "viewer", "for": "1s" }));
    assert_eq!(call(&grace, ("GET", "/api/holds"), Some(&secret), "").status, 200);
    until("its time is over", || call(&grace, ("GET", "/api/holds"), Some(&secret), "").status == 401);
    until("it is gone", || grace.get("/api/tokens") == json!([]));
    let again = token(&grace, "short", &json!({ "role": "viewer" }));
    assert_ne!(again, secret);
}

#[test]
fn tokens_survive_a_restart_and_two_of_a_name_do_not_exist() {
    let grace = Daemon::start();
    token(&grace, "deploy", &json!({ "role": "viewer" }));
    let again = grace.post("/api/tokens", r#"{"name": "deploy", "role": "admin"}"#);
    assert!(again.problem(409, "refused").contains("revoke it first"), "{again:?}");
    for wrong in [
        json!({ "name": "Deploy", "role": "viewer" }),
        json!({ "name": "", "role": "viewer" }),
        json!({ "name": "-x", "role": "viewer" }),
        json!({ "name": "x", "role": "vieuwer" }),
        json!({ "name": "x", "role": "viewer", "for": "soon" }),
        json!({ "name": "x", "role": "viewer", "person": "token:deploy" }),
        json!({ "name": "x", "role": "viewer", "person": "a\nb" }),
        json!({ "name": "x", "role": "viewer", "person": "uid:ann" }),
        json!({ "name": "x", "role": "viewer", "person": "user:nobody_here" }),
    ] {
        let said = grace.post("/api/tokens", &wrong.to_string());
        assert_eq!(said.status, 422, "{wrong}: {said:?}");
    }
    assert_eq!(grace.get("/api/tokens").as_array().map(Vec::len), Some(1));
}

#[test]
fn nobody_approves_the_own_request_with_another_token() {
    let grace = Daemon::start();
    let ask = token(&grace, "ann-asks", &json!({ "role": "operator", "person": "ann" }));
    let own = token(&grace, "ann-decides", &json!({ "role": "approver", "person": "ann" }));
    let bob = token(&grace, "bob", &json!({ "role": "approver", "person": "bob" }));
    let restart = r#"{"component": "reflection_service", "reason": "it looks odd"}"#;
    let asked = call(&grace, ("POST", "/api/health/restart"), Some(&ask), restart);
    assert_eq!(asked.status, 202, "{asked:?}");
    let approve = ("POST", "/api/approvals/1/approve");
    let body = r#"{"reason": "agreed"}"#;
    call(&grace, approve, Some(&ask), body).problem(403, "forbidden");
    call(&grace, approve, Some(&own), body).problem(403, "refused");
    let done = call(&grace, approve, Some(&bob), body);
    assert_eq!((done.status, done.json()["result"].as_str()), (200, Some("success")), "{done:?}");
    // Who asks over the socket makes no token for a stranger afterwards.
    assert_eq!(grace.post("/api/health/restart", restart).status, 202);
    let made_since = token(&grace, "stranger", &json!({ "role": "approver", "person": "carl" }));
    call(&grace, ("POST", "/api/approvals/2/approve"), Some(&made_since), body).problem(403, "refused");
}

/// Slips that must not act, and secrets that must not be told twice.
#[test]
fn a_slip_acts_on_nothing_and_tells_no_secret() {
    let grace = Daemon::start();
    let hold = r#"{"component": "trigger_mesh", "reason": "x", "for": "1m"}"#;
    for slip in ["dryrun=true", "dry-run=true", "dry_run%3Dtrue", "dry_runs=true"] {
        grace.post(&format!("/api/holds?{slip}"), hold).problem(400, "invalid");
    }
    let list = grace.post("/api/holds", r#"["trigger_mesh", "as a list", "1m"]"#).problem(422, "invalid");
    assert!(list.contains("the body is a list, and should be an object"), "{list}");
    assert_eq!(grace.get("/api/holds"), serde_json::json!([]));
    // A token is made once, and its secret told once.
    let body = r#"{"name": "ci", "role": "viewer"}"#;
    let make = || {
        grace.ask(&format!(
            "POST /api/tokens HTTP/1.1\r\nhost: x\r\nconnection: close\r\nidempotency-key: k\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    // Where none was made the answer is the same again, and claims nothing else.
    for (path, body, status) in [
        ("/api/tokens", r#"{"name": "ci", "role": "viewr"}"#, 422),
        ("/api/tokens?dry_run=true", r#"{"name": "ci", "role": "viewer"}"#, 200),
    ] {
        let asked = crate::daemon::post(path, body).replacen(
            "\r\n",
            &format!("\r\nidempotency-key: {status}\r\n"),
            1,
        );
        let (first, again) = (grace.ask(&asked), grace.ask(&asked));
        assert_eq!((first.status, again.status), (status, status), "{first:?} {again:?}");
        assert_eq!(first.body, again.body);
    }
    let secret = make().json()["secret"].as_str().expect("a secret").to_owned();
    let again = make();
    assert!(
        again.problem(409, "over").contains("its secret was shown then") && !again.body.contains(&secret)
    );
    // Whoever revokes the secret instead of the name has told it: it goes no further.
    let said = grace.grace(&["token", "revoke", &secret]);
    assert!(
        said.code == Some(2) && said.err.contains("this is a token's secret") && !said.err.contains(&secret),
        "{said:?}"
    );
    let journal = grace.get("/api/journal?limit=1000").to_string();
    assert!(!journal.contains(&secret) && !grace.log().contains(&secret));
    // What a client of a proxy shows is for the application.
    let proxied = "POST /api/admission/proxy/orders/5 HTTP/1.1\r\nhost: app.example.com\r\nconnection: close\r\n\
                   authorization: Basic YTpi\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(grace.ask_tcp(proxied).status, 200);
    let elsewhere = proxied.replace("/api/admission/proxy/orders/5", "/api/admission");
    assert_eq!(grace.ask_tcp(&elsewhere).status, 421);
    // Somebody unknown sees how it is, and not who wants what.
    assert_eq!(grace.post("/api/holds", hold).status, 200);
    let anonymous =
        grace.ask_tcp("GET /api/health/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!((anonymous.status, &anonymous.json()["holds"]), (200, &serde_json::json!([])));
    assert_eq!(grace.get("/api/health/status")["holds"][0]["component"], "trigger_mesh");
}

#[test]
fn a_stream_ends_with_the_token_it_was_asked_with() {
    use std::io::{Read, Write};

    let grace = Daemon::start();
    let made = grace.post("/api/tokens", r#"{"name": "view", "role": "viewer"}"#);
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    let mut stream = std::net::TcpStream::connect(grace.address()).expect("connects");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a limit");
    let head =
        "GET /api/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: Bearer";
    stream.write_all(format!("{head} {secret}\r\n\r\n").as_bytes()).expect("writes");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("answers");
    assert_eq!(&first, b"HTTP/1.1 200");
    assert_eq!(grace.grace(&["token", "revoke", "view"]).code, Some(0));
    assert_eq!(grace.grace(&["hold", "all", "--reason", "a later secret", "--for", "1m"]).code, Some(0));
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("is closed from the other side");
    assert!(!rest.contains("a later secret"), "{rest}");
}
