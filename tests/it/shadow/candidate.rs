//! A candidate generation beside a running Grace: it is told, it never acts, it goes on after a kill, and it becomes
//! live whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::daemon::{command, said};
use crate::services::house::{House, NO_BRAKES};

const LIVE: &str = "[control]\nkind = \"process\"\nargv = [\"/bin/sleep\", \"600\"]\n\
    [probe.process]\nkind = \"process\"\n[status]\ncritical = '!process.running'\n\
    [rule.start]\nwhen = 'critical'\ndo = [\"restart\"]\nverify = { within = \"5s\" }\n";

/// It is slower to restart, and announces what the live one does not.
fn candidate_rules() -> String {
    LIVE.replace("when = 'critical'\n", "when = 'critical'\nafter = 50\n")
        + "[rule.tell]\nwhen = 'critical'\ndo = [{ event = \"web.fell\" }]\n"
}

const BRAKES: &str = "# another text\n";

/// A folder with the candidate: two files differ from the live ones.
fn candidate(house: &House) -> PathBuf {
    let dir = house.path().join("candidate");
    for folder in ["rules", "policies"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
        for entry in fs::read_dir(house.config().join(folder)).unwrap().flatten() {
            fs::copy(entry.path(), dir.join(folder).join(entry.file_name())).unwrap();
        }
    }
    fs::write(dir.join("rules/web.toml"), candidate_rules()).unwrap();
    fs::write(dir.join("policies/budgets.toml"), format!("{BRAKES}{NO_BRAKES}")).unwrap();
    dir
}

fn running() -> House {
    let mut house = House::new("web", LIVE);
    house.start(&["--interval", "200ms"]);
    house.until("it is well", |house| house.is("web", "ok"));
    house
}

fn shadow(house: &House) -> Value {
    house.get("/api/shadow").unwrap()
}

