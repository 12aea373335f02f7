//! A crash loop of Grace herself: after three short lives she starts on what worked, and lets things be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::replaced::end_claims;
use crate::daemon::{Daemon, until};
use crate::scenarios::laid_over;

/// Grace on files that a test may change.
struct Lives {
    config: TempDir,
    data: Arc<TempDir>,
}

impl Lives {
    fn new() -> Self {
        let (config, data) = (laid_over(Path::new("/nowhere")), tempfile::tempdir().expect("a folder"));
        Self { config, data: Arc::new(data) }
    }

    fn born(&self) -> Daemon {
        let config = self.config.path().to_str().expect("a plain path");
        Daemon::start_in(Arc::clone(&self.data), &["--config", config])
    }

    fn killed(&self, times: usize) {
        for _ in 0..times {
            self.born().signal("-KILL");
        }
    }

    fn change(&self, after: u32) {
        let file = self.config.path().join("rules/reflection_service.toml");
        let text = fs::read_to_string(&file).expect("read");
        let (head, tail) = text.split_once("after      = ").expect("it has one");
        fs::write(&file, format!("{head}after      = {after}{}", &tail[1..])).expect("written");
    }

    fn count(&self, kind: &str) -> i64 {
        let db = Connection::open(self.data.path().join("data/journal.db")).expect("opens");
        db.query_row("SELECT count(*) FROM entries WHERE kind = ?1", [kind], |row| row.get(0))
            .expect("counts")
    }
}

fn picture(grace: &Daemon) -> Value {
    grace.get("/api/health/status")
}

fn mode(grace: &Daemon) -> String {
    picture(grace)["system_mode"].as_str().expect("a mode").to_owned()
}

fn generation(grace: &Daemon) -> String {
    picture(grace)["generation"].as_str().expect("a generation").to_owned()
}

#[test]
fn three_short_lives_end_in_observation_only_on_the_last_good_generation() {
    let lives = Lives::new();
    let grace = lives.born();
    let good = generation(&grace);
    assert_eq!(grace.stop().0, Some(0));
    lives.change(5);
    // Odd, and allowed: the files are looked at again, and are still no news.
    let file = lives.config.path().join("rules/reflection_service.toml");
    fs::set_permissions(file, fs::Permissions::from_mode(0o664)).expect("changed");
    lives.killed(2);
    let grace = lives.born();
    assert_eq!(mode(&grace), "normal", "two are no loop");
    assert_ne!(generation(&grace), good);
    grace.signal("-KILL");
    drop(grace);

    let grace = lives.born();
    assert_eq!((mode(&grace).as_str(), generation(&grace)), ("observation_only", good.clone()));
    fs::write(lives.config.path().join("rules/notes.txt"), "a hint to look again").expect("written");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(generation(&grace), good);
    let rejected = picture(&grace)["rejected"]["problems"][0].as_str().expect("a reason").to_owned();
    assert!(rejected.contains("ended 3 times"), "{rejected}");
    let status = grace.grace(&["status"]);
    assert!(status.out.contains("crash_loop/grace claims observation_only"), "{status:?}");
    assert!(status.out.contains("grace mode normal"), "{status:?}");
    assert!(grace.grace(&["events"]).out.contains("grace.crash_loop"));
    assert!(grace.log().contains("within a minute of her start"), "{}", grace.log());
    grace.signal("-KILL");
    drop(grace);

    // A further crash piles up nothing; a file that is saved is taken.
    let grace = lives.born();
    assert_eq!((mode(&grace).as_str(), generation(&grace)), ("observation_only", good.clone()));
    assert_eq!(lives.count("claimed"), 1);
    lives.change(4);
    until("the changed files are active", || generation(&grace) != good);
    assert_eq!(picture(&grace)["rejected"], Value::Null);

    end_claims(&grace);
    assert_eq!(mode(&grace), "normal");
    grace.signal("-KILL");
    drop(grace);
    let grace = lives.born();
    assert_eq!(mode(&grace), "normal", "what a person has looked at is forgiven");
    assert_ne!(generation(&grace), good);
    assert_eq!(grace.grace(&["audit", "verify"]).code, Some(0));
}

#[test]
fn a_stop_in_good_order_ends_the_count() {
    let lives = Lives::new();
    lives.killed(2);
    assert_eq!(lives.born().stop().0, Some(0));
    lives.killed(2);
    let grace = lives.born();
    assert_eq!((mode(&grace).as_str(), lives.count("crash_loop")), ("normal", 0));
}

#[test]
fn a_loop_from_the_very_beginning_has_nothing_to_fall_back_on_and_is_as_cautious() {
    let lives = Lives::new();
    lives.killed(3);
    let grace = lives.born();
    assert_eq!(mode(&grace), "observation_only");
    assert_eq!(picture(&grace)["rejected"], Value::Null);
    assert_eq!(grace.stop().0, Some(0));
    let grace = lives.born();
    assert_eq!(mode(&grace), "observation_only", "only a person ends it");
    assert_eq!(lives.count("crash_loop"), 1);
}
