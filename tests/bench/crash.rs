//! Grace is killed, and her disk fails, at thousands of exact calls; and a start over a million entries is timed.
//!
//! `cargo bench --bench crash` (a few hours). `GRACE_POINTS=10000` deaths, `GRACE_FAULTS=1000` failing calls,
//! `GRACE_ENTRIES=1000000` entries, `GRACE_SEED=1` and `GRACE_HANDS` (lives at the same time; four for each core)
//! are the usual numbers; 0 leaves a part out. `GRACE_ONLY="Keeper rename"` takes only calls of that name. It ends with 1 where anything did not hold.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures says what it measured, and ends where it cannot"
)]

#[path = "../it/crash/harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use grace::model::{ComponentId, Record, Status, Time};
use grace::record::Journal;
use harness::home::{Home, until};
use harness::points::{self, Cut, Kind, Random, Stage, Tally};

/// No part takes longer.
const LONG: Duration = Duration::from_hours(12);

fn main() -> ExitCode {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let size = |name: &str, usual: u64| usize::try_from(number(name, usual)).unwrap_or(usize::MAX);
    let entries = size("GRACE_ENTRIES", 1_000_000);
    if entries > 0 {
        recovery(entries);
    }
    let (deaths, faults) = (size("GRACE_POINTS", 10_000), size("GRACE_FAULTS", 1_000));
    if deaths + faults == 0 {
        return ExitCode::SUCCESS;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let hands = size("GRACE_HANDS", u64::try_from(cores * 4).unwrap_or(4));
    let stage = match Stage::new() {
        Ok(stage) => stage,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let mut random = Random(number("GRACE_SEED", 1).max(1));
    let only = std::env::var("GRACE_ONLY").unwrap_or_default();
    let held = [("deaths", stage.deaths(), deaths), ("faults", stage.faults(), faults)].map(
        |(what, mut kinds, wanted)| {
            kinds.retain(|kind| {
                kind.first().is_some_and(|(scene, point)| {
                    Kind { scene: *scene, call: point.call.clone() }.to_string().contains(&only)
                })
            });
            sweep(what, (&stage, &kinds), wanted, (hands, &mut random))
        },
    );
    if held == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes the points and says what came of them.
fn sweep(
    what: &str,
    (stage, kinds): (&Stage, &[Vec<Cut>]),
    wanted: usize,
    (hands, random): (usize, &mut Random),
) -> bool {
    let there: usize = kinds.iter().map(Vec::len).sum();
    let cuts = points::spread(kinds, wanted, random);
    let (began, told) = (Instant::now(), AtomicUsize::new(0));
    let tally = points::take(stage, &cuts, (hands, LONG), |done, tally| {
        if done.is_multiple_of(50) || tally.failures.len() > told.load(Ordering::Relaxed) {
            eprintln!("{what}: {done} of {wanted}, {} failures, {:?}", tally.failures.len(), began.elapsed());
            for failure in tally.failures.iter().skip(told.swap(tally.failures.len(), Ordering::Relaxed)) {
                eprintln!("---- {failure}");
            }
        }
    });
    summary(what, there, &tally);
    println!("{what}: {} points in {:?}", tally.done(), began.elapsed());
    tally.failures.is_empty()
}

fn summary(what: &str, there: usize, tally: &Tally) {
    let mut calls: BTreeMap<(String, &str), (usize, usize)> = BTreeMap::new();
    for (kind, (hit, missed)) in &tally.kinds {
        let whose = format!("{:?} {:?}", kind.scene, kind.call.role);
        let counts = calls.entry((whose, kind.call.name)).or_default();
        *counts = (counts.0 + hit, counts.1 + missed);
    }
    println!("{what}: {there} points in one sweep");
    for ((whose, name), (hit, missed)) in calls {
        println!("{hit:6} met, {missed:5} ended before   {whose} {name}");
    }
    println!("{what}: {} met, {} failures", tally.hit(), tally.failures.len());
}

/// How long it takes from the start of the process to a durable tick.
fn recovery(entries: usize) {
    let home = Home::plain();
    home.lives_with("before").expect("she lives");
    let journal = Journal::open(&home.data()).expect("a journal");
    let entry = |number| Record::StatusChanged {
        component: ComponentId::from("reflection_service"),
        from: Status::Ok,
        to: Status::Critical,
        failures: 1,
        reason: format!("reflection.age_s is {number}, over threshold.stale_s"),
    };
    let some: Vec<Record> = (0..500).map(entry).collect();
    let mut last = 0;
    for _ in 0..entries.div_ceil(some.len()) {
        last = journal.append(Time(1_795_435_200_000), &some).expect("appended");
    }
    drop(journal);
    let ticks = format!("SELECT count(*) FROM entries WHERE kind = 'tick' AND seq > {last}");
    for _ in 0..3 {
        let before = home.count("journal.db", &ticks).expect("a journal");
        let began = Instant::now();
        let mut grace = home.born();
        let first = until("a tick is durable", || home.count("journal.db", &ticks) > Some(before));
        let took = began.elapsed();
        grace.kill().expect("killed");
        grace.wait().expect("gone");
        first.expect("a tick");
        println!("recovery: {last} entries, first tick durable after {took:?}");
    }
}
