//! `grace shadow promote`: makes the candidate live by its files.
//!
//! Files are what a start and every reload go by, so a generation that is live and lies on no disk would be undone by the
//! next save. Therefore nothing becomes live without `--write`; without it the verb says what would change.
//!
//! With it: the running Grace is asked whether she could take the candidate over; the folder has to hold the live
//! generation, so that nobody's unfinished work is lost; what is replaced is kept in `.before-promote-ID` beside it; every
//! new text is written and synchronised under a hidden name, and then all get their places, by one rename each. A read in
//! between, or a death there, finds parts of both sets: that is refused, and the candidate stands, until the same command
//! ends what was begun ([`is_half`]), or somebody takes it back.
//!
//! What the running Grace would refuse must not lie there at her next start. The files are compiled as she does it before
//! anything is written, and where she refuses them all the same, those that were there before come back.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::api::shapes::{Lifting, Reply};
use crate::cli::asking::client::asking;
use crate::cli::checking::validate;
use crate::cli::rehearsing::shadow::now;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::replace::{Staged, whole};
use crate::cli::terminal::shared::Shared;
use crate::config::promotion::{began, kept_in};
use crate::config::{Folder, diff};
use crate::record::{Candidate, Reader};
use crate::replay::is_half;

/// The running Grace polls her files every half minute at the latest.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(40);

/// What is refused for so long is not looked at in the middle of a write.
const REFUSED_FOR: Duration = Duration::from_secs(3);

type Files = BTreeMap<String, String>;

pub(super) fn run(reason: Option<String>, write: bool, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let reader = Reader::open(&shared.data)?;
    let candidate = reader.candidate()?.ok_or_else(|| {
        Failure::Usage("there is no candidate; `grace shadow DIR --reason ...` sets one".into())
    })?;
    let there = Folder::read(&shared.config).into_files();
    if !write {
        return tell(&there, &candidate, shared, out);
    }
    let Some(reason) = reason else {
        return Err(Failure::Usage("say why with `--reason`; the journal keeps it".into()));
    };
    let live = live(&reader)?;
    fits(&there, &live, &candidate, &shared.config)?;
    if let Err(report) = Folder::of(&candidate.files).compile(None) {
        validate::show(out, &report)?;
        out.talk("grace: the running Grace would refuse these files; nothing was written");
        return Ok(Exit::Usage);
    }
    asking(shared, out, |client, _| async move {
        let body = Lifting { reason: Some(reason) };
        client.post::<Reply>(&["api", "shadow", "promote"], &body).await
    })?;
    let kept = whole(|| put(&shared.config, &there, &candidate))?;
    // Half of a promotion is nothing to go back to.
    let before = if is_half(&there, &live, &candidate.files) { live } else { there };
    await_live(&candidate, (&before, &kept), shared, out)
}

/// What would change.
fn tell(there: &Files, candidate: &Candidate, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let changes = match diff::diff(there, &candidate.files) {
        Ok(changes) => changes,
        Err(report) => {
            validate::show(out, &report)?;
            return Ok(Exit::Usage);
        }
    };
    if out.is_json() {
        out.json(
            &serde_json::json!({ "format_version": 1, "different": !changes.is_empty(), "changes": changes }),
        )?;
    } else {
        for change in &changes {
            let key = if change.key.is_empty() { "itself" } else { &change.key };
            let of = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            let (before, after) = (of(&change.before), of(&change.after));
            out.line(format_args!("{} {key}: {before} -> {after}", out.paint(Look::Head, &change.subject)))?;
        }
    }
    let count = changes.len();
    out.talk(format_args!(
        "{count} differences to {}; nothing was written: `--write --reason ...` makes the candidate live",
        shared.config.display()
    ));
    Ok(if changes.is_empty() { Exit::Clean } else { Exit::Findings })
}

fn live(reader: &Reader) -> Result<Files, Failure> {
    let newest = reader.generation()?;
    newest.map(|(_, files)| files).ok_or_else(|| Failure::Usage("the journal holds no generation yet".into()))
}

/// The folder holds the live generation, or what a promotion that was cut short left there: parts of both, or the candidate.
fn fits(there: &Files, live: &Files, candidate: &Candidate, dir: &Path) -> Result<(), Failure> {
    if *there == candidate.files && !began(dir, &candidate.generation) {
        // No promotion put it there: nothing would be written, and nobody would take anything over.
        return Err(Failure::Usage(format!(
            "{} holds the candidate already, and the running Grace does not run on it: name the folder of her own files \
             with `--config`; if this is that folder, she takes it over by herself, or `grace status` says why not. \
             Nothing was written",
            dir.display()
        )));
    }
    if there == live || *there == candidate.files || is_half(there, live, &candidate.files) {
        return Ok(());
    }
    let differ: Vec<&str> = there
        .keys()
        .chain(live.keys())
        .filter(|name| there.get(*name) != live.get(*name))
        .map(String::as_str)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    Err(Failure::Usage(format!(
        "{} does not hold the live generation: {} differ; save or take back those changes first, or name the folder of \
         the running Grace with `--config`",
        dir.display(),
        differ.join(", ")
    )))
}

