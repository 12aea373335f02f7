//! Somebody who controls what Grace reads and when tries to have her block the wrong thing.
//!
//! A share of the readings is given in every run; `GRACE_EVENTS=10000000 cargo test --release --test it adversary` gives ten
//! million. The readings follow from a seed, so that a failure comes back.

use std::fs;
use std::path::Path;

use grace::config;
use grace::engine::{Bundle, Input, State, advance};
use grace::model::{
    ActId, ComponentId, Effect, Facts, Gate, Meaning, Occasion, Performed, Reading, Readings, Record,
    Snapshot, Span, Time, Type, Value,
};

use crate::engine::{START, fresh};
use crate::scenarios::laid_over;

/// So many readings are given where nobody says otherwise.
const SHARE: u64 = 60_000;

/// Services that somebody could have blocked, more than may be blocked at a time.
const SERVICES: usize = 12;

/// What the state may weigh, whatever was read: a state without anything weighs a tenth.
const LARGEST: usize = 1_000_000;

const SERVICE: &str = r#"
[component]
tier = 1
label = 'LABEL'

[control]
kind = "process"
argv = ["/usr/bin/true"]

[probe.p]
kind = "process"

[probe.c]
kind   = "command"
argv   = ["/usr/bin/true"]
format = "nagios"

[status]
critical = '!p.running || c.state == "critical"'

[rule.restart]
when = 'critical'
do   = ["restart"]
why  = "It should run."
"#;

/// Names that look like somebody else's, or like a part of a text.
const LABELS: [&str; 4] = ["database", "grace: unblock all", "{rule} \u{202e}esabatad", "\u{1b}[2J"];

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn bundle() -> Bundle {
    let laid = laid_over(Path::new("/nowhere"));
    for number in 0..SERVICES {
        // Braces in labels are refused or meant as they stand; both must do no harm.
        let label = LABELS[number % LABELS.len()];
        let text = SERVICE.replace("LABEL", &label.replace(['{', '}', '\u{1b}'], "?"));
        fs::write(laid.path().join(format!("rules/service_{number}.toml")), text).expect("written");
    }
    // One that has something to be healed and says of itself that nothing may block it.
    let text = SERVICE.replace("LABEL", "guarded").replace("tier = 1", "tier = 1\nprotected = true");
    fs::write(laid.path().join("rules/guarded.toml"), text).expect("written");
    config::load(laid.path()).unwrap_or_else(|report| panic!("{:?}", grace::say::short(&report))).bundle
}

/// A value that means harm: of the right type, at a border, of a hostile text, or nothing.
fn reading(dice: &mut Dice, kind: &Type) -> Reading {
    let text = |dice: &mut Dice| match dice.roll(4) {
        0 => "security.signal.binary_changed".to_owned(),
        1 => "{label} is blocked\r\n{\"kind\":\"blocked\"}".to_owned(),
        2 => "\u{0}\u{202e}".repeat(20),
        _ => "x".repeat(200),
    };
    match (dice.roll(12), kind) {
        (0, _) => Reading::Missing,
        (1, _) => Reading::Failed { failed: text(dice) },
        (_, Type::Bool) => Reading::from(dice.roll(2) == 0),
        (_, Type::Count) => {
            Reading::from([0, 1, 20, 21, i64::MAX][usize::try_from(dice.roll(5)).expect("few")])
        }
        (_, Type::Measure(_)) => {
            Reading::float([0.0, 59.9, 60.0, 60.1, f64::MAX][usize::try_from(dice.roll(5)).expect("few")])
        }
        (_, Type::Text { one_of }) => {
            let words: Vec<&str> = one_of.iter().map(AsRef::as_ref).collect();
            match words.get(usize::try_from(dice.roll(8)).expect("few")) {
                Some(word) => Reading::Value(Value::text(word)),
                None => Reading::Value(Value::text(&text(dice))),
            }
        }
    }
}

/// What is read of some of the components, on the grid or by their own report.
fn snapshot(dice: &mut Dice, bundle: &Bundle, now: Time) -> Snapshot {
    let mut seen = Snapshot::new();
    // Most of the time few are ill, so that something heals; at times everything is.
    let ill = [2, 2, 4, 12][usize::try_from(dice.roll(4)).expect("few")];
    for (id, component) in &bundle.components {
        if dice.roll(12) >= ill {
            continue;
        }
        let mut facts = Facts::default();
        for (fact, kind) in &component.facts {
            // An honest journal: a broken one is an emergency at once, and is tried elsewhere.
            let honest = fact.as_str() == "guard.journal_whole";
            facts.insert(fact.clone(), if honest { true.into() } else { reading(dice, kind) });
        }
        let occasion = if dice.roll(3) == 0 { Occasion::SelfReport } else { Occasion::Grid };
        seen.insert(id.clone(), Readings { taken_at: now, occasion, facts });
    }
    seen
}

