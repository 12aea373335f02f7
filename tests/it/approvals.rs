//! An approval stands as long as the act is wanted, and a simulation answers what nobody answered.

use std::collections::BTreeSet;

use grace::config::Folder;
use grace::engine::{Input, State};
use grace::model::{Act, Meaning, Record};
use grace::record::Recorded;
use grace::replay::Suite;
use grace::replay::simulate::{Approve, Odds, Plan, Rehearsal, Simulation};

use crate::histories::{HANGS, bundle, files, recorded, recorded_under, reviewed};

/// A hang that no restart helps: three tries, each of which is approved while its backoff goes on.
const NO_HELP: &str = r#"
[test.no_help]
start = "12:00:00"
end   = "12:10:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:01:00", set = { "reflection.running" = false } },
    { at = "12:01:40", ask = "approve", approval = 1, actor = "uid:1" },
    { at = "12:02:15", ask = "approve", approval = 2, actor = "uid:1" },
    { at = "12:03:55", ask = "approve", approval = 3, actor = "uid:1" },
]
expect = [
    { at = "12:01:30", event = "governance.approval_asked" },
    { at = "12:01:40", act = "restart" },
    { at = "12:02:10", event = "governance.approval_asked" },
    { at = "12:02:40", act = "restart" },
]
forbid = [{ event = "governance.approval_ended" }]
"#;

/// What the files with every restart reviewed, and more edits, make of a rule test.
fn tested(test: &str, edits: &[(&str, &str, &str)]) -> Vec<String> {
    let (file, line, review) = reviewed();
    let edits = [&[(file, line.as_str(), review)], edits].concat();
    let suite = Suite::load(files(Some(test), &edits).path(), &BTreeSet::new(), None);
    let tested = suite.run();
    assert_eq!(tested.results.len(), 1, "{:?}", tested.report);
    tested.results.into_iter().flat_map(|result| [result.failures, vec![result.timeline]].concat()).collect()
}

#[test]
fn an_approval_that_a_backoff_holds_back_stands_until_the_act() {
    let said = tested(NO_HELP, &[]);
    assert_eq!(said.len(), 1, "{}", said.join("\n"));
}

#[test]
fn an_approval_that_could_not_be_used_in_time_is_asked_for_anew() {
    // A hold of twenty minutes: the approval for a quarter of an hour runs out behind it.
    let test = r#"
[test.held]
start = "12:00:00"
end   = "12:40:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:01:00", set = { "reflection.running" = false } },
    { at = "12:01:35", ask = "hold", component = "reflection_service", actor = "uid:2", for = "20m" },
    { at = "12:01:40", ask = "approve", approval = 1, actor = "uid:1" },
    { at = "12:22:10", ask = "approve", approval = 2, actor = "uid:1" },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [
    { at = "12:01:30", event = "governance.approval_asked" },
    { at = "12:16:30", event = "governance.approval_ended" },
    { at = "12:21:35", event = "governance.approval_asked" },
    { at = "12:22:10", act = "restart" },
]
forbid = [{ to = "12:22:09", act = "restart" }]
"#;
    let said = tested(test, &[]);
    assert_eq!(said.len(), 1, "{}", said.join("\n"));
}

fn simulate(history: &[Recorded], edits: &[(&str, &str, &str)], approve: Approve) -> Rehearsal {
    let (rules, mut odds) = (bundle(edits), Odds::default());
    for recorded in history {
        odds.take(recorded);
    }
    let plan = Plan { approve, ..Plan::default() };
    let mut simulation = Simulation::new(&rules, None, &plan, &odds);
    for recorded in history {
        simulation.take(recorded).unwrap();
    }
    simulation.finish()
}

/// How many restarts and requests for approval there are, before and after.
fn counts(found: &Rehearsal) -> [(u64, u64); 2] {
    let restarts = found.actions.iter().find(|count| count.action == "restart");
    [restarts.map_or((0, 0), |count| (count.before, count.after)), found.approvals]
}

