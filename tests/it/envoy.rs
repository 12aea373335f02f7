//! May something happen now? Asked by a real Envoy for an application behind it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::admission::{application, be};
use crate::daemon::{Answer, Daemon, exchange, until};
use crate::schema::judge;

/// What the README shows goes between these.
const BEFORE: &str = r#"
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: PORT } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          route_config: { virtual_hosts: [{ name: web, domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: web } }] }] }
          http_filters:
"#;
const AFTER: &str = r#"
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
"#;
const CLUSTER: &str = r"
  - name: NAME
    load_assignment: { cluster_name: NAME, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: PORT } } } }] }] }
";

/// A running Envoy that is ended with the test.
struct Envoy {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_indented(text: &str, by: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{}{line}", " ".repeat(by))).collect();
    lines.join("\n")
}

impl Envoy {
    /// Envoy before the application, as the README shows it, with more in the filter; none where there is no Envoy.
    fn before(application: u16, grace: u16, more: &str) -> Option<Self> {
        let program = judge("envoy")?;
        let dir = tempfile::tempdir().expect("a directory");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let readme = include_str!("../../README.md");
        let mut blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let shown = blocks.find(|block| block.contains("ext_authz")).expect("is shown").to_owned() + more;
        let cluster =
            |name: &str, port: u16| CLUSTER.replace("NAME", name).replace("PORT", &port.to_string());
        let (shown, web) = (lines_indented(&shown, 10), cluster("web", application));
        let config = format!(
            "{}{shown}{AFTER}{web}{}",
            BEFORE.replace("PORT", &port.to_string()),
            cluster("grace", grace)
        );
        let file = dir.path().join("envoy.yaml");
        std::fs::write(&file, config).expect("written");
        let child = Command::new(program)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("Envoy starts");
        let envoy = Self { child, port, _dir: dir };
        until("Envoy listens", || TcpStream::connect(("127.0.0.1", envoy.port)).is_ok());
        Some(envoy)
    }

    fn ask(&self, method: &str, path: &str, more: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        let head = format!("{method} {path} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n");
        exchange(stream, &format!("{head}{more}content-length: 2\r\n\r\nhi"))
    }
}

#[test]
fn a_real_envoy_refuses_writes_while_grace_is_read_only_and_lets_reads_pass() {
    let grace = Daemon::start();
    // Not even one that goes on where nobody answers takes a refusal for that.
    let goes_on = "    failure_mode_allow: true\n";
    let Some(envoy) = Envoy::before(application(), grace.address().port(), goes_on) else { return };
    let passed = envoy.ask("POST", "/orders?x=1", "authorization: Basic YTpi\r\n");
    assert_eq!(passed.status, 200, "{passed:?}");
    assert!(passed.body.contains("the application took POST /orders?x=1"), "{passed:?}");
    be(&grace, "read_only", "disks are moved");
    let refused = envoy.ask("POST", "/orders", "");
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.body.contains("read_only queues writes since"), "{refused:?}");
    assert!(
        refused.body.contains("disks are moved") && refused.head.contains("retry-after: 30"),
        "{refused:?}"
    );
    for (path, more) in [
        ("/", ""),
        ("/orders?action=read&refuse_with=500", ""),
        ("/orders", "x-original-method: GET\r\n"),
        ("/orders", "x-http-method-override: GET\r\n"),
        ("/orders", "origin: http://evil.example\r\n"),
        ("/../../../livez", ""),
        ("/..%2f..%2f..%2flivez", ""),
        ("//livez", ""),
    ] {
        let refused = envoy.ask("POST", path, more);
        assert_eq!(
            (refused.status, refused.body.contains("disks are moved")),
            (403, true),
            "{path}: {refused:?}"
        );
    }
    assert_eq!(envoy.ask("DELETE", "/orders/7", "").status, 403);
    for method in ["MKCOL", "PROPPATCH", "MOVE", "LOCK"] {
        assert_eq!(envoy.ask(method, "/orders/7", "").status, 403, "{method}");
    }
    for method in ["GET", "OPTIONS", "PROPFIND", "REPORT"] {
        assert_eq!((envoy.ask(method, "/orders", "").status, envoy.ask(method, "/", "").status), (200, 200));
    }
    be(&grace, "normal", "they are moved");
    assert_eq!(envoy.ask("POST", "/orders", "").status, 200);
}

#[test]
fn a_real_envoy_lets_nothing_pass_while_nobody_answers() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let Some(envoy) = Envoy::before(application(), nobody, "") else { return };
    assert_eq!((envoy.ask("POST", "/orders", "").status, envoy.ask("GET", "/orders", "").status), (500, 500));
}

/// What Envoy is known to send, wherever there is none.
#[test]
fn envoys_way_to_ask_is_understood() {
    let grace = Daemon::start();
    let ask_of = |method: &str, path: &str| {
        grace.ask_tcp(&format!(
            "{method} /api/admission/proxy{path} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\
             x-original-method: GET\r\ncontent-length: 0\r\n\r\n"
        ))
    };
    let ask = |method: &str| ask_of(method, "/orders/7?x=1").status;
    assert_eq!((ask("GET"), ask("POST"), ask("OPTIONS")), (200, 200, 200));
    be(&grace, "read_only", "disks are moved");
    assert_eq!((ask("GET"), ask("POST"), ask("DELETE")), (200, 403, 403));
    for (method, status) in [
        ("PROPFIND", 200),
        ("REPORT", 200),
        ("SEARCH", 200),
        ("QUERY", 200),
        ("MKCOL", 403),
        ("MOVE", 403),
        ("X-OWN", 403),
    ] {
        assert_eq!((ask(method), ask_of(method, "/").status), (status, status), "{method}");
    }
    // As nginx asks, and in the name of nobody known: the method is the client's, and the way in is ours.
    for (method, status) in [("PROPFIND", 200), ("MKCOL", 503)] {
        let said = grace.ask_tcp(&format!(
            "{method} /api/admission/proxy HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        ));
        assert_eq!(said.status, status, "{method}: {said:?}");
    }
    assert!(ask_of("POST", "/x").problem(403, "not_admitted").contains("disks are moved"));
    // The client's root.
    let root = |method: &str, path: &str| ask_of(method, path).status;
    assert_eq!((root("GET", "/?a=b"), root("GET", "/"), root("POST", "/")), (200, 200, 403));
}
