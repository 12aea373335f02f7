//! The rule and policy files of a revision of git, as they would lie in a checkout of it: links inside the repository
//! are followed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output as Ended, Stdio};

use crate::cli::terminal::failure::Failure;

/// One directory of configuration in one commit.
struct Revision<'r> {
    /// As somebody named it.
    name: &'r str,
    /// A branch may move on meanwhile; a commit does not.
    commit: String,
    config: &'r Path,
}

/// Something in a commit, behind every link.
enum Found {
    Missing,
    /// A folder, by its object.
    Folder(String),
    File(Vec<u8>),
}

/// The files of a revision in the repository that holds the configuration.
pub(super) fn files(name: &str, config: &Path) -> Result<BTreeMap<String, String>, Failure> {
    if name.starts_with('-') {
        return Err(neither(name, "no revision begins with `-`"));
    }
    let words = ["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{commit}}")];
    let revision =
        Revision { name, commit: said(name, &git(config, &words, "")?)?.trim().to_owned(), config };
    let mut files = BTreeMap::new();
    for folder in ["rules", "policies"] {
        let Found::Folder(object) = revision.find(folder)? else { continue };
        for name in revision.names(&object)? {
            let path = format!("{folder}/{name}");
            if let Found::File(bytes) = revision.find(&path)? {
                let text = String::from_utf8(bytes)
                    .map_err(|_| Failure::Usage(format!("{}:{path} is not UTF-8", revision.name)))?;
                files.insert(path, text);
            }
        }
    }
    if files.is_empty() { Err(neither(name, "it holds no rules and no policies here")) } else { Ok(files) }
}

fn neither(name: &str, why: &str) -> Failure {
    Failure::Usage(format!("`{name}` is neither a directory nor a revision of git: {why}"))
}

impl Revision<'_> {
    /// The names of the rule and policy files in a folder.
    fn names(&self, object: &str) -> Result<Vec<String>, Failure> {
        let listed = git(self.config, &["ls-tree", "--full-tree", "-z", "--name-only", object], "")?;
        let is_rules = |name: &&str| {
            let stem = name.strip_suffix(".toml").filter(|stem| stem.strip_suffix(".test").is_none());
            stem.is_some() && !name.starts_with('.')
        };
        let listed = said(self.name, &listed)?;
        Ok(listed.split_terminator('\0').filter(is_rules).map(str::to_owned).collect())
    }

    /// What a path of the configuration is in this commit.
    fn find(&self, path: &str) -> Result<Found, Failure> {
        let cannot = |why: &str| Failure::Usage(format!("{}:{path} {why}", self.name));
        if path.contains('\n') {
            return Err(cannot("has a line break in its name"));
        }
        let asked = format!("{}:./{path}\n", self.commit);
        let answer = git(self.config, &["cat-file", "--batch", "--follow-symlinks"], &asked)?;
        if !answer.status.success() {
            return Err(cannot(String::from_utf8_lossy(&answer.stderr).trim()));
        }
        let end = answer.stdout.iter().position(|byte| *byte == b'\n').unwrap_or(answer.stdout.len());
        let (head, body) = answer.stdout.split_at_checked(end).unwrap_or_default();
        let head = String::from_utf8_lossy(head);
        let words: Vec<&str> = head.split(' ').collect();
        match words.as_slice() {
            [object, "tree", _] => Ok(Found::Folder((*object).to_owned())),
            // A line break stands before the text, and one behind it.
            [_, "blob", _] => {
                Ok(Found::File(body.get(1..body.len().max(2) - 1).unwrap_or_default().to_vec()))
            }
            ["symlink", _] => Err(cannot("is a link that leads out of the repository")),
            ["dangling" | "notdir", _] => Err(cannot("is a link to nothing")),
            ["loop", _] => Err(cannot("is a link that leads back to itself")),
            _ => Ok(Found::Missing),
        }
    }
}

/// What git said, where it did what it was asked.
fn said(name: &str, ended: &Ended) -> Result<String, Failure> {
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(neither(name, String::from_utf8_lossy(&ended.stderr).trim()))
}

/// Runs git; what it is asked on its stdin is short enough to never wait for its answer.
fn git(config: &Path, words: &[&str], asked: &str) -> Result<Ended, Failure> {
    // Where git itself lies, and where its user's settings do.
    let known = ["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let cannot = |why| Failure::Usage(format!("git cannot be run: {why}"));
    let mut git = Command::new("git");
    let git = git.env_clear().envs(known).arg("-C").arg(config).args(words);
    let started = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut git = started.map_err(cannot)?;
    if let Some(mut stdin) = git.stdin.take() {
        // One that ended before it read says why on its stderr.
        let _ = stdin.write_all(asked.as_bytes());
    }
    git.wait_with_output().map_err(cannot)
}
