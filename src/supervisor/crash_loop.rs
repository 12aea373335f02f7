//! A crash loop of Grace herself: too many short lives one after the other, each ended by something else than a stop.

use crate::engine::{CRASH_LOOP, caution_key};
use crate::model::{GenerationId, Span, Time};
use crate::record::{Journal, JournalError, Life};

/// A life that ended earlier than that was a short one.
const SHORT: Span = Span::seconds(60);

/// So many lives are looked back upon: a loop of one a second is seen through for more than an hour.
const LOOK_BACK: usize = 5_000;

/// A crash loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CrashLoop {
    /// So many short lives there were in a row.
    pub(super) exits: u32,
    /// In this time.
    pub(super) within: Span,
    /// The generation under which Grace lived well last.
    pub(super) good: Option<GenerationId>,
}

/// Finds a crash loop in what the journal tells of the lives before this one.
pub(super) fn find(
    journal: &Journal,
    now: Time,
    limit: (u32, Span),
) -> Result<Option<CrashLoop>, JournalError> {
    let ended = journal.claim_ended(&caution_key(CRASH_LOOP))?;
    Ok(judge(&journal.lives(LOOK_BACK, is_good)?, ended, now, limit))
}

/// A life that was long enough, or that somebody ended.
fn is_good(life: &Life) -> bool {
    life.stopped || life.last - life.began >= SHORT
}

/// `lives` are the newest first. Those up to the entry `ended` are forgiven: a person has looked since.
fn judge(lives: &[Life], ended: i64, now: Time, (max, within): (u32, Span)) -> Option<CrashLoop> {
    let short = lives.iter().take_while(|life| !is_good(life));
    let exits = short.filter(|life| life.seq > ended && now - life.last <= within).count();
    let exits = u32::try_from(exits).unwrap_or(u32::MAX);
    let good = lives.iter().find(|life| is_good(life)).map(|life| life.generation.clone());
    (exits >= max).then_some(CrashLoop { exits, within, good })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lives from text, the oldest first: seconds they lasted, `!` for a stop; each ten seconds after the other.
    fn lives(text: &str) -> Vec<Life> {
        let (mut now, mut lives) = (0, Vec::new());
        for (seq, word) in (1..).zip(text.split_whitespace()) {
            let lasted: i64 = word.trim_end_matches('!').parse().unwrap();
            let (began, last) = (Time(now), Time(now) + Span::seconds(lasted));
            let generation = GenerationId::from(format!("g{seq}"));
            lives.push(Life { seq, generation, began, last, stopped: word.ends_with('!') });
            now = last.0 + 10_000;
        }
        lives.reverse();
        lives
    }

    #[test]
    fn three_short_lives_in_a_row_are_a_loop() {
        for (text, ended, exits, good) in [
            ("1 1", 0, None, None),
            ("1 1 1", 0, Some(3), None),
            ("90! 1 59 1 1", 0, Some(4), Some("g1")),
            ("90 1 1 1", 0, Some(3), Some("g1")),
            ("5! 90 1 1 1", 0, Some(3), Some("g2")),
            ("1 1 1!", 0, None, None),
            ("1 1 1! 1 1", 0, None, None),
            ("1 1 60 1", 0, None, None),
            ("1 1 1 1", 2, None, None),
            ("1 1 1 1 1", 2, Some(3), None),
            // The first two are too long ago.
            ("1 1 1 590! 1 1", 0, None, None),
            ("40 40 40 40 40 40 40 40 40 40 40 40 40 40 40 40", 0, Some(12), None),
        ] {
            let lives = lives(text);
            let now = lives[0].last + Span::seconds(10);
            let found = judge(&lives, ended, now, (3, Span::minutes(10)));
            let told =
                found.as_ref().map(|found| (found.exits, found.good.as_ref().map(GenerationId::as_str)));
            assert_eq!(told, exits.map(|exits| (exits, good)), "{text}");
            assert_eq!(judge(&lives, ended, now + Span::minutes(60), (3, Span::minutes(10))), None, "{text}");
        }
    }

    #[test]
    fn a_wall_clock_that_goes_back_forgives_nothing() {
        let lives = lives("1 1 1");
        assert!(judge(&lives, 0, Time(0) - Span::minutes(60), (3, Span::minutes(10))).is_some());
    }
}
