//! Could a program be started? Asked before what runs is stopped, and by `validate --live`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
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
    /// Then it cannot start; else it may well, and somebody should look.
    pub(super) certain: bool,
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
    match lacks(&launch.argv, &launch.around).into_iter().find(|lack| lack.certain) {
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
    // It is entered before the other user is become: the way to it may be closed to that one.
    let is_fine = |dir: &&String| Path::new(dir).is_dir() && able::own(Path::new(dir), ENTER);
    let folder = around.dir.as_ref().filter(|dir| !is_fine(dir));
    found.extend(folder.map(|dir| Lack {
        need: Need::Folder,
        about: dir.clone(),
        why: format!("Grace's user cannot work in {dir}"),
        certain: true,
    }));
    found.extend(argv.first().and_then(|program| unable(program, around, &who)));
    let limits = around.limits.iter().filter(|(limit, value)| !able::may_limit(**limit, **value));
    found.extend(limits.map(|(limit, value)| too_much(*limit, *value)));
    found
}

/// The user something runs as, where Grace may become that one.
pub(super) fn who(name: Option<&str>) -> Result<Who, Lack> {
    let Some(name) = name else { return Ok(Who::own()) };
    let lack = |need, why| Lack { need, about: name.to_owned(), why, certain: true };
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
    Some(Lack { need: Need::Setting(name.to_owned()), about: about.clone(), why, certain: true })
}

fn unable(program: &str, around: &Surroundings, who: &Who) -> Option<Lack> {
    let lack = |need, why, certain| Some(Lack { need, about: program.to_owned(), why, certain });
    let places = locate(program, around);
    // As `execvp` does it: what cannot be run is passed over.
    let runs = |place: &&PathBuf| place.is_file() && who.may(place, RUN);
    match (places.iter().find(runs), places.first()) {
        (None, None) => lack(Need::Program, format!("there is no program {program}"), true),
        (None, Some(place)) => {
            let nobody = !places.iter().any(|place| able::could_run(place));
            let why = format!("{} cannot run {}", who.name, place.display());
            lack(Need::Run, why, nobody || who.is_certain())
        }
        (Some(place), _) => interpreter(place).filter(|found| !found.exists()).and_then(|found| {
            let why =
                format!("{} wants the interpreter {}, which is not there", place.display(), found.display());
            lack(Need::Program, why, true)
        }),
    }
}

/// Who runs this file, where it is a script.
fn interpreter(place: &Path) -> Option<PathBuf> {
    // The kernel reads no more of a first line.
    let mut start = [0; 256];
    let length = File::open(place).ok()?.read(&mut start).ok()?;
    let line = start.get(..length)?.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let word = line.trim_ascii_start().split(u8::is_ascii_whitespace).next()?;
    word.starts_with(b"/").then(|| PathBuf::from(OsStr::from_bytes(word)))
}

fn too_much(limit: Limit, value: u64) -> Lack {
    let word = limit.word();
    let why = format!("the limit {word} of {value} is above what Grace herself has");
    Lack { need: Need::Limit, about: word.to_owned(), why, certain: true }
}

/// Where a program lies: everywhere that it would be looked for, in that order.
fn locate(program: &str, around: &Surroundings) -> Vec<PathBuf> {
    if program.contains('/') {
        return Vec::from_iter(Some(PathBuf::from(program)).filter(|place| place.exists()));
    }
    let path = match around.env.get("PATH") {
        Some(Setting::Plain(path)) => path.clone(),
        _ => setting::path(),
    };
    std::env::split_paths(&path).map(|folder| folder.join(program)).filter(|file| file.is_file()).collect()
}
