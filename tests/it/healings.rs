//! A healing on virtual time: whatever the order in which its condition, its verification and the status change, it ends
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use grace::engine::{Bundle, Input, State, adopt, step};
use grace::model::{
    ActId, By, Effect, Facts, HealingResult, Meaning, Occasion, Outcome, Performed, Reading, Readings,
    Record, Snapshot, Span, Time,
};
use proptest::prelude::*;

use crate::engine::START;
use crate::scenarios::{laid_over, with_service};

/// It is ill of two things, and a rule heals one of them.
const WEB: &str = r#"
[component]
tier = 2

[control]
kind = "process"
argv = ["/usr/bin/true"]

[probe.p]
kind = "process"

[status]
critical = '!p.running || p.resident_bytes > 1000000'

[rule.down]
when       = '!p.running'
do         = ["restart"]
verify     = { delay = "5s", within = "20s" }
attempts   = 2
on_failure = [{ event = "web.failed" }]
why        = "It should run."
"#;

fn bundle() -> &'static Bundle {
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| with_service("web", WEB));
    &BUNDLE
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// It runs, or not, and its memory is as it should be, or not; a reading of the grid tells it.
    Grid(bool, bool),
    /// The same between two of the grid, so many seconds later.
    Look(bool, bool, u8),
    /// It cannot be read.
    Unread,
    /// The hands end the act in flight, so.
    Done(u8),
    /// Grace is killed and starts again.
    Crash,
}

/// A Grace with one healing, and what has to hold of it.
struct Play {
    state: State,
    now: Time,
    meaning: Meaning,
    in_flight: Vec<ActId>,
    /// The tries of the rule: whether each is a slow one.
    tries: BTreeMap<ActId, bool>,
    /// A try was made, and its healing has not ended.
    open: bool,
    ends: Vec<(HealingResult, u32)>,
    outcomes: Vec<(Outcome, String)>,
    /// What ended without an outcome.
    not_begun: Vec<String>,
    events: Vec<String>,
}

impl Play {
    fn new(meaning: Meaning) -> Self {
        let state = adopt(bundle(), None, &State::default(), START).state;
        let now = START.slot(Span::seconds(30));
        Self {
            state,
            now,
            meaning,
            in_flight: vec![],
            tries: BTreeMap::new(),
            open: false,
            ends: vec![],
            outcomes: vec![],
            not_begun: vec![],
            events: vec![],
        }
    }

    fn go(&mut self, happens: Move) {
        let mut input = Input { meaning: self.meaning, ..Input::default() };
        match happens {
            Move::Grid(runs, fits) => {
                self.now = self.now.slot(Span::seconds(30)) + Span::seconds(30);
                input.snapshot = self.reads(Occasion::Grid, Some((runs, fits)));
            }
            Move::Look(runs, fits, seconds) => {
                self.now = self.now + Span::seconds(i64::from(seconds) + 1);
                input.snapshot = self.reads(Occasion::Verification, Some((runs, fits)));
            }
            Move::Unread => {
                self.now = self.now + Span::seconds(1);
                input.snapshot = self.reads(Occasion::Verification, None);
            }
            Move::Done(how) => {
                let Some(act) = self.in_flight.pop() else { return };
                let effect = match how % 5 {
                    0 => Effect::Failed { why: "it does not start".into() },
                    1 => Effect::TimedOut,
                    2 => Effect::Withheld { why: "STOP".into() },
                    _ => Effect::Done,
                };
                input.performed = vec![Performed { act, effect, steps: vec![] }];
            }
            Move::Crash => {
                self.in_flight.clear();
                let cut = |act| Performed { act, effect: Effect::Interrupted, steps: vec![] };
                input.performed = self.state.in_flight().into_iter().map(cut).collect();
            }
        }
        self.step(input);
    }

    fn reads(&self, occasion: Occasion, how: Option<(bool, bool)>) -> Snapshot {
        let mut facts = Facts::default();
        let (runs, size) = match how {
            Some((runs, fits)) => (Reading::from(runs), Reading::from(if fits { 1_000 } else { 2_000_000 })),
            None => (Reading::Missing, Reading::Missing),
        };
        facts.insert("p.running".into(), runs);
        facts.insert("p.resident_bytes".into(), size);
        Snapshot::from([("web".into(), Readings { taken_at: self.now, occasion, facts })])
    }

    fn step(&mut self, mut input: Input) {
        (input.tick, input.now) = (self.state.tick + 1, self.now);
        let done = step(bundle(), &self.state, &input);
        self.in_flight.extend(done.permits.iter().map(grace::govern::Permit::act));
        self.state = done.state;
        for record in &done.records {
            self.hear(record);
        }
    }

