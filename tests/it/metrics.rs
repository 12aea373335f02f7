//! `/metrics`: figures that are right, in texts that Prometheus takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::daemon::{Answer, Daemon, until};
use crate::scenarios::laid_over;
use crate::services::house::skip;

const TICKS: &str = "grace_ticks_total";
const TICK_AT: &str = "grace_last_tick_timestamp_seconds";
const SUCCESSFUL: &str = "grace_config_last_reload_successful";
const ACCEPTED_AT: &str = "grace_config_last_reload_success_timestamp_seconds";
const PROBLEMS: &str = "grace_config_rejected_diagnostics";
const REJECTED: &str = "grace_config_reloads_total{result=\"rejected\"}";
const ACCEPTED: &str = "grace_config_reloads_total{result=\"accepted\"}";

fn scrape(grace: &Daemon, more: &str) -> Answer {
    let request = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    grace.ask_tcp(&request)
}

/// Every sample, by its name and labels, as it is written.
type Samples = BTreeMap<String, String>;

fn samples(page: &str) -> Samples {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect(line);
            value.parse::<f64>().expect(line);
            (series.to_owned(), value.to_owned())
        })
        .collect()
}

fn number(found: &Samples, series: &str) -> f64 {
    found[series].parse().expect("a number")
}

