//! What Grace wrote down is lost, damaged or wrong: nothing runs twice, and what works is left working.

use std::fs;

use grace::services::{Identity, Table, identity};
use rustix::process::Signal;

use super::house::House;
use super::life::{runs, settled, sleeper};

/// What runs of this program below keepers of this house, whether or not its folder is still there.
fn copies(house: &House) -> Vec<Identity> {
    let place = fs::canonicalize(house.data()).expect("a folder").join("services/sleeper");
    let table = Table::read();
    let of_house = |pid: i32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file.starts_with(&place))
    };
    let runs = |pid: i32, program: &[u8]| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|told| told.starts_with(program))
    };
    let keepers = table.all().filter(|one| runs(one.pid, b"grace\0keep\0") && of_house(one.pid));
    let keepers: Vec<Identity> = keepers.map(identity).collect();
    table.descendants(&keepers).into_iter().filter(|one| runs(one.pid, b"/bin/sleep\0")).collect()
}

#[test]
fn a_service_whose_file_is_lost_or_damaged_is_found_again() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let before = house.worker("sleeper", 0).expect("it runs");
    // On a busy machine it may still be on its way to its own program.
    house.until("it sleeps", |house| copies(house) == [before.main]);
    let file = house.data().join("services/sleeper/0.json");
    for damage in ["", "{\"keeper\": 1", "\0\0\0\0"] {
        house.kill();
        fs::write(&file, damage).expect("damaged");
        house.start(&["--interval", "200ms"]);
        house.until("it is found", |house| house.worker("sleeper", 0).as_ref() == Some(&before));
        house.until("it is well", |house| house.is("sleeper", "ok"));
        assert_eq!(copies(&house), [before.main]);
    }
    house.kill();
    fs::remove_dir_all(house.data()).expect("removed");
    house.start(&["--interval", "200ms"]);
    house.until("it is found", |house| {
        house.worker("sleeper", 0).is_some_and(|now| now.main == before.main && now.keeper == before.keeper)
    });
    house.until("it is well", |house| house.is("sleeper", "ok"));
    assert_eq!(copies(&house), [before.main]);
    assert!(house.journal("SELECT act || '' FROM healing_actions").is_empty(), "nothing was started");
    // What was found is watched, and ends whole.
    before.main.signal(Signal::KILL).expect("killed");
    house
        .until("another runs", |house| house.worker("sleeper", 0).is_some_and(|now| now.main != before.main));
    house.until("it is one", |house| copies(house).len() == 1);
}

#[test]
fn a_program_that_cannot_run_does_not_take_down_the_one_that_does() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let before = house.worker("sleeper", 0).expect("it runs");
    let rules = house.config().join("rules/sleeper.toml");
    let text = fs::read_to_string(&rules).expect("read");
    fs::write(&rules, text.replace("/bin/sleep", "/bin/slepe")).expect("written");
    house.until("the words are taken", |house| house.log().contains("a new generation is active"));
    let said = house.grace(&["restart", "sleeper", "--reason", "a new program"]);
    assert_eq!(said.code, Some(1), "{} {}", said.out, said.err);
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("there is no program /bin/slepe"), "{told}");
    assert!(before.main.is_alive());
    assert_eq!(house.worker("sleeper", 0), Some(before));
}

#[test]
fn a_keeper_that_hangs_is_no_reason_to_leave_a_service_running() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it is healed", |house| house.journal("SELECT outcome FROM healing_actions") == ["healed"]);
    let before = house.worker("sleeper", 0).expect("it runs");
    before.keeper.signal(Signal::STOP).expect("stopped");
    let said = house.grace(&["restart", "sleeper", "--reason", "its keeper hangs"]);
    house.until("another runs", |house| {
        house.worker("sleeper", 0).is_some_and(|now| now.main != before.main && now.main.is_alive())
    });
    assert!(!before.main.is_alive() && !before.keeper.is_alive(), "{} {}", said.out, said.err);
}

