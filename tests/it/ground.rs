//! What waits for approval falls with its ground: the token it was asked with, the claim that was meant, the mode that was read.

use grace::engine::{Bundle, Input, State, adopt, step};
use grace::model::{
    Act, Answer, ApprovalId, Asked, ClaimKey, Meaning, NewToken, Record, Request, Role, Shown, Span, Time,
    act_of,
};

use serde_json::json;

use crate::daemon::until;
use crate::decided::House;
use crate::histories::bundle;

/// Steps, one every ten seconds, of people alone.
struct Steps {
    bundle: Bundle,
    state: State,
    meaning: Meaning,
}

impl Steps {
    fn new(meaning: Meaning) -> Self {
        let bundle = bundle(&[]);
        let state = adopt(&bundle, None, &State::default(), Time(0)).state;
        Self { bundle, state, meaning }
    }

    fn ask(&mut self, asked: &[(&str, Request)]) -> (Vec<Record>, Vec<Answer>) {
        let tick = self.state.tick + 1;
        let now = Time(0) + Span::seconds(10 * i64::try_from(tick).unwrap());
        let by = |(actor, request): &(&str, Request)| {
            // The secret of each token is its name.
            let token = actor.strip_prefix("token:").map(str::to_owned);
            let asked = Asked::by((*actor).into(), "a test".into(), request.clone());
            Asked { shown: Shown { token, ..Shown::default() }, ..asked }
        };
        let asked = asked.iter().map(by).collect();
        let next = step(
            &self.bundle,
            &self.state,
            &Input { tick, now, asked, meaning: self.meaning, ..Input::default() },
        );
        self.state = next.state;
        (next.records, next.answers.into_iter().map(|answered| answered.answer).collect())
    }
}

fn mode(mode: &str) -> Request {
    Request::SetMode { mode: mode.into(), lasts: None, revision: None }
}

fn release() -> Request {
    Request::Release { key: ClaimKey::person(), revision: None }
}

fn approve() -> Request {
    Request::Approve { approval: ApprovalId(1), break_glass: false, act_hash: None }
}

fn token(name: &str, lasts: Option<Span>) -> Request {
    let (digest, person) = (format!("{name}{}", "0".repeat(64)), Some("paul".into()));
    Request::MakeToken(Box::new(NewToken { token: name.into(), role: Role::Operator, digest, person, lasts }))
}

/// Why requests for approval ended.
fn ends(records: &[Record]) -> Vec<&str> {
    let mut found = Vec::new();
    for record in records {
        if let Record::ApprovalEnded { reason, .. } = record {
            found.push(reason.as_str());
        }
    }
    found
}

fn heals(records: &[Record]) -> bool {
    records.iter().any(
        |record| matches!(record, Record::Intent { proposal, .. } if matches!(proposal.act, Act::Heal { .. })),
    )
}

#[test]
fn what_waits_falls_with_the_token_it_was_asked_with() {
    let restart = || Request::Restart { component: "task_executor".into() };
    let revoke = || Request::EndToken { token: "deploy".into() };
    for (lasts, how, falls) in [
        (None, "revoked", true),
        (None, "revoked and approved at once", true),
        (None, "revoked and made anew", true),
        (Some(Span::seconds(25)), "over", true),
        (None, "stands", false),
    ] {
        let mut steps = Steps::new(Meaning::default());
        steps.ask(&[("uid:0", token("deploy", lasts)), ("uid:0", token("other", None))]);
        let (_, answers) = steps.ask(&[("token:deploy", restart()), ("token:other", mode("read_only"))]);
        assert!(matches!(answers[0], Answer::Waiting { approval: ApprovalId(1), .. }), "{answers:?}");
        let (mut records, _) = match how {
            "revoked" => steps.ask(&[("uid:0", revoke())]),
            "revoked and approved at once" => steps.ask(&[("uid:0", revoke()), ("uid:1", approve())]),
            "revoked and made anew" => steps.ask(&[("uid:0", revoke()), ("uid:0", token("deploy", None))]),
            _ => steps.ask(&[]),
        };
        records.extend(steps.ask(&[("uid:1", approve())]).0);
        assert_eq!(heals(&records), !falls, "{how}: {records:?}");
        let why: &[&str] =
            if falls { &["the token `deploy`, with which it was asked, has ended"] } else { &[] };
        assert_eq!(ends(&records), why, "{how}");
    }
    // Journals of before are decided as they were.
    let mut steps = Steps::new(Meaning::VOID);
    steps.ask(&[("uid:0", token("deploy", None))]);
    steps.ask(&[("token:deploy", restart())]);
    steps.ask(&[("uid:0", revoke())]);
    assert!(heals(&steps.ask(&[("uid:1", approve())]).0));
}