    fn hear(&mut self, record: &Record) {
        match record {
            Record::Intent { act, proposal, .. } if is_down(&proposal.by) && proposal.attempt > 0 => {
                self.tries.insert(*act, proposal.slow);
                assert!(
                    !self.open || proposal.attempt > 1 || self.meaning < Meaning::VOTES,
                    "another healing begins, and the one before never ended"
                );
            }
            Record::End { act, outcome: Some(outcome), detail, .. } => {
                let Some(slow) = self.tries.get(act) else { return };
                self.outcomes.push((*outcome, detail.clone()));
                self.open |= !slow && !detail.starts_with("not begun");
            }
            Record::End { outcome: None, detail, .. } => self.not_begun.push(detail.clone()),
            Record::HealingEnded { by, result, attempts, .. } if is_down(by) => {
                assert!(self.open || self.meaning < Meaning::VOTES, "an end of no healing, or a second one");
                self.open = false;
                self.ends.push((*result, *attempts));
            }
            Record::Announced { event, .. } => self.events.push(event.clone()),
            _ => {}
        }
    }
}

fn is_down(by: &By) -> bool {
    matches!(by, By::Rule { rule, .. } if rule.as_str() == "down")
}

/// What it comes to when all this happens.
fn played(moves: &[Move], meaning: Meaning) -> Play {
    let mut play = Play::new(meaning);
    for happens in moves {
        play.go(*happens);
    }
    play
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        5 => (any::<bool>(), any::<bool>()).prop_map(|(runs, fits)| Move::Grid(runs, fits)),
        5 => (any::<bool>(), any::<bool>(), 0_u8..30).prop_map(|(runs, fits, at)| Move::Look(runs, fits, at)),
        1 => Just(Move::Unread),
        6 => any::<u8>().prop_map(Move::Done),
        1 => Just(Move::Crash),
    ];
    proptest::collection::vec(one, 1..120)
}

