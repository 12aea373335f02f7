//! Who may no longer ask has no vote either.

use serde_json::json;

use crate::daemon::until;
use crate::decided::{House, Person, acts, all_end, person, proven};

#[test]
fn a_vote_stands_as_long_as_the_token_it_was_given_with() {
    let house = House::new(&[("policies/governance.toml", "approvers = 1", "approvers = 2")]);
    let grace = house.start();
    let ann = person(&grace, "ann", "admin", "ann");
    let (bob, cid) = (person(&grace, "bob", "approver", "bob"), person(&grace, "cid", "approver", "cid"));
    let dan = person(&grace, "dan", "approver", "dan");
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
    let other = ann.asks_for_a_restart("trigger_mesh");
    let also_dan = person(&grace, "dan-2", "approver", "dan");
    assert_eq!((eve.approves(other).status, given(other)), (200, json!(["eve"])));
    until("her time is over", || given(other) == json!([]));
    assert_eq!((dan.approves(other).status, also_dan.approves(other).status), (200, 200));
    assert_eq!(grace.grace(&["token", "revoke", "dan"]).code, Some(0));
    assert_eq!(given(other), json!(["dan"]));
    assert!(acts(&grace).0.is_empty(), "nobody has approved with another");
    assert_eq!(also_dan.approves(approval).status, 200);
    until("it is done", || acts(&grace).0.len() == 1);
    all_end(&grace);
    proven(&grace);
}
