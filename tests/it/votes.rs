//! Who may no longer ask has no vote either.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use grace::engine::{Input, State, adopt, step};
use grace::model::{
    Actor, Answer, ApprovalId, Asked, Meaning, NewToken, Record, Request, Role, Shown, Span, Time,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::daemon::{as_nobody, exchange, until};
use crate::decided::{House, Person, acts, all_end, person, proven};
use crate::histories::bundle;

#[test]
fn a_vote_stands_as_long_as_the_token_it_was_given_with() {
    let house = House::new(&[("policies/governance.toml", "approvers = 1", "approvers = 2")]);
    let grace = house.start();
    let ann = person(&grace, "ann", "admin", "ann");
    let (bob, cid) = (person(&grace, "bob", "approver", "bob"), person(&grace, "cid", "approver", "cid"));
    let dan = person(&grace, "dan", "approver", "dan");
    let fay = person(&grace, "fay", "approver", "fay");
    let given = |approval: u64| grace.get(&format!("/api/approvals/{approval}"))["waiting"]["given"].clone();
    let approval = ann.asks_for_a_restart("task_executor");
    assert_eq!(bob.approves(approval).status, 200);
    assert_eq!(given(approval), json!(["bob"]));
    assert_eq!(grace.grace(&["token", "revoke", "bob"]).code, Some(0));
    assert_eq!(given(approval), json!([]));
    let ended = grace.get("/api/journal?kind=token_ended");
    assert_eq!(ended[0]["body"]["votes"], json!([approval]), "{ended}");
    // What it only names by its number.
    let about = "restart of task_executor, asked by token:ann: ";
    let is_about = |one: &Value| one["about"].as_str().is_some_and(|says| says.starts_with(about));
    assert!(is_about(&ended[0]), "{ended}");
    let event = &grace.get("/api/events?pattern=access.token_ended")[0];
    assert!(is_about(event) && event["subject"] == "task_executor", "{event}");
    // One of two, whatever was before.
    assert_eq!(cid.approves(approval).status, 200);
    assert!(acts(&grace).0.is_empty() && given(approval) == json!(["cid"]));
    // Whose time is over counts no more, either; another token of the same person keeps the vote.
    let body = json!({ "name": "eve", "role": "approver", "person": "eve", "for": "2s" }).to_string();
    let secret = grace.post("/api/tokens", &body).json()["secret"].as_str().expect("a secret").to_owned();
    let eve = Person { grace: &grace, secret };
    let also_dan = person(&grace, "dan-2", "approver", "dan");
    let other = ann.asks_for_a_restart("trigger_mesh");
    assert_eq!((eve.approves(other).status, given(other)), (200, json!(["eve"])));
    until("her time is over", || given(other) == json!([]));
    assert_eq!((dan.approves(other).status, also_dan.approves(other).status), (200, 200));
    assert_eq!(grace.grace(&["token", "revoke", "dan"]).code, Some(0));
    assert_eq!(given(other), json!(["dan"]));
    assert!(acts(&grace).0.is_empty(), "nobody has approved with another");
    also_dan.approves(approval).problem(403, "refused");
    assert_eq!(fay.approves(approval).status, 200);
    until("it is done", || acts(&grace).0.len() == 1);
    all_end(&grace);
    // Whoever asks who decided about it hears of those who did, and who was refused.
    let about = |kind: &str| {
        let listed = grace.get(&format!("/api/journal?component=task_executor&kind={kind}"));
        let found = grace.grace(&["audit", "query", "--component", "task_executor", "--kind", kind]);
        let listed = listed.as_array().expect("entries").len();
        assert_eq!(listed, found.out.lines().count() - 1, "{kind}: {found:?}");
        listed
    };
    assert_eq!((about("approval_asked"), about("approved"), about("refused")), (1, 3, 1));
    proven(&grace);
}

/// By as many hands as it takes: whoever asks, or has voted, gets no token made that decides what waits already.
#[test]
fn who_decides_stands_when_it_is_asked() {
    let house = House::new(&[("policies/governance.toml", "approvers = 1", "approvers = 2")]);
    let grace = house.start();
    let (kate, ann) = (person(&grace, "kate", "admin", "kate"), person(&grace, "ann", "admin", "ann"));
    let approval = kate.asks_for_a_restart("task_executor");
    let xaver = kate.makes("x", "admin", "xaver");
    let yves = xaver.makes("y", "approver", "yves");
    assert!(yves.approves(approval).problem(403, "refused").contains("made after it was asked"));
    assert_eq!(grace.grace(&["token", "revoke", "x"]).code, Some(0));
    yves.approves(approval).problem(403, "refused");
    assert_eq!(ann.approves(approval).status, 200);
    ann.makes("b", "approver", "bob").approves(approval).problem(403, "refused");
    assert!(acts(&grace).0.is_empty());
    // What is asked from now on they decide.
    let next = kate.asks_for_a_restart("trigger_mesh");
    assert_eq!((yves.approves(next).status, ann.approves(next).status), (200, 200));
    until("it is done", || acts(&grace).0.len() == 1);
    all_end(&grace);
    proven(&grace);
}

/// Between the look at a token and the step there is time for its end.
#[test]
fn a_token_that_ends_before_the_step_asks_and_decides_nothing() {
    let bundle = bundle(&[]);
    let root = || Actor::from("uid:0");
    let asked = |actor: Actor, request| Asked::by(actor, "a test".into(), request);
    let token = |name: &str, role, lasts| {
        let (token, digest, person) = (name.into(), "0".repeat(64), Some("paul".into()));
        Request::MakeToken(Box::new(NewToken { token, role, digest, person, lasts }))
    };
    let restart = || Request::Restart { component: "task_executor".into() };
    let approve = || Request::Approve { approval: ApprovalId(1), break_glass: false, act_hash: None };
    for (lasts, ends) in [(Some(Span::seconds(20)), None), (None, Some("decides")), (None, Some("asks"))] {
        let mut state = adopt(&bundle, None, &State::default(), Time(0)).state;
        let mut tick = |at, asked| {
            let now = Time(0) + Span::seconds(at);
            let next = step(&bundle, &state, &Input { tick: state.tick + 1, now, asked, ..Input::default() });
            state = next.state;
            (next.records, next.answers)
        };
        let made = [token("asks", Role::Operator, None), token("decides", Role::Approver, lasts)];
        tick(1, made.map(|request| asked(root(), request)).into());
        tick(2, vec![asked("token:asks".into(), restart())]);
        let end = ends.map(|token| asked(root(), Request::EndToken { token: token.into() }));
        let by = if ends == Some("asks") { ("token:asks", restart()) } else { ("token:decides", approve()) };
        let (records, answers) = tick(30, end.into_iter().chain([asked(by.0.into(), by.1)]).collect());
        assert!(
            !records.iter().any(|record| matches!(record, Record::Intent { .. } | Record::Approved { .. }))
        );
        let last = answers.last().map(|answered| &answered.answer);
        assert!(matches!(last, Some(Answer::Unknown { says }) if says.contains("has ended")), "{last:?}");
    }
}

/// Whoever lets the body drip is asked again who it is.
#[test]
fn a_token_that_ends_while_the_body_comes_changes_nothing() {
    let house = House::new(&[]);
    let grace = house.start();
    let ann = person(&grace, "ann", "operator", "ann");
    let body = json!({ "text": "written by nobody" }).to_string();
    for ends in [false, true] {
        let mut stream = TcpStream::connect(grace.address()).expect("connects");
        let head = format!(
            "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
            ann.secret,
            body.len(),
            &body[..9]
        );
        stream.write_all(head.as_bytes()).expect("writes");
        std::thread::sleep(Duration::from_millis(500));
        if ends {
            assert_eq!(grace.grace(&["token", "revoke", "ann"]).code, Some(0));
        }
        let said = exchange(stream, &body[9..]);
        assert_eq!(said.status, if ends { 401 } else { 201 }, "{said:?}");
        assert!(!ends || said.problem(401, "unknown_caller").contains("has ended meanwhile"));
    }
    assert_eq!(grace.get("/api/tasks")["tasks"].as_array().map(Vec::len), Some(1));
}

/// Its name may be another's by the time of the step, in the same tick or in a later one: what it showed was not.
#[test]
fn a_token_that_has_only_the_name_of_the_one_that_asked_asks_nothing() {
    let bundle = bundle(&[]);
    let asked = |actor: &str, request| Asked::by(actor.into(), "a test".into(), request);
    let make = |digit: &str, person: &str| {
        let (token, digest, person) = ("deploy".into(), digit.repeat(64), Some(person.into()));
        asked(
            "uid:0",
            Request::MakeToken(Box::new(NewToken {
                token,
                role: Role::Operator,
                digest,
                person,
                lasts: None,
            })),
        )
    };
    let restart = |shown: Option<&str>| {
        let shown = Shown { token: shown.map(str::to_owned), ..Shown::default() };
        Asked { shown, ..asked("token:deploy", Request::Restart { component: "reflection_service".into() }) }
    };
    let anew = || [asked("uid:0", Request::EndToken { token: "deploy".into() }), make("b", "bob")];
    let heals = |records: &[Record]| {
        records
            .iter()
            .any(|record| matches!(record, Record::Intent { proposal, .. } if proposal.component.is_some()))
    };
    for (shown, at_once, acts) in [
        (Some("aaaa"), true, false),
        (Some("aaaa"), false, false),
        (Some("bbbb"), true, true),
        (Some("bbbb"), false, true),
        // As it was recorded before.
        (None, true, true),
    ] {
        let mut state = adopt(&bundle, None, &State::default(), Time(0)).state;
        let mut tick = |at, asked| {
            let now = Time(0) + Span::seconds(at);
            let next = step(&bundle, &state, &Input { tick: state.tick + 1, now, asked, ..Input::default() });
            state = next.state;
            (next.records, next.answers)
        };
        tick(1, vec![make("a", "ann")]);
        let (records, answers) = if at_once {
            tick(30, anew().into_iter().chain([restart(shown)]).collect())
        } else {
            tick(20, anew().into());
            tick(30, vec![restart(shown)])
        };
        assert_eq!(heals(&records), acts, "{shown:?} {at_once}: {answers:?}");
        let last = answers.last().map(|answered| &answered.answer);
        let refused = matches!(last, Some(Answer::Unknown { says }) if says.contains("has ended"));
        assert_eq!(refused, !acts, "{last:?}");
    }
}

#[test]
fn what_a_token_showed_stands_beside_what_it_asked() {
    let house = House::new(&[]);
    let grace = house.start();
    let ann = person(&grace, "ann", "admin", "ann");
    ann.asks_for_a_restart("task_executor");
    let digest = hex::encode(Sha256::digest(&ann.secret));
    let ticks = grace.get("/api/journal?kind=tick&limit=1000");
    let mut asked =
        ticks.as_array().expect("a list").iter().filter_map(|tick| tick["body"]["asked"].as_array().cloned());
    let hers = asked.find_map(|all| all.into_iter().find(|one| one["actor"] == "token:ann"));
    assert_eq!(hers.expect("it stands there")["shown"], json!({ "token": digest[..16] }));
    proven(&grace);
}

/// Whoever is named by the own name alone is alone, and whoever has no name here is not.
#[test]
fn a_name_in_the_files_is_the_persons_own_where_this_machine_says_so() {
    let line = "approver = [\"socket\"]";
    for (name, alone) in [("nobody", true), ("somebody_else", false)] {
        let edit = format!("approver = [\"socket\", \"user:{name}\"]");
        let house = House::new(&[("policies/access.toml", line, &edit)]);
        let grace = house.start();
        let Some(asked) = as_nobody(&grace, &["restart", "task_executor", "--reason", "odd"]) else { return };
        assert_eq!(asked.code, Some(5), "{asked:?}");
        let glass = ["approve", "1", "--break-glass", "--reason", "alone"];
        let said = as_nobody(&grace, &glass).expect("it ran before");
        assert_eq!(said.code == Some(0), alone, "{name}: {said:?}");
        assert!(alone || format!("{said:?}").contains("user:somebody_else"), "{said:?}");
        proven(&grace);
    }
}

#[test]
fn a_user_of_this_machine_is_one_person_however_the_name_is_written() {
    let house = House::new(&[]);
    let grace = house.start();
    let root = ["root", "user:root", "uid:0", "uid:00", "UID:0", "0", "Root", "USER:Root", "user:uid:0"];
    let nobody = ["AnnP", "annp", "ANNP"];
    for (number, name) in root.into_iter().chain(nobody).enumerate() {
        person(&grace, &format!("r{number}"), "viewer", name);
    }
    let all = grace.get("/api/tokens");
    let of = |person: &str| {
        all.as_array().expect("a list").iter().filter(|token| token["person"] == person).count()
    };
    assert_eq!((of("uid:0"), of("annp")), (root.len(), nobody.len()), "{all}");
    for wrong in ["Token:r1", "user:token:r1", "user:Somebody_Else", "UID:ann", "a b"] {
        let body = json!({ "name": "wrong", "role": "viewer", "person": wrong }).to_string();
        grace.post("/api/tokens", &body).problem(422, "invalid");
    }
}

#[test]
fn who_asks_does_not_approve_under_another_spelling() {
    let house = House::new(&[]);
    let grace = house.start();
    let (annp, also) =
        (person(&grace, "annp", "operator", "AnnP"), person(&grace, "also", "approver", "aNNp"));
    let asked = annp.asks_for_a_restart("task_executor");
    assert!(also.approves(asked).problem(403, "refused").contains("cannot approve it"));
    // The socket says of everybody who they are; the tests are somebody else where they are not root.
    let own = format!("UID:0{}", rustix::process::geteuid().as_raw());
    let myself = person(&grace, "myself", "approver", &own);
    let body = json!({ "component": "trigger_mesh", "reason": "it looks odd" }).to_string();
    let mine = grace.post("/api/health/restart", &body).json()["approval"].as_u64().expect("a number");
    assert!(myself.approves(mine).problem(403, "refused").contains("cannot approve it"));
    assert!(acts(&grace).0.is_empty());
    proven(&grace);
}

/// Tokens of before say who they are for in any way; what was decided then is decided as it was.
#[test]
fn a_token_of_before_is_of_whom_this_machine_says() {
    let bundle = bundle(&[]);
    let here = |person: &str| Shown { person: Some(person.into()), ..Shown::default() };
    for (asks, named, shown, meaning, acts) in [
        ("uid:0", "Root", Shown::default(), Meaning::VOTES, false),
        ("uid:0", "0", Shown::default(), Meaning::VOTES, false),
        ("uid:0", "Root", Shown::default(), Meaning::VOID, true),
        ("uid:1001", "annp", Shown::default(), Meaning::VOTES, true),
        ("uid:1001", "annp", here("uid:1001"), Meaning::VOTES, false),
        ("uid:1001", "annp", here("uid:1001"), Meaning::VOID, true),
    ] {
        let mut state = adopt(&bundle, None, &State::default(), Time(0)).state;
        let mut tick = |at, actor: &str, shown: &Shown, request| {
            let asked = Asked { shown: shown.clone(), ..Asked::by(actor.into(), "a test".into(), request) };
            let (now, tick) = (Time(0) + Span::seconds(at), state.tick + 1);
            let next =
                step(&bundle, &state, &Input { tick, now, asked: vec![asked], meaning, ..Input::default() });
            state = next.state;
            next.records
        };
        let (token, digest, person) = ("decides".into(), "0".repeat(64), Some(named.into()));
        let new = NewToken { token, role: Role::Approver, digest, person, lasts: None };
        tick(1, "uid:5", &Shown::default(), Request::MakeToken(Box::new(new)));
        tick(2, asks, &Shown::default(), Request::Restart { component: "task_executor".into() });
        let approve = Request::Approve { approval: ApprovalId(1), break_glass: false, act_hash: None };
        let records = tick(3, "token:decides", &shown, approve);
        let acted = records.iter().any(|record| matches!(record, Record::Approved { .. }));
        assert_eq!(acted, acts, "{asks} {named} {shown:?} {meaning:?}: {records:?}");
    }
}

/// Whoever alone may decide has a token of before under another name: nobody else is there who could.
#[test]
fn a_token_of_before_is_nobody_else_where_somebody_is_alone() {
    let bundle = bundle(&[]);
    for (person, people, given) in [
        ("annp", vec![], false),
        ("annp", vec![("annp", "uid:1001")], true),
        ("bob", vec![("annp", "uid:1001")], false),
    ] {
        let mut state = adopt(&bundle, None, &State::default(), Time(0)).state;
        let people =
            people.into_iter().map(|(named, here)| (Actor::from(named), Actor::from(here))).collect();
        let shown = Shown { people, ..Shown::default() };
        let mut tick = |at, request| {
            let asked =
                Asked { shown: shown.clone(), ..Asked::by("uid:1001".into(), "a test".into(), request) };
            let (now, tick) = (Time(0) + Span::seconds(at), state.tick + 1);
            let input = Input { tick, now, asked: vec![asked], ..Input::default() };
            let next = step(&bundle, &state, &input);
            state = next.state;
            next.records
        };
        let (token, digest) = ("old".into(), "0".repeat(64));
        let new = NewToken { token, role: Role::Approver, digest, person: Some(person.into()), lasts: None };
        tick(1, Request::MakeToken(Box::new(new)));
        tick(2, Request::Restart { component: "task_executor".into() });
        let glass = Request::Approve { approval: ApprovalId(1), break_glass: true, act_hash: None };
        let records = tick(3, glass);
        let approved = records.iter().any(|record| matches!(record, Record::Approved { .. }));
        assert_eq!(approved, given, "{person} {shown:?}: {records:?}");
    }
}
