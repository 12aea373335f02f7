//! Could a program be started? Asked before what runs is stopped.

use std::path::{Path, PathBuf};

use crate::model::{Launch, Setting, Surroundings};
use crate::services::able::{ENTER, RUN, Who};
use crate::services::{setting, user};

/// Everything that can be known before: the program, its user, its directory, its settings.
///
/// # Errors
/// The first thing that would keep it from starting.
pub(super) fn check(launch: &Launch) -> Result<(), String> {
    let around = &launch.around;
    let who = match &around.user {
        Some(name) => Who::of(&user::find(name)?),
        None => Who::own(),
    };
    for (name, one) in &around.env {
        setting::read(one).map_err(|why| format!("the environment's `{name}`: {why}"))?;
    }
    if let Some(dir) = &around.dir
        && !who.may(Path::new(dir), ENTER)
    {
        return Err(format!("{} cannot work in {dir}", who.name));
    }
    let program = launch.argv.first().ok_or("there is no program")?;
    let place = locate(program, around).ok_or_else(|| format!("there is no program {program}"))?;
    if place.is_file() && who.may(&place, RUN) {
        Ok(())
    } else {
        Err(format!("{} cannot run {}", who.name, place.display()))
    }
}

/// Where a program lies, if it is there.
pub(super) fn locate(program: &str, around: &Surroundings) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|place| place.exists());
    }
    let path = match around.env.get("PATH") {
        Some(Setting::Plain(path)) => path.clone(),
        _ => setting::path(),
    };
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
