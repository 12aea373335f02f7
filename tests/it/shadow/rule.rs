//! A rule with `shadow = true`: it is asked with all the others, and changes nothing for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use grace::config::Folder;
use grace::engine::{Bundle, Input, State, Step, adopt, step};
use grace::model::{Act, Gate, Occasion, Readings, Record, RuleId, Snapshot, Span, Time, Verdict};
use grace::replay::Suite;
use grace::replay::explain::{Question, Tick, explain};
use proptest::prelude::*;

use crate::engine::{Lived, START, fresh, lives, reading, shipped};
use crate::scenarios::laid_over;

/// It wants everything, sooner than every other rule, and its name is the first.
const EVERYTHING: &str = "\n[rule.a_shadow]\nwhen = 'critical || warn'\nshadow = true\n\
    do = [\"restart\", \"block\", { set_mode = \"emergency\", until = 'ok' }, { event = \"shadow.seen\" }, \
    { task = \"look\" }, { notify = \"oncall\" }, { recommend = \"more\" }]\n\
    verify = { within = \"30s\" }\non_failure = [\"block\"]\n";

/// The shipped rules without those that see everything at once, and so act when everything is ill.
fn plain() -> &'static Bundle {
    static PLAIN: LazyLock<Bundle> = LazyLock::new(|| {
        let mut files = shipped().files.clone();
        for name in ["rules/grace.toml", "rules/hunter.toml"] {
            files.remove(name).expect(name);
        }
        compiled(&files)
    });
    &PLAIN
}

/// These rules with such a shadow for each component, or with the same rule alive.
fn with_everything(rule: &str) -> Bundle {
    let mut files = plain().files.clone();
    for component in plain().components.keys() {
        let file = files.get_mut(&format!("rules/{component}.toml")).expect("each has its file");
        file.push_str(rule);
    }
    compiled(&files)
}

fn compiled(files: &BTreeMap<String, String>) -> Bundle {
    let loaded = Folder::of(files).compile(None).unwrap_or_else(|report| panic!("{:?}", report.diagnostics));
    // Approvals are bound to their generation; what is compared here is everything else.
    Bundle { generation: shipped().generation.clone(), ..loaded.bundle }
}

fn shadowed() -> &'static Bundle {
    static SHADOWED: LazyLock<Bundle> = LazyLock::new(|| with_everything(EVERYTHING));
    &SHADOWED
}

/// A state without what the shadow rules remember.
fn others(state: &State) -> State {
    let mut state = state.clone();
    for own in state.health.components.values_mut() {
        own.rules.remove(&RuleId::from("a_shadow"));
    }
    state
}

fn is_shadowed(record: &Record) -> bool {
    matches!(record, Record::Shadowed { .. })
}

/// Lives one life under both sets of rules, and says how often a shadow spoke.
fn compare(life: &[Lived]) -> usize {
    let (mut one, mut other) = (fresh(plain()), fresh(shadowed()));
    let mut told = 0;
    for lived in life {
        match lived {
            Lived::Adopted(now) => {
                one = adopt(plain(), Some(plain()), &one, *now).state;
                other = adopt(shadowed(), Some(shadowed()), &other, *now).state;
            }
            Lived::Stepped(input) => {
                let (plain, shadow) = (step(plain(), &one, input), step(shadowed(), &other, input));
                told += same(&plain, &shadow);
                (one, other) = (plain.state, shadow.state);
            }
        }
        assert_eq!(others(&other), one);
        assert_eq!(other.due(), one.due(), "nobody looks more often");
    }
    told
}

/// Everything that leaves a step is the same but for what the shadow said; says how much that was.
fn same(live: &Step, shadow: &Step) -> usize {
    let (told, rest): (Vec<&Record>, Vec<&Record>) =
        shadow.records.iter().partition(|record| is_shadowed(record));
    assert_eq!(rest, live.records.iter().collect::<Vec<_>>());
    let acts = |step: &Step| -> Vec<_> {
        step.permits.iter().map(|permit| (permit.act(), permit.proposal().clone())).collect()
    };
    assert_eq!(acts(shadow), acts(live));
    assert_eq!(shadow.answers, live.answers);
    assert_eq!(shadow.questions, live.questions);
    told.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shadow_rules_change_nothing_for_anybody_else(life in lives()) {
        let fell = |lived: &Lived| matches!(lived, Lived::Stepped(input) if !input.snapshot.is_empty());
        let told = compare(&life);
        prop_assert!(told == 0 || life.iter().any(fell), "who was never looked at has no shadow");
    }
}

#[test]
fn the_same_rule_alive_changes_everything() {
    // Else the comparison above would prove nothing.
    let alive = with_everything(&EVERYTHING.replace("shadow = true\n", ""));
    let input = ill(1, START);
    let (one, other) = (step(&alive, &fresh(&alive), &input), step(shadowed(), &fresh(shadowed()), &input));
    assert!(!one.permits.is_empty() && one.state.governed.mode.as_str() == "emergency");
    assert!(other.permits.is_empty() && other.state.governed.mode.as_str() == "normal");
    assert_eq!(
        other.records.iter().filter(|record| is_shadowed(record)).count(),
        7 * plain().components.len()
    );
}

