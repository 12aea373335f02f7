//! The claim that Grace makes at a start when she must not act by herself.

use std::fs;
use std::path::Path;

use grace::config;
use grace::engine::{Bundle, State, adopt, caution};
use grace::model::{Record, Time};

use crate::scenarios::laid_over;

fn with_modes(modes: &str) -> Bundle {
    let dir = laid_over(Path::new("/nowhere"));
    fs::write(dir.path().join("policies/modes.toml"), modes).expect("written");
    // Rules that set modes of the shipped files are not what this is about.
    for rule in
        ["database", "grace", "hunter", "reflection_service", "task_executor", "trigger_mesh", "meta_loop"]
    {
        let _ = fs::remove_file(dir.path().join(format!("rules/{rule}.toml")));
    }
    let rule = "[probe.p]\nkind = \"builtin\"\n[status]\ncritical = '!p.running'\n";
    fs::write(dir.path().join("rules/trigger_mesh.toml"), rule).expect("written");
    config::load(dir.path()).unwrap_or_else(|report| panic!("{:?}", grace::say::short(&report))).bundle
}

fn start(bundle: &Bundle) -> State {
    adopt(bundle, None, &State::default(), Time(5_000)).state
}

#[test]
fn it_claims_observation_only_or_the_mildest_mode_that_heals_nothing() {
    let normal = "mode.normal = { rank = 0, permits = [\"heal\", \"control\", \"write\"], to = { rule = [\"*\"], person = [\"*\"] } }\n";
    let still = |name: &str, rank: i64, permits: &str| {
        format!(
            "mode.{name} = {{ rank = {rank}, permits = [{permits}], to = {{ rule = [\"*\"], person = [\"*\"] }} }}\n"
        )
    };
    let (watch, quiet) = (still("observation_only", 2, "\"write\""), still("quiet", 1, "\"write\""));
    let (odd, dark) = (still("observation_only", 2, "\"heal\""), still("dark", 9, ""));
    for (modes, wanted) in [
        (format!("{watch}{quiet}{dark}"), "observation_only"),
        (format!("{quiet}{dark}"), "quiet"),
        (format!("{odd}{dark}"), "dark"),
        (odd.clone(), "observation_only"),
    ] {
        let bundle = with_modes(&format!("initial = \"normal\"\n{normal}{modes}"));
        let mut state = start(&bundle);
        let records = caution(&bundle, &mut state, "journal", "it was replaced");
        assert_eq!(state.governed.mode.as_str(), wanted, "{modes}");
        assert!(
            matches!(&records[..], [Record::Claimed { .. }, Record::ModeChanged { .. }]),
            "{modes}: {records:?}"
        );
        let again = caution(&bundle, &mut state, "journal", "once more");
        assert!(again.is_empty() && state.governed.claims.len() == 1, "{modes}: {again:?}");
    }
}

#[test]
fn a_mode_that_no_edge_leads_to_counts_all_the_same() {
    let bundle = with_modes(
        "initial = \"normal\"
         mode.normal = { rank = 0, permits = [\"heal\", \"control\", \"write\"], to = { rule = [], person = [\"*\"] } }
         mode.observation_only = { rank = 1, permits = [\"control\", \"write\"], to = { rule = [], person = [\"*\"] } }",
    );
    let mut state = start(&bundle);
    let records = caution(&bundle, &mut state, "journal", "it was replaced");
    assert!(matches!(&records[..], [Record::Claimed { .. }]), "{records:?}");
    assert_eq!(state.governed.mode.as_str(), "normal");
    assert!(!bundle.permitted(&state).heal);
}
