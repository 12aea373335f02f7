//! Reads the folder: what may be read, how much of it, and whose files may say what Grace does.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::say::{Code, Diagnostic, Place};

/// 1 MB of TOML takes 0.16 s and 50 MiB to read; 100 MB would take 24 s and 4.5 GiB.
pub const MAX_FILE: u64 = 1024 * 1024;
const MAX_ALL: usize = 4 * 1024 * 1024;
/// More files than this in one folder are somebody's mistake.
const MAX_FILES: usize = 4096;

/// The files of one generation (or the test files beside them), by their names from the folder down.
pub(super) type Texts = BTreeMap<Arc<str>, Arc<str>>;

/// Which files of a folder are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Rules and policies.
    Generation,
    /// Tests of rules.
    Tests,
}

/// Reads the TOML files in `dir/rules` and `dir/policies`.
pub(super) fn read(dir: &Path, wanted: Wanted, problems: &mut Vec<Diagnostic>) -> Texts {
    let mut texts = Texts::new();
    let mut total = 0;
    if !is_configuration(dir, wanted, problems) {
        return texts;
    }
    let folders: &[&str] = if wanted == Wanted::Tests { &["rules"] } else { &["rules", "policies"] };
    for folder in folders {
        for name in list(dir, folder, wanted, problems) {
            let Some(text) = read_one(dir, &name, problems) else { continue };
            total += text.len();
            if total > MAX_ALL {
                let message = format!("the files have more than {MAX_ALL} bytes in all");
                problems.push(
                    Diagnostic::error(Code::TooLarge, message)
                        .help("split the set, or drop what is not used"),
                );
                return texts;
            }
            texts.insert(name.as_str().into(), text.into());
        }
    }
    texts
}

/// The users whom these files belong to.
pub(super) fn owners(dir: &Path, texts: &Texts) -> BTreeMap<String, u32> {
    let owner = |name: &Arc<str>| Some((name.to_string(), fs::metadata(dir.join(&**name)).ok()?.uid()));
    texts.keys().filter_map(owner).collect()
}

const HOLDS: &str = "a configuration folder holds `rules/` and `policies/`; name it with `--config DIR`";

/// Is there a folder that can hold the files, and may it say what Grace does? What is not there is told once.
fn is_configuration(dir: &Path, wanted: Wanted, problems: &mut Vec<Diagnostic>) -> bool {
    let metadata = match fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) => {
            problems.push(Diagnostic::error(Code::Unreadable, unreadable(dir, &error)).help(HOLDS));
            return false;
        }
    };
    if !metadata.is_dir() {
        let message = format!("`{}` is not a folder", dir.display());
        problems.push(Diagnostic::error(Code::Unreadable, message).help(HOLDS));
        return false;
    }
    let missing = |folder: &&str| {
        fs::metadata(dir.join(folder)).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    if ["rules", "policies"].iter().all(missing) {
        let message = format!("`{}` holds neither `rules/` nor `policies/`", dir.display());
        problems.push(Diagnostic::error(Code::Unreadable, message).help(HOLDS));
        return false;
    }
    // Whoever can write it can put other folders in the place of these; told once, with the generation.
    if wanted == Wanted::Generation {
        check_owner("./", &metadata, problems);
    }
    true
}

/// Why a folder cannot be read.
fn unreadable(folder: &Path, error: &io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        return format!("there is no folder `{}`", folder.display());
    }
    format!("cannot read the folder `{}`: {error}", folder.display())
}

fn list(dir: &Path, folder: &str, wanted: Wanted, problems: &mut Vec<Diagnostic>) -> Vec<String> {
    let path = dir.join(folder);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(Diagnostic::error(Code::Unreadable, unreadable(&path, &error)).help(HOLDS));
            return Vec::new();
        }
    };
    if let Ok(metadata) = fs::metadata(&path) {
        check_owner(&format!("{folder}/"), &metadata, problems);
    }
    let is_test = |name: &str| name.ends_with(".test.toml");
    let mut names = Vec::new();
    for entry in entries {
        let path = match entry {
            Ok(entry) => PathBuf::from(entry.file_name()),
            Err(error) => {
                problems.push(Diagnostic::error(Code::Unreadable, unreadable(&path, &error)));
                continue;
            }
        };
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        match path.to_str() {
            Some(name) if name.starts_with('.') || is_test(name) != (wanted == Wanted::Tests) => {}
            Some(name) => names.push(format!("{folder}/{name}")),
            // Left out silently, a rule would be missing that somebody believes is there.
            None => {
                let message = format!("the name of `{folder}/{}` is not UTF-8", path.display());
                problems.push(Diagnostic::error(Code::NotUtf8, message).help("rename the file"));
            }
        }
    }
    names.sort();
    if names.len() > MAX_FILES {
        let message = format!("`{folder}/` holds {} files; at most {MAX_FILES} are read", names.len());
        problems.push(Diagnostic::error(Code::TooLarge, message).help("is it the right folder?"));
        names.truncate(MAX_FILES);
    }
    names
}

