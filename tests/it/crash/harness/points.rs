//! Which points there are, which of them are taken, and what came of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::calls::Call;
use super::home::Home;
use super::trace::{Deed, Point};
use super::{checks, scenario};

/// What came of many points.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Per kind of call: how many deaths, and how many lives that ended before they came to their point.
    pub(crate) calls: BTreeMap<Call, (usize, usize)>,
    pub(crate) failures: Vec<String>,
}

/// A small generator (xorshift), so that a seed gives the same points again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}

/// Every point of a run in which there were so many calls, before and behind each.
pub(crate) fn all(counts: &BTreeMap<Call, u64>) -> Vec<Point> {
    let deeds = [Deed::KillBefore, Deed::KillAfter];
    let each = |(call, count): (&Call, &u64)| {
        let call = call.clone();
        (1..=*count).flat_map(move |nth| {
            let call = call.clone();
            deeds.map(|deed| Point { call: call.clone(), nth, deed })
        })
    };
    // The last words of a launch are those of the program it became.
    counts.iter().flat_map(each).collect()
}

/// So many points, evenly over the kinds of calls first, and then whatever there is, again and again if need be.
pub(crate) fn spread(counts: &BTreeMap<Call, u64>, wanted: usize, random: &mut Random) -> Vec<Point> {
    let mut kinds: Vec<Vec<Point>> = Vec::new();
    for point in all(counts) {
        match kinds.last_mut() {
            Some(kind) if kind.first().is_some_and(|first| first.call == point.call) => kind.push(point),
            _ => kinds.push(vec![point]),
        }
    }
    let mut taken = Vec::new();
    while taken.len() < wanted && !counts.is_empty() {
        let mut left = kinds.clone();
        while taken.len() < wanted && left.iter().any(|kind| !kind.is_empty()) {
            for kind in left.iter_mut().filter(|kind| !kind.is_empty()) {
                let at = random.below(kind.len());
                taken.push(kind.swap_remove(at));
            }
        }
    }
    taken.truncate(wanted);
    taken
}

/// One point from beginning to end.
///
/// # Errors
/// What did not hold, and all that was said.
fn one(point: &Point) -> Result<bool, String> {
    let home = Home::new();
    let lived = scenario::live(&home, Some(point)).and_then(|(story, traced)| {
        let behind = checks::behind(&home)?;
        checks::afterwards(&home, &behind, &story)
            .map(|()| traced.hit)
            .map_err(|why| format!("{why}\n{story:?} {}", traced.status))
    });
    lived.map_err(|why| {
        for pid in checks::using(&home.path("marker"), &home.data()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        format!("{:?} {} of {}: {why}\n{}", point.deed, point.nth, point.call, home.text("log"))
    })
}

/// Takes all points, several at the same time, for as long as there is time.
pub(crate) fn take(points: &[Point], hands: usize, within: Duration, tell: impl Fn(usize, &Tally) + Sync) -> Tally {
    let (next, tally, began) = (AtomicUsize::new(0), Mutex::new(Tally::default()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..hands {
            scope.spawn(|| {
                while began.elapsed() < within
                    && let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let came = one(point);
                    let mut tally = tally.lock().expect("no panic");
                    let counts = tally.calls.entry(point.call.clone()).or_default();
                    match came {
                        Ok(true) => counts.0 += 1,
                        Ok(false) => counts.1 += 1,
                        Err(why) => tally.failures.push(why),
                    }
                    let done = tally.calls.values().map(|(hit, missed)| hit + missed).sum();
                    tell(done, &tally);
                }
            });
        }
    });
    tally.into_inner().expect("no panic")
}
