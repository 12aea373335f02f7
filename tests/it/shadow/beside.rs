//! A candidate lives beside every life that a Grace can have: the same rules never differ, others differ where they do.

use grace::engine::{Bundle, State, adopt, step};
use grace::model::Side;
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
        if let Some(first) = only.first() {
            prop_assert_eq!(first.side, Side::Live);
            prop_assert_eq!(first.proposal.component.as_ref(), Some(&"trigger_mesh".into()));
        }
    }
}
