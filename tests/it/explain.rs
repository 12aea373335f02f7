//! Why a rule acted, and why not: the answer is what the engine does, and what it proposes really leads elsewhere.

mod flips;
mod found;
mod idle;
mod proposed;
mod verb;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use grace::config::Folder;
use grace::engine::{Bundle, Input, State, step};
use grace::record::Recorded;
use grace::replay::Suite;
use grace::replay::explain::Tick;

const SCENARIO_3: &str = "rules/hunter.test.toml::scenario_3_suspicious_repeated_failures";

fn shipped() -> Vec<(String, Vec<Recorded>)> {
    Suite::load(Path::new("."), &BTreeSet::new(), None).histories()
}

/// Every tick of a history, with the state before it.
fn ticks(history: &[Recorded]) -> Vec<Tick> {
    let (mut bundle, mut state, mut found) = (None, State::default(), Vec::new());
    for recorded in history {
        match recorded {
            Recorded::Generation { files, .. } => bundle = Some(compiled(files)),
            Recorded::Adopted { state: adopted, .. } => state = State::clone(adopted),
            Recorded::Tick { input, .. } => {
                let bundle = Arc::clone(bundle.as_ref().unwrap());
                let step = step(&bundle, &state, input);
                let before = std::mem::replace(&mut state, step.state.clone());
                found.push(Tick { bundle, before, input: Input::clone(input), step, contradiction: None });
            }
            other => panic!("{other:?}"),
        }
    }
    found
}

fn compiled(files: &BTreeMap<String, String>) -> Arc<Bundle> {
    Arc::new(Folder::of(files).compile(None).unwrap().bundle)
}
