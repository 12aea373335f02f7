//! Each act of the seed, in each mode, by a rule and by a person: the verdict under the shipped policies.

use grace::engine::State;
use grace::govern::{About, Decision};
use grace::model::{Act, By, ClaimKey, ComponentId, Gate, HealStep, ModeId, Proposal, Time, Verdict};

use crate::engine::{fresh, shipped};

/// The acts, as the columns of the table name them.
fn act(name: &str, by: &By) -> Act {
    let component = ComponentId::from("task_executor");
    let set_mode =
        |mode: &str| Act::SetMode { mode: mode.into(), key: by.claim_key(), spot: None, lasts: None };
    match name {
        "restart" => Act::Heal { component, steps: vec![HealStep::Restart { workers: Some(3) }] },
        "scale" => Act::Heal { component, steps: vec![HealStep::Scale { workers: 5 }] },
        "normal" | "read_only" | "observation_only" | "emergency" => set_mode(name),
        "release" => Act::Release { key: ClaimKey::person() },
        "block" => Act::Block { component },
        "unblock" => Act::Unblock { component },
        "hold" => Act::Hold { component: Some(component), lasts: None },
        "silence" => Act::Silence { component: Some(component), lasts: None },
        "token" => Act::EndToken { token: "deploy".into() },
        "activate" => Act::Activate { generation: "g".into() },
        "notify" => Act::Notify { receiver: "oncall".into(), text: "x".into(), approval: None },
        "event" => Act::Event { event: "security.x".into(), component },
        "task" => Act::Task { text: "x".into(), component },
        "recommend" => Act::Recommend { text: "x".into(), component },
        other => panic!("no act {other}"),
    }
}

const MODES: [&str; 4] = ["normal", "read_only", "observation_only", "emergency"];

/// One line for each act and proposer; a column for each mode, in the order of `MODES`. `-` stands where the
/// files do not let anybody propose it (a rule cannot claim the lowest mode).
const TABLE: &str = "
rule    restart           allow   allow   deny    deny
rule    scale             allow   allow   deny    deny
rule    normal            -       -       -       -
rule    read_only         allow   allow   allow   allow
rule    observation_only  allow   allow   allow   allow
rule    emergency         allow   allow   allow   allow
rule    release           deny    deny    deny    deny
rule    block             allow   allow   allow   allow
rule    unblock           deny    deny    deny    deny
rule    hold              deny    deny    deny    deny
rule    silence           deny    deny    deny    deny
rule    token             deny    deny    deny    deny
rule    activate          deny    deny    deny    deny
rule    notify            allow   allow   allow   allow
rule    event             allow   allow   allow   allow
rule    task              allow   allow   allow   allow
rule    recommend         allow   allow   allow   allow
person  restart           review  review  review  review
person  scale             allow   allow   allow   allow
person  normal            allow   review  review  review
person  read_only         allow   allow   review  review
person  observation_only  allow   review  allow   review
person  emergency         allow   allow   allow   allow
person  release           allow   review  review  review
person  block             deny    deny    deny    deny
person  unblock           allow   allow   allow   allow
person  hold              allow   allow   allow   allow
person  silence           allow   allow   allow   allow
person  token             allow   allow   allow   allow
person  activate          deny    deny    deny    deny
person  notify            allow   allow   allow   allow
person  event             deny    deny    deny    deny
person  task              deny    deny    deny    deny
person  recommend         deny    deny    deny    deny
";

#[test]
fn each_act_in_each_mode_by_rule_and_person_has_its_verdict() {
    let mut wrong = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [who, name, verdicts @ ..] = words.as_slice() else { panic!("{line}") };
        for (mode, wanted) in MODES.iter().zip(verdicts) {
            if *wanted == "-" {
                continue;
            }
            let is = verdict(who, name, mode);
            if is != *wanted {
                wrong.push(format!("{who} {name} in {mode}: {is} and not {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn verdict(who: &str, name: &str, mode: &str) -> String {
    let bundle = shipped();
    let mut state = fresh(bundle);
    claimed(&mut state, mode);
    let by = match who {
        "rule" => By::Rule { rule: "restart".into(), component: "task_executor".into() },
        _ => By::Person { actor: "uid:1000".into() },
    };
    let act = act(name, &by);
    let proposal = Proposal {
        act,
        by,
        reason: "a test".into(),
        component: Some("task_executor".into()),
        attempt: 1,
        slow: false,
    };
    let about = About { tier: Some(1), ..About::default() };
    let desk = bundle.desk(Time(1_900_000_000_000), false);
    match desk.decide(&mut state.governed, &proposal, &about, &mut Vec::new()) {
        Decision::Permitted(_) => "allow".into(),
        Decision::Withheld { verdict, .. } => verdict.to_string(),
    }
}

/// Puts people's claim on a mode into a state.
fn claimed(state: &mut State, mode: &str) {
    if mode == "normal" {
        return;
    }
    let claim = grace::model::Claim {
        mode: mode.into(),
        by: By::Person { actor: "uid:1000".into() },
        reason: "a test".into(),
        since: Time(0),
        spot: None,
        expires: None,
        over: false,
    };
    state.governed.claims.insert(ClaimKey::person(), claim);
    state.governed.mode = ModeId::from(mode);
}

#[test]
fn holds_and_stop_bind_people_too_and_blocks_only_rules() {
    let bundle = shipped();
    let person = By::Person { actor: "uid:1000".into() };
    let rule = By::Rule { rule: "restart".into(), component: "task_executor".into() };
    let scale = |by: &By| Proposal {
        act: act("scale", by),
        by: by.clone(),
        reason: "a test".into(),
        component: Some("task_executor".into()),
        attempt: 1,
        slow: false,
    };
    let decide = |state: &mut State, by: &By, stop: bool| {
        let desk = bundle.desk(Time(1_900_000_000_000), stop);
        let about = About { tier: Some(1), ..About::default() };
        match desk.decide(&mut state.governed, &scale(by), &about, &mut Vec::new()) {
            Decision::Permitted(_) => None,
            Decision::Withheld { gate, .. } => Some(gate),
        }
    };
    for by in [&person, &rule] {
        assert_eq!(decide(&mut fresh(bundle), by, true), Some(Gate::Stop));
        let mut held = fresh(bundle);
        held.governed.holds.push(grace::govern::Hold {
            component: None,
            actor: "uid:1".into(),
            reason: "a test".into(),
            since: Time(0),
            until: None,
        });
        assert!(matches!(decide(&mut held, by, false), Some(Gate::Held { .. })));
        let mut blocked = fresh(bundle);
        let block = grace::govern::Block { since: Time(0), by: rule.clone(), reason: "a test".into() };
        blocked.governed.blocks.insert("task_executor".into(), block);
        assert_eq!(decide(&mut blocked, by, false).is_some(), by == &rule);
    }
    assert_eq!(Verdict::Deny.to_string(), "deny");
}
