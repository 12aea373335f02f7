//! Files that change while something is healed: an act that is under way ends when the hands say so, and a healing whose rule
//! is another one, or gone, ends as well. What was written down of it can be derived again.

use std::sync::Arc;

use grace::engine::{Bundle, Input, State, adopt_by, step};
use grace::model::{
    ActId, Asked, Effect, Facts, HealingResult, Meaning, Occasion, Outcome, Performed, Reading, Readings,
    Record, Request, Snapshot, Span, Time,
};
use grace::record::{Journal, Reader};
use grace::replay::prove::prove;

use crate::engine::START;

use crate::scenarios::{with_process, with_service};

const WEB: &str = r#"
[rule.down]
when     = '!p.running'
do       = ["restart"]
verify   = { delay = "5s", within = "20s" }
attempts = 3
why      = "It should run."
"#;

fn web() -> Bundle {
    with_process("web", WEB)
}

fn without_web() -> Bundle {
    with_process("other", WEB)
}

/// The rule as it is after an edit.
fn edited(from: &str, to: &str) -> Bundle {
    assert!(WEB.contains(from), "{from}");
    with_process("web", &WEB.replace(from, to))
}

/// One life of Grace, written as production writes it.
struct Life {
    dir: tempfile::TempDir,
    journal: Journal,
    bundle: Arc<Bundle>,
    state: State,
    now: Time,
    meaning: Meaning,
    /// What people ask at the next tick.
    asked: Vec<Asked>,
}

impl Life {
    fn new(meaning: Meaning) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(dir.path()).expect("opens");
        let now = START.slot(Span::seconds(30));
        let (bundle, state) = (Arc::new(web()), State::default());
        let mut life = Self { dir, journal, bundle, state, now, meaning, asked: vec![] };
        life.take_over(None, web());
        life.go(30, true, None);
        life
    }

    fn reload(&mut self, bundle: Bundle) -> Vec<Record> {
        let before = Arc::clone(&self.bundle);
        self.take_over(Some(&before), bundle)
    }

    fn take_over(&mut self, before: Option<&Bundle>, bundle: Bundle) -> Vec<Record> {
        let adopted = adopt_by(self.meaning, (&bundle, before), &self.state, self.now);
        self.journal.adopt(self.now, &adopted.records, &adopted.state).expect("written");
        (self.bundle, self.state) = (Arc::new(bundle), adopted.state);
        adopted.records
    }

    /// So many seconds later it runs or not, and the hands report.
    fn go(&mut self, seconds: i64, runs: bool, done: Option<(ActId, Effect)>) -> Vec<Record> {
        self.now = self.now + Span::seconds(seconds);
        let (now, tick, meaning) = (self.now, self.state.tick + 1, self.meaning);
        let mut facts = Facts::default();
        facts.insert("p.running".into(), Reading::from(runs));
        let readings = Readings { taken_at: now, occasion: Occasion::Grid, facts };
        let snapshot = Snapshot::from([("web".into(), readings)]);
        let report = |(act, effect)| Performed { act, effect, steps: vec![] };
        let performed = done.into_iter().map(report).collect();
        let asked = std::mem::take(&mut self.asked);
        let input = Input { tick, now, snapshot, performed, asked, meaning, ..Input::default() };
        let next = step(&self.bundle, &self.state, &input);
        let records = next.records.clone();
        self.state = self.journal.commit(now, &input, next).expect("written").state;
        records
    }

    /// What was written can be derived again.
    fn proves(self) {
        drop(self.journal);
        let proof = prove(&Reader::open(self.dir.path()).expect("opens")).expect("read");
        assert!(proof.holds(), "{proof:?}");
    }
}

fn begun(records: &[Record]) -> Vec<ActId> {
    let begun = |record: &Record| match record {
        Record::Intent { act, .. } => Some(*act),
        _ => None,
    };
    records.iter().filter_map(begun).collect()
}

fn ends(records: &[Record]) -> Vec<(ActId, Outcome, String)> {
    let end = |record: &Record| match record {
        Record::End { act, outcome: Some(outcome), detail, .. } => Some((*act, *outcome, detail.clone())),
        _ => None,
    };
    records.iter().filter_map(end).collect()
}