fn set(house: &House) -> PathBuf {
    let dir = candidate(house);
    let said = house.grace(&["shadow", &dir.display().to_string(), "--reason", "a test"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    dir
}

#[test]
fn a_candidate_that_others_could_have_written_is_refused_as_a_reload_would_refuse_it() {
    let house = running();
    let dir = candidate(&house);
    let file = dir.join("rules/web.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let set = || house.grace(&["shadow", &dir.display().to_string(), "--reason", "a test"]);
    let said = set();
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("GR1005") && said.out.contains("chmod o-w"), "{said:?}");
    assert!(shadow(&house)["candidate"].is_null(), "nothing was sent");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(set().code, Some(0));
}

/// Kills the process, and waits until the live rules have brought it back.
fn fall(house: &House) {
    let before = house.worker("web", 1).or_else(|| house.worker("web", 0)).expect("a worker");
    let ends = count(house, "end");
    before.main.signal(Signal::KILL).unwrap();
    house.until("it is back", |house| count(house, "end") > ends && house.is("web", "ok"));
}

fn count(house: &House, kind: &str) -> usize {
    house.journal(&format!("SELECT body FROM entries WHERE kind = '{kind}'")).len()
}

fn files(dir: &Path) -> BTreeMap<String, String> {
    grace::config::Folder::read(dir).into_files()
}

#[test]
fn a_candidate_is_told_and_never_acts_and_goes_on_after_a_kill() {
    let mut house = running();
    set(&house);
    let first = shadow(&house)["candidate"].clone();
    assert_eq!((&first["reason"], &first["counted_since"]), (&"a test".into(), &first["since"]));
    assert!(!house.grace(&["shadow"]).out.contains("counted since"), "it is all one life");
    fall(&house);
    house.until("both differences are told", |house| count(house, "candidate_differs") == 2);
    let told = house.journal(
        "SELECT body ->> '$.only' || ' ' || (body ->> '$.proposal.act.act') FROM entries \
         WHERE kind = 'candidate_differs' ORDER BY 1",
    );
    assert_eq!(told, ["candidate event", "live heal"]);
    assert_eq!(count(&house, "announced"), 0, "it never acts");
    house.until("they are counted", |house| shadow(house)["candidate"]["only_candidate"] == 1);
    house.kill();
    house.start(&["--interval", "200ms"]);
    let resumed = shadow(&house)["candidate"].clone();
    assert_eq!(resumed["reason"], "a test", "it is in the journal");
    assert!(resumed["counted_since"].as_str() > resumed["since"].as_str(), "{resumed}");
    let said = house.grace(&["shadow"]);
    assert!(said.out.contains("counted since ") && said.out.contains("it began anew"), "{said:?}");
    fall(&house);
    house.until("it is still told", |house| count(house, "candidate_differs") == 4);
    assert_eq!(house.grace(&["prove"]).code, Some(0), "what is told beside the ticks is none of theirs");
    report(&house);
    assert_eq!(house.grace(&["shadow", "end", "--reason", "enough"]).code, Some(0));
    assert!(shadow(&house)["candidate"].is_null());
    fall(&house);
    assert_eq!(count(&house, "candidate_differs"), 4);
    let said = house.grace(&["shadow", "end"]);
    assert!(said.err.contains("there is no candidate"), "{said:?}");
    assert_eq!(house.grace(&["shadow", "report"]).code, Some(2));
}

fn report(house: &House) {
    let said = house.grace(&["shadow", "report", "--output", "json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let written = json["written_down"].as_array().unwrap();
    let lines: Vec<String> =
        written.iter().map(|one| format!("{} {} {}", one["says"], one["act"], one["times"])).collect();
    assert_eq!(
        lines,
        ["\"only the candidate\" \"event web.fell\" 2", "\"only the live generation\" \"restart\" 2"]
    );
    assert_eq!(json["began_anew"].as_array().unwrap().len(), 1, "{json}");
    let actions = json["simulation"]["actions"].as_array().unwrap();
    let of = |action: &str| actions.iter().find(|one| one["action"] == action).unwrap();
    let (gone, moved) = (of("restart")["gone"].as_u64().unwrap(), of("restart")["moved"].as_u64().unwrap());
    assert!(gone + moved > 0, "the history says it too: {json}");
    // The restart by which the live rules began the process was before the candidate, whose web was well when it was set.
    assert_eq!(
        (of("restart")["before"].as_u64(), of("event web.fell")["added"].as_u64()),
        (Some(2), Some(1))
    );
    for form in ["human", "short", "markdown"] {
        let said = house.grace(&["shadow", "report", "--since", "7d", "--output", form]);
        assert!(said.code == Some(1) && said.out.contains("web.fell"), "{form}: {said:?}");
        assert!(form == "short" || said.out.contains("Grace started once since"), "{form}: {said:?}");
    }
}

#[test]
fn a_candidate_that_is_not_valid_is_refused_with_every_problem() {
    let house = running();
    let dir = candidate(&house);
    fs::write(dir.join("rules/web.toml"), candidate_rules().replace("process.running", "process.runing"))
        .unwrap();
    fs::write(dir.join("policies/budgets.toml"), "overall = { in_fligt = 16 }\n").unwrap();
    let said = house.grace(&["shadow", &dir.display().to_string(), "--reason", "a test"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("runing") && said.err.contains("in_fligt"), "{said:?}");
    assert!(shadow(&house)["candidate"].is_null() && count(&house, "candidate") == 0);
    // It is in the journal, as rejected files are, and so it is an event.
    let rejected = house.journal("SELECT body FROM entries WHERE kind = 'candidate_rejected'");
    let rejected: Value = serde_json::from_str(&rejected[0]).unwrap();
    assert_eq!(rejected["reason"], "a test");
    assert!(rejected["actor"].as_str().unwrap().starts_with("uid:"), "{rejected}");
    let problems = rejected["problems"].to_string();
    assert!(problems.contains("runing") && problems.contains("in_fligt"), "{rejected}");
    let events = house.grace(&["events", "--pattern", "shadow.*"]);
    assert!(events.out.contains("a candidate by uid:") && events.out.contains("is refused"), "{events:?}");
    let live = house.config().display().to_string();
    let said = house.grace(&["shadow", &live, "--reason", "a test"]);
    assert!(said.err.contains("are the live generation"), "{said:?}");
    assert_eq!(count(&house, "candidate_rejected"), 2);
    let said = house.grace(&["shadow", "/nowhere", "--reason", "a test"]);
    assert!(said.code == Some(2) && said.err.contains("there is no folder"), "{said:?}");
    assert!(house.grace(&["shadow", &live]).err.contains("--reason"));
}

#[test]
fn a_candidate_is_promoted_whole_or_not_at_all() {
    let mut house = running();
    let dir = set(&house);
    let (before, wanted) = (files(&house.config()), files(&dir));
    let live = shadow(&house)["live"].clone();
    let said = house.grace(&["shadow", "promote"]);
    assert!(said.code == Some(1) && said.out.contains("rule tell of web"), "{said:?}");
    assert_eq!(files(&house.config()), before, "without --write nothing is written");
    // Somebody's unfinished work is not lost.
    house.put("policies/notify.toml", "# not yet saved well\n[");
    let said = house.grace(&["shadow", "promote", "--write", "--reason", "a test"]);
    assert!(said.code == Some(2) && said.err.contains("policies/notify.toml"), "{said:?}");
    house.put("policies/notify.toml", &before["policies/notify.toml"]);
    // Half of it, as a death in the middle leaves it: valid, and refused all the same, now and at a start.
    begin(&house);
    house.put("rules/web.toml", &wanted["rules/web.toml"]);
    house.until("half is refused", is_half);
    assert_eq!(shadow(&house)["live"], live);
    house.kill();
    house.start(&["--interval", "200ms"]);
    assert_eq!(shadow(&house)["live"], live, "a start goes on with the live generation");
    // The same command ends what was begun.
    let said = house.grace(&["shadow", "promote", "--write", "--reason", "a good week"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(files(&house.config()), wanted);
    let now = shadow(&house);
    assert!(now["candidate"].is_null() && now["live"] != live, "{now}");
    house.until("who promoted it is written down", |house| count(house, "candidate_ended") == 1);
    let ended = house.journal("SELECT body FROM entries WHERE kind = 'candidate_ended'");
    let ended: Value = serde_json::from_str(&ended[0]).unwrap();
    assert_eq!((&ended["promoted"], &ended["reason"]), (&Value::Bool(true), &Value::from("a good week")));
    assert!(ended["actor"].as_str().unwrap().starts_with("uid:"), "{ended}");
    let kept = kept(&house);
    let [kept] = kept.as_slice() else { panic!("one folder: {kept:?}") };
    assert_eq!(
        fs::read_to_string(kept.join("policies/budgets.toml")).unwrap(),
        before["policies/budgets.toml"]
    );
    let worker = house.worker("web", 1).or_else(|| house.worker("web", 0)).expect("a worker");
    worker.main.signal(Signal::KILL).unwrap();
    house.until("now it acts", |house| count(house, "announced") == 1);
}

/// What a promotion makes before its first file.
fn begin(house: &House) -> PathBuf {
    let id: String = shadow(house)["candidate"]["generation"].as_str().unwrap().chars().take(12).collect();
    let kept = house.config().join(format!(".before-promote-{id}"));
    fs::create_dir(&kept).unwrap();
    kept
}

fn is_half(house: &House) -> bool {
    shadow(house)["rejected"].to_string().contains("a promotion that was cut short")
}

#[test]
fn half_of_a_promotion_keeps_its_candidate_until_it_is_whole_or_taken_back() {
    let mut house = running();
    let dir = set(&house);
    let (before, wanted) = (files(&house.config()), files(&dir));
    let live = shadow(&house)["live"].clone();
    begin(&house);
    house.put("rules/web.toml", &wanted["rules/web.toml"]);
    let other = house.path().join("other");
    for name in before.keys() {
        fs::create_dir_all(other.join(name).parent().unwrap()).unwrap();
        fs::write(other.join(name), format!("{}# other\n", before[name])).unwrap();
    }
    let other = other.display().to_string();
    let verbs: [&[&str]; 4] = [
        &["shadow", "end"],
        &["shadow", "end", "--dry-run"],
        &["shadow", &other, "--reason", "another"],
        &["shadow", &other, "--reason", "another", "--dry-run"],
    ];
    let refused = |house: &House| {
        for verb in verbs {
            let said = house.grace(verb);
            assert_eq!(said.code, Some(4), "{verb:?}: {said:?}");
            assert!(said.err.contains("`grace shadow promote --write --reason ...` ends it"), "{said:?}");
        }
    };
    // At once, seen or not yet, and at the next start as well.
    refused(&house);
    house.kill();
    house.start(&["--interval", "200ms"]);
    refused(&house);
    assert!(shadow(&house)["live"] == live && is_half(&house), "{}", shadow(&house));
    assert_eq!(count(&house, "candidate_ended"), 0);
    // What the sentence says, word by word: put back, end, and save that part.
    house.put("rules/web.toml", &before["rules/web.toml"]);
    house.until("it is taken back", |house| shadow(house)["rejected"] == serde_json::json!([]));
    let said = house.grace(&["shadow", "end", "--reason", "only a part of it"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    house.put("rules/web.toml", &wanted["rules/web.toml"]);
    house.until("the part is live", |house| shadow(house)["live"] != live);
}

#[test]
fn a_part_of_a_candidate_that_somebody_saves_is_live_and_what_was_refused_is_looked_at_anew() {
    let house = running();
    let dir = set(&house);
    let (before, wanted) = (files(&house.config()), files(&dir));
    let live = shadow(&house)["live"].clone();
    house.put("rules/web.toml", &wanted["rules/web.toml"]);
    house.until("no promotion began", |house| shadow(house)["live"] != live);
    house.put("rules/web.toml", &before["rules/web.toml"]);
    house.until("it is taken back", |house| shadow(house)["live"] == live);
    let kept = begin(&house);
    house.put("rules/web.toml", &wanted["rules/web.toml"]);
    house.until("half is refused", is_half);
    fs::remove_dir(kept).unwrap();
    assert_eq!(house.grace(&["shadow", "end"]).code, Some(0));
    house.until("it is live", |house| {
        shadow(house)["live"] != live && shadow(house)["rejected"] == serde_json::json!([])
    });
}

#[test]
fn what_the_second_promotion_of_a_candidate_replaces_is_kept_as_well() {
    let house = running();
    let promote = || {
        set(&house);
        let said = house.grace(&["shadow", "promote", "--write", "--reason", "a test"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out
    };
    promote();
    let by_hand = format!("{LIVE}# by hand\n");
    let promoted = shadow(&house)["live"].clone();
    house.put("rules/web.toml", &by_hand);
    house.until("it is live", |house| shadow(house)["live"] != promoted);
    let said = promote();
    let mut all = kept(&house);
    all.sort();
    let [first, second] = all.as_slice() else { panic!("two folders: {all:?}") };
    assert_eq!(fs::read_to_string(first.join("rules/web.toml")).unwrap(), LIVE);
    assert_eq!(fs::read_to_string(second.join("rules/web.toml")).unwrap(), by_hand);
    assert!(said.contains(second.to_str().unwrap()), "{said}");
}

#[test]
fn a_promotion_may_shorten_a_file_and_a_hand_may_not() {
    let house = running();
    set(&house);
    // The live file becomes the candidate's with more behind it.
    let longer =
        format!("{}[rule.note]\nwhen = 'critical'\ndo = [{{ event = \"web.note\" }}]\n", candidate_rules());
    house.put("rules/web.toml", &longer);
    let first = shadow(&house)["live"].clone();
    house.until("it is live", |house| shadow(house)["live"] != first);
    let live = shadow(&house)["live"].clone();
    let cut_off = |house: &House| shadow(house)["rejected"].to_string().contains("GR1008");
    let half = |text: &str| {
        house.put("rules/web.toml", text);
        house.until("it is held back", cut_off);
        house.put("rules/web.toml", &longer);
        house.until("the whole is back", |house| shadow(house)["rejected"] == serde_json::json!([]));
    };
    // Nobody promised anything yet; and later not this.
    half(&candidate_rules());
    let began = std::time::Instant::now();
    let said = house.grace(&["shadow", "promote", "--write", "--reason", "a test"]);
    assert!(said.code == Some(0) && said.out.contains("is live"), "{said:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(shadow(&house)["live"] != live && shadow(&house)["candidate"].is_null());
    let rules = candidate_rules();
    house.put("rules/web.toml", &rules[..rules.find("[rule.tell]").unwrap()]);
    house.until("half of it is held back", cut_off);
}

#[test]
fn a_candidate_may_end_where_a_live_file_goes_on() {
    let house = running();
    let dir = candidate(&house);
    fs::write(dir.join("rules/web.toml"), LIVE[..LIVE.find("[rule.start]").unwrap()].trim_end()).unwrap();
    let said = house.grace(&["shadow", &dir.display().to_string(), "--reason", "a test"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn the_candidates_own_folder_is_no_place_to_promote_it_to() {
    let house = running();
    let dir = set(&house);
    let before = files(&house.config());
    let began = std::time::Instant::now();
    let mut grace = command(&house.data());
    grace.args(["shadow", "promote", "--write", "--reason", "a test", "--config"]).arg(&dir);
    let said = said(&grace.output().unwrap());
    assert!(said.code == Some(2) && said.err.contains("holds the candidate already"), "{said:?}");
    assert!(said.err.contains("`--config`") && said.err.contains("Nothing was written"), "{said:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "at once: {:?}", began.elapsed());
    assert_eq!(files(&house.config()), before);
    assert!(!shadow(&house)["candidate"].is_null(), "it stands");
}

#[test]
fn a_candidate_whose_probes_are_others_says_so_everywhere() {
    let house = running();
    let dir = candidate(&house);
    let slower = candidate_rules()
        .replace("kind = \"process\"\n[status]", "kind = \"process\"\ntimeout = \"3s\"\n[status]");
    fs::write(dir.join("rules/web.toml"), slower).unwrap();
    let says = "web: probe `process` has 3s instead of the live 2s";
    let said = house.grace(&["shadow", &dir.display().to_string(), "--reason", "a test"]);
    assert!(said.code == Some(0) && said.out.contains(says), "{said:?}");
    assert_eq!(shadow(&house)["candidate"]["other_probes"], serde_json::json!([says]));
    assert!(house.grace(&["shadow"]).out.contains(says));
    house.until("a tick went by", |house| house.grace(&["shadow", "report"]).code == Some(0));
    for form in ["human", "short", "markdown", "json"] {
        let said = house.grace(&["shadow", "report", "--output", form]);
        assert!(said.out.replace("\\`", "`").contains(says), "{form}: {said:?}");
    }
}

#[test]
fn the_files_of_before_come_back_when_the_running_grace_refuses_the_candidate() {
    let mut house = House::new("web", LIVE);
    let governance = fs::read_to_string(house.config().join("policies/governance.toml")).unwrap();
    let denied = "policy.changes = { by = \"person\", action = [\"activate\"], effect = \"deny\" }\npolicy.containment";
    house.put("policies/governance.toml", &governance.replacen("policy.containment", denied, 1));
    house.start(&["--interval", "200ms"]);
    house.until("it is well", |house| house.is("web", "ok"));
    set(&house);
    let before = files(&house.config());
    let said = house.grace(&["shadow", "promote", "--write", "--reason", "a test"]);
    assert!(said.code == Some(2) && said.err.contains("may not become active"), "{said:?}");
    assert!(said.err.contains("the files of before are back"), "{said:?}");
    assert_eq!(files(&house.config()), before);
    assert_eq!(kept(&house), Vec::<PathBuf>::new(), "what is back is not kept beside it");
}

/// What a promotion replaced.
fn kept(house: &House) -> Vec<PathBuf> {
    let all = fs::read_dir(house.config()).unwrap().flatten().map(|entry| entry.path());
    all.filter(|path| path.to_string_lossy().contains(".before-promote-")).collect()
}

#[test]
fn a_shadow_rule_of_a_running_grace_is_marked_and_told_and_does_nothing() {
    let eager = "[rule.eager]\nwhen = 'critical'\nshadow = true\n\
                 do = [\"restart\", \"block\", { event = \"web.eager\" }]\nverify = { within = \"5s\" }\n";
    let mut house = House::new("web", &format!("{LIVE}{eager}"));
    house.start(&["--interval", "200ms"]);
    house.until("it is well", |house| house.is("web", "ok"));
    let before = count(&house, "shadowed");
    fall(&house);
    house.until("what it would have done is told", |house| count(house, "shadowed") == before + 3);
    assert_eq!((count(&house, "blocked"), count(&house, "announced")), (0, 0));
    let ours = house.journal("SELECT body ->> '$.proposal.by.rule' FROM entries WHERE kind = 'intent'");
    assert!(ours.iter().all(|rule| rule == "start"), "{ours:?}");
    assert_eq!(shadow(&house)["rules"], serde_json::json!(["eager/web"]));
    let status = house.get("/api/health/status").unwrap();
    let marked: Vec<(&str, bool)> = status["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["rule"].as_str().unwrap(), line["shadow"].as_bool().unwrap()))
        .collect();
    assert_eq!(marked, [("eager", true), ("start", false)]);
    assert_eq!(house.grace(&["prove"]).code, Some(0), "it is decided again as it was");
    let events = house.grace(&["events", "--pattern", "shadow.*"]);
    assert!(
        events.out.contains("would be: wait block") || events.out.contains("would be: allow block"),
        "{events:?}"
    );
}
