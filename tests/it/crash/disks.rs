//! A disk that gets full under a working Grace, and has room again.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::harness::checks;
use super::harness::home::{Home, until};
use super::harness::scenario::Story;
use crate::journal::full::{disk, fill, on_a_small_disk};

#[test]
fn a_full_disk_loses_nothing_and_nothing_acts_unwritten() {
    on_a_small_disk("crash::disks::child_full");
}

fn task(home: &Home, story: &mut Story) {
    let text = format!("task {}", story.tasks.len());
    if home.post("/api/tasks", &format!(r#"{{"text":"{text}"}}"#)) {
        story.tasks.push(text);
    }
}

#[test]
fn child_full() {
    let Some(disk) = disk() else { return };
    let home = Home::within(tempfile::tempdir_in(&disk).expect("a folder"));
    let mut story = Story { crew: vec![1], ..Story::default() };
    let mut grace = home.born();
    let all_ok = || home.checks().iter().filter(|check| check["status"] == "ok").count() == 6;
    until("everything runs", all_ok).expect("it does");
    task(&home, &mut story);
    let stuffing = disk.join("stuffing");
    fill(&stuffing);
    let before = home.main("job", 0).expect("it runs");
    for round in 0..40 {
        task(&home, &mut story);
        if round == 10 {
            kill(Pid::from_raw(before), Signal::SIGKILL).expect("killed");
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(grace.try_wait().expect("waits").is_none(), "a full disk ends nobody: {}", home.text("log"));
    fs::remove_file(stuffing).expect("removed");
    until("everything runs again", || all_ok() && home.main("job", 0).is_some())
        .unwrap_or_else(|why| panic!("{why}\n{}", home.text("log")));
    task(&home, &mut story);
    kill(Pid::from_raw(i32::try_from(grace.id()).expect("small")), Signal::SIGTERM).expect("asked");
    assert!(grace.wait().expect("ends").success(), "{}", home.text("log"));
    assert!(story.tasks.len() >= 2, "{story:?}");
    let noticed = home.count("journal.db", "SELECT count(*) FROM entries WHERE kind = 'disk_full'");
    assert!(noticed >= Some(1), "it was full: {noticed:?} {}", home.text("log"));
    let behind = checks::behind(&home).expect("a journal");
    checks::afterwards(&home, &behind, &story).unwrap_or_else(|why| panic!("{why}\n{}", home.text("log")));
}