#[test]
fn a_service_without_an_environment_is_found_again_and_its_orphans_are_not_taken_for_it() {
    // As servers do that write their title over their environment: nothing in it says whose they are.
    let mut house = sleeper("");
    house.put(
        "rules/sleeper.toml",
        &fs::read_to_string(house.config().join("rules/sleeper.toml")).expect("read").replace(
            r#"["/bin/sleep", "600"]"#,
            r#"["/usr/bin/env", "-i", "/bin/sh", "-c", "/bin/sleep 601 & wait"]"#,
        ),
    );
    house.start(&["--interval", "200ms"]);
    house.until("all of it runs", |house| runs(house) && copies(house).len() == 1);
    let (before, orphan) = (house.worker("sleeper", 0).expect("it runs"), copies(&house));
    house.kill();
    fs::remove_dir_all(house.data()).expect("removed");
    house.start(&["--interval", "200ms"]);
    house.until("it is found", |house| house.worker("sleeper", 0).is_some_and(|now| now.main == before.main));
    assert_eq!(copies(&house), orphan, "nothing was started");
    house.kill();
    fs::remove_dir_all(house.data()).expect("removed");
    before.main.signal(Signal::KILL).expect("killed");
    house.start(&["--interval", "200ms"]);
    house.until("another runs", |house| runs(house) && copies(house).len() == 1 && copies(house) != orphan);
    assert!(!orphan[0].is_alive(), "what was left of it is ended before the next begins");
}

#[test]
fn a_keeper_never_writes_over_what_another_grace_knows_of_hers() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let old = house.worker("sleeper", 0).expect("it runs");
    house.kill();
    let moved = house.path().join("moved");
    fs::rename(house.data(), &moved).expect("moved");
    house.start(&["--interval", "200ms"]);
    house.until("another runs", |house| runs(house) && house.worker("sleeper", 0).as_ref() != Some(&old));
    let new = house.worker("sleeper", 0).expect("it runs");
    old.main.signal(Signal::KILL).expect("killed");
    let told = || {
        fs::read_dir(moved.join("services/sleeper"))
            .expect("a folder")
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().ends_with(".end"))
    };
    house.until("its keeper wrote down the end, where its folder is now", |_| told());
    assert_eq!(house.worker("sleeper", 0), Some(new.clone()));
    assert!(new.main.is_alive());
    house.until("nothing is healed that is well", settled);
    assert_eq!(house.worker("sleeper", 0), Some(new));
}

#[test]
fn a_folder_that_is_taken_away_is_made_anew() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let before = house.worker("sleeper", 0).expect("it runs");
    // Which program runs is being written down there at this moment.
    house.until("it is taken away", |house| fs::remove_dir_all(house.data().join("services")).is_ok());
    before.main.signal(Signal::KILL).expect("killed");
    house.until("another runs", |house| {
        house.worker("sleeper", 0).is_some_and(|now| now.main != before.main && now.main.is_alive())
    });
}

#[test]
fn a_script_without_its_interpreter_does_not_take_down_what_runs() {
    let mut house = sleeper("");
    let script = house.path().join("run.sh");
    let write = |text: &str| {
        fs::write(&script, text).expect("written");
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    };
    write("#!/bin/sh\nexec /bin/sleep 602\n");
    let rules = fs::read_to_string(house.config().join("rules/sleeper.toml")).expect("read");
    let argv = format!("[{:?}]", script.display().to_string());
    house.put("rules/sleeper.toml", &rules.replace(r#"["/bin/sleep", "600"]"#, &argv));
    house.start(&["--interval", "200ms"]);
    house.until("it runs", |house| runs(house) && settled(house));
    let before = house.worker("sleeper", 0).expect("it runs");
    write("#!/nowhere/interpreter\n");
    let said = house.grace(&["restart", "sleeper", "--reason", "a new script"]);
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("wants the interpreter /nowhere/interpreter, which is not there"), "{told}");
    assert!(before.main.is_alive());
}

#[test]
fn a_setting_that_never_answers_delays_nobody() {
    let mut house = sleeper("");
    let pipe = house.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    for name in ["one", "two", "three"] {
        let rules = format!(
            "[probe.ping]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\nsend = {{ file = {:?} }}\n\
             [status]\ncritical = 'ping.connected'\n",
            pipe.display().to_string()
        );
        house.put(&format!("rules/{name}.toml"), &rules);
    }
    house.start(&["--interval", "200ms"]);
    house.until("it runs", |house| runs(house) && house.is("sleeper", "ok"));
    assert!(house.is("one", "unknown"), "that nothing can be read is no fault of the target");
}
