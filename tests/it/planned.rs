//! Windows of planned downtime: what happens in them is planned, and nothing is healed.

use grace::engine::{Bundle, Input, State, adopt, step};
use grace::figures::{self, Fold, Gather, Terms};
use grace::govern::{Admitted, Deed};
use grace::model::{
    Answer, Asked, Facts, Meaning, Occasion, Reading, Readings, Record, Request, Snapshot, Span, Time,
};

use crate::scenarios::with_service;

const WEB: &str = r#"
[component]
tier    = 2
windows = [{ at = "02:00", for = "1h", days = ["thursday"], why = "the weekly backup" }]

[control]
kind = "process"
argv = ["/usr/bin/true"]

[probe.p]
kind = "process"

[status]
critical = '!p.running'

[rule.restart]
when = 'critical'
do   = ["restart"]
why  = "It should run."
"#;

fn born(bundle: &Bundle, at: &str) -> State {
    adopt(bundle, None, &State::default(), Time::parse(at).expect("a time")).state
}

/// Ticks of half a minute from one time of the 26th, a Thursday, to another, with a web service that is down; and what
/// was written down.
fn ticks(bundle: &Bundle, state: &mut State, from: &str, to: &str) -> Vec<Record> {
    let time = |clock: &str| Time::parse(&format!("2026-11-26T{clock}Z")).expect(clock);
    let (mut now, mut said) = (time(from), Vec::new());
    while now <= time(to) {
        let mut facts = Facts::default();
        facts.insert("p.running".into(), Reading::from(false));
        let readings = Readings { taken_at: now, occasion: Occasion::Grid, facts };
        let snapshot = Snapshot::from([("web".into(), readings)]);
        let input = Input { tick: state.tick + 1, now, snapshot, ..Input::default() };
        let step = step(bundle, state, &input);
        *state = step.state;
        said.push(Record::Tick {
            tick: input.tick,
            now,
            statuses: state.statuses(),
            failures: state.failures(),
            performed: vec![],
            asked: vec![],
            stop: false,
            grid: None,
            meaning: input.meaning,
            readings: String::new(),
            decisions: String::new(),
            state: None,
        });
        said.extend(step.records);
        now = now + Span::seconds(30);
    }
    said
}

/// A person asks for something.
fn ask(bundle: &Bundle, state: &mut State, at: &str, request: Request) {
    let now = Time::parse(&format!("2026-11-26T{at}Z")).expect(at);
    let asked = vec![Asked::by("uid:1000".into(), "a test".into(), request)];
    let input = Input { tick: state.tick + 1, now, asked, ..Input::default() };
    *state = step(bundle, state, &input).state;
}

#[test]
fn what_files_say_of_a_window_while_it_is_open_counts_at_once() {
    let bundle = with_service("web", WEB);
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    ticks(&bundle, &mut state, "02:00:00", "02:01:00");
    let longer = with_service("web", &WEB.replace("\"1h\"", "\"2h\""));
    let held = ("held", Some("the weekly backup until 04:00:00".to_owned()));
    assert_eq!(holds(&ticks(&longer, &mut state, "02:01:30", "02:02:00")), [held]);
    let none = with_service("web", &WEB.replace("thursday", "friday"));
    assert_eq!(holds(&ticks(&none, &mut state, "02:02:30", "02:03:00")), [("ended", None)]);
}

fn holds(said: &[Record]) -> Vec<(&'static str, Option<String>)> {
    let hold = |record: &Record| match record {
        Record::Held { actor, reason, until, .. } => {
            assert_eq!(actor.as_str(), "window");
            Some(("held", until.map(|until| format!("{reason} until {}", until.clock()))))
        }
        Record::HoldEnded { .. } => Some(("ended", None)),
        _ => None,
    };
    said.iter().filter_map(hold).collect()
}