/// What is wrong with the names and lengths of files that somebody sent.
pub(super) fn sent(files: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut wrong = |name: &str, code, message: String, help: &str| {
        problems.push(Diagnostic::error(code, message).at(Place::new(&name.into(), 0..0)).help(help));
    };
    for (name, text) in files {
        let plain = ["rules/", "policies/"].iter().find_map(|folder| name.strip_prefix(folder));
        let plain = plain.filter(|name| !name.starts_with('.') && !name.contains(['/', '\0']));
        if plain.is_none_or(|name| name.strip_suffix(".toml").is_none() || name.ends_with(".test.toml")) {
            let help = "rules are `rules/NAME.toml`, policies are `policies/NAME.toml`";
            wrong(name, Code::NotAFile, "is no name of a rule or policy file".into(), help);
        }
        if text.len() > usize::try_from(MAX_FILE).unwrap_or(usize::MAX) {
            let message = format!("has {} bytes; at most {MAX_FILE} are read", text.len());
            wrong(name, Code::TooLarge, message, "split it into several files");
        }
    }
    if files.len() > MAX_FILES || files.values().map(String::len).sum::<usize>() > MAX_ALL {
        let message = format!("more than {MAX_FILES} files, or more than {MAX_ALL} bytes in all");
        problems
            .push(Diagnostic::error(Code::TooLarge, message).help("split the set, or drop what is not used"));
    }
    problems
}

fn read_one(dir: &Path, name: &str, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let place = Place::new(&name.into(), 0..0);
    let mut refuse = |code, message: String, help: &str| {
        problems.push(Diagnostic::error(code, message).at(place.clone()).help(help));
        None
    };
    let path = dir.join(name);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => {
            return refuse(
                Code::Unreadable,
                format!("cannot be read: {error}"),
                "check the file and its permissions",
            );
        }
    };
    if !metadata.is_file() {
        return refuse(Code::NotAFile, "is not a regular file".into(), "rules and policies are plain files");
    }
    if metadata.len() > MAX_FILE {
        let message = format!("has {} bytes; at most {MAX_FILE} are read", metadata.len());
        return refuse(Code::TooLarge, message, "split it into several files");
    }
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return refuse(
            Code::Unreadable,
            format!("cannot be read: {error}"),
            "check the file and its permissions",
        );
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to());
            return refuse(Code::NotUtf8, message, "save it as UTF-8");
        }
    };
    check_owner(name, &metadata, problems);
    Some(text)
}

/// Whoever can write a rule decides what Grace does: others must not.
fn check_owner(name: &str, metadata: &Metadata, problems: &mut Vec<Diagnostic>) {
    let place = Place::new(&name.into(), 0..0);
    let own = rustix::process::geteuid().as_raw();
    let mode = metadata.mode();
    // In a sticky folder nobody can replace another's file, and a strange owner's own file is refused.
    let sticky = metadata.is_dir() && mode & 0o1000 != 0;
    let everybody = mode & 0o002 != 0 && !sticky;
    if everybody {
        let found = Diagnostic::error(Code::UnsafeFile, "everybody can write it");
        problems.push(found.at(place.clone()).help("take the right away: chmod o-w"));
    }
    if metadata.uid() != 0 && metadata.uid() != own {
        let message = format!(
            "belongs to user {}, who is neither root nor the user that Grace runs as",
            metadata.uid()
        );
        problems.push(
            Diagnostic::error(Code::UnsafeFile, message)
                .at(place.clone())
                .help("give it to root: chown root"),
        );
    }
    if mode & 0o020 != 0 && !everybody {
        let found = Diagnostic::warning(Code::GroupWritable, "its group can write it");
        problems.push(found.at(place).help("if that is not meant: chmod g-w"));
    }
}

/// The files that a path names; those of a configuration folder are its rules, tests and policies.
pub(super) fn named(path: &Path) -> Result<Vec<PathBuf>, String> {
    let parts = ["rules", "policies"].map(|part| path.join(part));
    let folders: Vec<PathBuf> = parts.into_iter().filter(|part| part.is_dir()).collect();
    if !path.is_dir() {
        return match fs::symlink_metadata(path) {
            Ok(_) => Ok(vec![path.to_owned()]),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        };
    }
    let mut found = Vec::new();
    for folder in if folders.is_empty() { vec![path.to_owned()] } else { folders } {
        let unreadable = |error| format!("cannot read the folder {}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && path.extension().is_some_and(|end| end == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(format!("there are no rule or policy files in {}", path.display()));
    }
    Ok(found)
}
