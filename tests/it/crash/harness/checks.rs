//! What has to hold after any death: once right behind it, and once when the next Grace has come to rest.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use grace::record::Reader;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::Connection;

use super::home::{Home, until};
use super::scenario::Story;

const OPEN: &str = "SELECT count(*) FROM entries AS intent WHERE kind = 'intent'
    AND NOT EXISTS (SELECT 1 FROM entries AS done WHERE done.kind = 'end' AND done.act = intent.act)";
const DOUBLED: &str = "SELECT count(*) FROM (SELECT act FROM entries WHERE kind IN ('intent', 'end')
    GROUP BY kind, act HAVING count(*) > 1)";
const WAITING: &str = "SELECT count(*) FROM deferred_writes WHERE applied_at IS NULL";
const ALARMS: &str = "SELECT count(*) FROM entries WHERE kind IN ('journal_replaced', 'crash_loop')
    OR (kind = 'claimed' AND body ->> '$.key' IN ('journal/grace', 'crash_loop/grace'))";

/// What lay there right after a death.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    newest: Option<(i64, Vec<u8>)>,
}

fn wrong(what: impl Into<String>) -> Result<(), String> {
    Err(what.into())
}

/// Looks at what she left, and touches none of it.
///
/// # Errors
/// Something started without a durable intent, or what is left is no journal.
pub(crate) fn behind(home: &Home) -> Result<Behind, String> {
    let mut behind = Behind::default();
    let copy = home.path("copy");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir(&copy).map_err(|why| why.to_string())?;
    for side in ["journal.db", "journal.db-wal", "journal.db-journal"] {
        let _ = fs::copy(home.data().join(side), copy.join(side));
    }
    let db = Connection::open(copy.join("journal.db")).map_err(|why| why.to_string())?;
    let newest = "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1";
    // Killed before it was made, there is no table, and nothing can have been done.
    behind.newest = db.query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?))).ok();
    started_by_intent(home, &db)?;
    Ok(behind)
}

/// A copy of a service only starts when an intent allows it; one intent starts as many as it may and no more.
fn started_by_intent(home: &Home, db: &Connection) -> Result<(), String> {
    for (component, each) in [("job", 1), ("crew", 2)] {
        let intents = "SELECT count(*) FROM entries WHERE kind = 'intent' AND component = ?1";
        let intents: i64 = db.query_row(intents, [component], |row| row.get(0)).unwrap_or(0);
        let starts = home.text(&format!("{component}.starts")).lines().count();
        if i64::try_from(starts).unwrap_or(i64::MAX) > intents * each {
            return wrong(format!("{component} started {starts} times with {intents} intents"));
        }
    }
    Ok(())
}

/// Lets the next Grace come to rest, looks at everything, and ends it all.
///
/// # Errors
/// Whatever does not hold.
pub(crate) fn afterwards(home: &Home, behind: &Behind, story: &Story) -> Result<(), String> {
    let mut grace = home.born();
    let rested = rest(home, &mut grace, story);
    let pid = Pid::from_raw(i32::try_from(grace.id()).map_err(|why| why.to_string())?);
    let _ = kill(pid, if rested.is_ok() { Signal::SIGTERM } else { Signal::SIGKILL });
    let status = grace.wait().map_err(|why| why.to_string())?;
    rested?;
    if !status.success() {
        return wrong(format!("the stop in good order: {status}"));
    }
    let left = using(&home.path("marker"), &home.data());
    if !left.is_empty() {
        return wrong(format!("left behind: {left:?}"));
    }
    journal(home, behind)?;
    decided(home, story)?;
    tasks(home, story)
}

/// What was approved was approved once and done once; nothing is done that was not, and what was acknowledged is there.
fn decided(home: &Home, story: &Story) -> Result<(), String> {
    let approved = home.count("journal.db", "SELECT count(*) FROM entries WHERE kind = 'approved'");
    let done = "SELECT count(*) FROM healing_actions WHERE component = 'crew' AND action = 'restart' AND by = 'person'";
    let done = home.count("journal.db", done);
    let wanted = if story.approved { 1..=1 } else { 0..=1 };
    let right = approved == done && approved.is_some_and(|count| wanted.contains(&count));
    if right {
        Ok(())
    } else {
        wrong(format!("approved {approved:?} times and done {done:?} times: {story:?}"))
    }
}

fn rest(home: &Home, grace: &mut std::process::Child, story: &Story) -> Result<(), String> {
    let mut ended = None;
    let mut alive = || {
        ended = grace.try_wait().ok().flatten();
        ended.is_none()
    };
    until("the next Grace is ready", || {
        !alive() || home.ask("GET", "/readyz", "").is_some_and(|(status, _)| status == 200)
    })?;
    let mode = home.ask("GET", "/api/health/mode", "").map(|(_, mode)| mode["mode"].clone());
    let expected = [story.mode.unwrap_or("normal"), story.asked_mode.unwrap_or("normal")];
    // Between a rule's claim and its end a mode may be stricter.
    let strict = mode.as_ref().and_then(|mode| mode.as_str()).is_some_and(|mode| expected.contains(&mode));
    if !strict && mode.as_ref().is_none_or(|mode| mode != "read_only") {
        return wrong(format!("the mode is {mode:?} and should be one of {expected:?}"));
    }
    if !home.post("/api/health/mode", r#"{"mode":"normal","reason":"a test"}"#) {
        return wrong("the mode cannot be set");
    }
    let quiet = || {
        home.count("journal.db", OPEN) == Some(0)
            && home.count("journal.db", WAITING) == Some(0)
            && home.checks().iter().filter(|check| check["status"] == "ok").count() == 6
    };
    until("everything is quiet", || !alive() || quiet())?;
    if let Some(status) = ended {
        return wrong(format!("the next Grace ended by herself: {status}"));
    }
    copies(home, story)
}

