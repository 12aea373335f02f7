//! How fast a history is rehearsed and proved, and how large it is: 30 days of the four components under the shipped
//! rules, then a day of 1,000 components with 12 rules each.
//!
//! `GRACE_DAYS=90` makes the first history longer, `GRACE_COMPONENTS=100` the second one smaller, `GRACE_RUNS=1` all of it
//! rougher. Nothing heals the components of the second history: most of them are critical for most of the day, and their
//! rules fire all along.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark says what it found, and may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use grace::config::{self, Folder};
use grace::engine::{Bundle, Input, State, adopt, step};
use grace::model::{
    ComponentId, Effect, FactId, Occasion, Performed, ProbeKind, Reading, Readings, Record, Snapshot, Span,
    Time, Value,
};
use grace::record::{Journal, Reader};
use grace::replay::prove::Prover;
use grace::replay::simulate::{Odds, Plan, Simulation};
use grace::replay::{History, HistoryError, ahead};

const NOON: Time = Time(1_795_435_200_000);

/// Each figure is the median of so many runs, if `GRACE_RUNS` does not say otherwise.
const RUNS: usize = 5;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The same numbers in every run: a measure that moves a little, as real ones do.
fn noise(seed: u64) -> f64 {
    let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    f64::from(u32::try_from(mixed >> 40).unwrap()) / f64::from(1_u32 << 24)
}

/// A world in which a component now and then fails until it is restarted.
struct World {
    facts: BTreeMap<ComponentId, BTreeMap<FactId, Value>>,
    down: BTreeMap<ComponentId, bool>,
    performed: Vec<Performed>,
}

impl World {
    fn new(bundle: &Bundle) -> Self {
        let mut facts = BTreeMap::new();
        for component in bundle.components.values() {
            let mut own = BTreeMap::new();
            for probe in &component.probes {
                for spec in ProbeKind::facts(&probe.kind, &component.id).unwrap().iter() {
                    own.insert(FactId::new(&probe.name, &spec.name), spec.healthy_value());
                }
            }
            facts.insert(component.id.clone(), own);
        }
        Self { facts, down: BTreeMap::new(), performed: Vec::new() }
    }

    fn snapshot(&mut self, now: Time, slot: u64) -> Snapshot {
        let mut snapshot = Snapshot::new();
        for (at, (id, facts)) in self.facts.iter().enumerate() {
            let seed = slot.wrapping_mul(7_919) ^ (at as u64) << 40;
            let down = self.down.entry(id.clone()).or_default();
            // About every eight hours. Grace's own guards fail only where somebody tampers with her.
            *down |= noise(seed) < 0.001 && id.as_str() != "grace";
            let read = |(number, (fact, value)): (usize, (&FactId, &Value))| {
                let moved = noise(seed ^ (number as u64 + 1));
                let reading = match value {
                    Value::Bool(healthy) => Reading::from(*healthy != *down),
                    Value::Float(measure) => Reading::float(measure * (0.5 + moved)),
                    other => Reading::Value(other.clone()),
                };
                (fact.clone(), reading)
            };
            let facts = facts.iter().enumerate().map(read).collect();
            snapshot.insert(id.clone(), Readings { taken_at: now, occasion: Occasion::Grid, facts });
        }
        snapshot
    }

    fn perform(&mut self, records: &[Record]) {
        for record in records {
            let Record::Intent { act, proposal, .. } = record else { continue };
            if let Some(component) = &proposal.component {
                self.down.insert(component.clone(), false);
            }
            self.performed.push(Performed { act: *act, effect: Effect::Done, steps: Vec::new() });
        }
    }
}

/// Writes a journal as production does, on virtual time; says how many ticks it holds.
fn write(dir: &Path, bundle: &Bundle, slots: u64) -> u64 {
    let journal = Journal::open(dir).unwrap();
    let adopted = adopt(bundle, None, &State::default(), NOON);
    journal.adopt(NOON, &adopted.records, &adopted.state).unwrap();
    let (mut world, mut state) = (World::new(bundle), adopted.state);
    for slot in 0..slots {
        let now = NOON + Span::seconds(30 * i64::try_from(slot).unwrap());
        let snapshot = world.snapshot(now, slot);
        let performed = std::mem::take(&mut world.performed);
        let input = Input { tick: slot + 1, now, snapshot, performed, ..Input::default() };
        let step = step(bundle, &state, &input);
        world.perform(&step.records);
        state = journal.commit(now, &input, step).unwrap().state;
    }
    slots
}

