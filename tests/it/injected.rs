//! Faults that a rehearsal injects.

use grace::model::Span;
use grace::replay::simulate::{Plan, Rehearsal};

use crate::histories::{HANGS, bundle, recorded};
use crate::simulate::simulate;

#[test]
fn each_fault_strikes_by_itself_and_says_how_often() {
    let (history, rules) = (recorded(HANGS), bundle(&[]));
    let run = |faults: &[&str]| {
        let inject = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        simulate(&history, &rules, None, &Plan { inject, seed: 1, ..Plan::default() })
    };
    let struck = |found: &Rehearsal| found.faults.iter().map(|one| one.times).collect::<Vec<_>>();
    // Not once in two hours of these; a rehearsal of nothing is no success.
    let none = run(&["down database for 1m every 3000d", "failing-heals all 0%"]);
    assert_eq!(struck(&none), [0, 0]);
    assert_eq!(none.warnings().len(), 2, "{:?}", none.warnings());
    assert!(none.is_same() && !none.is_doubtful());
    assert!(none.certain.iter().all(|one| (one.exact - 1.0).abs() < 1e-9), "{:?}", none.certain);
    // The first hang has three tries, and nothing is tried behind them.
    let fails = run(&["failing-heals reflection_service 100%"]);
    assert!(struck(&fails) == [3] && fails.warnings().is_empty(), "{:?}", fails.faults);
    // Two failures of one component that overlap: each begins once, and what was healed stays well.
    let ill = |found: &Rehearsal| {
        found
            .critical
            .iter()
            .find(|of| of.component.as_str() == "trigger_mesh")
            .map_or(Span::ZERO, |of| of.after_ms)
    };
    let one = run(&["down trigger_mesh for 20m every 30m"]);
    let both = run(&["down trigger_mesh for 20m every 30m", "down trigger_mesh for 20m every 31m"]);
    assert_eq!((struck(&one), struck(&both)), (vec![4], vec![4, 5]));
    assert!(ill(&both) <= Span(ill(&one).0 * 3), "{} and {}", ill(&one), ill(&both));
}

/// The hands break off what takes a minute, in a rehearsal as in production: it heals nothing and is tried again.
#[test]
fn a_heal_that_takes_too_long_is_broken_off() {
    let (history, rules) = (recorded(HANGS), bundle(&[]));
    let run = |fault: &str| {
        simulate(&history, &rules, None, &Plan { inject: vec![fault.parse().unwrap()], ..Plan::default() })
    };
    let restarts =
        |found: &Rehearsal| found.actions.iter().find(|of| of.action == "restart").map(|of| of.after);
    let (slow, late) = (run("slow-heals reflection_service 20s"), run("slow-heals reflection_service 5m"));
    assert_eq!(restarts(&slow), Some(3), "each of three hangs is healed: {:?}", slow.actions);
    let entered = late.modes.iter().find(|mode| mode.mode.as_str() == "observation_only");
    assert!(entered.is_some_and(|mode| mode.entered_after > 0) && !late.is_same(), "{:?}", late.modes);
    // It is ill for longer, though every act is the same.
    assert!(!slow.is_same(), "{:?}", slow.critical);
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let rules = bundle(&[]);
    let history = recorded(HANGS);
    let run = |seed| {
        let inject =
            vec!["down database for 3m every 40m".parse().unwrap(), "failing-heals all 50%".parse().unwrap()];
        let plan = Plan { inject, seed, ..Plan::default() };
        simulate(&history, &rules, None, &plan)
    };
    let first = run(1);
    assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&run(1)).unwrap());
    assert_ne!(first, run(2));
    let read_only = first.modes.iter().find(|mode| mode.mode.as_str() == "read_only").unwrap();
    assert!(read_only.entered_after >= 2 && read_only.entered_before == 0, "{read_only:?}");
}

#[test]
fn what_is_injected_is_modelled_and_an_injection_of_nothing_changes_nothing() {
    let (history, rules) = (recorded(HANGS), bundle(&[]));
    let run = |fault: &str, seed| {
        let plan = Plan { inject: vec![fault.parse().unwrap()], seed, ..Plan::default() };
        simulate(&history, &rules, None, &plan)
    };
    assert!(run("lost-probes all 0%", 1).is_same());
    let jumped = run("clock 5m every 20m", 3);
    let (exact, modelled, _) = jumped.certainty();
    assert!(modelled > 0.5 && exact < 0.5, "{:?}", jumped.certain);
    assert!(jumped.changes.iter().all(|one| one.modelled), "{:?}", jumped.changes);
}
