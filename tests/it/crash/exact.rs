//! A share of the exact points at which Grace, a keeper or a launch is killed. `cargo bench --bench crash` takes them all.

use std::time::Duration;

use super::harness::home::Home;
use super::harness::points::{self, Random};
use super::harness::scenario;

/// So many points; the whole sweep has thousands.
const POINTS: usize = 80;

/// So many lives at the same time: most of a life is waiting.
const HANDS: usize = 4;

#[test]
fn killed_at_any_call_nothing_is_lost_and_nothing_doubled() {
    let home = Home::new();
    let (story, traced) = scenario::live(&home, None).unwrap_or_else(|why| panic!("{why}\n{}", home.text("log")));
    assert!(traced.status.success() && story.chapters == 8, "{story:?} {}", home.text("log"));
    let points: usize = std::env::var("GRACE_POINTS").ok().and_then(|text| text.parse().ok()).unwrap_or(POINTS);
    let points = points::spread(&traced.counts, points, &mut Random(0x9e37_79b9_7f4a_7c15));
    let tally = points::take(&points, HANDS, Duration::from_secs(3000), |_, _| {});
    assert!(tally.failures.is_empty(), "{} failures\n{}", tally.failures.len(), tally.failures.join("\n----\n"));
    let hit: usize = tally.calls.values().map(|(hit, _)| hit).sum();
    assert!(hit * 10 > points.len() * 8, "most points are reached: {:?}", tally.calls);
}
