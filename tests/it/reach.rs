//! Where a record does not reach is said, with how far it does.

use std::path::Path;

use crate::daemon::{command, said};

#[test]
fn a_window_in_which_nothing_was_recorded_says_how_far_the_record_reaches() {
    let history = "rules/reflection_service.test.toml::scenario_1_reflection_service_hangs";
    let reach = "the record reaches from 2024-10-04T11:58:30Z to 2024-10-04T12:0";
    // Long before, long after, and between two ticks.
    for window in [
        "2020-01-01T00:00:00Z..2020-01-01T01:00:00Z",
        "2030-01-01T00:00:00Z..2030-01-01T01:00:00Z",
        "2024-10-04T12:00:05Z..2024-10-04T12:00:10Z",
    ] {
        let mut grace = command(Path::new("/nowhere/data"));
        grace.current_dir(env!("CARGO_MANIFEST_DIR")).args(["fixture", "--component", "reflection_service"]);
        let said = said(&grace.args(["--from", window, "--history", history]).output().unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{window}: {said:?}");
        assert!(said.err.contains("no tick was recorded") && said.err.contains(reach), "{window}: {said:?}");
    }
}
