//! Finds processes that somebody else started: by the number in a file, or by name.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use procfs::Current;
use procfs::process::{Process, Stat};

use crate::services::identity::Identity;
use crate::services::table::{Table, identity};

/// No number is longer, not even with a line break and a blank or two.
const LONGEST: u64 = 64;

/// The kernel cuts names after so many bytes.
const COMM: usize = 15;

/// The process whose number stands in the file; nothing where it names no process that could be meant. One that
/// was `believed` at the last look still is: a wall clock that was stepped since proves nothing.
///
/// A file that others could have put there is an error: it says nothing, neither that the service runs nor
/// that it does not.
///
/// # Errors
/// The file cannot be trusted or read.
pub fn by_pid_file(
    path: &Path,
    name: Option<&str>,
    believed: Option<Identity>,
) -> Result<Option<Identity>, String> {
    let say = |what: String| format!("{}: {what}", path.display());
    let mut file = match open(path) {
        Ok(file) => file,
        // Not there: the service says of itself that it does not run.
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) if why.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(say("is a symbolic link; name the file itself".into()));
        }
        Err(why) => return Err(say(why.to_string())),
    };
    let metadata = file.metadata().map_err(|why| say(why.to_string()))?;
    if !metadata.is_file() {
        return Err(say("is not a regular file".into()));
    }
    if metadata.mode() & 0o002 != 0 {
        return Err(say("everybody can write it".into()));
    }
    let mut text = String::new();
    if file.by_ref().take(LONGEST).read_to_string(&mut text).is_err() {
        return Ok(None);
    }
    let first = text.split_whitespace().next().and_then(|word| word.parse::<i32>().ok());
    let Some(found) = first.filter(|pid| *pid > 1).and_then(Identity::of) else { return Ok(None) };
    let owner = Process::new(found.pid).and_then(|process| process.uid()).ok();
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != 0 && metadata.uid() != own && Some(metadata.uid()) != owner {
        let whose = owner.map_or("nobody's".into(), |uid| format!("user {uid}'s"));
        return Err(say(format!("belongs to user {}, and the process is {whose}", metadata.uid())));
    }
    let written = metadata.mtime();
    let named = name.is_none_or(|name| is_called(found.pid, name));
    let in_time = || began(found).is_none_or(|began| began <= written + SLACK);
    Ok(Some(found).filter(|found| named && (believed == Some(*found) || in_time())))
}

/// A process begun after its number was written is another one. Clocks count in whole seconds here.
const SLACK: i64 = 2;

fn open(path: &Path) -> std::io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// When a process was begun, by the wall clock, in seconds since 1970.
fn began(process: Identity) -> Option<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let up = procfs::Uptime::current().ok()?.uptime_duration().as_secs();
    let boot = now.checked_sub(up)?;
    i64::try_from(boot + process.start / procfs::ticks_per_second()).ok()
}

/// All processes of this name and user, but for Grace herself. Anybody can call a program so: a name alone proves
/// little, and a user more.
#[must_use]
pub fn by_name(table: &Table, name: &str, uid: Option<u32>) -> Vec<Identity> {
    let cut: String = name.chars().take(COMM).collect();
    let alike = |stat: &&Stat| stat.comm == cut || is_program(stat.pid, name);
    let found: Vec<&Stat> = table.all().filter(alike).collect();
    // Workers of the same name are children of theirs: only the first of a family counts.
    let is_child = |stat: &Stat| found.iter().any(|other| other.pid == stat.ppid);
    let own = std::process::id();
    let firsts = found.iter().filter(|stat| !is_child(stat) && u32::try_from(stat.pid) != Ok(own));
    let theirs = |stat: &Stat| {
        uid.is_none_or(|uid| {
            Process::new(stat.pid).and_then(|process| process.uid()).is_ok_and(|own| own == uid)
        })
    };
    firsts.filter(|stat| theirs(stat)).map(|stat| identity(stat)).collect()
}

fn is_called(pid: i32, name: &str) -> bool {
    let cut: String = name.chars().take(COMM).collect();
    super::identity::stat(pid).is_some_and(|stat| stat.comm == cut) || is_program(pid, name)
}

/// Is it this program, whatever name it gave itself?
fn is_program(pid: i32, name: &str) -> bool {
    let Ok(process) = Process::new(pid) else { return false };
    let file = |path: &Path| path.file_name().is_some_and(|file| file == name);
    if process.exe().is_ok_and(|exe| file(&exe)) {
        return true;
    }
    let first = process.cmdline().ok().and_then(|words| words.into_iter().next());
    first.is_some_and(|first| file(Path::new(&first)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn own() -> Identity {
        Identity::own().expect("we run")
    }

    #[test]
    fn a_pid_file_is_believed_only_where_it_can_be_right() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.pid");
        let put = |text: &str| fs::write(&path, text).expect("written");
        let look = |name| by_pid_file(&path, name, None);
        assert_eq!(look(None), Ok(None), "not there");
        for nonsense in ["", "\n", "x", "-1", "0", "1", "999999999", "99999999999999999999999", "\u{0}"] {
            put(nonsense);
            assert_eq!(look(None), Ok(None), "{nonsense:?}");
        }
        put(&format!("{}\n", own().pid));
        assert_eq!(look(None), Ok(Some(own())));
        assert_eq!(look(Some("certainly-not-us")), Ok(None), "another program has the number");
        let old = SystemTime::now() - std::time::Duration::from_hours(24 * 365);
        File::options().write(true).open(&path).and_then(|file| file.set_modified(old)).expect("aged");
        assert_eq!(look(None), Ok(None), "a number that was used again");
        assert_eq!(
            by_pid_file(&path, None, Some(own())),
            Ok(Some(own())),
            "or a clock that was stepped since"
        );
    }

    #[test]
    fn a_pid_file_that_others_could_have_made_says_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.pid");
        fs::write(&path, own().pid.to_string()).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("opened");
        assert!(by_pid_file(&path, None, None).expect_err("refused").contains("everybody"));
        let link = dir.path().join("b.pid");
        symlink(&path, &link).expect("linked");
        assert!(by_pid_file(&link, None, None).expect_err("refused").contains("symbolic link"));
        assert!(by_pid_file(dir.path(), None, None).expect_err("refused").contains("regular"));
    }

    #[test]
    fn a_program_is_found_whatever_it_calls_itself() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("starts");
        let pid = i32::try_from(child.id()).expect("a number");
        // It may not be the program yet.
        let began = std::time::Instant::now();
        while !by_name(&Table::read(), "sleep", None).iter().any(|found| found.pid == pid) {
            assert!(began.elapsed().as_secs() < 10);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().expect("killed");
        child.wait().expect("collected");
        assert!(!by_name(&Table::read(), "sleep", None).iter().any(|found| found.pid == pid));
    }
}
