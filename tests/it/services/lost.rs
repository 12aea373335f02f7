//! What Grace wrote down is lost, damaged or wrong: nothing runs twice, and what works is left working.

use std::fs;

use grace::services::{Identity, Table};
use rustix::process::Signal;

use super::house::House;
use super::life::{runs, sleeper};

/// How many processes of this program and argument are below keepers of this house.
fn copies(house: &House) -> Vec<Identity> {
    let place = fs::canonicalize(house.data().join("services/sleeper")).expect("a folder");
    let mark = format!("GRACE_SERVICE={}/", place.display());
    let table = Table::read();
    let marked = table.begun_with(&mark).map(|(found, _)| found);
    marked
        .filter(|found| {
            fs::read(format!("/proc/{}/cmdline", found.pid)).is_ok_and(|of| of.starts_with(b"/bin/sleep"))
        })
        .collect()
}

#[test]
fn a_service_whose_file_is_lost_or_damaged_is_found_again() {
    let mut house = sleeper("");
    house.start(&["--interval", "200ms"]);
    house.until("it runs", runs);
    let before = house.worker("sleeper", 0).expect("it runs");
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
    assert_eq!(copies(&house).len(), 1);
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
