//! The meta-loop on virtual time: what is recommended of a healing that fails, and whether what came of it helped.

mod shown;

use grace::engine::{Bundle, Input, State, adopt, step};
use grace::model::{
    ActId, AdviceDeed, Answer, Asked, Change, Effect, Effectiveness, Facts, Meaning, Occasion, Performed,
    Reading, Readings, RecommendationId, Record, Request, Snapshot, Span, Tally, Time,
};

use crate::engine::{START, fresh};
use crate::scenarios::with_process;

const RESTART: &str = r#"
[rule.restart]
when  = 'critical'
after = AFTER
do    = ["restart"]
why   = "It should run."
"#;

/// The shipped rules with a component whose rule heals after so many readings; without it where there are none.
fn bundle(after: u32) -> Bundle {
    let rules = if after == 0 { String::new() } else { RESTART.replace("AFTER", &after.to_string()) };
    with_process("web", &rules)
}

/// A Grace whose web service fails every hour.
struct Life {
    bundle: Bundle,
    state: State,
    now: Time,
    flying: Vec<ActId>,
    /// What the meta-loop wrote down.
    said: Vec<Record>,
    meaning: Meaning,
}

impl Life {
    fn new() -> Self {
        let bundle = bundle(1);
        let state = fresh(&bundle);
        Self { bundle, state, now: START, flying: vec![], said: vec![], meaning: Meaning::default() }
    }

    fn tick(&mut self, running: bool, asked: Vec<Asked>) -> Vec<Answer> {
        self.now = self.now + Span::seconds(30);
        let mut facts = Facts::default();
        facts.insert("p.running".into(), Reading::from(running));
        let readings = Readings { taken_at: self.now, occasion: Occasion::Grid, facts };
        let snapshot = Snapshot::from([("web".into(), readings)]);
        let end = |act| Performed { act, effect: Effect::Done, steps: Vec::new() };
        let performed = self.flying.drain(..).map(end).collect();
        let (tick, now, meaning) = (self.state.tick + 1, self.now, self.meaning);
        let input = Input { tick, now, snapshot, performed, asked, meaning, ..Input::default() };
        let step = step(&self.bundle, &self.state, &input);
        self.flying.extend(step.permits.iter().map(grace::govern::Permit::act));
        let meta = |record: &&Record| {
            record.event().is_some_and(|event| event.starts_with("meta.") || event == "task.created")
        };
        self.said.extend(step.records.iter().filter(meta).cloned());
        self.state = step.state;
        step.answers.into_iter().map(|answered| answered.answer).collect()
    }

    /// So many failures, an hour apart, that a restart heals, or that pass by themselves after it did not.
    fn failures(&mut self, count: usize, healed: bool) {
        for _ in 0..count {
            let after = self.bundle.components["web"].rules.iter().find(|rule| rule.id.as_str() == "restart");
            for _ in 0..after.map_or(1, |rule| rule.after) {
                self.tick(false, vec![]);
            }
            self.tick(healed, vec![]);
            self.tick(healed, vec![]);
            self.tick(true, vec![]);
            self.now = self.now + Span::minutes(60);
        }
    }

    fn answer(&mut self, number: u64, what: AdviceDeed) -> Answer {
        let request = Request::Recommendation { recommendation: RecommendationId(number), what };
        let asked = Asked::by("uid:1000".into(), "a test".into(), request);
        self.tick(true, vec![asked]).pop().expect("an answer")
    }

    /// Somebody edits the files.
    fn edit(&mut self, after: u32) {
        let new = bundle(after);
        self.state = adopt(&new, Some(&self.bundle), &self.state, self.now).state;
        self.bundle = new;
    }

    /// Until the review date of the newest recommendation is past.
    fn until_the_review(&mut self) {
        let reviews = self.state.recommendations.open.values().filter_map(|open| open.advice.as_ref());
        self.now = reviews.map(|advice| advice.review).max().expect("one is open");
        self.tick(true, vec![]);
        self.tick(true, vec![]);
    }

    fn verdict(&self) -> (Effectiveness, bool, bool, Tally, Tally) {
        let reviewed = self.said.iter().rev().find_map(|record| match record {
            Record::Reviewed { verdict, accepted, changed, before, after, .. } => {
                Some((*verdict, *accepted, *changed, *before, *after))
            }
            _ => None,
        });
        reviewed.expect("something was reviewed")
    }

