//! The engine through its one door: what may never happen, whatever comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use grace::config;
use grace::engine::{Bundle, Input, Schedule, State, adopt, step};
use grace::model::{
    Act, ActId, Actor, Asked, By, Claim, ComponentId, Effect, FactId, HealStep, List, Occasion, Outcome,
    Performed, Reading, Readings, Record, Request, Snapshot, Span, Spot, Time, Value,
};
use grace::record::decisions_digest;
use proptest::prelude::*;

pub(crate) const START: Time = Time(1_800_000_000_000);

/// The shipped rules and policies.
pub(crate) fn shipped() -> &'static Bundle {
    static SHIPPED: LazyLock<Bundle> = LazyLock::new(|| {
        config::load(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the shipped files are valid").bundle
    });
    &SHIPPED
}

pub(crate) fn fresh(bundle: &Bundle) -> State {
    adopt(bundle, None, &State::default(), START).state
}

/// One thing that happens to Grace.
#[derive(Debug, Clone)]
enum Move {
    /// A tick of the grid; the facts of these components are broken.
    Grid { broken: u8, missing: u8 },
    /// A component reports itself.
    Report(u8),
    /// The hands end the oldest act in flight, well or not.
    Done(u8),
    /// A person asks.
    Ask(u8, u8),
    /// The STOP file comes or goes.
    Stop(bool),
    /// Grace is killed and starts again.
    Crash,
    /// Time passes.
    Wait(u16),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => (any::<u8>(), 0_u8..3).prop_map(|(broken, missing)| Move::Grid { broken, missing }),
        2 => any::<u8>().prop_map(Move::Report),
        6 => any::<u8>().prop_map(Move::Done),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(what, who)| Move::Ask(what, who)),
        1 => any::<bool>().prop_map(Move::Stop),
        1 => Just(Move::Crash),
        2 => any::<u16>().prop_map(Move::Wait),
    ];
    proptest::collection::vec(one, 1..120)
}

/// A Grace on virtual time with everything that has to hold after every step.
struct Play<'b> {
    bundle: &'b Bundle,
    state: State,
    now: Time,
    stop: bool,
    intents: BTreeMap<ActId, ComponentId>,
    ended: BTreeSet<ActId>,
    in_flight: Vec<ActId>,
    broken: u8,
    missing: u8,
    /// What happened, for others who live through the same.
    life: Vec<Lived>,
}

/// One thing that the engine is told.
#[derive(Debug, Clone)]
pub(crate) enum Lived {
    /// Grace started anew.
    Adopted(Time),
    /// A tick.
    Stepped(Input),
}

/// Whole lives under the shipped rules.
pub(crate) fn lives() -> impl Strategy<Value = Vec<Lived>> {
    moves().prop_map(|moves| {
        let mut play = Play::new(shipped());
        for happens in &moves {
            play.go(happens);
        }
        play.life
    })
}

impl<'b> Play<'b> {
    fn new(bundle: &'b Bundle) -> Self {
        Self {
            bundle,
            state: fresh(bundle),
            now: START,
            stop: false,
            intents: BTreeMap::new(),
            ended: BTreeSet::new(),
            in_flight: Vec::new(),
            broken: 0,
            missing: 0,
            life: Vec::new(),
        }
    }

