//! Killed at any instant: nothing acknowledged is lost, and the chain holds.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use grace::model::Write;
use grace::record::{Journal, Reader};
use rusqlite::Connection;

use super::sample::{NOON, end, input, intent, step};

const ROUNDS: u64 = 40;
const DIR: &str = "GRACE_TEST_KILL_DIR";

#[test]
fn no_acknowledged_entry_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        // Spread over the first milliseconds of the child's work, and beyond its first checkpoint.
        let told = one_life(dir.path(), Duration::from_millis(1 + (round * 7) % 60));
        acknowledged = told.unwrap_or(acknowledged);
        let reader = Reader::open(dir.path()).unwrap();
        let verified = reader.verify().unwrap();
        assert!(verified.is_whole(), "round {round}: {:?}", verified.broken);
        assert!(reader.last_seq().unwrap() >= acknowledged, "round {round}: {acknowledged} was acknowledged");
    }
    assert!(acknowledged > 200, "the child came to {acknowledged} entries only");
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    let torn: i64 = conn
        .query_row("SELECT count(*) FROM healing_actions WHERE result IS NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(torn, 0, "an intent and its end were written together");
    let journal = Journal::open(dir.path()).unwrap();
    let (waiting, ticks) = (journal.deferred_count().unwrap(), journal.state().unwrap().unwrap().tick);
    // A life can end between a tick and its write, and no life can lose more.
    assert!(waiting <= ticks && waiting + ROUNDS >= ticks, "{waiting} writes after {ticks} ticks");
}

/// Lets a child write until it is killed; the last entry it told of.
fn one_life(dir: &Path, lasts: Duration) -> Option<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::kill::a_child_that_writes_until_it_is_killed", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = |line: &String| line.strip_prefix("seq ").and_then(|seq| seq.parse::<i64>().ok());
    let mut last = lines.by_ref().map_while(Result::ok).find_map(|line| told(&line));
    std::thread::sleep(lasts);
    child.kill().unwrap();
    child.wait().unwrap();
    // A line cut in half by the kill has no end, and was never told.
    for line in lines.map_while(Result::ok) {
        last = told(&line).filter(|seq| Some(*seq) > last).or(last);
    }
    last
}

#[test]
fn a_child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let journal = Journal::open(Path::new(&dir)).unwrap();
    let mut out = std::io::stdout();
    let mut tick = journal.state().unwrap().map_or(0, |state| state.tick);
    loop {
        tick += 1;
        let done = journal.commit(NOON, &input(tick), step(tick, vec![intent(tick), end(tick)])).unwrap();
        writeln!(out, "\nseq {}", done.seq).unwrap();
        let write = Write::Task { text: tick.to_string(), by: "test".into(), at: NOON };
        let seq = journal.defer(NOON, &tick.to_string(), &write, "a test").unwrap();
        writeln!(out, "\nseq {seq}").unwrap();
    }
}