/// Puts the candidate's files there, and says where those that were replaced lie.
fn put(dir: &Path, there: &Files, candidate: &Candidate) -> Result<PathBuf, Failure> {
    let to = &candidate.files;
    let replaced = || there.iter().filter(|(name, text)| to.get(*name) != Some(text));
    // One that was promoted before, and edited by hand since, replaced something else then.
    let holds_other = |kept: &Path| {
        replaced().any(|(name, text)| fs::read(kept.join(name)).is_ok_and(|kept| kept != text.as_bytes()))
    };
    let first = kept_in(dir, &candidate.generation);
    let more = (2..).map(|number| first.with_added_extension(number.to_string()));
    let kept = std::iter::once(first.clone()).chain(more).find(|kept| !holds_other(kept)).unwrap_or(first);
    let cannot = |name: &str| {
        let path = dir.join(name);
        move |why| Failure::File { path, why }
    };
    // Also where nothing is replaced: it says that the promotion began.
    folder(&kept).map_err(|why| Failure::File { path: kept.clone(), why })?;
    for (name, text) in replaced() {
        if !kept.join(name).exists() {
            keep(&kept.join(name), text).map_err(cannot(name))?;
        }
    }
    exchange(dir, there, to)?;
    Ok(kept)
}

/// Puts files in the place of others.
fn exchange(dir: &Path, there: &Files, to: &Files) -> Result<(), Failure> {
    let cannot = |name: &str| {
        let path = dir.join(name);
        move |why| Failure::File { path, why }
    };
    let changed = to.iter().filter(|(name, text)| there.get(*name) != Some(text));
    let gone = there.keys().filter(|name| !to.contains_key(*name));
    // Everything that can fail for want of room or rights comes before the first rename.
    let mut staged = Vec::new();
    for (name, text) in changed {
        staged.push((name, Staged::write(&dir.join(name), text.as_bytes()).map_err(cannot(name))?));
    }
    for (name, one) in staged {
        one.put().map_err(cannot(name))?;
    }
    for name in gone {
        fs::remove_file(dir.join(name)).map_err(cannot(name))?;
    }
    for folder in ["rules", "policies"] {
        fs::File::open(dir.join(folder)).and_then(|folder| folder.sync_all()).map_err(cannot(folder))?;
    }
    Ok(())
}

/// What was refused must not be what the next start takes: the files of before come back, and a sentence says so.
fn put_back(
    dir: &Path,
    (before, kept): (&Files, &Path),
    candidate: &Candidate,
) -> Result<&'static str, Failure> {
    if *before == candidate.files {
        return Ok("the files are those that were there before");
    }
    whole(|| {
        // What somebody changed meanwhile stays.
        if Folder::read(dir).into_files() != candidate.files {
            return Ok("the files changed meanwhile, and are left as they are");
        }
        exchange(dir, &candidate.files, before)?;
        forget(kept, before);
        Ok("the files of before are back in their places")
    })
}

/// What is back in its place need not be kept beside it; a later promotion keeps what is there by then.
fn forget(kept: &Path, before: &Files) {
    for (name, text) in before {
        let path = kept.join(name);
        if fs::read_to_string(&path).is_ok_and(|kept| kept == *text) {
            // One that stays is a copy too many, and no loss.
            let _ = fs::remove_file(path);
        }
    }
    for folder in [kept.join("rules"), kept.join("policies"), kept.to_owned()] {
        let _ = fs::remove_dir(folder);
    }
}

/// Keeps a text where nobody else reads it: what it was before may have been for few.
fn keep(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), folder)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A folder that is for nobody else, with those above it.
fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Waits until the running Grace has taken it over.
fn await_live(
    candidate: &Candidate,
    (before, kept): (&Files, &Path),
    shared: &Shared,
    out: Out,
) -> Result<Exit, Failure> {
    let waits = format!("generation {} waits", candidate.generation.short());
    let began = Instant::now();
    let mut refused: Option<Instant> = None;
    while began.elapsed() < TAKEN_OVER_WITHIN {
        let known = now(shared, out)?;
        if known.live == candidate.generation.as_str() {
            let id: String = known.live.chars().take(12).collect();
            let says = format!("generation {id} is live; what it replaced is in {}", kept.display());
            let reply = Reply::new(crate::api::shapes::Word::Success, says);
            return crate::cli::asking::answer::tell(out, &reply);
        }
        if known.rejected.is_empty() {
            refused = None;
        } else if refused.get_or_insert_with(Instant::now).elapsed() > REFUSED_FOR {
            let why = known.rejected.join("; ");
            if known.rejected.iter().all(|why| why.starts_with(&waits)) {
                let kept = kept.display();
                return Err(Failure::Usage(format!(
                    "the files are written: {why}; what they replaced is in {kept}"
                )));
            }
            let back = put_back(&shared.config, (before, kept), candidate)?;
            return Err(Failure::Usage(format!(
                "the running Grace refuses the files, and the live generation stays: {why}; {back}"
            )));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(Failure::Usage(format!(
        "the files are written, and the running Grace did not take them over: does she run on another `--config`? What \
         they replaced is in {}",
        kept.display()
    )))
}