/// On a failing disk she goes on until she is asked to stop, or ends by herself and says why.
///
/// # Errors
/// She ended in another way, or said nothing.
pub(crate) fn ended_well(home: &Home, code: Option<i32>) -> Result<(), String> {
    let says = home.text("log").lines().any(|line| line.starts_with("grace: ") && line.len() > 20);
    match code {
        Some(0) => Ok(()),
        Some(1 | 2) if says => Ok(()),
        other => wrong(format!("on the failing disk she ended with {other:?}")),
    }
}

/// Exactly as many copies run as are wanted, and all of them are known.
fn copies(home: &Home, story: &Story) -> Result<(), String> {
    let (mut known, mut found) = (BTreeSet::new(), BTreeSet::new());
    // The last step to a program may still be under way when it is known already.
    let same = until("what runs is what is known", || {
        let crew: BTreeSet<i32> = (0..4).filter_map(|worker| home.main("crew", worker)).collect();
        let right = story.crew.iter().any(|wanted| usize::try_from(*wanted) == Ok(crew.len()));
        known = crew.into_iter().chain(home.main("job", 0)).collect();
        found = using(&home.path("marker"), Path::new("/nowhere"));
        right && found == known
    });
    same.map_err(|why| format!("{why}: {found:?} run, {known:?} are known, {:?} wanted", story.crew))?;
    let doubled = home.text("job.doubled");
    if doubled.is_empty() { Ok(()) } else { wrong(format!("two copies of one service: {doubled}")) }
}

/// Who has the marker open, or anything in the data directory, or works there.
pub(crate) fn using(marker: &Path, data: &Path) -> BTreeSet<i32> {
    let id = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let marker = id(marker);
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let uses = |pid: i32| {
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(data));
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten().any(|file| {
            fs::read_link(file.path()).is_ok_and(|path| path.starts_with(data))
                || (marker.is_some() && id(&file.path()) == marker)
        });
        cwd || open
    };
    processes.map(|process| process.pid()).filter(|pid| *pid != own && uses(*pid)).collect()
}

/// The journal is whole, holds what it held, and nothing in it is doubled or a false alarm.
pub(crate) fn journal(home: &Home, behind: &Behind) -> Result<(), String> {
    let reader = Reader::open(&home.data()).map_err(|why| why.to_string())?;
    let verified = reader.verify().map_err(|why| why.to_string())?;
    if !verified.is_whole() {
        return wrong(format!("the chain does not hold: {verified:?}"));
    }
    let db = Connection::open(home.data().join("journal.db")).map_err(|why| why.to_string())?;
    still_there(&db, behind)?;
    // What is open was asked when everything was quiet; a try that is verified while she is stopped ends with the
    // next start.
    let none = [("acts begun or ended twice", DOUBLED), ("false alarms", ALARMS)];
    for (what, query) in none {
        let count: i64 = db.query_row(query, [], |row| row.get(0)).map_err(|why| why.to_string())?;
        if count != 0 {
            return wrong(format!("{count} {what}"));
        }
    }
    started_by_intent(home, &db)?;
    let proof = grace::replay::prove::prove(&reader).map_err(|why| why.to_string())?;
    if !proof.holds() || proof.same == 0 {
        return wrong(format!("decided again: {} the same, different: {:?}", proof.same, proof.differences));
    }
    let log = home.text("log");
    if log.contains("panicked") || log.contains("a mistake in Grace") {
        return wrong("a panic is in the log");
    }
    Ok(())
}

fn still_there(db: &Connection, behind: &Behind) -> Result<(), String> {
    let Some((seq, hash)) = &behind.newest else { return Ok(()) };
    let same = "SELECT hash = ?2 FROM entries WHERE seq = ?1";
    match db.query_row(same, (seq, hash), |row| row.get(0)) {
        Ok(true) => Ok(()),
        Ok(false) => wrong(format!("entry {seq} is another")),
        Err(why) => wrong(format!("entry {seq} is lost: {why}")),
    }
}

/// The texts of all tasks, in order.
pub(crate) fn all_tasks(home: &Home) -> Result<Vec<String>, String> {
    let say = |why: rusqlite::Error| why.to_string();
    let db = Connection::open(home.data().join("grace.db")).map_err(say)?;
    let mut query = db.prepare("SELECT text FROM tasks ORDER BY seq").map_err(say)?;
    let texts = query.query_map([], |row| row.get::<_, String>(0)).map_err(say)?;
    texts.collect::<Result<_, _>>().map_err(say)
}

/// Every acknowledged task once, in order.
fn tasks(home: &Home, story: &Story) -> Result<(), String> {
    let texts = all_tasks(home)?;
    let kept: Vec<&String> = texts.iter().filter(|text| story.tasks.contains(text)).collect();
    if kept == story.tasks.iter().collect::<Vec<_>>() {
        return Ok(());
    }
    wrong(format!("acknowledged were {:?}, and there are {texts:?}", story.tasks))
}
