//! Could a program be started? Asked before what runs is stopped, and by `validate --live`.

use std::path::{Path, PathBuf};

use crate::model::{Launch, Limit, Setting, Surroundings};
use crate::services::able::{self, ENTER, RUN, Who};
use crate::services::{setting, user};

/// What would keep a program from starting.
pub(super) struct Lack {
    pub(super) need: Need,
    /// The text in the file that asks for it.
    pub(super) about: String,
    pub(super) why: String,
}

/// What a program needs.
pub(super) enum Need {
    /// A user of that name.
    User,
    /// The right to become that user.
    Become,
    /// The program itself.
    Program,
    /// The right to run it.
    Run,
    /// Its directory.
    Folder,
    /// This name in its environment.
    Setting(String),
    Limit,
}

/// Everything that can be known before.
///
/// # Errors
/// The first thing that would keep it from starting.
pub(super) fn check(launch: &Launch) -> Result<(), String> {
    match lacks(&launch.argv, &launch.around).into_iter().next() {
        None => Ok(()),
        Some(Lack { need: Need::Setting(name), why, .. }) => {
            Err(format!("the environment's `{name}`: {why}"))
        }
        Some(lack) => Err(lack.why),
    }
}

/// Everything that would keep it from starting: its user, its environment, its directory, the program, its limits.
pub(super) fn lacks(argv: &[String], around: &Surroundings) -> Vec<Lack> {
    let who = match who(around.user.as_deref()) {
        Ok(who) => who,
        // What the user may do, nobody can tell then.
        Err(lack) => return vec![lack],
    };
    let mut found: Vec<Lack> = around.env.iter().filter_map(|(name, one)| unreadable(name, one)).collect();
    let folder = around.dir.as_ref().filter(|dir| !who.may(Path::new(dir), ENTER));
    found.extend(folder.map(|dir| Lack {
        need: Need::Folder,
        about: dir.clone(),
        why: format!("{} cannot work in {dir}", who.name),
    }));
    found.extend(argv.first().and_then(|program| unable(program, around, &who)));
    let limits = around.limits.iter().filter(|(limit, value)| !able::may_limit(**limit, **value));
    found.extend(limits.map(|(limit, value)| too_much(*limit, *value)));
    found
}

/// The user something runs as, where Grace may become that one.
pub(super) fn who(name: Option<&str>) -> Result<Who, Lack> {
    let Some(name) = name else { return Ok(Who::own()) };
    let lack = |need, why| Lack { need, about: name.to_owned(), why };
    let user = user::find(name).map_err(|why| lack(Need::User, why))?;
    let own = rustix::process::geteuid();
    if own.is_root() || own.as_raw() == user.uid.as_raw() {
        return Ok(Who::of(&user));
    }
    let why = format!("Grace runs as user {} and may neither become nor signal `{name}`", own.as_raw());
    Err(lack(Need::Become, why))
}

/// What a setting lacks: what it holds is nobody's business here.
pub(super) fn unreadable(name: &str, one: &Setting) -> Option<Lack> {
    let (Setting::File(about) | Setting::Env(about) | Setting::Plain(about)) = one;
    let why = setting::read(one).err()?;
    Some(Lack { need: Need::Setting(name.to_owned()), about: about.clone(), why })
}

fn unable(program: &str, around: &Surroundings, who: &Who) -> Option<Lack> {
    let lack = |need, why| Some(Lack { need, about: program.to_owned(), why });
    match locate(program, around) {
        None => lack(Need::Program, format!("there is no program {program}")),
        Some(place) if place.is_file() && who.may(&place, RUN) => None,
        Some(place) => lack(Need::Run, format!("{} cannot run {}", who.name, place.display())),
    }
}

fn too_much(limit: Limit, value: u64) -> Lack {
    let word = limit.word();
    let why = format!("the limit {word} of {value} is above what Grace herself has");
    Lack { need: Need::Limit, about: word.to_owned(), why }
}

/// Where a program lies, if it is there.
fn locate(program: &str, around: &Surroundings) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|place| place.exists());
    }
    let path = match around.env.get("PATH") {
        Some(Setting::Plain(path)) => path.clone(),
        _ => setting::path(),
    };
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
