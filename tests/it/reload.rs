//! Files that change while Grace runs: good ones are taken, bad ones never, and no tick waits for either.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::services::house::House;

/// A component that is well as long as this test runs, with a number that tells one good set from the next.
fn rules(number: usize) -> String {
    format!(
        "# the {number}th\n[component]\nlabel = \"web {number}\"\n[control]\nkind = \"process\"\nargv = [\"/bin/sleep\", \"600\"]\n\
         [probe.process]\nkind = \"process\"\n[status]\ncritical = '!process.running'\n\
         [rule.start]\nwhen = 'critical'\ndo = [\"restart\"]\nverify = {{ within = \"5s\" }}\n"
    )
}

/// Lays a good file there, in one of the ways in which files get where they belong.
fn good(dir: &Path, number: usize) {
    let file = dir.join("rules/web.toml");
    let text = rules(number);
    match number / 2 % 4 {
        0 => fs::write(&file, text).unwrap(),
        // As editors do it.
        1 => {
            fs::write(dir.join("rules/.web.toml.new"), text).unwrap();
            fs::rename(dir.join("rules/.web.toml.new"), &file).unwrap();
        }
        // As Kubernetes does it: the file is a link, and what it leads through is swapped.
        2 => {
            let version = dir.join(format!("..version{number}"));
            fs::create_dir(&version).unwrap();
            fs::write(version.join("web.toml"), text).unwrap();
            symlink(&version, dir.join("..data.new")).unwrap();
            fs::rename(dir.join("..data.new"), dir.join("..data")).unwrap();
            symlink("../..data/web.toml", dir.join("rules/.link")).unwrap();
            fs::rename(dir.join("rules/.link"), &file).unwrap();
        }
        _ => {
            fs::remove_file(&file).unwrap();
            fs::write(&file, text.replace('\n', "\r\n")).unwrap();
        }
    }
}

/// Breaks the file, each time in another way.
fn bad(dir: &Path, number: usize) {
    let file = dir.join("rules/web.toml");
    let text = rules(number);
    let _ = fs::remove_file(&file);
    match number / 2 % 7 {
        0 => fs::write(&file, &text[..text.len() / 2 + 7]).unwrap(),
        1 => fs::write(&file, text.replace("process.running", "process.runing")).unwrap(),
        2 => fs::write(&file, b"label = \"\xff\"").unwrap(),
        3 => assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success()),
        4 => symlink("web.toml", &file).unwrap(),
        // Gone: nothing declares a component any more.
        5 => {}
        _ => fs::write(&file, "[".repeat(200_000)).unwrap(),
    }
}

#[test]
fn a_storm_of_saves_half_of_them_broken_misses_no_tick_and_activates_nothing_bad() {
    // As many as two hundred a minute make in this time; `GRACE_RELOADS=200` takes the whole minute.
    let saves = std::env::var("GRACE_RELOADS").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let mut house = House::new("web", &rules(0));
    house.start(&["--interval", "1s"]);
    house.until("it is well", |house| house.is("web", "ok"));
    let digest = || grace::config::load(&house.config()).expect("good files").bundle.generation.to_string();
    let mut good_ones = BTreeSet::from([digest()]);
    for number in 1..=saves {
        if number % 2 == 0 {
            bad(&house.config(), number);
        } else {
            let file = house.config().join("rules/web.toml");
            // What cannot be written over goes first.
            if fs::symlink_metadata(&file).is_ok_and(|found| !found.is_file()) {
                fs::remove_file(&file).unwrap();
            }
            if !file.exists() {
                fs::write(&file, "").unwrap();
            }
            good(&house.config(), number);
            good_ones.insert(digest());
        }
        std::thread::sleep(Duration::from_millis(290));
    }
    let file = house.config().join("rules/web.toml");
    let _ = fs::remove_file(&file);
    fs::write(&file, rules(1_000)).unwrap();
    let last = digest();
    good_ones.insert(last.clone());
    let status = |house: &House| house.get("/api/health/status").unwrap_or_default();
    house.until("the last files are active", |house| status(house)["generation"] == last.as_str());
    let activated = house.journal("SELECT body ->> '$.generation' FROM entries WHERE kind = 'generation'");
    let strange: Vec<&String> = activated.iter().filter(|one| !good_ones.contains(*one)).collect();
    assert!(strange.is_empty(), "{strange:?} were active, and good are {good_ones:?}");
    assert!(activated.len() > saves / 4, "most of the good ones were: {}", activated.len());
    let refused = house.journal("SELECT kind FROM entries WHERE kind = 'generation_rejected'");
    assert!(refused.len() > saves / 4, "most of the bad ones were told: {}", refused.len());
    assert_eq!(status(&house)["overruns"], 0);
    assert_eq!(
        house.journal("SELECT act || '' FROM healing_actions").len(),
        1,
        "nothing was healed but at the start"
    );
}