/// STOP was found between the decision and the act.
#[test]
fn what_was_not_begun_is_no_try_that_failed() {
    let moves = [Move::Grid(false, true), Move::Grid(false, true), Move::Done(2)];
    let play = played(&moves, Meaning::default());
    assert_eq!((play.outcomes, play.not_begun), (vec![], vec!["not begun: STOP".to_owned()]));
    assert_eq!(played(&moves, Meaning::VOID).outcomes, [(Outcome::Failed, "not begun: STOP".to_owned())]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_healing_that_began_ends_once(moves in moves()) {
        let mut play = played(&moves, Meaning::default());
        for _ in 0..6 {
            while !play.in_flight.is_empty() {
                play.go(Move::Done(3));
            }
            play.go(Move::Grid(true, true));
        }
        prop_assert!(!play.open, "it never ended");
    }
}

/// It is down, and one try does not bring it back.
const DOWN: [Move; 4] =
    [Move::Grid(true, true), Move::Grid(false, true), Move::Done(3), Move::Look(false, true, 25)];

#[test]
fn where_the_reason_is_gone_the_healing_is_over_and_neither_a_success_nor_a_failure() {
    let ill = Move::Look(true, false, 6);
    let during = [&DOWN[..3], &[ill, Move::Look(true, false, 25)]].concat();
    let between = [&DOWN[..], &[ill]].concat();
    let by_itself = [&DOWN[..], &[Move::Look(true, true, 6)]].concat();
    let again = [&DOWN[..3], &[ill, Move::Look(false, true, 25)]].concat();
    let without_the_hand =
        [&DOWN[..2], &[Move::Look(true, true, 3), Move::Done(0), Move::Grid(true, true)]].concat();
    let nobodys = [&DOWN[..2], &[Move::Look(true, true, 3), Move::Crash, Move::Grid(true, true)]].concat();
    for (moves, before) in [
        (during.clone(), vec![]),
        (again, vec![]),
        (without_the_hand, vec![(HealingResult::Success, 1)]),
        (nobodys, vec![(HealingResult::Success, 1)]),
        (between, vec![(HealingResult::Success, 1)]),
        (by_itself, vec![(HealingResult::Success, 1)]),
    ] {
        let play = played(&moves, Meaning::default());
        assert_eq!(play.ends, [(HealingResult::Over, 1)], "{moves:?}");
        assert!(!play.events.contains(&"web.failed".to_owned()), "no healing failed");
        assert_eq!(played(&moves, Meaning::VOID).ends, before, "what was decided before is decided so again");
    }
    let play = played(&during, Meaning::default());
    let (outcome, detail) = play.outcomes.last().expect("it ended");
    assert_eq!(*outcome, Outcome::NoEffect);
    assert!(detail.ends_with("; the rule's condition is false"), "{detail}");
}

#[test]
fn what_a_slow_try_heals_ends_no_healing_again() {
    let mut moves = DOWN.to_vec();
    // The second try, behind the backoff, and a slow one a quarter of an hour later.
    moves.extend([
        Move::Grid(false, true),
        Move::Grid(false, true),
        Move::Done(3),
        Move::Look(false, true, 25),
    ]);
    moves.extend([Move::Grid(false, true); 40]);
    moves.extend([Move::Done(3), Move::Look(true, true, 6)]);
    let ends = |meaning| played(&moves, meaning).ends;
    assert_eq!(ends(Meaning::default()), [(HealingResult::Failed, 2)]);
    assert_eq!(ends(Meaning::VOID), [(HealingResult::Failed, 2), (HealingResult::Success, 3)]);
}

/// Services that nothing brings back, for so many slots: what is written down.
fn many(count: u32, rules: &str, slots: i64, meaning: Meaning) -> Vec<Record> {
    many_with(count, (rules, None), slots, meaning)
}

/// The same with other brakes.
fn many_with(count: u32, (rules, brakes): (&str, Option<&str>), slots: i64, meaning: Meaning) -> Vec<Record> {
    let laid = laid_over(Path::new("/nowhere"));
    if let Some(brakes) = brakes {
        fs::write(laid.path().join("policies/budgets.toml"), brakes).expect("written");
    }
    for number in 0..count {
        fs::write(laid.path().join(format!("rules/web{number:02}.toml")), rules).expect("written");
    }
    let bundle = grace::config::load(laid.path()).expect("valid").bundle;
    let mut state = adopt(&bundle, None, &State::default(), START).state;
    let mut facts = Facts::default();
    facts.insert("p.running".into(), Reading::from(false));
    facts.insert("p.resident_bytes".into(), Reading::from(0));
    let (mut flying, mut told) = (Vec::new(), Vec::new());
    for slot in 1..=slots {
        let now = START.slot(Span::seconds(30)) + Span::seconds(30 * slot);
        let readings = Readings { taken_at: now, occasion: Occasion::Grid, facts: facts.clone() };
        let snapshot =
            (0..count).map(|number| (format!("web{number:02}").into(), readings.clone())).collect();
        let done = |act| Performed { act, effect: Effect::Done, steps: vec![] };
        let performed = flying.drain(..).map(done).collect();
        let tick = state.tick + 1;
        let next =
            step(&bundle, &state, &Input { tick, now, snapshot, performed, meaning, ..Input::default() });
        flying.extend(next.permits.iter().map(grace::govern::Permit::act));
        told.extend(next.records);
        state = next.state;
    }
    told
}

#[test]
fn a_brake_that_stops_a_healing_for_longer_is_told_once_however_many_wait_beside_it() {
    let told_of_brakes = |meaning| -> Vec<(String, String)> {
        let exhausted = |record: &Record| match record {
            Record::Exhausted { component, gate, .. } => Some((component.to_string(), gate.to_string())),
            _ => None,
        };
        many(6, WEB, 240, meaning).iter().filter_map(exhausted).collect()
    };
    let told = told_of_brakes(Meaning::default());
    let once: BTreeSet<&(String, String)> = told.iter().collect();
    assert_eq!(once.len(), told.len(), "{told:#?}");
    assert!((0..6).all(|number| told.iter().any(|(id, _)| *id == format!("web{number:02}"))), "{told:#?}");
    let before = told_of_brakes(Meaning::VOID);
    assert!(before.len() > once.len(), "what was told before is told so again");
}

#[test]
fn of_many_that_fail_each_has_its_turn_whatever_its_name() {
    let long = WEB.replace("within = \"20s\"", "within = \"5m\"");
    // Six hours in which three at a time may act.
    let tries = |meaning| {
        let mut tries: BTreeMap<String, u32> = BTreeMap::new();
        for record in many(24, &long, 720, meaning) {
            if let Record::Intent { proposal, .. } = record {
                *tries.entry(proposal.component.expect("a heal act").to_string()).or_default() += 1;
            }
        }
        tries
    };
    let now = tries(Meaning::default());
    let (least, most) = (now.values().min(), now.values().max());
    assert!(now.len() == 24 && least.zip(most).is_some_and(|(least, most)| most - least <= 2), "{now:?}");
    assert!(tries(Meaning::VOID).len() < 24, "what was decided before is decided so again");
}

#[test]
fn of_many_more_than_a_budget_remembers_each_has_its_turn() {
    let long = WEB.replace("within = \"20s\"", "within = \"1m\"");
    let brakes = "component = { budget = [{ max = 3, within = \"10m\" }] }\noverall = { in_flight = 3 }\n";
    let mut tries: BTreeMap<String, u32> = BTreeMap::new();
    // Two hours, in which all have had their turn once before the first is forgotten.
    for record in many_with(60, (&long, Some(brakes)), 240, Meaning::default()) {
        if let Record::Intent { proposal, .. } = record {
            *tries.entry(proposal.component.expect("a heal act").to_string()).or_default() += 1;
        }
    }
    let (least, most) = (tries.values().min(), tries.values().max());
    assert!(tries.len() == 60 && least.zip(most).is_some_and(|(least, most)| most - least <= 2), "{tries:?}");
}