#[test]
fn in_a_window_the_component_is_held_and_its_downtime_is_planned() {
    let bundle = with_service("web", WEB);
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    let said = ticks(&bundle, &mut state, "01:59:00", "03:01:00");
    let held = ("held", Some("the weekly backup until 03:00:00".to_owned()));
    assert_eq!(holds(&said), [held, ("ended", None)]);
    // Two failures were healed before, none in it, and one behind it.
    let intents = said.iter().filter(|record| matches!(record, Record::Intent { .. }));
    assert!(intents.count() >= 1);
    let mut fold = Fold::default();
    fold.terms(&Terms { grid: Span::seconds(30), lowest: Some("normal".into()) });
    for (seq, record) in (1..).zip(&said) {
        fold.take(seq, record);
    }
    let window = figures::Asked::default().within(fold.first().expect("ticks"), fold.now().expect("ticks"));
    let mut gather = Gather::new(window.expect("a window"));
    fold.buckets().into_iter().chain(fold.rest()).for_each(|bucket| gather.bucket(bucket));
    let figures = gather.finish(&fold, None, Some("web")).expect("figures");
    // By hand: from 02:00 to 03:00 planned, the minute before and the minute behind it down.
    let web = &figures.components[0].measures;
    assert_eq!((web.planned_s, web.down_s), (Span::minutes(60), Span::minutes(2)));
}

#[test]
fn a_window_is_opened_once_also_by_a_grace_that_starts_in_it_and_on_no_other_day() {
    let bundle = with_service("web", WEB);
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:30:00", "02:31:00")).len(), 1);
    // A person holds it for longer, and ends that: the window holds it all the same, and at once.
    let hold = Request::Hold { component: Some("web".into()), lasts: Some(Span::minutes(300)) };
    ask(&bundle, &mut state, "02:31:30", hold);
    assert!(ticks(&bundle, &mut state, "02:32:00", "02:32:00").iter().all(|one| one.kind() != "held"));
    ask(&bundle, &mut state, "02:32:10", Request::EndHold { component: Some("web".into()) });
    assert_eq!(state.governed.holds.iter().map(|hold| hold.actor.as_str()).collect::<Vec<_>>(), ["window"]);
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:32:30", "02:33:00")), []);
    // A person ends the window's own: for this time it stays ended.
    ask(&bundle, &mut state, "02:33:30", Request::EndHold { component: Some("web".into()) });
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:34:00", "02:59:00")), []);
    // Grace's time never goes back: to her it is Friday.
    let mut state = born(&bundle, "2026-11-27T02:10:00Z");
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:30:00", "02:31:00")), []);
}

/// A person's hold is a person's, however the files change; the window waits behind it, and its end says when to come back.
#[test]
fn who_asks_in_a_window_for_less_than_it_holds_has_it_and_the_later_end_is_told() {
    let bundle = with_service("web", WEB);
    let hold = |minutes| Request::Hold { component: Some("web".into()), lasts: Some(Span::minutes(minutes)) };
    let asks = |meaning, minutes| {
        let mut state = born(&bundle, "2026-11-26T00:00:00Z");
        ticks(&bundle, &mut state, "02:29:00", "02:30:00");
        let asked = vec![Asked::by("uid:1000".into(), "a test".into(), hold(minutes))];
        let now = state.now + Span::seconds(10);
        let next =
            step(&bundle, &state, &Input { tick: state.tick + 1, now, asked, meaning, ..Input::default() });
        let Some(Answer::Done { says }) = next.answers.first().map(|one| &one.answer) else { panic!("done") };
        let now = bundle.admission(&next.state, false).may(Deed::Restart, Some(&"web".into()));
        let Admitted::Later(_, Some(until)) = now else { panic!("{now:?}") };
        (says.clone(), until.clock())
    };
    let (says, until) = asks(Meaning::VOTES, 5);
    let before = "; before, it was held by window until 03:00:00: the weekly backup";
    assert!(says.starts_with("done: hold web") && says.contains(before), "{says}");
    assert_eq!(until, "03:00:00", "the window waits behind it");
    let (says, until) = asks(Meaning::VOTES, 60);
    assert!(
        says.contains("; before, it was held by window until 03:00:00") && until == "03:30:10",
        "{says} {until}"
    );
    // As it was recorded; that the window holds behind it is known all the same.
    assert!(asks(Meaning::VOID, 5).0.starts_with("done: hold web"));
    // One that a person held before the window opened.
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    ask(&bundle, &mut state, "01:55:00", hold(10));
    ticks(&bundle, &mut state, "01:55:30", "02:01:00");
    let now = bundle.admission(&state, false).may(Deed::Restart, Some(&"web".into()));
    let Admitted::Later(why, Some(until)) = now else { panic!("{now:?}") };
    assert!(why.contains("held by window") && until.clock() == "03:00:00", "{why} {until}");
}