#[test]
fn a_heal_is_on_time_though_a_broken_policy_was_saved_meanwhile_and_the_rejection_is_shown() {
    let text = "[control]\nkind = \"process\"\nargv = [\"/bin/sleep\", \"600\"]\n\
                [probe.ping]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\n[status]\ncritical = '!ping.connected'\n\
                [rule.start]\nwhen = 'critical'\nafter = 2\ndo = [\"restart\"]\nverify = { within = \"5s\" }\n";
    let mut house = House::new("web", text);
    house.start(&["--interval", "3s"]);
    house.until("it failed once", |house| house.check("web").is_some_and(|check| check["failures"] == 1));
    house.put("rules/web.toml", &format!("# Somebody says something.\n{text}"));
    let policies = fs::read_to_string(house.config().join("policies/governance.toml")).expect("read");
    house.put("policies/governance.toml", &policies.replace("effect", "efect"));
    house.until("the rejection is shown", |house| {
        house.grace(&["status"]).out.contains("there is no key `efect`")
    });
    house.until("it is healed", |house| !house.journal("SELECT act || '' FROM healing_actions").is_empty());
    let between = house.journal(
        "SELECT (min(i.at) - min(s.at)) || '' FROM entries i, entries s
         WHERE i.kind = 'intent' AND s.kind = 'status_changed'",
    );
    let between: i64 = between[0].parse().expect("milliseconds");
    // The grid never moves: its next tick is at most one slot away.
    assert!(between <= 4_000, "the second reading comes with the next tick of the grid: {between} ms");
    assert!(
        house.grace(&["status"]).out.contains("there is no key `efect`"),
        "it is shown until it is mended"
    );
    house.put("policies/governance.toml", &policies);
    house.until("it is mended", |house| !house.grace(&["status"]).out.contains("efect"));
}

#[test]
fn a_file_that_is_being_written_is_not_read_before_it_is_closed() {
    use std::io::Write;

    let mut house = House::new("web", &rules(0));
    house.start(&["--interval", "1s"]);
    house.until("it is well", |house| house.is("web", "ok"));
    // A comment first, so that the first half is no beginning of what is active; and a valid set without the rule.
    let text = format!("# changed\n{}", rules(1));
    let half = text.find("[rule.start]").unwrap();
    let mut file = fs::File::create(house.config().join("rules/web.toml")).unwrap();
    file.write_all(&text.as_bytes()[..half]).unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    file.write_all(&text.as_bytes()[half..]).unwrap();
    drop(file);
    let digest = grace::config::load(&house.config()).expect("good files").bundle.generation.to_string();
    let status = |house: &House| house.get("/api/health/status").unwrap_or_default();
    house.until("the whole file is active", |house| status(house)["generation"] == digest.as_str());
    let dropped = house.journal("SELECT body ->> '$.dropped' FROM entries WHERE kind = 'generation'");
    assert_eq!(dropped, ["[]", "[]"], "the half was never active");
}

#[test]
fn a_file_that_is_renamed_before_it_is_closed_is_taken_at_once() {
    use std::io::Write;

    let mut house = House::new("web", &rules(0));
    house.start(&["--interval", "1s"]);
    house.until("it is well", |house| house.is("web", "ok"));
    // As `sed -i` does it.
    let (new, file) = (house.config().join("rules/sedA1b2C3"), house.config().join("rules/web.toml"));
    let mut open = fs::File::create(&new).unwrap();
    open.write_all(rules(1).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let began = Instant::now();
    fs::rename(&new, &file).unwrap();
    drop(open);
    let digest = grace::config::load(&house.config()).expect("good files").bundle.generation.to_string();
    house.until("it is active", |house| {
        house.get("/api/health/status").unwrap_or_default()["generation"] == digest.as_str()
    });
    assert!(began.elapsed() < Duration::from_millis(4_500), "nobody was waited for: {:?}", began.elapsed());
}

#[test]
fn a_file_that_is_deleted_and_written_anew_was_never_gone() {
    let other = rules(0).replace("web", "other");
    let mut house = House::new("web", &rules(0));
    house.put("rules/other.toml", &other);
    house.start(&["--interval", "1s"]);
    house.until("it is well", |house| house.is("other", "ok"));
    // As `git checkout` does it, while somebody else takes too long over a file: a set without it would be valid.
    let _open = {
        let mut open = fs::File::create(house.config().join("rules/notes.txt")).unwrap();
        std::io::Write::write_all(&mut open, b"x").unwrap();
        open
    };
    for _ in 0..12 {
        fs::remove_file(house.config().join("rules/other.toml")).unwrap();
        std::thread::sleep(Duration::from_millis(250));
        house.put("rules/other.toml", &other);
        std::thread::sleep(Duration::from_millis(250));
    }
    let activated = house.journal("SELECT body ->> '$.generation' FROM entries WHERE kind = 'generation'");
    assert_eq!(activated.len(), 1, "the set without it was never active");
    // What stays away is gone.
    fs::remove_file(house.config().join("rules/other.toml")).unwrap();
    let count = "SELECT seq || '' FROM entries WHERE kind = 'generation'";
    house.until("it is gone", |house| house.journal(count).len() == 2);
}
