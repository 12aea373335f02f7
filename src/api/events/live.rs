//! The newest events: read once, however many follow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::api::journal::Journal;
use crate::api::problem::Problem;
use crate::components::Pattern;
use crate::record::Event;

/// So many events are looked at with one query.
const BATCH: usize = 200;

/// So many of the newest are kept, as long as they have no more than so many bytes in all; who is further behind reads the
/// journal.
const KEPT: usize = 1_000;
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// The pause after the journal could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// One event, as it is told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) seq: i64,
    kind: String,
    pub(super) text: String,
}

/// The newest events: all of those behind `floor`, up to `last`.
#[derive(Debug, Default, Clone)]
pub(in crate::api) struct Newest {
    pub(super) floor: i64,
    pub(super) last: i64,
    events: VecDeque<Arc<Told>>,
    bytes: usize,
}

/// What is next behind an entry.
#[derive(Debug)]
pub(super) enum Next {
    /// This event.
    Event(Arc<Told>),
    /// Nothing yet.
    Nothing,
    /// What is older than what is kept.
    Older,
}

impl Told {
    pub(super) fn of(event: Event) -> Self {
        let text = serde_json::to_string(&event).unwrap_or_default();
        Self { seq: event.seq(), kind: event.kind, text }
    }
}

impl Newest {
    pub(super) fn behind(&self, after: i64, pattern: &Pattern) -> Next {
        if after < self.floor {
            return Next::Older;
        }
        let first = self.events.partition_point(|told| told.seq <= after);
        let wanted = self.events.iter().skip(first).find(|told| pattern.wants(&told.kind));
        wanted.map_or(Next::Nothing, |told| Next::Event(Arc::clone(told)))
    }

    fn add(&mut self, told: Told) {
        self.bytes += told.text.len();
        self.events.push_back(told.into());
        while self.events.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.floor = oldest.seq;
            self.bytes -= oldest.text.len();
        }
    }
}

/// Follows the journal until everybody who could ask is gone; `tail` is its last entry.
pub(in crate::api) fn start(
    journal: Journal,
    mut tail: watch::Receiver<i64>,
) -> watch::Receiver<Arc<Newest>> {
    let here = *tail.borrow_and_update();
    let (publish, newest) = watch::channel(Arc::new(Newest { floor: here, last: here, ..Newest::default() }));
    tokio::spawn(async move {
        let gone = publish.clone();
        loop {
            tokio::select! {
                grown = tail.changed() => if grown.is_err() { return },
                () = gone.closed() => return,
            }
            let upto = *tail.borrow_and_update();
            // Where nobody follows nothing is read: one receiver is the one that the next follower is given.
            let known = Newest::clone(&publish.borrow());
            let next = if publish.receiver_count() < 2 {
                Ok(Newest { floor: upto, last: upto, ..Newest::default() })
            } else {
                read(&journal, known, upto).await
            };
            match next {
                Ok(next) => drop(publish.send_replace(next.into())),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    });
    newest
}

/// Reads on, up to this entry at least.
async fn read(journal: &Journal, mut newest: Newest, upto: i64) -> Result<Newest, Problem> {
    loop {
        let after = newest.last;
        let batch = journal.read(move |reader| reader.events_after(after, BATCH)).await?;
        let is_last = batch.len() < BATCH;
        for event in batch {
            newest.last = event.seq();
            newest.add(Told::of(event));
        }
        if is_last {
            newest.last = newest.last.max(upto);
            return Ok(newest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seq: i64, bytes: usize) -> Told {
        Told {
            seq,
            kind: if seq % 2 == 0 { "health.even" } else { "task.odd" }.into(),
            text: "x".repeat(bytes),
        }
    }

    fn seq(next: Next) -> Option<i64> {
        if let Next::Event(told) = next { Some(told.seq) } else { None }
    }

    #[test]
    fn what_is_behind_an_entry_is_found_as_long_as_it_is_kept() {
        let (all, even) = (Pattern::new("*"), Pattern::new("health.*"));
        let mut newest = Newest { floor: 10, last: 10, ..Newest::default() };
        for seq in [12, 13, 16] {
            newest.add(told(seq, 1));
        }
        assert!(matches!(newest.behind(9, &all), Next::Older));
        assert_eq!(seq(newest.behind(10, &all)), Some(12));
        assert_eq!(seq(newest.behind(12, &all)), Some(13));
        assert_eq!(seq(newest.behind(12, &even)), Some(16));
        assert!(matches!(newest.behind(16, &all), Next::Nothing));
        assert!(matches!(newest.behind(99, &all), Next::Nothing));
    }

    #[test]
    fn what_is_kept_has_bounds() {
        let mut newest = Newest::default();
        for seq in 1..=5_000 {
            newest.add(told(seq, 10));
        }
        assert_eq!((newest.events.len(), newest.floor), (KEPT, 4_000));
        newest.add(told(5_001, KEPT_BYTES));
        assert_eq!((newest.events.len(), newest.floor, newest.bytes), (1, 5_000, KEPT_BYTES));
        newest.add(told(5_002, KEPT_BYTES + 1));
        assert_eq!((newest.events.len(), newest.floor, newest.bytes), (0, 5_002, 0));
        assert!(matches!(newest.behind(5_001, &Pattern::new("*")), Next::Older), "the journal has it");
    }
}
