//! Lays the shipped files into a folder of their own, and a sample over them.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command as Program;

use super::sample::{Command, Sample};

/// Why a sample is not laid out.
#[derive(Debug)]
pub(super) enum Problem {
    /// It cannot be done here.
    Skip(String),
    /// The sample is wrong.
    Sample(String),
}

/// The shipped files with rights that nothing can be said against, whatever the checkout has.
pub(crate) fn shipped(home: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["rules", "policies"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        set_mode(&dir.path().join(folder), 0o755);
        for entry in fs::read_dir(home.join(folder)).unwrap() {
            let entry = entry.unwrap();
            write(&dir.path().join(folder).join(entry.file_name()), &fs::read(entry.path()).unwrap());
        }
    }
    dir
}

/// Does what the sample says, in its order.
pub(super) fn over(dir: &Path, sample: &Sample) -> Result<(), Problem> {
    sample.commands.iter().try_for_each(|command| one(dir, command))
}

fn one(dir: &Path, command: &Command) -> Result<(), Problem> {
    let path = if command.path == "." { dir.to_owned() } else { dir.join(&command.path) };
    let joined = || command.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>();
    match command.verb.as_str() {
        "edit" => write(&path, edit(&fs::read_to_string(&path).unwrap(), command)?.as_bytes()),
        "file" => write(&path, joined().as_bytes()),
        "bytes" => write(&path, &unescaped(&joined())),
        "crlf" => write(&path, fs::read_to_string(&path).unwrap().replace('\n', "\r\n").as_bytes()),
        "cut" => write(&path, fs::read(&path).unwrap().get(..command.argument.parse().unwrap()).unwrap()),
        "rename" => fs::rename(&path, dir.join(&command.argument)).unwrap(),
        "strange_name" => {
            let name = std::ffi::OsStr::from_bytes(b"\xff.toml");
            write(&path.with_file_name(name), b"");
        }
        "folder" => fs::create_dir(&path).unwrap(),
        "link" => symlink(&command.argument, &path).unwrap(),
        "mode" => set_mode(&path, u32::from_str_radix(&command.argument, 8).unwrap()),
        "fifo" => assert!(Program::new("mkfifo").arg(&path).status().unwrap().success()),
        "sparse" => {
            write(&path, b"");
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_len(command.argument.parse().unwrap()).unwrap();
        }
        "remove" if path.is_dir() => fs::remove_dir_all(&path).unwrap(),
        "remove" => fs::remove_file(&path).unwrap(),
        "owner" => {
            let owner = command.argument.parse().unwrap();
            chown(&path, Some(owner), None)
                .map_err(|error| Problem::Skip(format!("only root gives files away ({error})")))?;
        }
        "unreadable" => {
            set_mode(&path, 0);
            if fs::File::open(&path).is_ok() {
                return Err(Problem::Skip("root reads whatever it wants".into()));
            }
        }
        other => return Err(Problem::Sample(format!("there is no command `{other}`"))),
    }
    Ok(())
}

/// Replaces each run of `-` lines by the `+` lines below it; `+` lines without any are put at the end.
fn edit(text: &str, command: &Command) -> Result<String, Problem> {
    let mut text = text.to_owned();
    let mut lines = command.lines.iter().map(String::as_str).peekable();
    while lines.peek().is_some() {
        let old: String =
            std::iter::from_fn(|| lines.next_if(|line| line.starts_with('-'))).map(body).collect();
        let new: String =
            std::iter::from_fn(|| lines.next_if(|line| line.starts_with('+'))).map(body).collect();
        if old.is_empty() && new.is_empty() {
            return Err(Problem::Sample("lines of an edit begin with `-` or `+`".into()));
        }
        if old.is_empty() {
            text.push_str(&new);
        } else if text.matches(&old).count() == 1 {
            text = text.replace(&old, &new);
        } else {
            return Err(Problem::Sample(format!("{} does not hold exactly once:\n{old}", command.path)));
        }
    }
    Ok(text)
}

fn body(line: &str) -> String {
    format!("{}\n", &line[1..])
}

/// `\xff` stands for a byte.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes: Vec<u8> = parts.next().unwrap().into();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    bytes
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    set_mode(path, 0o644);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