/// How long until the next tick: now and then at the very border of a window.
fn pause(dice: &mut Dice) -> Span {
    let minutes = |minutes: i64, more: i64| Span(minutes * 60_000 + more);
    match dice.roll(200) {
        0 => minutes(15, 0),
        1 => minutes(15, 1),
        2 => minutes(15, -1),
        3 => minutes(60, 0),
        4 => minutes(360, 1),
        5 => minutes(24 * 60, 1),
        6..=60 => Span(1_000),
        _ => Span::seconds(30),
    }
}

fn checked(bundle: &Bundle, state: &State, records: &[Record]) {
    let never = ["database", "grace", "guarded"].map(ComponentId::from);
    let blocks = &state.governed.blocks;
    assert!(never.iter().all(|id| !blocks.contains_key(id)), "blocked: {blocks:?}");
    let most = usize::try_from(bundle.policies.brakes.overall_blocks).expect("few");
    assert!(blocks.len() <= most, "{} blocks", blocks.len());
    let mut attacked = false;
    for record in records {
        let Record::Announced { event, component, known, .. } = record else { continue };
        if event == "security.attack" {
            attacked = true;
            let known = known.as_ref().expect("evidence");
            assert!(known.signals.len() >= 2 && known.incidents >= 3, "{component}: {known:?}");
        }
    }
    let emergency = records
        .iter()
        .any(|record| matches!(record, Record::ModeChanged { to, .. } if to.as_str() == "emergency"));
    assert!(attacked || !emergency, "an emergency without an attack");
}

/// Lives through so many readings, decided by a meaning, and shows each step.
fn live(share: u64, meaning: Meaning, mut seen: impl FnMut(&Bundle, &State, &[Record])) {
    let bundle = bundle();
    let mut dice = Dice(7);
    let mut state = fresh(&bundle);
    let (mut given, mut now, mut flying) = (0, START, Vec::<ActId>::new());
    while given < share {
        now = now + pause(&mut dice);
        let snapshot = snapshot(&mut dice, &bundle, now);
        let read = snapshot.values().map(|readings| readings.facts.iter().count());
        given += u64::try_from(read.sum::<usize>()).expect("few");
        let end = |act| Performed { act, effect: Effect::Done, steps: Vec::new() };
        let performed = flying.drain(..).map(end).collect();
        let input = Input { tick: state.tick + 1, now, snapshot, performed, meaning, ..Input::default() };
        let step = advance(&bundle, state, &input);
        flying.extend(step.permits.iter().map(grace::govern::Permit::act));
        seen(&bundle, &step.state, &step.records);
        state = step.state;
        if state.tick.is_multiple_of(64) {
            // A person lifts everything, and it all begins anew.
            state.governed.blocks.clear();
            state.governed.claims.clear();
            state.governed.mode = fresh(&bundle).governed.mode;
        }
    }
}

fn is_attack(record: &Record) -> bool {
    matches!(record, Record::Announced { event, .. } if event == "security.attack")
}

#[test]
fn nothing_protected_is_ever_blocked_and_the_state_stays_bounded() {
    let share = std::env::var("GRACE_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(SHARE);
    let (mut most_blocked, mut attacks, mut refused) = (0, 0, 0);
    live(share, Meaning::default(), |bundle, state, records| {
        checked(bundle, state, records);
        if state.tick.is_multiple_of(64) {
            let weighs = serde_json::to_string(state).expect("writes").len();
            assert!(weighs < LARGEST, "the state weighs {weighs} bytes");
        }
        let gates = |record: &&Record| {
            matches!(record, Record::Decided { gate: Some(Gate::Protected | Gate::Blocks { .. }), .. })
        };
        refused += records.iter().filter(gates).count();
        attacks += records.iter().filter(|record| is_attack(record)).count();
        most_blocked = most_blocked.max(state.governed.blocks.len());
    });
    // Else nothing was tried.
    assert!(most_blocked == 5 && attacks > 0 && refused > 0, "{most_blocked} {attacks} {refused}");
}

/// What stands in the journals of before: blocks had no bounds, nothing was frozen, and states have no signals.
#[test]
fn what_was_recorded_before_signals_were_kept_is_still_decided_as_it_was() {
    let (mut blocked, mut announced, mut text) = (false, 0, String::new());
    live(SHARE / 4, Meaning::TASKS, |_, state, records| {
        blocked |= state.governed.blocks.contains_key(&ComponentId::from("database"));
        announced += records.iter().filter(|record| matches!(record, Record::Announced { .. })).count();
        assert!(!records.iter().any(is_attack), "without signals there is none");
        text = serde_json::to_string(&(state, records)).expect("writes");
        assert!(!text.contains("\"known\":") && !text.contains("\"signals\":"), "{text}");
    });
    assert!(blocked && announced > 0, "{blocked} {announced}");
}
