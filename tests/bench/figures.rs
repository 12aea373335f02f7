//! What figures cost: a journal of 90 days and 100 components, whose figures are made from nothing, reported and scraped;
//! and what they add to a commit.
//!
//! `cargo bench --bench figures`; `GRACE_DAYS=10`, `GRACE_COMPONENTS=10` and `GRACE_RUNS=1` make it smaller. It writes
//! about a gigabyte for each hundred million looks at a component. The journal is written past its own rules, without
//! readings and hashes: figures look at neither.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark says what it found, and may fail loudly"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use grace::figures::Fold;
use grace::model::{ComponentId, IncidentId, Meaning, Record, Span, Status, Time};
use grace::record::{Journal, Reader, Since};

/// 2026-08-25T12:00:00Z
const BEGIN: Time = Time(1_787_659_200_000);

const GRID: Span = Span::seconds(30);

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn timed<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    median(
        (0..runs)
            .map(|_| {
                let begun = Instant::now();
                std::hint::black_box(work());
                begun.elapsed()
            })
            .collect(),
    )
}

/// The same numbers in every run.
fn noise(seed: u64) -> u64 {
    let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

/// Components that fail about every second day, for a minute or two.
struct World {
    statuses: BTreeMap<ComponentId, Status>,
    open: BTreeMap<ComponentId, (u64, Time)>,
    incidents: u64,
}

impl World {
    fn new(components: usize) -> Self {
        let names = (0..components).map(|number| ComponentId::from(format!("component_{number:04}")));
        Self { statuses: names.map(|id| (id, Status::Ok)).collect(), open: BTreeMap::new(), incidents: 0 }
    }

    /// The records of the next tick.
    fn tick(&mut self, tick: u64, now: Time) -> Vec<Record> {
        let mut records = Vec::new();
        for (place, (id, status)) in self.statuses.iter_mut().enumerate() {
            let luck = noise(tick.wrapping_mul(1_000_003) ^ (place as u64) << 40);
            match status {
                Status::Ok if luck.is_multiple_of(5_760) => {
                    self.incidents += 1;
                    *status = Status::Critical;
                    self.open.insert(id.clone(), (self.incidents, now));
                    let incident = IncidentId(self.incidents);
                    records.push(Record::IncidentBegun { component: id.clone(), incident });
                }
                Status::Critical if luck.is_multiple_of(3) => {
                    *status = Status::Ok;
                    let (incident, began) = self.open.remove(id).unwrap();
                    let incident = IncidentId(incident);
                    records.push(Record::IncidentEnded { component: id.clone(), incident, began });
                }
                _ => {}
            }
        }
        let tick = Record::Tick {
            tick,
            now,
            statuses: self.statuses.clone(),
            failures: self.open.keys().map(|id| (id.clone(), 1)).collect(),
            performed: Vec::new(),
            asked: Vec::new(),
            stop: false,
            grid: None,
            meaning: Meaning::default(),
            readings: "0".repeat(64),
            decisions: "0".repeat(64),
            state: Some("0".repeat(64)),
        };
        records.insert(0, tick);
        records
    }
}

/// Writes a journal of so many ticks, past its own rules; answers how large it is.
fn write(dir: &Path, components: usize, ticks: u64) -> u64 {
    drop(Journal::open(dir).unwrap());
    let file = dir.join("journal.db");
    let mut db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").unwrap();
    let (mut world, mut seq, mut tick) = (World::new(components), 0_i64, 0);
    while tick < ticks {
        let transaction = db.transaction().unwrap();
        {
            let mut row = transaction
                .prepare("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7, zeroblob(32), zeroblob(32))")
                .unwrap();
            for _ in 0..2_880 {
                tick += 1;
                let now = BEGIN + Span(GRID.0 * i64::try_from(tick).unwrap());
                for record in world.tick(tick, now) {
                    seq += 1;
                    let (kind, event) = (record.kind(), record.event());
                    let component = record.component().map(ComponentId::as_str);
                    let body = serde_json::to_string(&record).unwrap();
                    let number = i64::try_from(tick).unwrap();
                    row.execute(rusqlite::params![seq, now.0, number, kind, event, component, body]).unwrap();
                }
            }
        }
        transaction.commit().unwrap();
    }
    drop(db);
    std::fs::metadata(file).unwrap().len()
}

/// What figures add to one tick: the fold alone.
fn fold(components: usize) -> Duration {
    let mut world = World::new(components);
    let ticks: Vec<Vec<Record>> = (1..=2_000)
        .map(|tick| world.tick(tick, BEGIN + Span(GRID.0 * i64::try_from(tick).unwrap())))
        .collect();
    let mut fold = Fold::default();
    let begun = Instant::now();
    for (seq, record) in (1..).zip(ticks.iter().flatten()) {
        fold.take(seq, record);
        if fold.has_hours() {
            std::hint::black_box((fold.closed(), fold.hours()));
        }
        std::hint::black_box(fold.totals());
    }
    begun.elapsed() / 2_000
}

fn main() {
    let (days, components, runs) =
        (number("GRACE_DAYS", 90), number("GRACE_COMPONENTS", 100), number("GRACE_RUNS", 5));
    for components in [10, 100, 1_000] {
        println!("a tick of {components} components folded, its totals told: {:?}", fold(components));
    }
    let dir = tempfile::tempdir().unwrap();
    let bytes = write(dir.path(), components, days as u64 * 2_880);
    println!("{days} days, {components} components: {} MB without readings", bytes / 1_000_000);
    let journal = Journal::open(dir.path()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let begun = Instant::now();
    journal.make_figures(&reader, |_| true).unwrap();
    println!("figures made from nothing, once: {:.1?}", begun.elapsed());
    journal.fold();
    let grown = std::fs::metadata(dir.path().join("journal.db")).unwrap().len().saturating_sub(bytes);
    println!("what is kept of them: {} MB", grown / 1_000_000);
    let report = |since: Option<Since>| timed(runs, || reader.figures(since, None, None).unwrap());
    let odd = Since::Last(Span(Span::minutes(30 * 24 * 60).0 + 1_234_567));
    println!("a report of all {days} days: {:.1?}", report(None));
    println!("of 30 days and some minutes: {:.1?}", report(Some(odd)));
    let day = Since::Last(Span(Span::minutes(24 * 60).0 + 1_234_567));
    println!("of the last 24 hours and some minutes: {:.1?}", report(Some(day)));
    println!("the totals, as a scrape finds them: {:.1?}", timed(100, || journal.totals().unwrap()));
    println!(
        "the figures of the hour under way, at a start: {:.1?}",
        timed(runs, || journal.take_up_figures().unwrap())
    );
    drop((journal, reader));
    let (page, [start, rest]) = scraped(dir.path(), components);
    println!(
        "`/metrics` of a Grace that goes on from it: {page} bytes, {rest:.1?}; just started {start:.1?}"
    );
}

/// What each component is: something that is there, looked at by a probe that costs next to nothing.
const COMPONENT: &str = "[probe.f]\nkind = \"file\"\npath = \"/proc/self/exe\"\n\n[status]\ncritical = '!f.exists'\n\n\
    [rule.told]\nwhen = 'critical'\ndo = [{ notify = \"oncall\", text = \"{label} is {status}\" }]\n";

/// A Grace on this journal, with files for all of its components: how long its page is, and how long a scrape takes at the
/// start and a while later.
fn scraped(data: &Path, components: usize) -> (usize, [Duration; 2]) {
    let config = tempfile::tempdir().unwrap();
    for folder in ["rules", "policies"] {
        std::fs::create_dir(config.path().join(folder)).unwrap();
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), config.path().join(folder).join(file.file_name())).unwrap();
        }
    }
    for number in 0..components {
        std::fs::write(config.path().join(format!("rules/component_{number:04}.toml")), COMPONENT).unwrap();
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_grace"));
    command.arg("--config").arg(config.path()).arg("--data").arg(data).args(["run", "--listen", "off"]);
    let mut grace = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    // The figures of the components are there once the first tick is.
    while !ask(data).is_ok_and(|page| page.contains("grace_component_seconds_total{")) {
        assert!(begun.elapsed() < Duration::from_mins(5), "it does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    let page = ask(data).unwrap().len();
    let scrape = [Duration::ZERO, Duration::from_secs(20)].map(|later| {
        std::thread::sleep(later);
        timed(200, || ask(data).unwrap())
    });
    grace.kill().unwrap();
    grace.wait().unwrap();
    (page, scrape)
}

/// One scrape, with a connection of its own.
fn ask(data: &Path) -> std::io::Result<String> {
    let mut stream = std::os::unix::net::UnixStream::connect(data.join("grace.sock"))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
