//! Settings that may be secret: read when they are used, and never kept.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::model::{Launch, Setting, Surroundings};
use crate::services::keeper::spec::{Spec, Task};
use crate::services::user;

/// A longer secret is no secret but a file somebody named by mistake.
const LONGEST: u64 = 64 * 1024;

/// A shorter line of a secret tells nothing, and would hide half of every text.
const SHORTEST: usize = 8;

/// What every program finds in its environment, where Grace has it herself.
const PASSED_ON: [&str; 4] = ["LANG", "LC_ALL", "TZ", "HOME"];

/// Where programs are looked for when nobody says so.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The text behind a setting.
///
/// # Errors
/// It cannot be read. What is said names the place, never the text.
pub fn read(setting: &Setting) -> Result<String, String> {
    let text = match setting {
        Setting::Plain(text) => text.clone(),
        Setting::File(path) => file(Path::new(path))?,
        Setting::Env(name) => std::env::var(name)
            .map_err(|_| format!("`{name}` is not in Grace's own environment, or is no text"))?,
    };
    if text.contains('\0') { Err("a setting cannot hold a zero byte".into()) } else { Ok(text) }
}

fn file(path: &Path) -> Result<String, String> {
    let say = |why: std::io::Error| format!("{}: {why}", path.display());
    // A pipe or a device could keep us waiting for ever.
    let how = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(how).open(path).map_err(say)?;
    if !file.metadata().map_err(say)?.is_file() {
        return Err(format!("{}: is not a regular file", path.display()));
    }
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(say)?;
    if text.len() as u64 > LONGEST {
        return Err(format!("{}: longer than {LONGEST} bytes", path.display()));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The text behind a setting, read where it delays nobody else: a file can lie on a disk that hangs.
///
/// # Errors
/// As [`read`].
pub async fn fetch(setting: &Setting) -> Result<String, String> {
    let setting = setting.clone();
    aside(move || read(&setting)).await
}

/// Does something that may block on a thread for that.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err("Grace is ending".into()))
}

/// Is it something that must not be shown?
#[must_use]
pub fn is_secret(setting: &Setting) -> bool {
    !matches!(setting, Setting::Plain(_))
}

/// What has to be hidden of a secret: all of it, and each of its lines, which may be told one by one.
fn hidden(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST && *line != text);
    std::iter::once(text).chain(lines).map(str::to_owned).collect()
}

/// Everything a keeper has to know to start a program.
pub(super) async fn spec(
    component: &str,
    launch: &Launch,
    work: PathBuf,
    task: Task,
) -> Result<Spec, String> {
    let (component, launch) = (component.to_owned(), launch.clone());
    aside(move || gather(&component, &launch, work, task)).await
}

fn gather(component: &str, launch: &Launch, work: PathBuf, task: Task) -> Result<Spec, String> {
    let Surroundings { dir, user, env, limits } = &launch.around;
    let mut all = passed_on();
    if let Some(name) = user {
        all.extend(user::surroundings(&user::find(name)?));
    }
    all.insert("GRACE_COMPONENT".into(), component.to_owned());
    if let Task::Serve { worker, .. } = &task {
        all.insert("GRACE_WORKER".into(), worker.to_string());
    }
    let mut secrets = Vec::new();
    for (name, setting) in env {
        let text = read(setting).map_err(|why| format!("the environment's `{name}`: {why}"))?;
        if is_secret(setting) {
            secrets.extend(hidden(&text));
        }
        all.insert(name.clone(), text);
    }
    Ok(Spec {
        component: component.to_owned(),
        argv: launch.argv.clone(),
        own_dir: dir.is_none(),
        dir: dir.as_ref().map_or(work, PathBuf::from),
        user: user.clone(),
        env: all,
        limits: limits.iter().map(|(limit, value)| (limit.word().to_owned(), *value)).collect(),
        secrets,
        input: None,
        task,
    })
}

/// Where programs are looked for.
pub(super) fn path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| PATH.into())
}

fn passed_on() -> BTreeMap<String, String> {
    let known = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    let mut all: BTreeMap<String, String> = PASSED_ON.iter().copied().filter_map(known).collect();
    all.insert("PATH".into(), path());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_when_it_is_used_and_an_error_names_its_place_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("token");
        let setting = Setting::File(path.display().to_string());
        let why = read(&setting).expect_err("it is not there yet");
        assert!(why.contains("token") && why.contains("No such file"), "{why}");
        std::fs::write(&path, "s3cret\n").expect("written");
        assert_eq!(read(&setting).as_deref(), Ok("s3cret"));
        std::fs::write(&path, "a\0b").expect("written");
        assert!(read(&setting).is_err());
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let why = read(&Setting::File(pipe.display().to_string())).expect_err("nobody waits for it");
        assert!(why.contains("not a regular file"), "{why}");
        let why = read(&Setting::Env("GRACE_TEST_NOT_THERE".into())).expect_err("it is not there");
        assert!(why.contains("GRACE_TEST_NOT_THERE"), "{why}");
    }
}
