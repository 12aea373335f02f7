//! The desk: which worker is there, what each has in hand, and which job comes next.
//!
//! A job is claimed here, in memory, and done in the working database, through the gate. So a job whose
//! worker dies, or whose Grace is killed, is simply open again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::components::database::OpenJob;
use crate::model::{Span, Time};

/// A job over this time counts as stuck. The longest honest one reads a few thousand journal entries.
pub(super) const JOB_TIME: Span = Span::seconds(60);

/// A job that was in hand when so many workers panicked is given up, so that it does not empty the house.
pub(super) const DEADLY: u32 = 3;

/// Jobs whose deaths are remembered.
const REMEMBERED: usize = 256;

/// Called when the last worker is lost.
type Lost = Box<dyn Fn() + Send + Sync>;

/// What the workers share.
pub(super) struct Desk {
    inner: Mutex<Inner>,
    lost: Lost,
}

#[derive(Default)]
struct Inner {
    /// Set while there should be workers: only then is losing the last one a failure.
    open: bool,
    next: u64,
    /// Each worker that is alive, and since when it is at a job.
    seats: BTreeMap<u64, Option<Time>>,
    in_hand: BTreeSet<String>,
    deaths: BTreeMap<String, u32>,
}

/// What the desk looks like at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) workers: usize,
    pub(super) in_hand: usize,
    pub(super) stuck: usize,
}

impl Desk {
    pub(super) fn new(lost: Lost) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), lost })
    }

    /// Says whether there should be workers.
    pub(super) fn set_open(&self, open: bool) {
        self.locked().open = open;
    }

    /// A worker sits down; its seat is free again when the value is dropped, however the worker ends.
    pub(super) fn sit(self: &Arc<Self>) -> Seat {
        let mut inner = self.locked();
        inner.next += 1;
        let id = inner.next;
        inner.seats.insert(id, None);
        Seat { desk: Arc::clone(self), id, job: None }
    }

    /// How many are there, busy and stuck.
    pub(super) fn tally(&self, now: Time) -> Tally {
        let inner = self.locked();
        let over = |since: &&Option<Time>| since.is_some_and(|since| now - since > JOB_TIME);
        Tally {
            workers: inner.seats.len(),
            in_hand: inner.in_hand.len(),
            stuck: inner.seats.values().filter(over).count(),
        }
    }

    /// The jobs in hand. Taken before the open jobs are read, so that a job which ends in between is not
    /// taken for one that nobody has.
    pub(super) fn in_hand(&self) -> BTreeSet<String> {
        self.locked().in_hand.clone()
    }

    /// How many workers panicked over this job.
    pub(super) fn deaths(&self, key: &str) -> u32 {
        self.locked().deaths.get(key).copied().unwrap_or(0)
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One worker's place. It stands for the worker: alive while it exists.
pub(super) struct Seat {
    desk: Arc<Desk>,
    id: u64,
    job: Option<String>,
}

impl Seat {
    /// Takes the first of these jobs that nobody has, and had, in hand.
    pub(super) fn take(&mut self, open: Vec<OpenJob>, had: &BTreeSet<String>, now: Time) -> Option<OpenJob> {
        let mut inner = self.desk.locked();
        let free = |job: &OpenJob| !had.contains(&job.key) && !inner.in_hand.contains(&job.key);
        let job = open.into_iter().find(free)?;
        inner.in_hand.insert(job.key.clone());
        inner.seats.insert(self.id, Some(now));
        drop(inner);
        self.job = Some(job.key.clone());
        Some(job)
    }

    /// The work on the job is over; it stays in hand until its end is written.
    pub(super) fn worked(&self) {
        self.desk.locked().seats.insert(self.id, None);
    }

    /// The end of the job is written.
    pub(super) fn put_down(&mut self) {
        if let Some(key) = self.job.take() {
            let mut inner = self.desk.locked();
            inner.in_hand.remove(&key);
            inner.deaths.remove(&key);
        }
    }

    /// The worker seems to be at something since then.
    pub(super) fn busy_since(&self, since: Time) {
        self.desk.locked().seats.insert(self.id, Some(since));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.desk.locked();
        inner.seats.remove(&self.id);
        if let Some(key) = self.job.take() {
            inner.in_hand.remove(&key);
            if std::thread::panicking() && inner.deaths.len() < REMEMBERED {
                *inner.deaths.entry(key).or_default() += 1;
            }
        }
        let last = inner.open && inner.seats.is_empty();
        drop(inner);
        if last {
            (self.desk.lost)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn desk() -> (Arc<Desk>, Arc<AtomicU32>) {
        let lost = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&lost);
        let desk = Desk::new(Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        (desk, lost)
    }

    fn jobs(keys: &[&str]) -> Vec<OpenJob> {
        keys.iter().map(|key| OpenJob { key: (*key).into(), job: None, at: Time(0) }).collect()
    }

    #[test]
    fn only_the_loss_of_the_last_worker_of_an_open_desk_is_told() {
        let (desk, lost) = desk();
        drop(desk.sit());
        assert_eq!(lost.load(Ordering::Relaxed), 0, "nobody wants workers");
        desk.set_open(true);
        let (one, two) = (desk.sit(), desk.sit());
        drop(one);
        assert_eq!(lost.load(Ordering::Relaxed), 0, "one is left");
        drop(two);
        assert_eq!(lost.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_job_has_one_worker_and_is_open_again_when_that_one_dies() {
        let (desk, _) = desk();
        let (mut one, mut two) = (desk.sit(), desk.sit());
        let none = BTreeSet::new();
        assert_eq!(one.take(jobs(&["a", "b"]), &none, Time(0)).expect("a").key, "a");
        assert_eq!(two.take(jobs(&["a", "b"]), &none, Time(0)).expect("b").key, "b");
        drop(one);
        assert_eq!(desk.sit().take(jobs(&["a", "b"]), &none, Time(0)).expect("again").key, "a");
    }

    #[test]
    fn a_job_that_ended_while_the_list_was_read_is_not_taken_again() {
        let (desk, _) = desk();
        let (mut one, mut two) = (desk.sit(), desk.sit());
        one.take(jobs(&["a"]), &BTreeSet::new(), Time(0)).expect("taken");
        let had = desk.in_hand();
        let stale = jobs(&["a"]);
        one.put_down();
        assert_eq!(two.take(stale, &had, Time(0)), None);
    }

    #[test]
    fn a_job_over_its_time_is_stuck_until_its_work_is_over() {
        let (desk, _) = desk();
        let mut seat = desk.sit();
        seat.take(jobs(&["a"]), &BTreeSet::new(), Time(0)).expect("taken");
        let late = Time(0) + JOB_TIME + Span(1);
        assert_eq!(desk.tally(late), Tally { workers: 1, in_hand: 1, stuck: 1 });
        seat.worked();
        assert_eq!(desk.tally(late).stuck, 0);
    }

    #[test]
    fn deaths_are_counted_by_job_and_forgotten_when_it_is_done() {
        let (desk, _) = desk();
        for _ in 0..DEADLY {
            let mut seat = desk.sit();
            seat.take(jobs(&["a"]), &BTreeSet::new(), Time(0)).expect("taken");
            let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _seat = seat;
                panic!("a job that kills");
            }));
            assert!(died.is_err());
        }
        assert_eq!(desk.deaths("a"), DEADLY);
        let mut seat = desk.sit();
        seat.take(jobs(&["a"]), &BTreeSet::new(), Time(0)).expect("taken");
        seat.put_down();
        assert_eq!(desk.deaths("a"), 0);
    }
}
