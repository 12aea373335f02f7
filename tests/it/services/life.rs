//! Grace's own life and that of her services: deaths, new starts, exits seen at once, notes in the journal.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::house::House;

/// A service that stays, and starts again at once when it ends.
pub(super) fn sleeper(extra: &str) -> House {
    let rules = format!(
        r#"
[control]
kind = "process"
argv = ["/bin/sleep", "600"]
{extra}
[probe.process]
kind = "process"
[status]
critical = 'process.workers < process.wanted'
[rule.start]
when = 'critical'
do = ["restart"]
verify = {{ delay = "50ms", within = "5s" }}
"#
    );
    House::new("sleeper", &rules)
}

pub(super) fn runs(house: &House) -> bool {
    house.worker("sleeper", 0).is_some_and(|slot| slot.main.is_alive())
}

#[test]
fn an_exit_is_seen_at_once_healed_and_written_down() {
    let mut house = sleeper("");
    // A tick that would see it comes only after half an hour.
    house.start(&["--interval", "30m"]);
    house.until("it runs and is verified", |house| runs(house) && house.is("sleeper", "ok"));
    std::thread::sleep(Duration::from_millis(1200));
    let before = house.worker("sleeper", 0).expect("it runs");
    let killed = Instant::now();
    before.main.signal(Signal::KILL).expect("killed");
    house.until("another runs", |house| {
        house.worker("sleeper", 0).is_some_and(|now| now.main != before.main && now.main.is_alive())
    });
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    house.until("the journal has it", |house| {
        let codes = house.journal(
            "SELECT (body ->> '$.code') || (body ->> '$.asked') FROM entries WHERE kind = 'process_exited'",
        );
        codes == ["1370"]
    });
    house.until("it is verified", |house| {
        house.journal("SELECT result FROM healing_actions").iter().all(|result| result == "success")
    });
    // What is asked for is told as well, and wakes nobody.
    assert_eq!(house.grace(&["restart", "sleeper", "--reason", "a test"]).code, Some(0));
    house.until("the journal has that too", |house| {
        let asked = house.journal(
            "SELECT (body ->> '$.asked') || '' FROM entries WHERE kind = 'process_exited' ORDER BY seq",
        );
        asked == ["0", "1"]
    });
    let tries = house.journal("SELECT coalesce(rule, actor) FROM healing_actions ORDER BY seq");
    assert_eq!(tries.len(), 3, "the first start, the kill, the person's: {tries:?}");
    let log = house.log();
    assert!(log.contains("ERROR sleeper is critical") && log.contains("INFO sleeper is ok"), "{log}");
}

#[test]
fn what_grace_started_outlives_her_and_is_found_again() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let before = house.worker("sleeper", 0).expect("it runs");
    for life in 1..=3 {
        house.kill();
        assert!(before.main.is_alive());
        house.start(&["--interval", "200ms"]);
        house.until("she has looked", |house| house.is("sleeper", "ok"));
        house.until("she tells that she took it over", |house| {
            house.journal("SELECT kind FROM entries WHERE kind = 'process_adopted'").len() == life
        });
        assert_eq!(house.worker("sleeper", 0).expect("it runs"), before);
    }
    assert_eq!(house.journal("SELECT act || '' FROM healing_actions").len(), 1, "no second start");
    // Ended while nobody was there: told by the next Grace, and started again.
    house.kill();
    before.main.signal(Signal::TERM).expect("ended");
    house.start(&["--interval", "200ms"]);
    house
        .until("another runs", |house| house.worker("sleeper", 0).is_some_and(|now| now.main != before.main));
    house.until("its end is told", |house| {
        house.journal("SELECT (body ->> '$.code') || '' FROM entries WHERE kind = 'process_exited'")
            == ["143"]
    });
    house.kill();
    house.start(&["--interval", "200ms"]);
    house.until("she has looked", |house| house.is("sleeper", "ok"));
    assert_eq!(
        house.journal("SELECT (body ->> '$.code') || '' FROM entries WHERE kind = 'process_exited'"),
        ["143"],
        "told once"
    );
}

#[test]
fn stopping_grace_stops_nothing_unless_asked() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let slot = house.worker("sleeper", 0).expect("it runs");
    assert_eq!(house.stop(), Some(0));
    assert!(slot.main.is_alive() && slot.keeper.is_alive());
    house.start(&["--interval", "200ms", "--stop-services"]);
    assert_eq!(house.stop(), Some(0));
    assert!(!slot.main.is_alive());
    let how = house.journal(
        "SELECT (body ->> '$.code') || ' ' || (body ->> '$.asked') FROM entries WHERE kind = 'process_exited'",
    );
    assert_eq!(how, ["143 1"]);
}

#[test]
fn workers_are_as_many_as_wanted_and_what_a_person_wants_stays_wanted() {
    let mut house = sleeper("");
    house.put(
        "rules/sleeper.toml",
        &std::fs::read_to_string(house.config().join("rules/sleeper.toml"))
            .expect("read")
            .replace("[control]", "[component]\nworkers = 3\n[control]")
            .replace("\"restart\"", "{ scale = 3 }"),
    );
    house.start(&["--interval", "200ms"]);
    let mains = |house: &House| -> Vec<_> {
        (0..8)
            .filter_map(|number| house.worker("sleeper", number))
            .filter(|slot| slot.main.is_alive())
            .map(|slot| slot.main)
            .collect()
    };
    house.until("three run", |house| mains(house).len() == 3);
    let before = mains(&house);
    // One dies: it alone is replaced.
    before[1].signal(Signal::KILL).expect("killed");
    house.until("three run again, and only one is new", |house| {
        let now = mains(house);
        now.len() == 3 && (now[0], now[2]) == (before[0], before[2]) && now[1] != before[1]
    });
    house.until("it is verified", settled);
    let body = "{\"workers\": 5, \"reason\": \"more work\"}";
    let request = crate::daemon::post("/api/components/sleeper/scale", body);
    let stream =
        std::os::unix::net::UnixStream::connect(grace::api::find_socket(&house.data())).expect("connects");
    assert_eq!(crate::daemon::exchange(stream, &request).status, 200);
    assert_eq!(mains(&house).len(), 5);
    house.kill();
    house.start(&["--interval", "200ms"]);
    house.until("she knows", |house| {
        house.fact("sleeper", "process.wanted") == 5 && house.is("sleeper", "ok")
    });
}