#[test]
fn what_waits_ends_no_other_claim_than_there_was() {
    for request in [release(), mode("normal")] {
        for (meanwhile, says) in [
            (vec![], None),
            (vec![("uid:3", mode("read_only"))], Some("person claims read_only since it was asked")),
            (
                vec![
                    ("uid:0", release()),
                    (
                        "uid:1",
                        Request::Approve { approval: ApprovalId(2), break_glass: false, act_hash: None },
                    ),
                ],
                Some("has ended meanwhile"),
            ),
        ] {
            let mut steps = Steps::new(Meaning::default());
            steps.ask(&[("uid:0", mode("read_only"))]);
            let (_, answers) = steps.ask(&[("uid:2", request.clone())]);
            assert!(matches!(answers[0], Answer::Waiting { .. }), "{answers:?}");
            let before = steps.state.governed.mode.clone();
            let (mut records, _) = steps.ask(&meanwhile);
            let after = steps.state.governed.mode.clone();
            records.extend(steps.ask(&[("uid:1", approve())]).0);
            let ends = ends(&records);
            match says {
                None => {
                    assert_eq!(
                        (before.as_str(), steps.state.governed.mode.as_str()),
                        ("read_only", "normal")
                    );
                    assert!(ends.is_empty(), "{ends:?}");
                }
                Some(says) => {
                    assert!(ends.len() == 1 && ends[0].contains(says), "{request:?} {says}: {ends:?}");
                    assert_eq!(steps.state.governed.mode, after, "{request:?} {says}");
                }
            }
        }
    }
    // Journals of before are decided as they were.
    let mut steps = Steps::new(Meaning::VOID);
    steps.ask(&[("uid:0", mode("read_only"))]);
    steps.ask(&[("uid:2", release())]);
    steps.ask(&[("uid:3", mode("read_only"))]);
    steps.ask(&[("uid:1", approve())]);
    assert_eq!(steps.state.governed.mode.as_str(), "normal");
}

#[test]
fn a_revision_of_the_mode_is_never_there_again() {
    for (meaning, again) in [(Meaning::default(), false), (Meaning::VOID, true)] {
        let mut steps = Steps::new(meaning);
        steps.ask(&[]);
        let read = steps.state.governed.revision(meaning);
        steps.ask(&[("uid:0", mode("read_only"))]);
        steps.ask(&[("uid:0", mode("normal"))]);
        steps.ask(&[("uid:1", approve())]);
        assert_eq!(steps.state.governed.mode.as_str(), "normal");
        assert_eq!(steps.state.governed.revision(meaning) == read, again);
        let asked = Request::SetMode { mode: "read_only".into(), lasts: None, revision: Some(read) };
        let (_, answers) = steps.ask(&[("uid:2", asked)]);
        assert_eq!(matches!(answers[0], Answer::Stale { .. }), !again, "{answers:?}");
    }
}

