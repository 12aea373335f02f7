//! A share of the exact points at which Grace, a keeper or a launch is killed, and of the calls to a disk that fail.
//! `cargo bench --bench crash` takes as many as one likes.

use std::sync::OnceLock;
use std::time::Duration;

use super::harness::points::{self, Cut, Random, Stage};

/// So many deaths and so many faults; there are thousands of each.
const DEATHS: usize = 60;
const FAULTS: usize = 16;

/// So many lives at the same time: most of a life is waiting.
const HANDS: usize = 2;

/// On a busy machine it is fewer: no point is begun later than this.
const WITHIN: Duration = Duration::from_secs(80);

/// But never fewer than this.
const LEAST: usize = 6;

/// Lived through once for all tests; nothing where nobody may trace.
fn stage() -> Option<&'static Stage> {
    static STAGE: OnceLock<Result<Stage, String>> = OnceLock::new();
    match STAGE.get_or_init(Stage::new) {
        Ok(stage) => Some(stage),
        Err(why) if why.contains("cannot be traced here") => {
            crate::services::skip(why);
            None
        }
        Err(why) => panic!("{why}"),
    }
}

fn share(kinds: fn(&Stage) -> Vec<Vec<Cut>>, many: usize) {
    let Some(stage) = stage() else { return };
    let cuts = points::spread(&kinds(stage), many, &mut Random(0x9e37_79b9_7f4a_7c15));
    let tally = points::take(stage, &cuts, (HANDS, WITHIN), |_, _| {});
    assert!(
        tally.failures.is_empty(),
        "{} failures\n{}",
        tally.failures.len(),
        tally.failures.join("\n----\n")
    );
    let (hit, done) = (tally.hit(), tally.done());
    assert!(done >= LEAST && hit * 10 > done * 7, "{hit} of {done} points were met: {:?}", tally.kinds);
}

#[test]
fn killed_at_any_call_nothing_is_lost_and_nothing_doubled() {
    share(Stage::deaths, DEATHS);
}

#[test]
fn a_disk_that_fails_costs_nothing_acknowledged_and_lets_nothing_act_unwritten() {
    share(Stage::faults, FAULTS);
}