fn median(mut run: impl FnMut()) -> Duration {
    let runs = number("GRACE_RUNS", RUNS).max(1);
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times.get(runs / 2).copied().unwrap_or_default()
}

fn measure(title: &str, dir: &Path, bundle: &Bundle, ticks: u64) {
    let size = std::fs::metadata(dir.join("journal.db")).unwrap().len();
    println!("{title}: {ticks} ticks, {} bytes a tick, {} MB", size / ticks, size / 1_000_000);
    let day = 2_880 * size / ticks;
    println!("  a day of 30-second ticks: {} kB; 90 days: {} MB", day / 1_000, day * 90 / 1_000_000);
    let read = median(|| {
        let reader = Reader::open(dir).unwrap();
        assert!(reader.ticks(0).map(Result::unwrap).count() > 0);
    });
    println!("  reading alone       {read:>10.1?}");
    let simulate = median(|| {
        let history = History::Journal(Reader::open(dir).unwrap());
        let (odds, _): (Odds, _) = history.survey().unwrap();
        let plan = Plan::default();
        let mut simulation = Simulation::new(bundle, None, &plan, &odds);
        ahead(history.all(None).unwrap(), |recorded| {
            simulation.take(recorded).unwrap();
            Ok::<(), HistoryError>(())
        })
        .unwrap();
        assert!(simulation.finish().is_same());
    });
    println!("  simulate            {simulate:>10.1?}  {:.1} µs a tick", per(simulate, ticks));
    let proved = median(|| {
        // As the verb does it: the chain beside the decisions.
        std::thread::scope(|scope| {
            let chain = scope.spawn(|| {
                let _ = rustix::process::nice(10);
                Reader::open(dir).unwrap().verify_beside().unwrap().is_whole()
            });
            let history = History::Journal(Reader::open(dir).unwrap());
            let mut prover = Prover::new(None, None);
            ahead(history.all(None).unwrap(), |recorded| {
                prover.take(recorded);
                Ok::<(), HistoryError>(())
            })
            .unwrap();
            assert!(prover.finish().holds() && chain.join().unwrap());
        });
    });
    println!(
        "  prove               {proved:>10.1?}  {:.1} times simulate",
        proved.as_secs_f64() / simulate.as_secs_f64()
    );
}

fn per(time: Duration, ticks: u64) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(u32::try_from(ticks).unwrap())
}

/// So many components, each with 12 rules over 3 facts.
fn large(components: usize) -> Bundle {
    let mut files = BTreeMap::new();
    for file in ["governance", "modes", "budgets", "system", "notify"] {
        let name = format!("policies/{file}.toml");
        let text = std::fs::read_to_string(&name).unwrap();
        files.insert(name, text);
    }
    for number in 0..components {
        let rule = |rule: usize| {
            format!(
                "[rule.r{rule:02}]\nwhen = 'critical && ping.latency_ms >= 0.0 && failures > {rule}'\nafter = 2\n\
                 do = [{{ event = \"x.r{rule}\" }}]\n"
            )
        };
        let head = "[probe.ping]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\n[threshold]\nslow_ms = \"500ms\"\n\
                    [status]\ncritical = '!ping.connected'\nwarn = 'ping.latency_ms > threshold.slow_ms'\n";
        let text: String = std::iter::once(head.to_owned()).chain((0..12).map(rule)).collect();
        files.insert(format!("rules/c{number:04}.toml"), text);
    }
    Folder::of(&files).compile(None).unwrap().bundle
}

fn main() {
    // A disk in memory where there is one: what is measured is Grace, not the disk.
    let shm = Path::new("/dev/shm");
    let place =
        || if shm.is_dir() { tempfile::tempdir_in(shm).unwrap() } else { tempfile::tempdir().unwrap() };
    let days = number("GRACE_DAYS", 30);
    let (dir, bundle) = (place(), config::load(Path::new(".")).unwrap().bundle);
    let ticks = write(dir.path(), &bundle, 2_880 * days as u64);
    measure(&format!("{days} days of the shipped rules"), dir.path(), &bundle, ticks);
    drop(dir);
    let components = number("GRACE_COMPONENTS", 1_000);
    let (dir, bundle) = (place(), large(components));
    let ticks = write(dir.path(), &bundle, 2_880);
    measure(&format!("a day of {components} components with 12 rules each"), dir.path(), &bundle, ticks);
}