    fn go(&mut self, happens: &Move) {
        let mut input =
            Input { tick: self.state.tick + 1, now: self.now, stop: self.stop, ..Input::default() };
        match happens {
            Move::Grid { broken, missing } => {
                self.now = self.now.slot(Span::seconds(30)) + Span::seconds(30);
                input.now = self.now;
                (self.broken, self.missing) = (*broken, *missing);
                input.snapshot = self.snapshot(|_| Some(Occasion::Grid));
            }
            Move::Report(which) => {
                let id = self.component(*which);
                input.snapshot = self.snapshot(|other| (*other == id).then_some(Occasion::SelfReport));
            }
            Move::Done(how) if !self.in_flight.is_empty() => {
                let act = self.in_flight.remove(usize::from(*how) % self.in_flight.len());
                let effect = match how % 4 {
                    0 => Effect::Failed { why: "it does not start".into() },
                    1 => Effect::TimedOut,
                    2 => Effect::Withheld { why: "STOP".into() },
                    _ => Effect::Done,
                };
                input.performed = vec![Performed { act, effect, steps: Vec::new() }];
            }
            Move::Done(_) => return,
            Move::Ask(what, who) => input.asked = vec![self.ask(*what, *who)],
            Move::Stop(stop) => {
                self.stop = *stop;
                input.stop = *stop;
            }
            Move::Crash => {
                // The state survives as JSON, as the journal keeps it.
                let text = serde_json::to_string(&self.state).expect("a state serialises");
                let back: State = serde_json::from_str(&text).expect("a state reads back");
                assert_eq!(back, self.state, "a state survives the journal");
                self.state = adopt(self.bundle, Some(self.bundle), &back, self.now).state;
                self.life.push(Lived::Adopted(self.now));
                self.in_flight.clear();
                input.performed = self
                    .state
                    .in_flight()
                    .into_iter()
                    .map(|act| Performed { act, effect: Effect::Interrupted, steps: Vec::new() })
                    .collect();
            }
            Move::Wait(seconds) => {
                self.now = self.now + Span::seconds(i64::from(*seconds));
                return;
            }
        }
        self.step(&input);
    }

    fn step(&mut self, input: &Input) {
        self.life.push(Lived::Stepped(input.clone()));
        let done = step(self.bundle, &self.state, input);
        let again = step(self.bundle, &self.state, input);
        assert_eq!(decisions_digest(&done), decisions_digest(&again), "the same input gives the same bytes");
        let (one, other) = (serde_json::to_vec(&done.state), serde_json::to_vec(&again.state));
        assert_eq!(one.expect("serialises"), other.expect("serialises"));
        self.check_records(&done.records);
        for permit in &done.permits {
            assert!(self.intents.contains_key(&permit.act()), "a permit without its intent");
            assert!(!self.stop || !is_heal(&permit.proposal().act), "STOP stops every heal act");
            self.in_flight.push(permit.act());
        }
        self.state = done.state;
        let flights: Vec<&ComponentId> =
            self.state.governed.accounts.flights.values().map(|flight| &flight.component).collect();
        let distinct: BTreeSet<&&ComponentId> = flights.iter().collect();
        assert_eq!(flights.len(), distinct.len(), "two acts in flight on one component");
        let open: BTreeSet<ActId> = self.state.health.tries.keys().copied().collect();
        let flying: BTreeSet<ActId> = self.state.governed.accounts.flights.keys().copied().collect();
        assert_eq!(open, flying, "what the evaluator and the brakes take for open is the same");
    }

