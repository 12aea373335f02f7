//! Are more tries healed than before, or is it chance? Intervals of shares, by Wilson and Newcombe.
//!
//! Of few tries a share says little. Wilson's score interval (E. B. Wilson, 1927) says between which shares the true one
//! lies, with 95 %, and is sound for few tries and for shares of nothing and of all. For the difference of two shares
//! R. G. Newcombe's hybrid score interval (1998, method 10) is made of the two.

use crate::model::{Effectiveness, Tally};

/// The standard normal distribution's value for 95 % on both sides.
const Z: f64 = 1.959_963_984_540_054;

/// After fewer tries nothing is judged. How many there were before, the interval takes into account.
pub const ENOUGH: u32 = 10;

/// Before and after, held against each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// What it means.
    pub verdict: Effectiveness,
    /// So much more of the tries heal, and between which ends that lies; none where there was no try.
    pub difference: Option<[f64; 3]>,
}

/// The shares between which the true one lies.
#[must_use]
pub fn wilson(tally: Tally) -> Option<[f64; 2]> {
    // Cut behind the digits that are shown, as every share is; what lacks of a whole digit is the machine's.
    ends(tally).map(|ends| ends.map(|end| (end * 100_000.0 + 1e-6).floor() / 100_000.0))
}

fn ends(tally: Tally) -> Option<[f64; 2]> {
    let (share, n) = (tally.ratio()?, f64::from(tally.closed));
    let square = Z * Z;
    let middle = share + square / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    let whole = 1.0 + square / n;
    let end = |end: f64| (end / whole).clamp(0.0, 1.0);
    Some([end(middle - reach), end(middle + reach)])
}

/// How much more of the tries heal after than before: the difference and its ends.
#[must_use]
pub fn difference(before: Tally, after: Tally) -> Option<[f64; 3]> {
    let (first, second) = (before.ratio()?, after.ratio()?);
    let ([low_first, high_first], [low_second, high_second]) = (ends(before)?, ends(after)?);
    let more = second - first;
    let reach = |a: f64, b: f64| (a * a + b * b).sqrt();
    let low = more - reach(second - low_second, high_first - first);
    let high = more + reach(high_second - second, first - low_first);
    Some([more, low, high].map(rounded))
}

/// Did it help? Only what chance does not explain says so; where chance may explain that as much heals as was expected,
/// nobody can say.
#[must_use]
pub fn compare(before: Tally, after: Tally, expects: f64) -> Compared {
    let difference = difference(before, after);
    let verdict = match difference {
        Some(_) if after.closed < ENOUGH => Effectiveness::NotEnoughData,
        Some([_, low, _]) if low > 0.0 => Effectiveness::Helped,
        Some([_, _, high]) if high < 0.0 => Effectiveness::MadeItWorse,
        Some([more, ..]) if more > 0.0 && after.ratio().is_some_and(|share| share >= expects) => {
            Effectiveness::NotEnoughData
        }
        Some(_) => Effectiveness::DidNotHelp,
        None => Effectiveness::NotEnoughData,
    };
    Compared { verdict, difference }
}

/// To the fourth digit: the same in every place that shows it.
fn rounded(share: f64) -> f64 {
    // Nothing is not shown as less than nothing.
    (share * 10_000.0).round() / 10_000.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(healed: u32, closed: u32) -> Tally {
        Tally { closed, healed }
    }

    #[test]
    fn the_ends_are_those_of_the_literature() {
        // Newcombe 1998 (two papers): 81/263, 15/148, 0/20, 1/29 of one share; 56/70 and 48/80, 9/10 and 3/10, 10/10 and
        // 0/20 of two.
        let one = |healed, closed| format!("{:.4?}", wilson(of(healed, closed)).expect("tries ended"));
        assert_eq!(one(81, 263), "[0.2553, 0.3662]");
        assert_eq!(one(15, 148), "[0.0624, 0.1605]");
        assert_eq!(one(0, 20), "[0.0000, 0.1611]");
        let all = [10, 25, 60, 100, 1_000].map(|n| wilson(of(n, n)).expect("tries ended")[1]);
        assert_eq!(format!("{all:?}"), "[1.0, 1.0, 1.0, 1.0, 1.0]");
        assert_eq!(one(1, 29), "[0.0061, 0.1718]");
        let two = |before, after| format!("{:?}", difference(before, after).expect("tries ended"));
        assert_eq!(two(of(48, 80), of(56, 70)), "[0.2, 0.0524, 0.3339]");
        assert_eq!(two(of(3, 10), of(9, 10)), "[0.6, 0.1705, 0.809]");
        assert_eq!(two(of(0, 20), of(10, 10)), "[1.0, 0.6791, 1.0]");
        assert_eq!((wilson(of(0, 0)), difference(of(1, 2), of(0, 0))), (None, None));
    }

    #[test]
    fn only_what_chance_does_not_explain_is_a_verdict() {
        let verdict = |before, after| compare(before, after, 0.5).verdict;
        assert_eq!(verdict(of(0, 10), of(10, 10)), Effectiveness::Helped);
        assert_eq!(verdict(of(4, 10), of(10, 10)), Effectiveness::Helped);
        assert_eq!(verdict(of(1, 10), of(1, 10)), Effectiveness::DidNotHelp);
        assert_eq!(verdict(of(1, 10), of(3, 10)), Effectiveness::DidNotHelp);
        assert_eq!(verdict(of(4, 10), of(7, 10)), Effectiveness::NotEnoughData, "chance may explain it");
        assert_eq!(verdict(of(9, 20), of(0, 20)), Effectiveness::MadeItWorse);
        assert_eq!(verdict(of(0, 10), of(9, 9)), Effectiveness::NotEnoughData);
        assert_eq!(verdict(of(0, 10), of(0, 0)), Effectiveness::NotEnoughData);
        assert_eq!(
            verdict(of(0, 3), of(0, 72)),
            Effectiveness::DidNotHelp,
            "few before are less sure, and no excuse"
        );
        assert_eq!(verdict(of(0, 3), of(72, 72)), Effectiveness::Helped);
    }
}