#[test]
fn whoever_decides_reads_for_how_long_and_for_whom() {
    let hours = Some(Span::minutes(120));
    let new = |person: Option<&str>, lasts| {
        let (token, person) = ("deploy".into(), person.map(Into::into));
        Act::MakeToken(Box::new(NewToken { token, role: Role::Admin, digest: String::new(), person, lasts }))
    };
    let set = |lasts| Act::SetMode { mode: "read_only".into(), key: ClaimKey::person(), spot: None, lasts };
    for (act, words) in [
        (Act::Hold { component: None, lasts: None }, "hold all for ever"),
        (Act::Hold { component: Some("database".into()), lasts: hours }, "hold database for 2h"),
        (Act::Silence { component: None, lasts: hours }, "silence all for 2h"),
        (Act::Silence { component: Some("database".into()), lasts: None }, "silence database for ever"),
        (set(hours), "set_mode read_only for 2h"),
        (set(None), "set_mode read_only"),
        (new(Some("ann"), hours), "make token deploy (admin) of ann for 2h"),
        (new(None, None), "make token deploy (admin) of whoever asks for ever"),
    ] {
        assert_eq!(act.words(), words);
    }
    assert_eq!(act_of("hold database for 2h", Some("database")), "hold database for 2h");
    assert_eq!(act_of("restart", Some("database")), "restart of database");
    let house = House::new(&[]);
    let grace = house.start();
    let set = |body| grace.post("/api/health/mode", body).status;
    assert_eq!(set(r#"{"mode": "observation_only", "reason": "x"}"#), 200);
    assert_eq!(set(r#"{"mode": "read_only", "for": "2h", "reason": "x"}"#), 202);
    let words = "set_mode read_only for 2h";
    assert_eq!(grace.get("/api/approvals")[0]["action"], json!(words));
    assert_eq!(grace.get("/api/approvals/1")["waiting"]["action"], json!(words));
    let listed = grace.grace(&["approve", "--list"]);
    assert!(listed.out.contains(words), "{listed:?}");
    until("it is told", || grace.log().contains(&format!("approval 1 is wanted: {words}")));
}

fn says(answers: &[Answer]) -> &str {
    match answers {
        [Answer::Done { says }] => says,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_takes_the_place_of_a_claim_a_hold_or_a_silence_is_told_of_it_and_what_was_said_before_stays() {
    let claim = |mode: &str, hours: i64| Request::SetMode {
        mode: mode.into(),
        lasts: Some(Span::minutes(60 * hours)),
        revision: None,
    };
    let hold = |hours: i64| Request::Hold { component: None, lasts: Some(Span::minutes(60 * hours)) };
    let silence = |hours: i64| Request::Silence { component: None, lasts: Some(Span::minutes(60 * hours)) };
    for (one, other, told) in [
        (claim("read_only", 2), claim("emergency", 3), "; before, person claimed read_only since "),
        (hold(1), hold(2), "; before, it was held by uid:1000 until "),
        (silence(1), silence(2), "; before, it was silenced by uid:1000 until "),
    ] {
        for (meaning, is_told) in [(Meaning::VOID, false), (Meaning::default(), true)] {
            let mut steps = Steps::new(meaning);
            let (_, first) = steps.ask(&[("uid:1000", one.clone())]);
            assert!(!says(&first).contains("before"), "{first:?}");
            let (_, next) = steps.ask(&[("uid:1001", other.clone())]);
            assert_eq!(says(&next).contains(told), is_told, "{meaning:?}: {next:?}");
        }
    }
}

#[test]
fn a_shorter_silence_takes_no_longer_one_away() {
    for (meaning, until) in [(Meaning::VOID, Span::minutes(1)), (Meaning::default(), Span::minutes(60))] {
        let mut steps = Steps::new(meaning);
        let silence = |lasts| Request::Silence { component: None, lasts: Some(lasts) };
        let ask = |steps: &mut Steps, lasts| steps.ask(&[("uid:1000", silence(lasts))]);
        ask(&mut steps, Span::minutes(60));
        let since = steps.state.now;
        let (said, _) = ask(&mut steps, Span::minutes(1));
        let stands = &steps.state.governed.silences;
        let asked = if said.is_empty() { since } else { steps.state.now };
        assert_eq!((stands.len(), stands[0].until), (1, Some(asked + until)));
    }
}

#[test]
fn a_request_that_a_silence_kept_back_is_told_when_it_ends_and_was_lost_before() {
    for (meaning, told) in [(Meaning::VOID, 0), (Meaning::default(), 1)] {
        let mut steps = Steps::new(meaning);
        steps.ask(&[("uid:0", mode("read_only"))]);
        steps.ask(&[("uid:0", Request::Silence { component: None, lasts: None })]);
        let tells = |records: &[Record]| {
            let tells = |record: &&Record| matches!(record, Record::Intent { proposal, .. } if matches!(proposal.act, Act::Notify { .. }));
            records.iter().filter(tells).count()
        };
        let (asked, _) = steps.ask(&[("uid:0", mode("normal"))]);
        assert!(asked.iter().any(|record| matches!(record, Record::ApprovalAsked { .. })), "{asked:?}");
        let (quiet, _) = steps.ask(&[]);
        assert_eq!((tells(&asked), quiet.len()), (0, 0), "{quiet:?}");
        let text = serde_json::to_string(&steps.state).unwrap();
        assert_eq!(text.contains("kept_back"), told == 1);
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), steps.state);
        let (ended, _) = steps.ask(&[("uid:0", Request::EndSilence { component: None })]);
        assert_eq!(tells(&ended), told, "{meaning:?}: {ended:?}");
        let (later, _) = steps.ask(&[]);
        assert!(later.is_empty() && steps.state.kept_back.is_empty(), "{later:?}");
    }
}
