//! What can be seen of processes from outside: their age, and what they and their children use.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use procfs::Current;
use procfs::process::{Process, Stat};

use crate::model::Reading;
use crate::services::identity::Identity;
use crate::services::table::Table;

/// What was seen last, for what only two looks together can tell.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    at: Instant,
    ticks: u64,
    /// The process that had run longest.
    pub(crate) oldest: Identity,
}

/// The facts of these processes, named as in the schema of the kind `process`. `wanted`, `orphans`, `exits` and
/// `exit_code` are for whoever keeps them to say.
pub fn facts(mains: &[Identity], table: &Table, last: &mut Option<Sample>) -> BTreeMap<String, Reading> {
    let mut facts = BTreeMap::from([
        ("running".to_owned(), Reading::from(!mains.is_empty())),
        ("workers".to_owned(), count(mains.len())),
    ]);
    let Some(oldest) = mains.iter().min_by_key(|main| main.start).copied() else { return facts };
    let mut tree = table.descendants(mains);
    tree.extend(mains);
    let youngest = mains.iter().map(|main| main.start).max().unwrap_or(oldest.start);
    let now = Sample { at: Instant::now(), ticks: of(&tree, table).map(used).sum(), oldest };
    let before = last.replace(now);
    let changed = before.is_some_and(|before| before.oldest != oldest);
    let before = before.filter(|_| !changed);
    let resident: u64 = of(&tree, table).map(|stat| stat.rss.saturating_mul(procfs::page_size())).sum();
    facts.extend([
        ("pid".to_owned(), Reading::from(i64::from(oldest.pid))),
        ("changed".to_owned(), Reading::from(changed)),
        ("age_s".to_owned(), Reading::float(age_s(youngest))),
        ("cpu_ratio".to_owned(), Reading::float(share(before, now))),
        ("resident_bytes".to_owned(), Reading::float(float(resident))),
        ("descriptors".to_owned(), descriptors(mains)),
        ("tree".to_owned(), count(tree.len())),
    ]);
    facts
}

fn of<'t>(tree: &'t BTreeSet<Identity>, table: &'t Table) -> impl Iterator<Item = &'t Stat> {
    tree.iter().filter_map(|one| table.stat(*one))
}

/// The processor time a process has used, in clock ticks.
fn used(stat: &Stat) -> u64 {
    stat.utime.saturating_add(stat.stime)
}

/// The share of one core since the last look; at the first one since the start.
fn share(before: Option<Sample>, now: Sample) -> f64 {
    let (ticks, seconds) = match before {
        // Children that ended take their time along: then the difference may be below nothing.
        Some(before) => {
            (now.ticks.saturating_sub(before.ticks), now.at.duration_since(before.at).as_secs_f64())
        }
        None => (now.ticks, age_s(now.oldest.start)),
    };
    if seconds > 0.0 { float(ticks) / float(procfs::ticks_per_second()) / seconds } else { 0.0 }
}

/// How long a process runs that was begun at this tick of the kernel's clock.
fn age_s(start: u64) -> f64 {
    let up = procfs::Uptime::current().map_or(0.0, |uptime| uptime.uptime);
    (up - float(start) / float(procfs::ticks_per_second())).max(0.0)
}

/// Open files of the processes; missing where we may not look.
fn descriptors(mains: &[Identity]) -> Reading {
    let each = mains.iter().map(|main| Process::new(main.pid).and_then(|process| process.fd_count()));
    each.sum::<Result<usize, _>>().map_or(Reading::Missing, count)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, and only a measure beyond")]
fn float(number: u64) -> f64 {
    number as f64
}

/// A number of things as a reading.
#[must_use]
pub fn count(number: usize) -> Reading {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
