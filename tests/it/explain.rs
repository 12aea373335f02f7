//! Why a rule acted, and why not: the answer is what the engine does, and what it proposes really leads elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use grace::condition::Truth;
use grace::config::Folder;
use grace::engine::{Bundle, Input, State, step, step_watched};
use grace::evaluate::Scene;
use grace::govern::Decision;
use grace::model::{ComponentId, FactId, Reading, Record, RuleId, Time};
use grace::record::{Journal, Reader, Recorded};
use grace::replay::explain::{
    Explanation, FindError, Flip, Place, Question, Tick, explain, tick_at, tick_of,
};
use grace::replay::{History, Suite};
use serde_json::Value;

use crate::daemon::{Daemon, Said, command, said};

const SCENARIO_2: &str = "rules/database.test.toml::scenario_2_database_connection_lost";
const SCENARIO_3: &str = "rules/hunter.test.toml::scenario_3_suspicious_repeated_failures";
const BUDGET: &str = "rules/budgets.test.toml::the_wait_between_tries_grows_up_to_five_minutes";

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
                found.push(Tick { bundle, before, input: Input::clone(input), step });
            }
            other => panic!("{other:?}"),
        }
    }
    found
}

fn compiled(files: &BTreeMap<String, String>) -> Arc<Bundle> {
    Arc::new(Folder::of(files).compile(None).unwrap().bundle)
}

fn rules(bundle: &Bundle) -> Vec<(RuleId, ComponentId)> {
    let of = |component: &grace::evaluate::Component| {
        component.rules.iter().map(|rule| (rule.id.clone(), component.id.clone())).collect::<Vec<_>>()
    };
    bundle.components.values().flat_map(of).collect()
}

/// What a rule's `when` says of a step.
fn truth(bundle: &Bundle, tick: &Tick, input: &Input, (rule, id): &(RuleId, ComponentId)) -> Truth {
    let step = step(bundle, &tick.before, input);
    let (mode, now, grid) = (&tick.before.governed.mode, step.state.now, bundle.system.interval);
    let scene = Scene { components: &bundle.components, mode, now, grid };
    let when = &bundle.components[id].rule(rule).unwrap().when;
    scene.ask(&step.state.health, id, when)
}

#[test]
fn the_first_closed_gate_is_the_one_by_which_governance_decides() {
    let (mut decisions, mut kinds) = (0, BTreeSet::new());
    for (name, history) in shipped().into_iter().chain(slow_tries()) {
        for tick in ticks(&history) {
            let mut watch = |desk: &grace::govern::Desk, state: &_, proposal: &_, about: &_| {
                let first = desk.inspect(state, proposal, about).into_iter().find_map(|gate| gate.shut);
                let decided = match desk.decide(&mut Clone::clone(state), proposal, about, &mut Vec::new()) {
                    Decision::Permitted(_) => None,
                    Decision::Withheld { gate, .. } => Some(gate),
                };
                assert_eq!(first, decided, "{name}, tick {}", tick.input.tick);
                decisions += 1;
                kinds.extend(first.map(|gate| serde_json::to_value(gate).unwrap()["gate"].to_string()));
            };
            let watched = step_watched(&tick.bundle, &tick.before, &tick.input, &mut watch);
            assert_eq!(watched.state, tick.step.state, "whoever looks on changes nothing");
            assert_eq!(watched.records, tick.step.records);
        }
    }
    assert!(decisions > 300, "{decisions}");
    for kind in [
        "stop",
        "blocked",
        "waiting_for",
        "mode",
        "approval",
        "in_flight",
        "backoff",
        "budget",
        "slow_try",
        "held",
    ] {
        assert!(kinds.contains(&format!("{kind:?}")), "no test meets {kind}: {kinds:?}");
    }
}

/// A mesh that no restart helps, and whose rule claims no mode for that.
fn slow_tries() -> Vec<(String, Vec<Recorded>)> {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["rules", "policies"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let from = entry.unwrap().path();
            if !from.to_str().unwrap().ends_with(".test.toml") {
                let text = std::fs::read_to_string(&from).unwrap();
                let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("on_failure")).collect();
                std::fs::write(dir.path().join(&from), text.join("\n")).unwrap();
            }
        }
    }
    let test = "[test.slow]\nstart = \"12:00:00\"\nend = \"13:00:00\"\n\
                given = [{ at = \"12:00:10\", set = { \"mesh.running\" = false } }]\n\
                expect = [{ at = \"12:00:00\", status = \"ok\" }]\n";
    std::fs::write(dir.path().join("rules/trigger_mesh.test.toml"), test).unwrap();
    let suite = Suite::load(dir.path(), &BTreeSet::new(), None);
    assert_eq!(suite.histories().len(), 1, "{:?}", suite.run().report);
    suite.histories()
}