/// How healings ended, after how many tries.
fn healings(records: &[Record]) -> Vec<(HealingResult, u32, String)> {
    let end = |record: &Record| match record {
        Record::HealingEnded { result, attempts, detail, .. } => Some((*result, *attempts, detail.clone())),
        _ => None,
    };
    records.iter().filter_map(end).collect()
}

fn over(attempts: u32, detail: &str) -> Vec<(HealingResult, u32, String)> {
    vec![(HealingResult::Over, attempts, detail.to_owned())]
}

#[test]
fn nothing_acts_beside_an_act_whose_file_was_away_for_a_moment() {
    let mut life = Life::new(Meaning::default());
    let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
    let mut records = life.reload(without_web());
    records.extend(life.go(1, false, None));
    records.extend(life.reload(web()));
    for _ in 0..4 {
        records.extend(life.go(30, false, None));
    }
    assert_eq!((begun(&records), ends(&records)), (vec![], vec![]), "the hands are at it still");
    assert_eq!(healings(&records), over(1, "the rule is gone"));
    let mut records = life.go(1, false, Some((act, Effect::Done)));
    records.extend(life.go(6, true, None));
    let told = ends(&records);
    // Whether the file that came back is the one that went nobody remembers.
    assert!(matches!(&told[..], [(one, Outcome::Unknown, _)] if *one == act), "{told:?}");
    assert!(life.state.governed.accounts.flights.is_empty());
    life.proves();
}

#[test]
fn an_act_whose_file_stays_away_ends_when_the_hands_say_so_or_were_cut_off() {
    for effect in [Effect::Done, Effect::TimedOut, Effect::Interrupted] {
        let mut life = Life::new(Meaning::default());
        let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
        assert_eq!(ends(&life.reload(without_web())), []);
        assert_eq!(life.state.in_flight(), [act], "a start behind a kill cuts it off");
        let told = ends(&life.go(30, false, Some((act, effect))));
        assert_eq!(told, [(act, Outcome::Unknown, "the component is no longer declared".to_owned())]);
        assert!(life.state.governed.accounts.flights.is_empty() && life.state.health.tries.is_empty());
        let figures = Reader::open(life.dir.path()).expect("opens").figures(None, None, Some("web"));
        let figures = figures.expect("there are ticks").components;
        let shown = &figures.first().expect("it was declared").measures.tries;
        assert_eq!(shown.get("unknown"), Some(&1), "{shown:?}");
        life.proves();
    }
    // What was decided before is decided so again.
    let mut life = Life::new(Meaning::VOID);
    let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
    assert_eq!(ends(&life.reload(without_web())).len(), 1);
    life.reload(web());
    assert_ne!(begun(&life.go(30, false, None)), [], "beside act {act}");
    life.proves();
}

/// One try that helped nothing; the next one waits.
fn between(meaning: Meaning) -> Life {
    let mut life = Life::new(meaning);
    let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
    life.go(1, false, Some((act, Effect::Done)));
    assert_eq!(ends(&life.go(20, false, None)).len(), 1);
    life
}

#[test]
fn a_healing_whose_rule_changes_or_goes_between_two_tries_is_over() {
    let when = "when     = '!p.running'";
    let edits = [
        (edited(when, "when     = '!p.running && failures > 0'"), "the rule was changed"),
        (edited("[rule.down]", "[rule.fallen]"), "the rule is gone"),
        (
            edited("attempts = 3", "attempts = 3\nshadow   = true"),
            "the rule is a shadow now, and makes no further try",
        ),
        (without_web(), "the rule is gone"),
    ];
    for (bundle, says) in edits {
        let mut life = between(Meaning::default());
        assert_eq!(healings(&life.reload(bundle.clone())), over(1, says));
        life.proves();
        let mut life = between(Meaning::VOID);
        assert_eq!(healings(&life.reload(bundle)), [], "what was decided before is decided so again");
        life.proves();
    }
    let mut life = between(Meaning::default());
    assert_eq!(healings(&life.reload(edited("attempts = 3", "attempts = 4"))), [], "it goes on");
}