    fn recommended(&self) -> usize {
        self.said.iter().filter(|record| matches!(record, Record::Recommended { .. })).count()
    }
}

fn of(healed: u32, closed: u32) -> Tally {
    Tally { closed, healed }
}

#[test]
fn ten_failing_tries_are_a_recommendation_and_ten_better_ones_after_the_change_say_that_it_helped() {
    let mut life = Life::new();
    life.failures(9, false);
    assert_eq!(life.recommended(), 0, "nine are not enough");
    life.failures(1, false);
    let Some(Record::Recommended { recommendation, text, advice: Some(advice), .. }) = life.said.last()
    else {
        panic!("nothing recommended: {:?}", life.said)
    };
    assert_eq!(*recommendation, Some(RecommendationId(1)));
    assert!(text.contains("`restart` of web seldom heals (0 of 10 tries)"), "{text}");
    assert_eq!((advice.rule.as_str(), advice.action.as_str()), ("restart", "restart"));
    assert_eq!(
        (advice.before, advice.expects, advice.change.clone()),
        (of(0, 10), 0.5, Some(Change::After { by: 1 }))
    );
    let week = advice.review - life.now;
    assert!(week <= Span::minutes(7 * 24 * 60) && week > Span::minutes(6 * 24 * 60), "{week}");

    // What fails up to the acceptance is before; what fails between it and the change is neither before nor after.
    life.failures(2, false);
    assert!(matches!(life.answer(1, AdviceDeed::Accept), Answer::Done { .. }));
    life.failures(1, false);
    life.edit(2);
    life.failures(10, true);
    life.until_the_review();
    assert_eq!(life.verdict(), (Effectiveness::Helped, true, true, of(0, 12), of(10, 10)));
    let Some(Record::Reviewed { difference, hits, detail, .. }) = life.said.last() else {
        panic!("{:?}", life.said)
    };
    assert_eq!(*difference, Some([1.0, 0.6315, 1.0]));
    assert_eq!((hits.helped, hits.rate()), (1, Some(1.0)));
    assert!(
        detail.contains("accepted, and the rule was changed; 0 of 12 tries healed before, 10 of 10 after"),
        "{detail}"
    );
}

#[test]
fn ten_more_without_a_change_say_that_it_did_not_help_and_count_only_for_who_accepted() {
    for accepted in [true, false] {
        let mut life = Life::new();
        life.failures(10, false);
        if accepted {
            life.answer(1, AdviceDeed::Accept);
        }
        life.failures(10, false);
        assert_eq!(life.recommended(), 1, "what is open is not said again");
        life.until_the_review();
        assert_eq!(life.verdict(), (Effectiveness::DidNotHelp, accepted, false, of(0, 10), of(0, 10)));
        let hits = life.state.recommendations.hits;
        assert_eq!((hits.did_not_help, hits.rate()), (u32::from(accepted), accepted.then_some(0.0)));
        // The next ten say it again, with a number of its own.
        life.failures(10, false);
        assert_eq!(life.recommended(), 2);
        assert_eq!(life.state.recommendations.last, RecommendationId(2));
    }
}

/// Days after it was said, and hours before it would have been reviewed.
#[test]
fn what_is_accepted_late_is_reviewed_as_long_after_and_loses_no_try() {
    let day = Span::minutes(24 * 60);
    let late = |meaning| {
        let mut life = Life { meaning, ..Life::new() };
        life.failures(10, false);
        life.now = life.now + day + day + day + day + day + day;
        life.failures(2, false);
        let says = match life.answer(1, AdviceDeed::Accept) {
            Answer::Done { says } => says,
            other => panic!("{other:?}"),
        };
        let accepted = life.now;
        life.edit(2);
        life.failures(10, true);
        life.until_the_review();
        (life, says, accepted)
    };
    let (life, says, accepted) = late(Meaning::default());
    let review = accepted + day + day + day + day + day + day + day;
    assert!(says.ends_with(&format!("is judged at {review}")), "{says}");
    let answered = life.said.iter().find_map(|record| match record {
        Record::RecommendationAnswered { review, before, .. } => Some((*review, *before)),
        _ => None,
    });
    assert_eq!(answered, Some((Some(review), Some(of(0, 12)))));
    assert!(life.now >= review);
    assert_eq!(life.verdict(), (Effectiveness::Helped, true, true, of(0, 12), of(10, 10)));

    // As it was decided before: the date stood, and what ended after the recommendation was dropped.
    let (life, _, accepted) = late(Meaning::VOID);
    assert!(life.now < accepted + day, "{}", life.now);
    assert_eq!(life.verdict().3, of(0, 10));
    assert!(life.said.iter().any(|record| {
        matches!(record, Record::RecommendationAnswered { review: None, before: None, .. })
    }));
}

