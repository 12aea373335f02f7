//! The one place that makes numbers of amounts, so that every surface shows the same, to the last digit.
//!
//! Nothing is rounded up: a percentage is cut behind its third digit, so that 100 is said of what was never down.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::Span;

/// A share in thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// So much of that. Of nothing there is no share.
    #[must_use]
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        let share = (i128::from(part) * 100_000).checked_div(i128::from(whole))?;
        u32::try_from(share).ok().map(Self)
    }

    /// A share from 0 to 1.
    #[must_use]
    pub fn of_share(share: f64) -> Option<Self> {
        u32::try_from(thousandths(share * 100.0)).ok().map(Self)
    }

    /// As a number: `99.985`.
    #[must_use]
    pub fn number(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:03} %", self.0 / 1000, self.0 % 1000))
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.number())
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let thousandths = thousandths(f64::deserialize(from)?);
        u32::try_from(thousandths).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A count over a length of time, for each day, cut behind the third digit.
#[must_use]
pub fn per_day(count: u64, length: Span) -> Option<f64> {
    let day = i128::from(Span::minutes(24 * 60).0);
    let thousandths = (i128::from(count) * day * 1000).checked_div(i128::from(length.0))?;
    i64::try_from(thousandths).ok().map(|thousandths| Span(thousandths).as_seconds())
}

#[expect(clippy::cast_possible_truncation, reason = "what is beyond is cut at the ends")]
fn thousandths(number: f64) -> i64 {
    (number * 1000.0).round() as i64
}

/// Lengths as programs read them: seconds, exact to the millisecond.
pub mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::model::Span;

    #[expect(missing_docs, reason = "serde names it")]
    pub fn serialize<S: Serializer>(length: &Span, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(length.as_seconds())
    }

    #[expect(missing_docs, reason = "serde names it")]
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        Ok(Span(super::thousandths(f64::deserialize(from)?)))
    }
}

/// The same where there may be none.
pub mod maybe_seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::Span;

    #[expect(missing_docs, reason = "serde names it")]
    pub fn serialize<S: Serializer>(length: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
        length.map(Span::as_seconds).serialize(to)
    }

    #[expect(missing_docs, reason = "serde names it")]
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.map(|number| Span(super::thousandths(number))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_is_said_of_what_was_never_down_and_nothing_of_nothing() {
        for (part, whole, says) in [
            (0, 0, "-"),
            (0, 5, "0.000 %"),
            (5, 5, "100.000 %"),
            (2, 3, "66.666 %"),
            (7_775_999_999, 7_776_000_000, "99.999 %"),
        ] {
            let share = Percent::of(part, whole);
            assert_eq!(share.map_or("-".into(), |share| share.to_string()), says, "{part} of {whole}");
        }
    }

    #[test]
    fn a_number_comes_back_as_it_was_written() {
        for thousandths in [0, 1, 66_666, 99_985, 99_999, 100_000] {
            let text = serde_json::to_string(&Percent(thousandths)).expect("a number");
            assert_eq!(serde_json::from_str::<Percent>(&text).expect(&text), Percent(thousandths));
        }
        assert_eq!(per_day(7, Span::minutes(30 * 24 * 60)), Some(0.233));
        assert_eq!(per_day(7, Span::ZERO), None);
    }
}