#[test]
fn a_service_that_nobody_declares_any_more_runs_on() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let slot = house.worker("sleeper", 0).expect("it runs");
    let text = std::fs::read_to_string(house.config().join("rules/sleeper.toml")).expect("read");
    house.put("rules/other.toml", &text.replace("600", "601"));
    std::fs::remove_file(house.config().join("rules/sleeper.toml")).expect("removed");
    house.until("the other runs", |house| house.worker("other", 0).is_some_and(|slot| slot.main.is_alive()));
    assert!(slot.main.is_alive());
    house.until("somebody is told", |house| house.log().contains("no rule file declares its process"));
    // Declared again it is taken over, and watched again.
    house.put("rules/sleeper.toml", &text);
    house.until("it is taken over", |house| house.is("sleeper", "ok"));
    assert_eq!(house.worker("sleeper", 0).expect("it runs"), slot);
    slot.main.signal(Signal::KILL).expect("killed");
    house.until("another runs", |house| house.worker("sleeper", 0).is_some_and(|now| now.main != slot.main));
}

/// It is well, and no try is under way.
pub(super) fn settled(house: &House) -> bool {
    house.is("sleeper", "ok")
        && house.journal("SELECT act || '' FROM healing_actions WHERE outcome IS NULL").is_empty()
}

/// How often each end of a process was told.
fn told(house: &House) -> Vec<String> {
    house.journal(
        "SELECT count(*) || '' FROM entries WHERE kind = 'process_exited'
         GROUP BY body ->> '$.pid', body ->> '$.start' ORDER BY min(seq)",
    )
}

#[test]
fn an_end_is_told_once_though_its_rules_went_and_came_back() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", |house| runs(house) && settled(house));
    let rules = house.config().join("rules/sleeper.toml");
    let away = house.path().join("away.toml");
    let generations = |house: &House| house.log().matches("a new generation is active").count();
    house.put(
        "rules/other.toml",
        "[probe.p]\nkind = \"process\"\nname = \"other\"\n[status]\ncritical = 'p.running'\n",
    );
    house.until("another file is there", |house| generations(house) == 1);
    for round in 0..3 {
        std::fs::rename(&rules, &away).expect("moved");
        house.until("it is gone", |house| generations(house) == 2 + round * 2);
        std::fs::rename(&away, &rules).expect("moved");
        house.until("it is back", |house| generations(house) == 3 + round * 2);
    }
    let before = house.worker("sleeper", 0).expect("it runs");
    before.main.signal(Signal::KILL).expect("killed");
    house.until("another runs", |house| {
        house.worker("sleeper", 0).is_some_and(|now| now.main != before.main && now.main.is_alive())
    });
    house.until("it is told", |house| !told(house).is_empty());
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(told(&house), ["1"]);
}

#[test]
fn an_end_is_told_once_whenever_grace_dies_after_it() {
    let mut house = sleeper("");
    let rules = std::fs::read_to_string(house.config().join("rules/sleeper.toml")).expect("read");
    house.put("rules/sleeper.toml", &rules.replace("do = [", "attempts = 20\ndo = ["));
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    for round in 1..=12u64 {
        // Not before: what is written down may not run yet, and then nothing ends.
        house.until("it is well", |house| runs(house) && settled(house));
        let before = house.worker("sleeper", 0).expect("it runs");
        before.main.signal(Signal::KILL).expect("killed");
        // From before it was noticed to after the next one runs.
        std::thread::sleep(Duration::from_millis(round * 9));
        house.kill();
        house.start(&["--interval", "200ms"]);
        house.until("another runs", |house| {
            house.worker("sleeper", 0).is_some_and(|now| now.main != before.main && now.main.is_alive())
        });
        let rounds = usize::try_from(round).expect("few");
        house.until("its end is told", |house| told(house).len() == rounds);
        assert!(told(&house).iter().all(|times| times == "1"), "{:?}", told(&house));
    }
}

#[test]
fn an_end_that_the_journal_holds_is_not_told_again() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", |house| runs(house) && settled(house));
    let before = house.worker("sleeper", 0).expect("it runs");
    before.main.signal(Signal::KILL).expect("killed");
    house.until("its end is told", |house| told(house) == ["1"] && runs(house));
    house.kill();
    // As if Grace had died between the two: the end lies there, and nothing says that it was told.
    let place = house.data().join("services/sleeper");
    std::fs::remove_file(place.join("0.told")).expect("it was there");
    let end = format!("0.{}-{}.end", before.main.pid, before.main.start);
    std::fs::write(place.join(end), r#"{"code":137,"at_ms":1,"output":""}"#).expect("written");
    house.start(&["--interval", "200ms"]);
    house.until("she runs", |house| house.is("sleeper", "ok"));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(told(&house), ["1"]);
}