/// Whoever ends a hold hears what holds all the same.
#[test]
fn the_end_of_a_hold_tells_of_the_window_that_takes_over() {
    let bundle = with_service("web", WEB);
    for (meaning, then) in [
        (Meaning::VOTES, "; web stays held by window until 03:00:00: the weekly backup"),
        (Meaning::VOID, ""),
    ] {
        let mut state = born(&bundle, "2026-11-26T00:00:00Z");
        let lasts = Some(Span::minutes(300));
        ask(&bundle, &mut state, "02:31:30", Request::Hold { component: Some("web".into()), lasts });
        let end = Request::EndHold { component: Some("web".into()) };
        let asked = vec![Asked::by("uid:1000".into(), "a test".into(), end)];
        let now = state.now + Span::seconds(10);
        let next =
            step(&bundle, &state, &Input { tick: state.tick + 1, now, asked, meaning, ..Input::default() });
        let says = format!("done: end hold web{then}");
        assert_eq!(next.answers[0].answer, Answer::Done { says }, "{meaning:?}");
    }
}

/// Who ends the hold of one window has not ended another that begins later, though the first is still open then.
#[test]
fn a_window_that_begins_in_one_that_was_ended_holds_from_its_own_begin() {
    let two = WEB.replace(
        r#"[{ at = "02:00", for = "1h", days = ["thursday"], why = "the weekly backup" }]"#,
        r#"[{ at = "02:00", for = "10m", why = "a backup" }, { at = "02:05", for = "10m", why = "an upgrade" }]"#,
    );
    let bundle = with_service("web", &two);
    let end = |state: &mut State, at: &str| {
        ask(&bundle, state, at, Request::EndHold { component: Some("web".into()) });
    };
    let upgrade = ("held", Some("an upgrade until 02:15:00".to_owned()));
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:00:00", "02:01:00")).len(), 1);
    end(&mut state, "02:01:10");
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:01:30", "02:04:30")), []);
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:05:00", "02:05:30")), std::slice::from_ref(&upgrade));
    // Both are open, and both are ended.
    end(&mut state, "02:06:10");
    assert_eq!(holds(&ticks(&bundle, &mut state, "02:06:30", "02:16:00")), []);
    // Where nobody ends anything there is no gap between them.
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    let said = holds(&ticks(&bundle, &mut state, "02:00:00", "02:16:00"));
    let backup = ("held", Some("a backup until 02:10:00".to_owned()));
    assert_eq!(said, [backup, upgrade, ("ended", None)]);
}

