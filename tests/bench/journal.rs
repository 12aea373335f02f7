//! How fast the journal writes, beside the bare disk in the same run: an entry with `fdatasync` after it is
//! as fast as a commit of one row can ever be.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use grace::model::{ComponentId, Record, Status, Time};
use grace::record::{Journal, Reader};

const NOON: Time = Time(1_795_435_200_000);

/// A usual entry: 150 bytes of JSON with a component and an event.
fn entry(n: usize) -> Record {
    Record::StatusChanged {
        component: ComponentId::from("reflection_service"),
        from: Status::Ok,
        to: Status::Critical,
        failures: 1,
        reason: format!("reflection.age_s is {n}, over threshold.stale_s"),
    }
}

fn entries(count: usize) -> Vec<Record> {
    (0..count).map(entry).collect()
}

/// The disk that is measured is that of the build, not a temporary one that may lie in memory.
fn disk() -> tempfile::TempDir {
    tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("target")).unwrap()
}

fn append(c: &mut Criterion) {
    let mut group = c.benchmark_group("append");
    group.sample_size(20);
    let dir = disk();
    let mut file = File::create(dir.path().join("bare")).unwrap();
    let bytes = serde_json::to_vec(&entry(1)).unwrap();
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare write + fdatasync", |b| {
        b.iter(|| {
            file.write_all(black_box(&bytes)).unwrap();
            file.sync_data().unwrap();
        });
    });
    let journal = Journal::open(dir.path()).unwrap();
    for count in [1, 100, 1_000] {
        let entries = entries(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("journal, {count} a commit"), |b| {
            b.iter(|| journal.append(NOON, black_box(&entries)).unwrap());
        });
    }
    group.finish();
}

fn verify(c: &mut Criterion) {
    const COUNT: usize = 100_000;
    let mut group = c.benchmark_group("verify");
    group.sample_size(10);
    let dir = disk();
    let journal = Journal::open(dir.path()).unwrap();
    for _ in 0..COUNT / 1_000 {
        journal.append(NOON, &entries(1_000)).unwrap();
    }
    group.throughput(Throughput::Elements(COUNT as u64));
    group.bench_function("the chain", |b| {
        b.iter_batched(
            || Reader::open(dir.path()).unwrap(),
            |reader| assert!(reader.verify().unwrap().is_whole()),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, append, verify);
criterion_main!(benches);
