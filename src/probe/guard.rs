//! The kind `guard`: what could show that somebody works against Grace. Others note what they see, and the probe tells it.
//!
//! Everything here is bounded: whoever floods Grace with requests or steps of the clock fills a few counters.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Folder;
use crate::model::Reading;

/// So long a look waits for the first walk along the journal, which a short one has done by then on a busy machine
/// too. It is less than a probe may take, and no tick waits for a probe that is late.
const WALKING: Duration = Duration::from_millis(1_500);

/// Refused requests are told for so long.
const REFUSED: Duration = Duration::from_mins(5);

/// They are counted in portions of so long.
const PORTION: Duration = Duration::from_secs(5);

/// Steps of the clock are told for so long.
const STEPPED: Duration = Duration::from_hours(1);

/// So many steps are remembered; of more the oldest are added up.
const STEPS: usize = 64;

/// That the rules were changed while nobody looked is told for so long.
const CHANGED: Duration = Duration::from_hours(24);

/// What was noted.
#[derive(Debug)]
pub struct Guard {
    /// The folder with the rules and policies.
    folder: PathBuf,
    noted: Mutex<Noted>,
    walked: Condvar,
}

#[derive(Debug)]
struct Noted {
    /// Nothing before all of it was walked once.
    whole: Option<bool>,
    rules_changed: Option<Instant>,
    program_changed: bool,
    /// When a portion began, and how many were refused in it.
    refused: VecDeque<(Instant, i64)>,
    stepped_back: VecDeque<(Instant, f64)>,
}

impl Guard {
    /// A guard over what rules and policies lie there.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        let noted = Noted {
            whole: None,
            rules_changed: None,
            program_changed: false,
            refused: VecDeque::new(),
            stepped_back: VecDeque::new(),
        };
        Self { folder, noted: Mutex::new(noted), walked: Condvar::new() }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal's chain holds, or not.
    pub fn journal(&self, whole: bool) {
        self.noted().whole = Some(whole);
        self.walked.notify_all();
    }

    /// At the start the rules were others than those that were active.
    pub fn rules_were_changed(&self) {
        self.noted().rules_changed = Some(Instant::now());
    }

    /// Somebody who may made another generation active.
    pub fn rules_are_meant(&self) {
        self.noted().rules_changed = None;
    }

    /// Grace's own program is another one than at the start before.
    pub fn program_was_changed(&self) {
        self.noted().program_changed = true;
    }

    /// A request was refused for want of a right.
    pub fn refused(&self) {
        self.noted().refuse(Instant::now());
    }

    /// The wall clock was stepped; forwards is no sign of anything.
    pub fn clock_stepped(&self, by_ms: i64) {
        self.noted().step(by_ms, Instant::now());
    }

    /// The facts. Reading the files blocks.
    #[must_use]
    pub fn facts(&self) -> BTreeMap<String, Reading> {
        let unsafe_files = Folder::read(&self.folder).is_unsafe();
        let noted = self.noted();
        let waited = self.walked.wait_timeout_while(noted, WALKING, |noted| noted.whole.is_none());
        let mut noted = waited.unwrap_or_else(PoisonError::into_inner).0;
        let now = Instant::now();
        noted.forget(now);
        let recently = |at: Instant| now.duration_since(at) < CHANGED;
        let refused: i64 = noted.refused.iter().map(|(_, count)| count).sum();
        let back: f64 = noted.stepped_back.iter().map(|(_, seconds)| seconds).sum();
        BTreeMap::from([
            ("journal_whole".to_owned(), noted.whole.map_or(Reading::Missing, Reading::from)),
            ("rules_changed".to_owned(), noted.rules_changed.is_some_and(recently).into()),
            ("rules_unsafe".to_owned(), unsafe_files.into()),
            ("binary_changed".to_owned(), noted.program_changed.into()),
            ("refused_requests".to_owned(), refused.into()),
            // Nothing is no negative number, and `-0.0` would be shown as one.
            ("clock_back_s".to_owned(), Reading::float(back + 0.0)),
        ])
    }
}

impl Noted {
    fn refuse(&mut self, now: Instant) {
        self.forget(now);
        match self.refused.back_mut() {
            Some((began, count)) if now.duration_since(*began) < PORTION => *count = count.saturating_add(1),
            _ => self.refused.push_back((now, 1)),
        }
    }

    fn step(&mut self, by_ms: i64, now: Instant) {
        if by_ms >= 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, and only a measure beyond")]
        let seconds = by_ms.unsigned_abs() as f64 / 1000.0;
        self.stepped_back.push_back((now, seconds));
        if self.stepped_back.len() > STEPS
            && let (Some((_, oldest)), Some((_, next))) =
                (self.stepped_back.pop_front(), self.stepped_back.front_mut())
        {
            *next += oldest;
        }
    }

    fn forget(&mut self, now: Instant) {
        self.refused.retain(|(began, _)| now.duration_since(*began) < REFUSED);
        self.stepped_back.retain(|(at, _)| now.duration_since(*at) < STEPPED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_in_few_portions_and_forgotten_after_its_time() {
        let guard = Guard::new(PathBuf::from("/nonexistent"));
        let began = Instant::now();
        let mut noted = guard.noted();
        for number in 0..1_000_000 {
            noted.refuse(began + Duration::from_millis(number));
        }
        assert!(noted.refused.len() <= 61, "{}", noted.refused.len());
        noted.forget(began + Duration::from_secs(1_000) + REFUSED);
        assert!(noted.refused.is_empty());
        for _ in 0..10_000 {
            noted.step(-1_000, began);
        }
        noted.step(5_000, began);
        let back: f64 = noted.stepped_back.iter().map(|(_, seconds)| seconds).sum();
        assert!(noted.stepped_back.len() == STEPS && (back - 10_000.0).abs() < 1e-6, "{back}");
        noted.forget(began + STEPPED);
        assert!(noted.stepped_back.is_empty());
    }

    #[test]
    fn what_was_noted_is_told() {
        let guard = Guard::new(PathBuf::from("/nonexistent"));
        let told = |name: &str| guard.facts().get(name).cloned();
        assert_eq!(told("rules_changed"), Some(false.into()));
        assert_eq!(told("journal_whole"), Some(Reading::Missing), "nobody has walked it yet");
        guard.rules_were_changed();
        guard.journal(false);
        assert_eq!(told("rules_changed"), Some(true.into()));
        assert_eq!(told("journal_whole"), Some(false.into()));
        guard.rules_are_meant();
        assert_eq!(told("rules_changed"), Some(false.into()));
    }
}
