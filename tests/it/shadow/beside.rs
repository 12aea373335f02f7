//! A candidate lives beside every life that a Grace can have: the same rules never differ, others differ where they do.

use grace::engine::{Bundle, State, adopt, step};
use grace::model::{By, Side};
use grace::replay::{Beside, Only};
use proptest::prelude::*;

use crate::engine::{Lived, fresh, lives, shipped};
use crate::histories::bundle;

/// Everything that only one of both does in a life of the live rules.
fn follow(lived: &[Lived], candidate: &Bundle) -> Vec<Only> {
    let mut state: State = fresh(shipped());
    let mut beside = Beside::begin(candidate.clone(), (shipped(), &state), state.now).unwrap();
    let mut only = Vec::new();
    for one in lived {
        match one {
            Lived::Adopted(now) => {
                state = adopt(shipped(), Some(shipped()), &state, *now).state;
                // A Grace that starts anew lets the candidate begin anew.
                beside = Beside::begin(candidate.clone(), (shipped(), &state), state.now).unwrap();
            }
            Lived::Stepped(input) => {
                let waiting = state.governed.approvals.clone();
                let done = step(shipped(), &state, input);
                only.extend(beside.follow(&waiting, input, &done.records));
                state = done.state;
            }
        }
    }
    only
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_candidate_with_the_live_rules_never_differs(life in lives()) {
        prop_assert_eq!(follow(&life, shipped()), Vec::new());
    }

    #[test]
    fn a_candidate_that_waits_longer_first_lacks_what_the_live_rules_do(life in lives()) {
        let slower = bundle(&[("rules/trigger_mesh.toml", "after      = 2", "after      = 60")]);
        let only = follow(&life, &slower);
        // What a person asked for before the candidate began is void for it, as it is whenever the rules change; a life
        // in which that comes first says nothing of the rules.
        let by_rule = |first: &&Only| matches!(first.proposal.by, By::Rule { .. });
        if let Some(first) = only.first().filter(by_rule) {
            prop_assert_eq!(first.side, Side::Live);
            prop_assert_eq!(first.proposal.component.as_ref(), Some(&"trigger_mesh".into()));
        }
    }
}

#[test]
fn what_waits_for_approval_when_a_candidate_begins_is_void_for_it() {
    use grace::engine::Input;
    use grace::model::{ApprovalId, Asked, Request, Time};

    let start = fresh(shipped());
    let asked = |actor: &str, request| vec![Asked::by(actor.into(), "a test".into(), request)];
    let tick = |number: u64, asked| {
        let now = Time(start.now.0 + 1_000 * i64::try_from(number).unwrap());
        Lived::Stepped(Input { tick: start.tick + number, now, asked, ..Input::default() })
    };
    let restart = Request::Restart { component: "reflection_service".into() };
    let approve = Request::Approve { approval: ApprovalId(1), break_glass: false, act_hash: None };
    let life = [
        tick(1, asked("uid:1", restart)),
        Lived::Adopted(Time(start.now.0 + 1_500)),
        tick(2, asked("uid:2", approve)),
    ];
    let slower = bundle(&[("rules/trigger_mesh.toml", "after      = 2", "after      = 60")]);
    assert_eq!(follow(&life, shipped()), Vec::new(), "the same rules keep it");
    let only = follow(&life, &slower);
    let [one] = only.as_slice() else { panic!("{only:?}") };
    assert_eq!(one.side, Side::Live);
    assert!(matches!(one.proposal.by, By::Person { .. }), "{one:?}");
}