/// Every component reads as ill.
fn ill(tick: u64, now: Time) -> Input {
    let read = |component: &grace::evaluate::Component| {
        let facts = component.facts.keys().map(|fact| (fact.clone(), reading(fact, true, false))).collect();
        (component.id.clone(), Readings { taken_at: now, occasion: Occasion::Grid, facts })
    };
    let snapshot: Snapshot = plain().components.values().map(read).collect();
    Input { tick, now, snapshot, ..Input::default() }
}

/// What a shadow rule that restarts would be told.
fn verdicts(step: &Step) -> BTreeMap<String, (Verdict, Option<Gate>)> {
    let told = step.records.iter().filter_map(|record| match record {
        Record::Shadowed { proposal, verdict, gate, .. } if matches!(proposal.act, Act::Heal { .. }) => {
            Some((proposal.component.as_ref()?.to_string(), (*verdict, gate.clone())))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn what_governance_would_have_said_stands_beside_it() {
    let stopped = Input { stop: true, ..ill(1, START) };
    let told = verdicts(&step(shadowed(), &fresh(shadowed()), &stopped));
    assert!(told.values().all(|said| *said == (Verdict::Wait, Some(Gate::Stop))), "{told:?}");
    let told = verdicts(&step(shadowed(), &fresh(shadowed()), &ill(1, START)));
    assert_eq!(told.len(), plain().components.len());
    assert!(told.values().any(|said| *said == (Verdict::Allow, None)), "{told:?}");
    // A number that nobody was asked under is never told.
    assert!(!told.values().any(|said| matches!(said, (_, Some(Gate::Approval { .. })))), "{told:?}");
}

#[test]
fn a_rule_that_becomes_a_shadow_or_stops_being_one_begins_anew() {
    let restart = |shadow| {
        with_everything(&format!(
            "\n[rule.a_shadow]\nwhen = 'critical'\n{shadow}do = [\"restart\"]\nverify = {{ within = \"30s\" }}\n"
        ))
    };
    let (alive, shadow) = (restart(""), restart("shadow = true\n"));
    let now = START + Span::seconds(30);
    let fired = step(&shadow, &fresh(&shadow), &ill(1, START)).state;
    // What its shadow told was not done: alive, it does it.
    let adopted = adopt(&alive, Some(&shadow), &fired, now).state;
    let next = step(&alive, &adopted, &ill(2, now));
    assert!(next.permits.iter().any(|permit| matches!(permit.proposal().act, Act::Heal { .. })));
    // And what is under way when it becomes a shadow is still brought to its end, and followed by nothing.
    let adopted = adopt(&shadow, Some(&alive), &next.state, now).state;
    let tries = adopted.health.tries.len();
    assert!(tries > 0, "the tries go on");
    let performed = adopted.in_flight().into_iter().map(|act| grace::model::Performed {
        act,
        effect: grace::model::Effect::Failed { why: "it does not start".into() },
        steps: Vec::new(),
    });
    let input = Input { performed: performed.collect(), ..ill(3, now + Span::seconds(30)) };
    let after = step(&shadow, &adopted, &input);
    let after = step(&shadow, &after.state, &ill(4, now + Span::minutes(1)));
    let shadow_tries =
        after.state.health.tries.values().filter(|open| open.by.to_string().starts_with("a_shadow"));
    assert_eq!(shadow_tries.count(), 0);
    let healing = after
        .state
        .health
        .components
        .values()
        .filter_map(|own| own.rules.get(&RuleId::from("a_shadow")).unwrap().healing);
    assert_eq!(healing.count(), 0, "a shadow heals nothing");
}

#[test]
fn explain_says_that_it_is_a_shadow_and_what_the_gates_would_say() {
    let (bundle, before, input) = (Arc::new(shadowed().clone()), fresh(shadowed()), ill(1, START));
    let step = step(&bundle, &before, &input);
    let tick = Tick { bundle, before, input, step, contradiction: None };
    let told = explain(&tick, &Question::Rule("a_shadow".into(), "trigger_mesh".into())).unwrap();
    assert!(!told.acted && told.summary.contains("shadow rule"), "{}", told.summary);
    let decided: Vec<&str> =
        told.gates.iter().filter(|gate| gate.decided).map(|gate| gate.gate.as_str()).collect();
    assert_eq!(decided, ["shadow"]);
}

#[test]
fn tests_can_see_everything_of_a_shadow_rule_and_notice_when_it_acts() {
    let laid = laid_over(Path::new("tests/config/scenarios/shadow"));
    let suite = Suite::load(laid.path(), &BTreeSet::new(), None);
    let ours = |file: &str| file == "rules/trigger_mesh.toml";
    let gaps: Vec<_> = suite.coverage().gaps.into_iter().filter(|gap| ours(&gap.file)).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
    let alive: Vec<String> = suite
        .mutate(|_, _| {})
        .alive
        .into_iter()
        .filter(|one| ours(&one.file))
        .map(|one| one.before)
        .collect();
    assert!(!alive.iter().any(|before| before.contains("shadow") || before.contains("until")), "{alive:?}");
}