/// Two hangs that end by themselves; nobody answers the first request, and the second is denied.
const UNANSWERED: &str = r#"
[test.unanswered]
start = "12:00:00"
end   = "13:30:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:10:00", set = { "reflection.running" = false } },
    { at = "12:12:00", set = { "reflection.running" = true } },
    { at = "12:40:00", set = { "reflection.running" = false } },
    { at = "12:41:10", ask = "deny", approval = 2, actor = "uid:1" },
    { at = "12:42:00", set = { "reflection.running" = true } },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;

#[test]
fn what_nobody_answered_is_answered_as_the_plan_says_and_what_somebody_did_as_recorded() {
    let (file, line, review) = reviewed();
    let policy = [(file, line.as_str(), review)];
    let history = recorded_under(UNANSWERED, &policy);
    let never = simulate(&history, &policy, Approve::Never);
    assert!(never.is_same() && never.certain.iter().all(|one| (one.exact - 1.0).abs() < 1e-9), "{never:?}");
    assert_eq!(counts(&never), [(0, 0), (2, 2)]);
    let auto = simulate(&history, &policy, Approve::Auto);
    let at: Vec<String> = auto.deeds.iter().filter(|deed| deed.heals).map(|deed| deed.at.clock()).collect();
    // In the tick in which somebody was told of it.
    assert_eq!(at.first().map(String::as_str), Some("12:10:30"), "{auto:?}");
    assert!(at.iter().all(|at| at.as_str() < "12:30:00"), "the second was denied: {at:?}");
}

#[test]
fn what_waits_where_the_history_begins_is_answered_too() {
    let (file, line, review) = reviewed();
    let policy = [(file, line.as_str(), review)];
    let history = recorded_under(UNANSWERED, &policy);
    // Begin with the state in which the first request waits already.
    let (mut bundle, mut state, mut rest) = (None, None, Vec::new());
    for recorded in &history {
        match recorded {
            Recorded::Generation { .. } => {
                bundle = Some(crate::histories::bundle(&policy));
                rest.push(recorded.clone());
            }
            Recorded::Adopted { state: first, .. } => state = Some(first.as_ref().clone()),
            Recorded::Tick { input, seq, .. } => {
                let before = state.take().unwrap();
                let step = grace::engine::step(bundle.as_ref().unwrap(), &before, input);
                if rest.len() == 1 && !step.state.governed.approvals.is_empty() {
                    rest.push(Recorded::Adopted {
                        seq: *seq,
                        state: Box::new(step.state.clone()),
                        records: Vec::new(),
                    });
                } else if rest.len() > 1 {
                    rest.push(recorded.clone());
                }
                state = Some(step.state);
            }
            other => panic!("{other:?}"),
        }
    }
    let auto = simulate(&rest, &policy, Approve::Auto);
    assert!(auto.deeds.iter().any(|deed| deed.heals && deed.at.clock() == "12:10:30"), "{auto:?}");
}

#[test]
fn each_try_asks_once_and_as_many_people_answer_as_the_policy_wants() {
    let (file, line, review) = reviewed();
    // Restarts that fail: three tries, each with an approval that comes while the backoff goes on.
    let fails = HANGS.replace(
        "{ on = \"restart\", set = { \"reflection.running\" = true } }",
        "{ on = \"restart\", fails = \"no\" }",
    );
    let two = review.replace('}', ", approvers = 2 }");
    for policy in [review, two.as_str()] {
        let policy = [(file, line.as_str(), policy)];
        let auto = simulate(&recorded(&fails), &policy, Approve::Auto);
        let [(_, restarts), (_, asked)] = counts(&auto);
        assert!(restarts >= 3 && restarts == asked, "{restarts} restarts, {asked} requests: {auto:?}");
    }
}

/// What was critical when a person wanted to restart it is well before anybody answers.
const WELL_AGAIN: &str = r#"
[test.well_again]
start = "12:00:00"
end   = "12:05:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:01:00", set = { "reflection.age_s" = 600 } },
    { at = "12:01:05", ask = "restart", component = "reflection_service", actor = "uid:2" },
    { at = "12:01:20", set = { "reflection.age_s" = 1 } },
    { at = "12:02:00", ask = "approve", approval = 1, actor = "uid:1" },
]
expect = [
    { at = "12:01:05", event = "governance.approval_asked" },
    { at = "12:01:30", event = "governance.approval_ended" },
]
forbid = [{ act = "restart" }]
"#;

