//! Deaths inside `grace backup`, `grace restore` and the migration of an old journal.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::calls::Call;
use super::checks::{self, Behind};
use super::home::Home;
use super::trace::{self, Point, Traced};
use super::version_1::make_version_1;

/// Which command dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Backup,
    Restore,
    Migrate,
}

/// What all commands begin with: data of two lives, a backup made between them, and the same data as version 1.
pub(crate) struct Mould(Home);

impl Mould {
    /// # Errors
    /// It cannot be made.
    pub(crate) fn new() -> Result<Self, String> {
        let home = Home::plain();
        home.lives_with("old")?;
        home.does(&["backup", &home.path("old.tar").to_string_lossy()])?;
        home.lives_with("new")?;
        copy(&home.data(), &home.path("version1"))?;
        make_version_1(&home.path("version1"));
        Ok(Self(home))
    }

    fn lay(&self, tool: Tool) -> Result<Home, String> {
        let home = Home::plain();
        let from = if tool == Tool::Migrate { self.0.path("version1") } else { self.0.data() };
        copy(&from, &home.data())?;
        Ok(home)
    }

    fn words(&self, tool: Tool, home: &Home) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        match tool {
            Tool::Backup => home.words(&["backup", &text(&home.path("new.tar"))]),
            Tool::Restore => home.words(&["restore", &text(&self.0.path("old.tar")), "--force"]),
            Tool::Migrate => home.words(&ONCE),
        }
    }

    /// How many calls there are in it.
    ///
    /// # Errors
    /// It does not even work when nobody is killed.
    pub(crate) fn counts(&self, tool: Tool) -> Result<BTreeMap<Call, u64>, String> {
        let home = self.lay(tool)?;
        let traced = trace::run((&self.words(tool, &home), &home.data()), &home.log(), None, |_| {})?;
        if !traced.status.success() {
            return Err(format!("{tool:?}: {} {}", traced.status, home.text("log")));
        }
        Ok(traced.counts)
    }

    /// Kills it at this point, and sees whether everything is there and the command can be repeated.
    ///
    /// # Errors
    /// What did not hold.
    pub(crate) fn die(&self, tool: Tool, point: &Point) -> Result<bool, String> {
        let home = self.lay(tool)?;
        let words = self.words(tool, &home);
        let traced = trace::run((&words, &home.data()), &home.log(), Some(point), |_| {})?;
        let held = match tool {
            Tool::Backup => backed_up(&home),
            Tool::Restore => self.restored(&home, &traced),
            Tool::Migrate => migrated(&home),
        };
        held.map(|()| traced.hit)
            .map_err(|why| format!("{tool:?}: {why} ({})\n{}", traced.status, home.text("log")))
    }

    /// The old state or the new one, and nothing in between; and the restore can be done again.
    fn restored(&self, home: &Home, traced: &Traced) -> Result<(), String> {
        home.does(&ONCE)?;
        checks::journal(home, &Behind::default())?;
        let tasks = checks::all_tasks(home)?;
        let new = tasks == ["old"];
        if !new && (tasks != ["old", "new"] || traced.status.success()) {
            return Err(format!("the tasks are {tasks:?}"));
        }
        home.does(&["restore", &self.0.path("old.tar").to_string_lossy(), "--force"])?;
        home.does(&ONCE)?;
        let tasks = checks::all_tasks(home)?;
        if tasks == ["old"] { Ok(()) } else { Err(format!("restored again: {tasks:?}")) }
    }
}

/// One tick, and the end.
const ONCE: [&str; 6] = ["run", "--once", "--interval", "200ms", "--listen", "off"];

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let say = |why: std::io::Error| why.to_string();
    fs::create_dir(to).map_err(say)?;
    for entry in fs::read_dir(from).map_err(say)?.flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(say)?;
        }
    }
    Ok(())
}

/// The data are as they were; a backup that has its name is one, and another can be made.
fn backed_up(home: &Home) -> Result<(), String> {
    let target = home.path("new.tar");
    let name = target.to_string_lossy().into_owned();
    if target.exists() {
        let other = Home::plain();
        other.does(&["restore", &name])?;
        if checks::all_tasks(&other)? != ["old", "new"] {
            return Err("the backup lacks a task".into());
        }
    }
    home.does(&["backup", &name, "--force"])?;
    both(home)
}

fn migrated(home: &Home) -> Result<(), String> {
    both(home)?;
    let versions = [("journal.db", 1), ("journal.db.v1", 2)];
    for (file, wrong) in versions {
        if home
            .count(file, "SELECT user_version FROM pragma_user_version")
            .is_none_or(|version| version == wrong)
        {
            return Err(format!("{file} is of another version"));
        }
    }
    Ok(())
}

/// She lives on these data, and both tasks are there.
fn both(home: &Home) -> Result<(), String> {
    let behind = checks::behind(home)?;
    home.does(&ONCE)?;
    checks::journal(home, &behind)?;
    let tasks = checks::all_tasks(home)?;
    if tasks == ["old", "new"] { Ok(()) } else { Err(format!("the tasks are {tasks:?}")) }
}