#[test]
fn what_a_person_holds_no_window_takes_away_and_behind_it_the_window_holds_at_once() {
    let bundle = with_service("web", WEB);
    let healed = |said: &[Record]| said.iter().any(|record| matches!(record, Record::Intent { .. }));
    let hold = |lasts| Request::Hold { component: Some("web".into()), lasts: Some(Span::minutes(lasts)) };
    let by = |state: &State| -> Vec<String> {
        state.governed.holds.iter().map(|hold| hold.actor.to_string()).collect()
    };
    // The window opens while the person holds, and its line is taken out of the file.
    let mut state = born(&bundle, "2026-11-26T00:00:00Z");
    ask(&bundle, &mut state, "01:55:00", hold(10));
    assert!(!healed(&ticks(&bundle, &mut state, "01:55:30", "02:01:00")));
    assert_eq!(by(&state), ["uid:1000"]);
    let none = with_service("web", &WEB.replace("thursday", "friday"));
    assert!(!healed(&ticks(&none, &mut state, "02:01:30", "02:04:30")));
    assert_eq!(by(&state), ["uid:1000"]);
    assert!(healed(&ticks(&none, &mut state, "02:05:00", "02:07:00")), "the hold is over");
    // The person ends the own hold, or it runs out: the window is open, and holds at once.
    for ended in [true, false] {
        let mut state = born(&bundle, "2026-11-26T00:00:00Z");
        ask(&bundle, &mut state, "01:55:00", hold(10));
        ticks(&bundle, &mut state, "01:55:30", "02:01:00");
        if ended {
            ask(&bundle, &mut state, "02:01:10", Request::EndHold { component: Some("web".into()) });
            assert_eq!(by(&state), ["window"]);
        }
        assert!(!healed(&ticks(&bundle, &mut state, "02:01:30", "02:59:30")));
        assert_eq!(by(&state), ["window"]);
    }
}

/// What is there at the first look of all, what begins in the tick in which a window opens, and what fails behind it; a
/// journal of an older meaning is decided as it was.
#[test]
fn what_begins_in_a_window_or_at_the_first_look_is_no_failure_that_history_counts() {
    // Nothing is tried: a try would keep an incident open.
    let bundle = with_service("web", &WEB.replace("when = 'critical'", "when = 'critical && failures >= 9'"));
    let counted = |meaning| {
        let mut state = born(&bundle, "2026-11-26T00:00:00Z");
        let mut counts = Vec::new();
        for (clock, runs) in [
            ("01:58:00", false),
            ("01:59:00", true),
            ("02:00:00", false),
            ("03:00:00", true),
            ("03:01:00", false),
        ] {
            let now = Time::parse(&format!("2026-11-26T{clock}Z")).expect(clock);
            let facts = Facts::from_iter([("p.running".into(), Reading::from(runs))]);
            let readings = Readings { taken_at: now, occasion: Occasion::Grid, facts };
            let snapshot = Snapshot::from([("web".into(), readings)]);
            let input = Input { tick: state.tick + 1, now, snapshot, meaning, ..Input::default() };
            state = step(&bundle, &state, &input).state;
            let web = state.health.components.values().find(|own| own.counted == Some(now)).expect("web");
            counts.push(web.history.incidents(now, Span::minutes(120)));
        }
        counts
    };
    assert_eq!(counted(Meaning::VOTES), [0, 0, 0, 0, 1]);
    assert_eq!(counted(Meaning::VOID), [1, 1, 2, 2, 3]);
}

#[test]
fn a_program_that_an_upgrade_exchanges_in_a_window_is_told_and_is_no_signal() {
    let bundle = with_service("web", WEB);
    let counted = |clock: &str, meaning| {
        let state = born(&bundle, "2026-11-26T00:00:00Z");
        let now = Time::parse(&format!("2026-11-26T{clock}Z")).expect(clock);
        let facts = [("p.running".into(), false.into()), ("p.binary_changed".into(), true.into())];
        let readings = Readings { taken_at: now, occasion: Occasion::Grid, facts: Facts::from_iter(facts) };
        let snapshot = Snapshot::from([("web".into(), readings)]);
        let input = Input { tick: 1, now, snapshot, meaning, ..Input::default() };
        let step = step(&bundle, &state, &input);
        let told = step.records.iter().any(
            |record| matches!(record, Record::Announced { event, .. } if event == "security.signal.binary_changed"),
        );
        (told, step.state.health.signals.count(&"web".into(), now, Span::minutes(60)))
    };
    assert_eq!(counted("01:30:00", Meaning::VOTES), (true, 1));
    assert_eq!(counted("02:00:00", Meaning::VOTES), (true, 0));
    assert_eq!(counted("02:00:00", Meaning::VOID), (true, 1));
}