/// What a history is decided to by a meaning: the one that it names, where none is given.
fn decided(history: &[Recorded], meaning: Option<Meaning>) -> (Vec<Record>, State) {
    let mut bundle = bundle(&[]);
    let (mut state, mut records) = (State::default(), Vec::new());
    for recorded in history {
        match recorded {
            Recorded::Generation { files, .. } => {
                bundle = Folder::of(files).compile(None).expect("valid").bundle;
            }
            Recorded::Adopted { state: first, .. } => state = first.as_ref().clone(),
            Recorded::Tick { input, .. } => {
                let meaning = meaning.unwrap_or(input.meaning);
                let step = grace::engine::step(&bundle, &state, &Input { meaning, ..input.as_ref().clone() });
                records.extend(step.records);
                state = step.state;
            }
            _ => {}
        }
    }
    (records, state)
}

/// Did a request end without its act, was something healed, and is evidence kept?
fn told((records, state): &(Vec<Record>, State)) -> (bool, bool, bool) {
    let ended = records.iter().any(|record| matches!(record, Record::ApprovalEnded { .. }));
    let heals = |act: &Act| matches!(act, Act::Heal { .. });
    let acted = records
        .iter()
        .any(|record| matches!(record, Record::Intent { proposal, .. } if heals(&proposal.act)));
    (ended, acted, serde_json::to_string(state).unwrap().contains("evidence"))
}

#[test]
fn what_was_recorded_before_evidence_was_kept_is_still_decided_as_it_was() {
    let history = recorded_under(WELL_AGAIN, &[]);
    let decided = |meaning| told(&decided(&history, meaning));
    assert_eq!(decided(None), (true, false, false), "void, and so gone");
    assert_eq!(decided(Some(Meaning::FIRST)), (false, true, false), "given, and done");
    // A tick of before names no meaning, and comes back as it was.
    let old = r#"{"kind":"tick","tick":1,"now":5,"statuses":{},"performed":[],"asked":[],"stop":false,"readings":"r","decisions":"d"}"#;
    let tick: Record = serde_json::from_str(old).unwrap();
    assert!(matches!(tick, Record::Tick { meaning: Meaning::FIRST, .. }));
    assert_eq!(serde_json::to_string(&tick).unwrap(), old);
}

/// Whoever is named beside others is not alone.
const GLASS: &str = r#"
[test.glass]
start = "12:00:00"
end   = "12:05:00"
given = [
    { at = "12:01:05", ask = "restart", component = "trigger_mesh", actor = "uid:2" },
    { at = "12:02:00", ask = "approve", approval = 1, actor = "uid:2", break_glass = true },
]
expect = [{ at = "12:01:05", event = "governance.approval_asked" }]
"#;

#[test]
fn glass_is_not_for_whoever_is_named_beside_others() {
    let line = "approver = [\"socket\"]";
    for (named, alone) in
        [("uid:2", true), ("uid:7", false), ("user:ann\", \"user:bob", false), ("user:ann", false)]
    {
        let edit = format!("approver = [\"socket\", \"{named}\"]");
        let found = decided(&recorded_under(GLASS, &[("policies/access.toml", line, &edit)]), None);
        let (_, acted, _) = told(&found);
        let says = found.0.iter().find_map(|record| match record {
            Record::Refused { says, .. } => Some(says.as_str()),
            _ => None,
        });
        assert_eq!(acted, alone, "{named}: {says:?}");
        assert!(alone || says.is_some_and(|says| says.contains("names u")), "{says:?}");
    }
}