fn figures(grace: &Daemon) -> Samples {
    let answer = scrape(grace, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    samples(&answer.body)
}

/// Holds the page against Prometheus' own judge. Where it is not there, the test says so; on the build machine
/// that is a failure.
fn judged(page: &str) {
    let judge = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut judge = match judge {
        Ok(judge) => judge,
        Err(why) => return skip(&format!("no promtool, which is in Debian's package `prometheus`: {why}")),
    };
    judge.stdin.take().expect("is piped").write_all(page.as_bytes()).expect("it reads");
    let verdict = judge.wait_with_output().expect("it ends");
    let silent = verdict.stdout.is_empty() && verdict.stderr.is_empty();
    assert!(verdict.status.success() && silent, "{verdict:?}\n{page}");
}

#[test]
fn what_is_measured_is_what_is_and_prometheus_takes_it() {
    let grace = Daemon::start();
    let answer = scrape(&grace, "");
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{answer:?}");
    judged(&answer.body);
    let found = samples(&answer.body);
    let is = |series: &str, value: &str| {
        assert_eq!(found.get(series).map(String::as_str), Some(value), "{series}: {found:#?}");
    };
    is(&format!("grace_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), "1");
    is("grace_mode{mode=\"normal\"}", "1");
    is("grace_mode{mode=\"emergency\"}", "0");
    is("grace_ticks_missed_total", "0");
    is("grace_component_status{component=\"database\",status=\"ok\"}", "1");
    is("grace_component_status{component=\"trigger_mesh\",status=\"critical\"}", "0");
    is("grace_healing_actions_total{component=\"task_executor\",outcome=\"healed\"}", "0");
    is(SUCCESSFUL, "1");
    is(PROBLEMS, "0");
    is(ACCEPTED, "0");
    let status = grace.get("/api/health/status");
    let db = rusqlite::Connection::open(grace.data().join("journal.db")).expect("opens");
    let entry: i64 = db.query_row("SELECT max(seq) FROM generations", [], |row| row.get(0)).expect("one");
    let digest = status["generation"].as_str().expect("a digest");
    is(&format!("grace_generation_info{{digest=\"{digest}\",entry=\"{entry}\"}}"), "1");
    let wall = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
    assert!((wall - number(&found, ACCEPTED_AT)).abs() < 120.0, "{found:#?}");
    assert!((wall - number(&found, TICK_AT)).abs() < 120.0, "{found:#?}");
    let took = number(&found, "grace_last_tick_duration_seconds");
    assert!(took > 0.0 && took < 60.0, "{took}");
    until("the figures go on with the ticks", || {
        let now = figures(&grace);
        let goes_on = |series: &str| number(&now, series) > number(&found, series);
        goes_on(TICKS) && goes_on(TICK_AT)
    });
}

/// The series by its labels in their order: the two texts write those of histograms in another one, and `5` as `5.0`.
fn alike(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let mut labels: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(",").replace(".0\"", "\""))
}

#[test]
fn openmetrics_comes_on_request_with_the_same_series() {
    let grace = Daemon::start();
    let open =
        scrape(&grace, "accept: application/openmetrics-text;version=1.0.0;q=0.75,text/plain;q=0.5\r\n");
    assert!(open.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{open:?}");
    assert!(open.body.ends_with("# EOF\n"), "{open:?}");
    assert!(open.body.contains("# TYPE grace_ticks counter\n"), "{open:?}");
    let names = |page: &str| samples(page).keys().map(|series| alike(series)).collect::<BTreeSet<_>>();
    assert_eq!(names(&open.body), names(&scrape(&grace, "").body));
}

#[test]
fn figures_are_read_like_everything_else() {
    let grace = Daemon::start();
    let foreign = "GET /metrics HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    grace.ask_tcp(foreign).problem(421, "foreign_host");
    let post = "POST /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    grace.ask_tcp(post).problem(405, "invalid");
    grace.ask(post).problem(405, "invalid");
    assert_eq!(
        grace.ask(&foreign.replace("evil.example", "x")).status,
        200,
        "the socket has no foreign names"
    );
}

#[test]
fn what_became_of_a_try_is_counted() {
    let grace = Daemon::start();
    let series = |outcome: &str| {
        let series =
            format!("grace_healing_actions_total{{component=\"task_executor\",outcome=\"{outcome}\"}}");
        figures(&grace)[&series].clone()
    };
    assert_eq!(grace.post("/api/health/restart", r#"{"component": "task_executor"}"#).status, 202);
    let glass = r#"{"reason": "nobody else is here", "break_glass": true}"#;
    assert_eq!(grace.post("/api/approvals/1/approve", glass).json()["outcome"], "healed");
    assert_eq!((series("healed").as_str(), series("failed").as_str()), ("1", "0"));
}

/// Grace on files that a test may change.
struct Shop {
    config: TempDir,
    data: Arc<TempDir>,
}

impl Shop {
    fn new() -> Self {
        Self {
            config: laid_over(Path::new("/nowhere")),
            data: Arc::new(tempfile::tempdir().expect("a folder")),
        }
    }

    fn open(&self) -> Daemon {
        let config = self.config.path().to_str().expect("a plain path");
        Daemon::start_in(Arc::clone(&self.data), &["--config", config])
    }

    fn policy(&self) -> String {
        fs::read_to_string(self.config.path().join("policies/governance.toml")).expect("read")
    }

    fn save(&self, policy: &str) {
        fs::write(self.config.path().join("policies/governance.toml"), policy).expect("written");
    }
}

/// Status, events and figures say that the files are refused, with as many problems as there are.
fn refused(grace: &Daemon, rejections: &str) -> bool {
    let found = figures(grace);
    let status = grace.get("/api/health/status");
    let problems = status["rejected"]["problems"].as_array().map_or(0, Vec::len);
    let told = grace.grace(&["status"]).out.contains("the files were refused");
    let measured = found[SUCCESSFUL] == "0" && found[PROBLEMS] == problems.to_string();
    told && problems > 0 && measured && found[REJECTED] == rejections
}

/// The events about files, in their order.
fn events(grace: &Daemon) -> Vec<String> {
    let events = grace.get("/api/events?pattern=config.*");
    let kinds =
        events.as_array().expect("a list").iter().map(|event| event["type"].as_str().expect("a type"));
    kinds.map(|kind| kind.trim_start_matches("config.generation_").to_owned()).collect()
}

fn some_ticks(grace: &Daemon) {
    let before = number(&figures(grace), TICKS);
    until("ticks go by", || number(&figures(grace), TICKS) > before + 3.0);
}

fn well(grace: &Daemon) -> bool {
    let found = figures(grace);
    let shown = grace.get("/api/health/status")["rejected"].is_null();
    shown && found[SUCCESSFUL] == "1" && found[PROBLEMS] == "0"
}

#[test]
fn a_refused_save_is_shown_everywhere_until_the_files_are_mended() {
    let shop = Shop::new();
    let grace = shop.open();
    let (policy, before) = (shop.policy(), figures(&grace));
    shop.save(&policy.replace("effect", "efect"));
    until("it is shown", || refused(&grace, "1"));
    some_ticks(&grace);
    assert!(refused(&grace, "1"), "it is shown until it is mended: {:#?}", figures(&grace));
    // Broken in another way.
    shop.save("[");
    until("the second is shown", || refused(&grace, "2"));
    judged(&scrape(&grace, "").body);
    let meanwhile = figures(&grace);
    assert_eq!((&meanwhile[ACCEPTED_AT], meanwhile[ACCEPTED].as_str()), (&before[ACCEPTED_AT], "0"));
    shop.save(&policy);
    until("it is mended", || well(&grace));
    let after = figures(&grace);
    assert!(number(&after, ACCEPTED_AT) > number(&before, ACCEPTED_AT), "{after:#?}");
    assert_eq!((after[ACCEPTED].as_str(), after[REJECTED].as_str()), ("1", "2"));
    assert_eq!(events(&grace), ["activated", "rejected", "rejected", "activated"]);
}

#[test]
fn a_start_on_broken_files_shows_them_until_they_are_mended() {
    let shop = Shop::new();
    let policy = shop.policy();
    let first = shop.open();
    shop.save(&policy.replace("effect", "efect"));
    until("it is shown", || refused(&first, "1"));
    first.stop();
    let grace = shop.open();
    assert!(refused(&grace, "0"), "{:#?}", figures(&grace));
    assert_eq!(figures(&grace)[ACCEPTED_AT], "0.0", "none were accepted since this start");
    some_ticks(&grace);
    assert!(refused(&grace, "0"), "{:#?}", figures(&grace));
    shop.save(&format!("# Mended.\n{policy}"));
    until("it is mended", || well(&grace));
    assert!(number(&figures(&grace), ACCEPTED_AT) > 0.0);
    assert_eq!(events(&grace), ["activated", "rejected", "activated", "rejected", "activated"]);
}
