//! Who may no longer ask has no vote either.

use grace::engine::{Input, State, adopt, step};
use grace::model::{Actor, Answer, ApprovalId, Asked, NewToken, Record, Request, Role, Span, Time};
use serde_json::json;

use crate::daemon::until;
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
    let asked = |actor: Actor, request| Asked { ticket: 1, actor, reason: "a test".into(), request };
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

#[test]
fn a_user_of_this_machine_is_one_person_however_the_name_is_written() {
    let house = House::new(&[]);
    let grace = house.start();
    for (number, root) in ["root", "user:root", "uid:0", "uid:00"].into_iter().enumerate() {
        person(&grace, &format!("r{number}"), "viewer", root);
    }
    let all = grace.get("/api/tokens");
    let all = all.as_array().expect("a list");
    assert!(all.len() == 4 && all.iter().all(|token| token["person"] == "uid:0"), "{all:?}");
}