    fn check_records(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Intent { act, proposal, .. } => {
                    let id = proposal.component.clone().unwrap_or_else(|| "".into());
                    assert!(self.intents.insert(*act, id).is_none(), "an intent twice");
                }
                Record::End { act, .. } => {
                    assert!(self.intents.contains_key(act), "an end without an intent");
                    assert!(self.ended.insert(*act), "a second end");
                }
                _ => {}
            }
            let text = serde_json::to_string(record).expect("a record serialises");
            let back: Record = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(back, *record);
        }
    }

    fn component(&self, which: u8) -> ComponentId {
        let ids: Vec<&ComponentId> = self.bundle.components.keys().collect();
        ids[usize::from(which) % ids.len()].clone()
    }

    fn ask(&self, what: u8, who: u8) -> Asked {
        let component = self.component(what);
        let mode = ["normal", "read_only", "observation_only", "emergency"][usize::from(who) % 4];
        let approval = self.state.governed.last_approval;
        let request = match what % 9 {
            0 => Request::Restart { component },
            1 => Request::SetMode {
                mode: mode.into(),
                lasts: (who > 200).then_some(Span::minutes(3)),
                revision: None,
            },
            2 => Request::Unblock { component },
            3 => Request::Hold {
                component: (who.is_multiple_of(2)).then_some(component),
                lasts: Some(Span::minutes(2)),
            },
            4 => Request::EndHold { component: (who.is_multiple_of(2)).then_some(component) },
            5 => Request::Approve { approval, break_glass: who.is_multiple_of(5), act_hash: None },
            6 => Request::Deny { approval },
            7 => Request::Scale { component, workers: u32::from(who) + 1 },
            _ => Request::Restart { component: "no_such_component".into() },
        };
        let actor = Actor::from(format!("uid:{}", 1000 + u32::from(who % 3)));
        Asked::by(actor, "a test".into(), request)
    }

    fn snapshot(&self, occasion: impl Fn(&ComponentId) -> Option<Occasion>) -> Snapshot {
        let mut snapshot = Snapshot::new();
        for (index, component) in self.bundle.components.values().enumerate() {
            let Some(occasion) = occasion(&component.id) else { continue };
            let broken = self.broken & (1 << (index % 8)) != 0;
            let missing = self.missing == 1 && self.broken & (1 << ((index + 4) % 8)) != 0;
            let facts =
                component.facts.keys().map(|fact| (fact.clone(), reading(fact, broken, missing))).collect();
            snapshot.insert(component.id.clone(), Readings { taken_at: self.now, occasion, facts });
        }
        snapshot
    }
}

fn is_heal(act: &Act) -> bool {
    matches!(act, Act::Heal { .. })
}