#[test]
fn a_rule_that_changes_during_a_try_is_not_said_to_have_been_false() {
    let mut life = Life::new(Meaning::default());
    let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
    let rare = edited("when     = '!p.running'", "when     = '!p.running && failures > 0'\nafter    = 9");
    assert_eq!(healings(&life.reload(rare)), []);
    life.go(1, false, Some((act, Effect::Done)));
    let records = life.go(20, false, None);
    let [(_, Outcome::Unknown, detail)] = &ends(&records)[..] else { panic!("{records:?}") };
    assert!(detail.starts_with("the rule is another one than when it acted; "), "{detail}");
    assert!(detail.ends_with("; the rule was changed meanwhile"), "{detail}");
    assert_eq!(healings(&records), over(1, "the rule was changed"));
    life.proves();
}

#[test]
fn what_an_edited_rule_says_of_a_try_is_no_answer() {
    let edits = [
        edited("[rule.down]", "[rule.fallen]"),
        edited("'!p.running'", "'!p.running && p.resident_bytes > 1000000000'"),
        edited("attempts = 3", "attempts = 1"),
    ];
    for bundle in edits {
        // Under older meanings whatever the files say when it is judged.
        for (meaning, is_new) in [(Meaning::default(), true), (Meaning::VOID, false)] {
            let mut life = Life::new(meaning);
            let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
            life.go(1, false, Some((act, Effect::Done)));
            life.reload(bundle.clone());
            let mut records = life.go(6, true, None);
            records.extend(life.go(20, true, None));
            let [(_, outcome, detail)] = &ends(&records)[..] else { panic!("{records:?}") };
            assert_eq!(*outcome == Outcome::Unknown, is_new, "{outcome}: {detail}");
            assert_eq!(detail.contains("another one than when it acted"), is_new, "{detail}");
            life.proves();
        }
    }
    // A try that nobody edited is judged as ever, and so is an act that failed by itself.
    let mut life = Life::new(Meaning::default());
    let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
    life.reload(edited("It should run.", "It has to run."));
    life.go(1, false, Some((act, Effect::Done)));
    let told = ends(&life.go(6, true, None));
    assert!(matches!(&told[..], [(_, Outcome::Healed, _)]), "{told:?}");
    let mut life = Life::new(Meaning::default());
    let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
    life.reload(edited("attempts = 3", "attempts = 1"));
    life.go(1, false, Some((act, Effect::Failed { why: "no".to_owned() })));
    let told = ends(&life.go(1, false, None));
    assert!(matches!(&told[..], [(_, Outcome::Failed, _)]), "{told:?}");
}

#[test]
fn what_an_edited_rule_says_undoes_nothing_that_it_did_before() {
    for (bundle, relapses) in [
        (edited("'!p.running'", "'p.running && failures == 0'"), 0),
        (edited("It should run.", "It has to run."), 1),
    ] {
        let mut life = Life::new(Meaning::default());
        let [act] = begun(&life.go(30, false, None))[..] else { panic!("one act") };
        life.go(1, false, Some((act, Effect::Done)));
        let told = ends(&life.go(6, true, None));
        assert!(matches!(&told[..], [(_, Outcome::Healed, _)]), "{told:?}");
        life.reload(bundle);
        let mut records = life.go(30, true, None);
        records.extend(life.go(30, relapses == 0, None));
        let found = records.iter().filter(|record| matches!(record, Record::Relapsed { .. })).count();
        assert_eq!(found, relapses, "{records:?}");
        life.proves();
    }
}

#[test]
fn what_a_person_tried_is_not_judged_by_another_status() {
    let other = "[component]\ntier = 2\n[control]\nkind = \"process\"\nargv = [\"/usr/bin/true\"]\n\
                 [probe.p]\nkind = \"process\"\n[status]\ncritical = 'p.resident_bytes > 9000000000'\n";
    for (bundle, outcome) in [
        (with_service("web", other), Outcome::Unknown),
        (edited("attempts = 3", "attempts = 1"), Outcome::Healed),
    ] {
        let mut life = Life::new(Meaning::default());
        let restart = Request::Restart { component: "web".into() };
        life.asked = vec![Asked::by("uid:5".into(), "a try".into(), restart)];
        let [act] = begun(&life.go(30, true, None))[..] else { panic!("one act") };
        life.reload(bundle);
        let mut records = life.go(1, true, Some((act, Effect::Done)));
        for _ in 0..4 {
            records.extend(life.go(30, true, None));
        }
        let told = ends(&records);
        assert!(matches!(&told[..], [(_, one, _)] if *one == outcome), "{told:?}");
        life.proves();
    }
}