/// The files with one threshold worth something else.
fn rewritten(bundle: &Bundle, file: &str, name: &str, value: &grace::model::Value) -> Arc<Bundle> {
    let mut files = bundle.files.clone();
    let key = name.strip_prefix("threshold.").unwrap();
    let number = serde_json::to_string(value).unwrap();
    let text = match key.rsplit('_').next() {
        Some("s") => format!("\"{}ms\"", (number.parse::<f64>().unwrap() * 1000.0).round()),
        Some("ms") => format!("\"{}ms\"", number.parse::<f64>().unwrap()),
        _ => number,
    };
    let line = |line: &str| {
        let is_it = line.split_once('=').is_some_and(|(before, _)| before.trim() == key);
        if is_it { format!("{key} = {text}") } else { line.to_owned() }
    };
    let text = files[file].lines().map(line).collect::<Vec<_>>().join("\n");
    assert_ne!(text, files[file], "{name} stands in {file}");
    files.insert(file.to_owned(), text);
    compiled(&files)
}

#[test]
fn what_is_proposed_really_turns_the_condition_round() {
    let mut turned: BTreeMap<(Place, usize, bool), usize> = BTreeMap::new();
    for (name, history) in shipped() {
        for tick in ticks(&history).into_iter().step_by(5) {
            for rule in rules(&tick.bundle) {
                let told = explain(&tick, &Question::Rule(rule.0.clone(), rule.1.clone())).unwrap();
                let before = truth(&tick.bundle, &tick, &tick.input, &rule);
                assert_eq!(told.truth, Some(word(before)), "{name}, tick {}: {rule:?}", tick.input.tick);
                assert_eq!(told.conditions[0].truth, word(before), "the tree says the same");
                let Some(Flip::Change { changes, .. }) = &told.flip else { continue };
                let (mut bundle, mut input) = (Arc::clone(&tick.bundle), tick.input.clone());
                for change in changes {
                    match change.of {
                        Place::Reading => {
                            let last = || tick.step.state.health.components[&rule.1].last.clone();
                            let readings = input.snapshot.entry(rule.1.clone()).or_insert_with(last);
                            let fact = FactId::from(change.name.as_str());
                            assert!(readings.facts.contains_key(&fact), "{change:?}");
                            readings.facts.insert(fact, Reading::Value(change.tried.clone()));
                        }
                        Place::Threshold => {
                            let file = change.file.as_ref().unwrap();
                            bundle = rewritten(&bundle, file, &change.name, &change.tried);
                        }
                    }
                }
                let wanted = if told.acted { Truth::False } else { Truth::True };
                let after = truth(&bundle, &tick, &input, &rule);
                assert_eq!(after, wanted, "{name}, tick {}: {rule:?} {changes:?}", tick.input.tick);
                assert_ne!(before, after);
                *turned.entry((changes[0].of, changes.len(), told.acted)).or_default() += 1;
            }
        }
    }
    for (of, changes) in [(Place::Reading, 1), (Place::Threshold, 1), (Place::Threshold, 2)] {
        let found: usize = [true, false].iter().filter_map(|acted| turned.get(&(of, changes, *acted))).sum();
        assert!(found > 0, "{of:?} {changes}: {turned:?}");
    }
    assert!(turned.iter().any(|((.., acted), _)| *acted), "some that acted would not have: {turned:?}");
}

fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}

