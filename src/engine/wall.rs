//! The wall clock beside Grace's own time: when they part, somebody should know, and nothing else follows from it.

use crate::model::Record;

/// Less is a clock that is being kept right.
const WORTH_TELLING_MS: i64 = 1000;

/// What there is to say when the wall clock is `ahead_ms` before Grace's own time, and was `known_ms` before it when
/// somebody last said so: a person or a time server stepped it, or the machine slept while Grace's time stood still.
#[must_use]
pub fn clock_stepped(known_ms: i64, ahead_ms: i64) -> Option<Record> {
    let by_ms = ahead_ms.saturating_sub(known_ms);
    (by_ms.saturating_abs() > WORTH_TELLING_MS).then_some(Record::ClockStepped { by_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_once_and_a_drift_is_not() {
        assert_eq!(clock_stepped(0, 1000), None);
        assert_eq!(clock_stepped(0, -7_200_000), Some(Record::ClockStepped { by_ms: -7_200_000 }));
        assert_eq!(clock_stepped(-7_200_000, -7_200_000), None);
    }
}
