//! Which points there are, which of them are taken, and what came of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::calls::Call;
use super::home::Home;
use super::tools::{Mould, Tool};
use super::trace::{Deed, Point};
use super::{checks, scenario};

/// What is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    /// A whole life.
    Life,
    /// A command.
    Tool(Tool),
}

/// A scene and a kind of call in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) scene: Scene,
    pub(crate) call: Call,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scene {
            Scene::Life => write!(f, "{}", self.call),
            Scene::Tool(tool) => write!(f, "{tool:?}: {}", self.call),
        }
    }
}

/// Where each life is cut, and everything it takes.
pub(crate) struct Stage {
    mould: Mould,
    /// So many calls of each kind are in a life or a command that nobody cuts short.
    pub(crate) counts: BTreeMap<Kind, u64>,
}

/// What came of many points.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Per kind: how many met their point, and how many ended before they came to it.
    pub(crate) kinds: BTreeMap<Kind, (usize, usize)>,
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

/// One point of one scene.
pub(crate) type Cut = (Scene, Point);

impl Stage {
    /// Lives every scene once without a death.
    ///
    /// # Errors
    /// Something does not even work then; or nobody may trace here.
    pub(crate) fn new() -> Result<Self, String> {
        let home = Home::new();
        let (story, traced) =
            scenario::live(&home, None).map_err(|why| format!("{why}\n{}", home.text("log")))?;
        if !traced.status.success() || story.chapters < 9 || !story.approved {
            return Err(format!("{story:?} {}\n{}", traced.status, home.text("log")));
        }
        let mould = Mould::new()?;
        let mut counts = BTreeMap::new();
        let mut add = |scene, calls: BTreeMap<Call, u64>| {
            counts.extend(calls.into_iter().map(|(call, count)| (Kind { scene, call }, count)));
        };
        add(Scene::Life, traced.counts);
        for tool in [Tool::Backup, Tool::Restore, Tool::Migrate] {
            add(Scene::Tool(tool), mould.counts(tool)?);
        }
        Ok(Self { mould, counts })
    }

    /// Every death: before and behind each call.
    pub(crate) fn deaths(&self) -> Vec<Vec<Cut>> {
        let each = |(kind, count): (&Kind, &u64)| cuts(kind, *count, &[Deed::KillBefore, Deed::KillAfter]);
        self.counts.iter().map(each).collect()
    }

    /// Every call to the disk in a life that fails: once, or from then on, or with everything behind it, as on a disk
    /// that died or that the kernel made read-only (which nobody can do from outside while files are open).
    pub(crate) fn faults(&self) -> Vec<Vec<Cut>> {
        let about_files =
            self.counts.iter().filter(|(kind, _)| kind.scene == Scene::Life && !kind.call.file.is_empty());
        let each = |(kind, count): (&Kind, &u64)| {
            let room = ["write", "pwrite64", "ftruncate", "fallocate"].contains(&kind.call.name);
            let errors = if room { &[Errno::EIO, Errno::ENOSPC][..] } else { &[Errno::EIO] };
            let each = errors.iter().flat_map(|error| [Deed::Fail(*error), Deed::FailFromNow(*error)]);
            let deeds: Vec<Deed> = each.chain([Errno::EIO, Errno::EROFS].map(Deed::DiskFails)).collect();
            cuts(kind, *count, &deeds)
        };
        about_files.map(each).collect()
    }

    /// One point from beginning to end.
    ///
    /// # Errors
    /// What did not hold, and all that was said.
    fn take(&self, (scene, point): &Cut) -> Result<bool, String> {
        let came = match scene {
            Scene::Life => cut_short(point),
            Scene::Tool(tool) => self.mould.die(*tool, point),
        };
        came.map_err(|why| format!("{:?}, {} of {}: {why}", point.deed, point.nth, point.call))
    }
}

fn cuts(kind: &Kind, count: u64, deeds: &[Deed]) -> Vec<Cut> {
    let points = (1..=count).flat_map(|nth| deeds.iter().map(move |deed| (nth, *deed)));
    points.map(|(nth, deed)| (kind.scene, Point { call: kind.call.clone(), nth, deed })).collect()
}

fn cut_short(point: &Point) -> Result<bool, String> {
    let home = Home::new();
    let lived = scenario::live(&home, Some(point)).and_then(|(story, traced)| {
        let ended = traced.status.code();
        let fails = point.deed.is_fault();
        let behind = checks::behind(&home)?;
        checks::afterwards(&home, &behind, &story)
            .and_then(|()| if fails { checks::ended_well(&home, ended) } else { Ok(()) })
            .map(|()| traced.hit)
            .map_err(|why| format!("{why}\n{story:?} {}", traced.status))
    });
    lived.map_err(|why| {
        for pid in checks::using(&home.path("marker"), &home.data()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        format!("{why}\n{}", home.text("log"))
    })
}

/// So many points, evenly over the kinds first, and then whatever there is, again and again if need be.
pub(crate) fn spread(kinds: &[Vec<Cut>], wanted: usize, random: &mut Random) -> Vec<Cut> {
    let mut taken = Vec::new();
    while taken.len() < wanted && kinds.iter().any(|kind| !kind.is_empty()) {
        let mut left = kinds.to_vec();
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

/// Takes all points, several at the same time, for as long as there is time.
pub(crate) fn take(
    stage: &Stage,
    cuts: &[Cut],
    (hands, within): (usize, Duration),
    tell: impl Fn(usize, &Tally) + Sync,
) -> Tally {
    let (next, tally, began) = (AtomicUsize::new(0), Mutex::new(Tally::default()), Instant::now());
    let work = || {
        while began.elapsed() < within
            && let Some(cut) = cuts.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let came = stage.take(cut);
            let mut tally = tally.lock().expect("no panic");
            let kind = Kind { scene: cut.0, call: cut.1.call.clone() };
            let counts = tally.kinds.entry(kind).or_default();
            match came {
                Ok(true) => counts.0 += 1,
                Ok(false) => counts.1 += 1,
                Err(why) => tally.failures.push(why),
            }
            tell(tally.done(), &tally);
        }
    };
    std::thread::scope(|scope| (0..hands).for_each(|_| drop(scope.spawn(work))));
    tally.into_inner().expect("no panic")
}

impl Tally {
    /// So many points are done.
    pub(crate) fn done(&self) -> usize {
        self.kinds.values().map(|(hit, missed)| hit + missed).sum::<usize>() + self.failures.len()
    }

    /// So many met their point.
    pub(crate) fn hit(&self) -> usize {
        self.kinds.values().map(|(hit, _)| hit).sum()
    }
}
