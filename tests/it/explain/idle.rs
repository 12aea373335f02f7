//! What is asked about a time in which Grace made no tick, and about an act whose healing did not last.

use std::path::Path;
use std::sync::Arc;

use grace::config::Folder;
use grace::engine::{Input, State, step};
use grace::model::{Span, Time};
use grace::record::{Journal, Recorded};
use serde_json::Value;

use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, files, recorded, started};

const RULE: &str = "restart/reflection_service";

/// A journal of three hangs, without the ticks of ten minutes; maybe Grace starts behind them.
fn lived(dir: &Path, starts: bool) {
    let journal = Journal::open(dir).unwrap();
    let (mut bundle, mut state) = (None, State::default());
    for recorded in recorded(HANGS) {
        match recorded {
            Recorded::Generation { files, .. } => {
                bundle = Some(Arc::new(Folder::of(&files).compile(None).unwrap().bundle));
            }
            Recorded::Adopted { state: first, .. } => {
                let adopted = grace::engine::adopt(bundle.as_ref().unwrap(), None, &state, first.now);
                journal.adopt(first.now, &adopted.records, &first).unwrap();
                state = State::clone(&first);
            }
            Recorded::Tick { input, .. } => {
                let clock = input.now.clock();
                if ("12:15:00".."12:25:00").contains(&clock.as_str()) {
                    continue;
                }
                let bundle = bundle.as_ref().unwrap();
                if starts && clock == "12:25:00" {
                    journal.adopt(input.now, &[started(bundle)], &state).unwrap();
                }
                let input = Input { tick: state.tick + 1, ..*input };
                let step = step(bundle, &state, &input);
                state = journal.commit(input.now, &input, step).unwrap().state;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn asked(dir: &Path, args: &[&str]) -> Said {
    let said = said(&command(dir).arg("explain").args(args).output().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

fn json(dir: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&asked(dir, &[args, &["--output", "json"]].concat()).out).unwrap()
}

#[test]
fn of_a_time_without_ticks_it_is_said_what_grace_knew_before_it() {
    for (starts, did) in [(false, "made no tick"), (true, "did not run, or made no tick,")] {
        let dir = tempfile::tempdir().unwrap();
        lived(dir.path(), starts);
        let says = format!(
            "Grace {did} from 2024-10-04T12:14:30Z to 2024-10-04T12:25:00Z; what follows is what she knew at \
             2024-10-04T12:14:30Z"
        );
        for question in [&[RULE][..], &["why-not", RULE], &["why-not", "restart"]] {
            let args = [question, &["--at", "12:20:00"]].concat();
            let (human, told) = (asked(dir.path(), &args), json(dir.path(), &args));
            assert!(human.out.contains(&says), "{args:?}: {}", human.out);
            let short = asked(dir.path(), &[&args[..], &["--output", "short"]].concat());
            assert!(short.out.contains(&says), "{}", short.out);
            assert_eq!(told["idle"]["to"], "2024-10-04T12:25:00Z", "{told}");
            assert_eq!(told["idle"]["stopped"], starts, "{told}");
            for ordinary in ["12:10:15", "12:14:30", "12:25:00"] {
                let told = json(dir.path(), &[question, &["--at", ordinary]].concat());
                assert!(told["idle"].is_null(), "{ordinary}: {told}");
            }
        }
        // Behind the last tick: the next one may be on its way, or it does not come.
        let last = json(dir.path(), &[RULE])["at"].as_str().and_then(Time::parse).unwrap();
        for (behind, idle) in [(Span(20_000), false), (Span(60_000), true)] {
            let told = json(dir.path(), &[RULE, "--at", &(last + behind).to_string()]);
            assert_eq!(told["idle"].is_object(), idle, "{told}");
        }
        let human = asked(dir.path(), &[RULE, "--at", &(last + Span(60_000)).to_string()]);
        assert!(human.out.contains("made no tick that is recorded behind"), "{}", human.out);
    }
}

#[test]
fn an_act_that_healed_and_relapsed_says_both() {
    let relapses = r#"
[test.it_relapses]
start = "12:00:00"
end   = "13:00:00"
given = [
    { at = "12:10:00", set = { "reflection.running" = false } },
    { at = "12:20:00", set = { "reflection.running" = false } },
    { at = "12:50:00", set = { "reflection.running" = false } },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:10:30", act = "restart" }]
"#;
    let dir = files(Some(relapses), &[]);
    let file = dir.path().join("rules/reflection_service.test.toml");
    let history = format!("{}::it_relapses", file.display());
    let of = |act: &str| [act.to_owned(), "--history".into(), history.clone()];
    for (act, relapsed) in [("1", Some("2024-10-04T12:20:00Z")), ("2", None)] {
        let args = of(act);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (human, told) = (asked(dir.path(), &args), json(dir.path(), &args));
        assert_eq!(told["ended"]["outcome"], "healed", "{told}");
        assert_eq!(told["ended"]["relapsed_at"].as_str(), relapsed, "{told}");
        let says = relapsed.map(|at| format!("healed, and relapsed at {at}"));
        assert_eq!(human.out.contains("and relapsed at"), says.is_some(), "{}", human.out);
        assert!(says.is_none_or(|says| human.out.contains(&says)), "{}", human.out);
    }
}