pub(crate) fn reading(fact: &FactId, broken: bool, missing: bool) -> Reading {
    if missing {
        return Reading::Missing;
    }
    let name = fact.as_str();
    if ["running", "connected", "routing"].iter().any(|word| name.ends_with(word)) {
        Reading::from(!broken)
    } else if name.ends_with("workers") {
        Reading::from(if broken { 0 } else { 3 })
    } else if name.ends_with("_s") || name.ends_with("_ms") {
        Reading::Value(Value::Float(if broken { 1e6 } else { 1.0 }))
    } else {
        Reading::from(0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_intents_end_once_and_nothing_acts_twice(moves in moves()) {
        let bundle = shipped();
        let mut play = Play::new(bundle);
        for happens in &moves {
            play.go(happens);
        }
        // Everything ends once the hands are done and somebody looks: nothing stays open for ever.
        play.stop = true;
        for _ in 0..6 {
            while !play.in_flight.is_empty() {
                play.go(&Move::Done(3));
            }
            play.go(&Move::Grid { broken: 0, missing: 0 });
        }
        // The last look may have begun to tell somebody of a task that nobody looked at.
        while !play.in_flight.is_empty() {
            play.go(&Move::Done(3));
        }
        prop_assert_eq!(play.intents.len(), play.ended.len());
        prop_assert!(play.state.health.tries.is_empty());
    }

    #[test]
    fn the_schedule_never_stands_still_and_never_skips_the_grid(wakes in proptest::collection::vec((0_u8..4, 0_i64..90_000), 1..60)) {
        let grid = Span::seconds(30);
        let mut schedule = Schedule::new(grid);
        let mut now = START;
        let mut last_grid = None;
        for (what, wait) in wakes {
            match what {
                0 => schedule.wake("a".into(), Occasion::SelfReport),
                1 => schedule.soon(),
                2 => schedule.urgent(),
                _ => schedule.due(BTreeMap::from([("b".into(), now + Span(wait))])),
            }
            let next = schedule.next(now);
            prop_assert!(next >= now && next - now <= grid, "a tick at least every slot");
            now = next;
            let agenda = schedule.begin(now);
            if agenda.grid {
                if let Some(last) = last_grid {
                    prop_assert_eq!(now.slot(grid) - last, grid);
                }
                last_grid = Some(now.slot(grid));
            }
        }
    }
}

#[test]
fn what_was_in_flight_when_grace_was_killed_ends_unknown_and_is_not_repeated() {
    let bundle = shipped();
    let mut play = Play::new(bundle);
    let index = bundle.components.keys().position(|id| id.as_str() == "trigger_mesh").expect("it is shipped");
    let broken = 1_u8 << index;
    play.go(&Move::Grid { broken: 0, missing: 0 });
    play.go(&Move::Grid { broken, missing: 0 });
    play.go(&Move::Grid { broken, missing: 0 });
    assert_eq!(play.in_flight.len(), 1, "the second failure asks for a restart");
    play.go(&Move::Crash);
    assert!(play.ended.is_empty(), "the next reading decides");
    let input = Input {
        tick: play.state.tick + 1,
        now: play.now,
        snapshot: {
            play.broken = 0;
            play.snapshot(|_| Some(Occasion::Verification))
        },
        ..Input::default()
    };
    let done = step(bundle, &play.state, &input);
    let ends: Vec<&Record> =
        done.records.iter().filter(|record| matches!(record, Record::End { .. })).collect();
    assert!(matches!(ends.as_slice(), [Record::End { outcome: Some(Outcome::Unknown), .. }]), "{ends:?}");
    assert!(done.permits.is_empty());
}

#[test]
fn a_restart_brings_the_workers_the_file_names() {
    let bundle = shipped();
    let mut play = Play::new(bundle);
    let index =
        bundle.components.keys().position(|id| id.as_str() == "task_executor").expect("it is shipped");
    for broken in [0, 1 << index, 1 << index] {
        play.now = play.now.slot(Span::seconds(30)) + Span::seconds(30);
        play.broken = broken;
        let input = Input {
            tick: play.state.tick + 1,
            now: play.now,
            snapshot: play.snapshot(|_| Some(Occasion::Grid)),
            ..Input::default()
        };
        let done = step(bundle, &play.state, &input);
        for permit in &done.permits {
            let Act::Heal { steps, .. } = &permit.proposal().act else { panic!("only a restart") };
            assert_eq!(steps.as_slice(), [HealStep::Restart { workers: Some(3) }]);
        }
        play.step(&input);
    }
    assert_eq!(play.in_flight.len(), 1);
}

#[test]
fn a_clock_that_goes_back_ends_no_cooldown_early() {
    let bundle = shipped();
    let mut state = fresh(bundle);
    let later = Input { tick: 1, now: START + Span::minutes(60), ..Input::default() };
    state = step(bundle, &state, &later).state;
    let back = Input { tick: 2, now: START, ..Input::default() };
    assert_eq!(step(bundle, &state, &back).state.now, START + Span::minutes(60));
}

#[test]
fn a_claim_ends_by_itself_again_when_its_rule_is_back() {
    let bundle = shipped();
    let mut without = bundle.clone();
    let database = without.components.get_mut("database").expect("it is shipped");
    database.rules.retain(|rule| rule.id.as_str() != "read_only");
    let by = By::Rule { rule: "read_only".into(), component: "database".into() };
    let spot = Some(Spot { list: List::Do, index: 0 });
    let (mode, reason, since) = ("read_only".into(), "lost".into(), START);
    let key = by.claim_key();
    let claim = Claim { mode, by, reason, since, spot, expires: None, over: false };
    let mut state = adopt(bundle, None, &State::default(), START).state;
    state.governed.claims.insert(key.clone(), claim);
    let spot_of = |state: &State| state.governed.claims.get(&key).expect("it stands").spot;
    let gone = adopt(&without, Some(bundle), &state, START).state;
    assert_eq!(spot_of(&gone), None, "without its rule it waits for a person");
    let back = adopt(bundle, Some(&without), &gone, START).state;
    assert_eq!(spot_of(&back), spot);
}