/// The binary in this directory, on a data directory that is not there.
fn grace(args: &[&str]) -> Said {
    let output: Output = command(Path::new("/nowhere/data"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap();
    said(&output)
}

fn asked(args: &[&str], history: &str) -> Said {
    grace(&[&["explain"], args, &["--history", history]].concat())
}

fn json(args: &[&str], history: &str) -> Value {
    let said = asked(&[args, &["--output", "json"]].concat(), history);
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn scenario_2_names_the_tick_the_facts_and_the_claim() {
    let said = asked(&["read_only/database", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(said.code, Some(0), "{said:?}");
    let first = said.out.lines().next().unwrap();
    assert!(first.starts_with("read_only/database acted: set_mode read_only"), "{first}");
    for part in [
        "tick 3 at 2024-10-04T14:01:00Z, mode normal",
        "database is critical since 2024-10-04T14:00:30Z, because `critical` is true, 2 failures in a row",
        "ping.connected      false",
        "ping.latency_ms     2000 ms",
        "threshold.broken_ms                                   1000 ms",
        "the mode changed from normal to read_only",
        "read_only/database claims read_only since 2024-10-04T14:01:00Z, until `ok || warn`",
        "two things are needed: with ping.latency_ms <= 1000 ms (it was 2000 ms), and ping.connected = true",
        "containment allows set_mode, always, decided",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    let told = json(&["read_only/database", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(
        (&told["format_version"], &told["tick"], &told["acted"]),
        (&1.into(), &3.into(), &true.into())
    );
    assert_eq!(told["claim"]["mode"], "read_only");
    assert_eq!(told["conditions"][1]["condition"], "critical");
    assert_eq!(told["conditions"][1]["tree"]["parts"][1]["parts"][0]["value"], 2000.0);
    assert_eq!(told["conditions"][1]["tree"]["parts"][1]["parts"][0]["unit"], "milliseconds");
}

#[test]
fn scenario_2_says_why_nothing_was_restarted() {
    let said = asked(&["why-not", "restart/database", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("no rule of `database` does `restart`; there is: `read_only`, `suspicious`"),
        "{said:?}"
    );
    let told = json(&["why-not", "restart/reflection_service", "--at", "14:01:00"], SCENARIO_2);
    assert_eq!(told["acted"], false);
    let says = told["summary"].as_str().unwrap();
    assert_eq!(
        says,
        "restart/reflection_service did nothing: reflection service is ok, and `critical` is false"
    );
    let parent = gate(&told, "dependency");
    assert_eq!((&parent["state"], &parent["would"]), (&"not_asked".into(), &"closed".into()));
    assert_eq!(parent["opens"], "when database is no longer critical");
}

fn gate<'t>(told: &'t Value, name: &str) -> &'t Value {
    let gates = told["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("{name}: {gates:?}"))
}

#[test]
fn every_gate_says_how_it_stands_and_how_it_opens() {
    for (history, rule, at, name, state, says, opens) in [
        (
            SCENARIO_2,
            "read_only/database",
            "14:00:30",
            "readings",
            "closed",
            "pending: 1 of 2 readings",
            "next readings",
        ),
        (
            SCENARIO_2,
            "read_only",
            "14:03",
            "effort",
            "closed",
            "fired at 14:01:00, done for this firing",
            "new firing",
        ),
        (
            BUDGET,
            "restart/trigger_mesh",
            "12:01:30",
            "backoff",
            "closed",
            "cooling down until 12:02:01.420",
            "by itself",
        ),
        (BUDGET, "restart/trigger_mesh", "12:02:05", "backoff", "not_asked", "cooling down", "by itself"),
        (
            BUDGET,
            "restart/trigger_mesh",
            "12:10:30",
            "budget",
            "closed",
            "3 of 3 used in 10m; frees at 12:11:00",
            "12:11:00",
        ),
        (
            SCENARIO_3,
            "restart/task_executor",
            "16:10:30",
            "block",
            "closed",
            "blocked since 16:10:01",
            "grace unblock task_executor",
        ),
        (
            SCENARIO_3,
            "restart/task_executor",
            "16:10:30",
            "mode",
            "closed",
            "observation_only is claimed by suspicious/task_executor since 16:10:01",
            "grace mode release suspicious/task_executor",
        ),
        (
            SCENARIO_3,
            "restart/task_executor",
            "16:10:30",
            "policy",
            "open",
            "policy automatic_healing allows it",
            "",
        ),
    ] {
        let told = json(&["why-not", rule, "--at", at], history);
        let found = gate(&told, name);
        assert_eq!(found["state"], state, "{rule} {at}: {found}");
        assert!(found["says"].as_str().unwrap().contains(says), "{rule} {at}: {found}");
        assert!(found["opens"].as_str().unwrap_or_default().contains(opens), "{rule} {at}: {found}");
        // The gates of one rule stand in one order, whatever they say.
        let names: Vec<&str> =
            told["gates"].as_array().unwrap().iter().filter_map(|gate| gate["gate"].as_str()).collect();
        assert!(names.starts_with(&[
            "condition",
            "readings",
            "effort",
            "stop",
            "hold",
            "block",
            "dependency",
            "mode",
            "policy"
        ]));
        let decided = told["gates"].as_array().unwrap().iter().filter(|gate| gate["decided"] == true).count();
        assert_eq!(decided, 1, "{rule} {at}");
    }
}

#[test]
fn of_one_second_the_tick_counts_in_which_the_rule_acted() {
    let told = json(&["suspicious/task_executor", "--at", "16:10:01"], SCENARIO_3);
    assert_eq!((&told["tick"], &told["acted"]), (&28.into(), &true.into()), "tick 29 is of the same second");
    let did: Vec<&str> =
        told["did"].as_array().unwrap().iter().filter_map(|deed| deed["what"].as_str()).collect();
    assert!(
        did.contains(&"block") && did.contains(&"the mode changed from normal to observation_only"),
        "{did:?}"
    );
}

#[test]
fn an_act_is_explained_with_what_became_of_it() {
    let said = asked(&["1"], BUDGET);
    let first = said.out.lines().next().unwrap();
    assert!(
        first.starts_with("act 1, restart trigger_mesh, was made by restart/trigger_mesh, try 1 because"),
        "{first}"
    );
    assert!(said.out.contains("it ended at 2024-10-04T12:01:30Z: no_effect"), "{}", said.out);
    let told = json(&["2"], "rules/modes.test.toml::through_all_modes_and_back");
    assert!(told["summary"].as_str().unwrap().contains("uid:1000 asked for it"), "{told}");
    let policy = gate(&told, "policy");
    assert_eq!(policy["policies"][1]["effect"], "review");
    assert_eq!(policy["policies"][1]["decided"], true);
    assert_eq!(policy["policies"][1]["tree"]["text"], "tier == 1");
    assert_eq!(gate(&told, "approval")["state"], "open");
}

#[test]
fn what_has_no_answer_is_said_clearly() {
    for (args, history, says) in [
        (
            vec!["restart", "--at", "14:01"],
            SCENARIO_2,
            "`restart` can be one of `restart/reflection_service`, `restart/task",
        ),
        (vec!["read_onli/database"], SCENARIO_2, "did you mean `read_only`?"),
        (vec!["databas"], SCENARIO_2, "there is no rule `databas`: did you mean `database`?"),
        (vec!["restart/trigger_mess"], SCENARIO_2, "did you mean `restart/trigger_mesh`?"),
        (vec!["9"], SCENARIO_2, "there is no act 9 in the history; the newest is act 1"),
        (
            vec!["read_only", "--at", "16:00"],
            SCENARIO_2,
            "which goes from 2024-10-04T14:00:00Z to 2024-10-04T14:07:00Z",
        ),
        (vec!["read_only", "--at", "2030-01-01T00:00:00Z"], SCENARIO_2, "lies outside of the history"),
        (vec!["read_only", "--at", "soon"], SCENARIO_2, "write a time such as"),
        (vec!["1", "--at", "14:00"], SCENARIO_2, "an act has its own time"),
        (vec!["why-not"], SCENARIO_2, "say which rule"),
        (vec!["read_only", "database"], SCENARIO_2, "only `why-not` takes a rule behind it"),
        (vec!["GR2103"], SCENARIO_2, "a code has no time and no history"),
        (vec!["read_only"], "rules/database.test.toml", "name one of its tests behind `::`"),
    ] {
        let said = asked(&args, history);
        assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
        assert!(said.err.contains(says) && said.out.is_empty(), "{args:?}: {said:?}");
    }
}

#[test]
fn the_first_word_decides_whether_a_code_is_meant() {
    let said = grace(&["explain", "GR2103"]);
    assert!(said.out.starts_with("# GR2103: unknown name in a condition"), "{said:?}");
    let said = grace(&["explain", "GR9999"]);
    assert!(said.code == Some(2) && said.err.contains("there is no code `GR9999`"), "{said:?}");
    let said = grace(&["explain"]);
    assert!(said.code == Some(0) && said.out.lines().any(|line| line.starts_with("GR7002")), "{said:?}");
}

/// A journal of the shipped scenario 3: the first ticks, a start, and the rest.
fn journal(dir: &Path, first: usize) -> Vec<Time> {
    let (_, history) = shipped().into_iter().find(|(name, _)| SCENARIO_3.ends_with(name.as_str())).unwrap();
    let all = ticks(&history);
    let journal = Journal::open(dir).unwrap();
    let generation = Record::Generation {
        generation: all[0].bundle.generation.clone(),
        files: all[0].bundle.files.clone(),
        kept: Vec::new(),
        reset: Vec::new(),
        dropped: Vec::new(),
    };
    journal.adopt(all[0].before.now, &[generation], &all[0].before).unwrap();
    let mut times = Vec::new();
    for (at, tick) in all.into_iter().enumerate() {
        if at == first {
            journal
                .adopt(tick.before.now, &[Record::Stopped { reason: "a restart".into() }], &tick.before)
                .unwrap();
        }
        times.push(tick.step.state.now);
        journal.commit(tick.step.state.now, &tick.input, tick.step).unwrap();
    }
    times
}

fn number(tick: &Tick) -> usize {
    usize::try_from(tick.input.tick).unwrap()
}

#[test]
fn every_tick_of_a_journal_is_found_whatever_state_was_kept_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let times = journal(dir.path(), 20);
    let history = History::Journal(Reader::open(dir.path()).unwrap());
    for (at, time) in times.iter().enumerate() {
        let alone = times.iter().filter(|other| *other == time).count() == 1;
        let found = tick_at(&history, (*time, *time), |tick| number(tick) == at + 1).unwrap();
        assert_eq!(number(&found), at + 1, "{time}");
        let later = tick_at(&history, (Time(time.0 + 1), Time(time.0 + 1)), |_| false).unwrap();
        assert!(number(&later) == at + 1 || !alone, "{time}");
    }
    let acts = tick_at(&history, (times[times.len() - 1], Time(i64::MAX)), |_| false)
        .unwrap()
        .step
        .state
        .governed
        .last_act;
    assert!(acts.0 > 5, "{acts}");
    for act in 1..=acts.0 {
        let found = tick_of(&history, grace::model::ActId(act)).unwrap();
        let (before, after) = (found.before.governed.last_act.0, found.step.state.governed.last_act.0);
        assert!(before < act && act <= after, "{act}: {before} to {after}");
    }
    let none = tick_of(&history, grace::model::ActId(99)).unwrap_err().to_string();
    assert!(none.contains("there is no act 99 in the history; the newest is act"), "{none}");
}

#[test]
fn expired_readings_are_named_with_the_oldest_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let times = journal(dir.path(), 20);
    let lost = Journal::open(dir.path()).unwrap().expire_readings(times[20]).unwrap();
    assert_eq!(lost, 20);
    let history = History::Journal(Reader::open(dir.path()).unwrap());
    let why = tick_at(&history, (times[4], times[4]), |_| true).unwrap_err();
    assert!(matches!(why, FindError::Expired { at, kept } if at == times[4] && kept <= times[20]), "{why}");
    let why = tick_of(&history, grace::model::ActId(1)).unwrap_err();
    assert!(matches!(why, FindError::ActExpired { .. }), "{why}");
    assert_eq!(number(&tick_at(&history, (times[25], times[25]), |_| true).unwrap()), 26);
    let why = tick_at(&history, (Time(0), Time(0)), |_| true).unwrap_err();
    assert!(matches!(why, FindError::Outside { .. } | FindError::Expired { .. }), "{why}");
}

#[test]
fn an_export_tells_the_same_and_one_that_was_cut_off_is_named() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 20);
    let run = |args: &[&str]| said(&command(dir.path()).args(args).output().unwrap());
    let file = dir.path().join("h.jsonl");
    let file = file.to_str().unwrap();
    let exported = run(&["audit", "export", "--to", file]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let question = ["explain", "why-not", "restart/task_executor", "--at", "16:10:30", "--output", "json"];
    let live = run(&question);
    assert_eq!(live.code, Some(0), "{live:?}");
    assert!(live.out.contains("blocked since 16:10:01"), "{}", live.out);
    assert_eq!(run(&[&question[..], &["--history", file]].concat()), live);

    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, &text[..text.len() * 2 / 3]).unwrap();
    let cut = run(&[&question[..], &["--history", file]].concat());
    assert_eq!(cut.code, Some(2));
    assert!(cut.err.contains("the file was cut off") && cut.err.contains("h.jsonl:"), "{cut:?}");
}

#[test]
fn a_running_graces_journal_explains_her_acts() {
    let grace = Daemon::start();
    let none = grace.grace(&["explain", "9999"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    let began = std::time::Instant::now();
    let told: Explanation = loop {
        let history = History::Journal(Reader::open(&grace.data()).unwrap());
        if let Ok(tick) = tick_of(&history, grace::model::ActId(1)) {
            break explain(&tick, &Question::Act(grace::model::ActId(1))).unwrap();
        }
        assert!(began.elapsed() < crate::daemon::PATIENCE, "{}", grace.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(told.rule.as_deref(), Some("restart/task_executor"));
    let said = grace.grace(&["explain", "1"]);
    assert!(
        said.out.starts_with("act 1, restart task_executor, was made by restart/task_executor"),
        "{said:?}"
    );
    assert!(said.out.contains("executor.workers") && said.out.contains("budget"), "{said:?}");
    let said = grace.grace(&["explain", "why-not", "read_only"]);
    assert!(said.out.starts_with("read_only/database did nothing: database is ok"), "{said:?}");
    let (code, _) = grace.stop();
    assert_eq!(code, Some(0));
}