#[test]
fn a_name_is_another_where_the_persons_own_is_known() {
    let line = "approver = [\"socket\"]";
    for (person, own, named, alone) in [
        ("uid:0", None, "user:ann", false),
        ("uid:0", None, "user:root", true),
        ("uid:1000", Some("ann"), "user:ann", true),
        ("uid:1000", Some("bob"), "user:ann", false),
        ("uid:1000", None, "user:ann", false),
        ("ann", None, "user:ann", true),
        ("bob", None, "user:ann", false),
    ] {
        let edit = format!("approver = [\"socket\", \"{named}\"]");
        let mut history =
            recorded_under(&GLASS.replace("uid:2", person), &[("policies/access.toml", line, &edit)]);
        for recorded in &mut history {
            let Recorded::Tick { input, .. } = recorded else { continue };
            input.asked.iter_mut().for_each(|asked| asked.shown.user = own.map(str::to_owned));
        }
        let (_, acted, _) = told(&decided(&history, None));
        assert_eq!(acted, alone, "{person} called {own:?} beside {named}");
        // Journals of before are decided as they were.
        assert!(told(&decided(&history, Some(Meaning::VOID))).1, "{person} beside {named}");
    }
}

/// What was approved while somebody holds it is not done, and not said to be approved either.
const HELD: &str = r#"
[test.held]
start = "12:00:00"
end   = "12:05:00"
given = [
    { at = "12:01:05", ask = "restart", component = "trigger_mesh", actor = "uid:2" },
    { at = "12:01:10", ask = "hold", component = "trigger_mesh", actor = "uid:3" },
    { at = "12:02:00", ask = "approve", approval = 1, actor = "uid:1" },
]
expect = [{ at = "12:02:00", event = "governance.approval_ended" }]
forbid = [{ act = "restart" }]
"#;

#[test]
fn what_was_approved_and_could_not_be_done_is_not_approved() {
    let (records, state) = decided(&recorded_under(HELD, &[]), None);
    let ended = records.iter().find_map(|record| match record {
        Record::ApprovalEnded { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    let why = ended.expect("it ended");
    assert!(why.starts_with("it was approved, and could not be done: held by uid:3"), "{why}");
    assert!(state.governed.approvals.is_empty());
}

/// A restart and a way back to normal are asked for, and then an emergency begins. In it, another restart is asked for.
const EMERGENCY: &str = r#"
[test.emergency]
start = "12:00:00"
end   = "12:05:00"
given = [
    { at = "12:01:05", ask = "restart", component = "trigger_mesh", actor = "uid:2" },
    { at = "12:01:10", ask = "mode", mode = "read_only", actor = "uid:2" },
    { at = "12:01:15", ask = "mode", mode = "normal", actor = "uid:2" },
    { at = "12:01:20", ask = "mode", mode = "emergency", actor = "uid:3" },
    { at = "12:01:25", ask = "restart", component = "database", actor = "uid:2" },
    { at = "12:02:00", ask = "approve", approval = 1, actor = "uid:1" },
    { at = "12:03:00", ask = "approve", approval = 2, actor = "uid:1" },
]
expect = [
    { at = "12:01:20", event = "governance.approval_ended", mode = "emergency" },
    { at = "12:03:00", mode = "emergency", event = "governance.request_refused" },
]
forbid = [{ act = "restart" }]
"#;

#[test]
fn what_waits_when_an_emergency_begins_is_void() {
    let history = recorded_under(EMERGENCY, &[]);
    let (records, state) = decided(&history, None);
    let ended: Vec<(u64, &str)> = records
        .iter()
        .filter_map(|record| match record {
            Record::ApprovalEnded { approval, reason, .. } => Some((approval.0, reason.as_str())),
            _ => None,
        })
        .collect();
    let void = "emergency began, and it was asked before";
    assert_eq!(ended, [(1, void), (2, void)]);
    // What was asked in the emergency still waits.
    let waiting: Vec<u64> = state.governed.approvals.keys().map(|approval| approval.0).collect();
    assert_eq!((waiting, state.governed.mode.as_str()), (vec![3], "emergency"));
    // Journals of before are decided as they were.
    let (records, _) = decided(&history, Some(Meaning::SIGNALS));
    let acted = records.iter().any(|record| matches!(record, Record::Intent { .. }));
    assert!(acted && !records.iter().any(|record| matches!(record, Record::ApprovalEnded { .. })));
}