/// A date that passed while nobody accepted is past; one that is accepted after the change keeps what the change brought.
#[test]
fn what_is_accepted_after_the_change_keeps_what_came_of_it() {
    let mut life = Life::new();
    life.failures(10, false);
    life.failures(3, false);
    life.edit(2);
    life.failures(4, true);
    life.answer(1, AdviceDeed::Accept);
    life.failures(6, true);
    life.until_the_review();
    assert_eq!(life.verdict(), (Effectiveness::Helped, true, true, of(0, 10), of(10, 10)));
}

#[test]
fn a_change_that_made_it_worse_is_an_event_and_a_task() {
    let mut life = Life::new();
    life.failures(4, true);
    life.failures(6, false);
    life.answer(1, AdviceDeed::Accept);
    life.edit(3);
    life.failures(20, false);
    life.until_the_review();
    assert_eq!(life.verdict(), (Effectiveness::MadeItWorse, true, true, of(4, 10), of(0, 20)));
    let events: Vec<&str> = life.said.iter().filter_map(Record::event).collect();
    assert_eq!(
        events,
        ["meta.recommended", "meta.recommendation_accepted", "meta.regressed", "task.created"]
    );
}

#[test]
fn few_tries_a_rule_that_is_gone_and_one_that_was_edited_by_hand_are_said_as_they_are() {
    let mut life = Life::new();
    life.failures(10, false);
    life.failures(9, true);
    life.until_the_review();
    assert_eq!(life.verdict().0, Effectiveness::NotEnoughData);

    let mut life = Life::new();
    life.failures(10, false);
    life.edit(0);
    life.tick(true, vec![]);
    assert_eq!(life.verdict(), (Effectiveness::NotEnoughData, false, true, of(0, 10), of(0, 0)));
    assert!(life.state.health.tallies.is_empty());

    let mut life = Life::new();
    life.failures(9, false);
    life.edit(2);
    life.failures(9, false);
    assert_eq!(life.recommended(), 0, "an edited rule begins anew");
    life.failures(1, false);
    // Nobody accepts it, and somebody mends the rule all the same.
    life.failures(3, false);
    life.edit(3);
    life.failures(10, true);
    life.until_the_review();
    assert_eq!(life.verdict(), (Effectiveness::Helped, false, true, of(0, 10), of(10, 10)));
    assert_eq!(life.state.recommendations.hits.rate(), None, "it was not the recommender's doing");
}

#[test]
fn what_is_answered_or_unknown_is_refused_with_what_there_is() {
    let mut life = Life::new();
    let says = |answer| match answer {
        Answer::Unknown { says } | Answer::Done { says } => says,
        other => panic!("{other:?}"),
    };
    assert_eq!(says(life.answer(1, AdviceDeed::Accept)), "there is no recommendation 1; none is open");
    life.failures(10, false);
    let accepted = says(life.answer(1, AdviceDeed::Accept));
    assert!(accepted.contains("now make the change"), "{accepted}");
    assert_eq!(says(life.answer(1, AdviceDeed::Accept)), "recommendation 1 was accepted before");
    assert_eq!(says(life.answer(1, AdviceDeed::Decline)), "recommendation 1 is declined");
    assert_eq!(says(life.answer(1, AdviceDeed::Decline)), "recommendation 1 is reviewed or declined");
}

/// What stands in the journals of before: nothing was counted, and recommendations had no numbers.
#[test]
fn what_was_recorded_before_tries_were_counted_is_still_decided_as_it_was() {
    let mut life = Life::new();
    life.meaning = Meaning::SIGNALS;
    life.failures(20, false);
    assert!(life.said.is_empty(), "{:?}", life.said);
    let text = serde_json::to_string(&life.state).expect("writes");
    assert!(!text.contains("tallies") && !text.contains("recommendations"), "{text}");
}
