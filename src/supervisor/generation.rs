//! Which generation Grace starts with: the files', or an earlier one where those cannot be used.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::{Folder, Loaded};
use crate::engine::{Bundle, Judged, State, conflicts, judge, locked_out};
use crate::model::GenerationId;
use crate::record::{Candidate, GenerationText, Journal, JournalError};
use crate::say::Report;
use crate::supervisor::StartError;
use crate::supervisor::crash_loop::CrashLoop;
use crate::supervisor::half::half;

/// What Grace starts with.
pub(super) struct Chosen {
    pub(super) bundle: Bundle,
    /// The files as they lie there, whether they are used or not: only a change of them is news.
    pub(super) files: BTreeMap<String, String>,
    /// Why the files are not used.
    pub(super) rejected: Option<Vec<String>>,
    /// The files, where they only wait for somebody to approve them.
    pub(super) pending: Option<Box<Loaded>>,
}

/// The files' generation; the last good one in a crash loop; the newest where the files are broken.
pub(super) fn choose(
    (files, dir): (Result<Loaded, Box<Report>>, &Path),
    journal: &Journal,
    (before, candidate): (&State, Option<&Candidate>),
    looped: Option<&CrashLoop>,
) -> Result<Chosen, StartError> {
    let live = match candidate {
        Some(_) => journal.generation()?,
        None => None,
    };
    let files = files.and_then(|loaded| whole((loaded, dir), live.zip(candidate)));
    let trusted = looped.and_then(|found| found.good.as_ref());
    let loaded = match files.and_then(|loaded| fits(loaded, before)) {
        Ok(loaded) => loaded,
        Err(report) => {
            let found = match trusted {
                Some(good) => earlier(journal, good, before)?,
                None => None,
            };
            let Some(bundle) = found.map_or_else(|| newest(journal), |good| Ok(Some(good)))? else {
                return Err(StartError::Config(report));
            };
            return Ok(instead(bundle.files.clone(), bundle, crate::say::reasons(&report)));
        }
    };
    if let (Some(found), Some(good)) = (looped, trusted)
        && *good != loaded.bundle.generation
        && let Some(bundle) = earlier(journal, good, before)?
    {
        let exits = found.exits;
        let why = format!(
            "Grace ended {exits} times within a minute of her start: the last generation she lived well with is used; \
             the files are read again when one of them changes, or after a stop in good order"
        );
        return Ok(instead(loaded.bundle.files, bundle, vec![why]));
    }
    if let Some((bundle, judged)) = judged(&loaded.bundle.generation, journal, before)? {
        let files = loaded.bundle.files.clone();
        return Ok(match judged {
            Judged::Waits(why) => {
                Chosen { pending: Some(Box::new(loaded)), ..instead(files, bundle, vec![why]) }
            }
            Judged::Never(why) => instead(files, bundle, vec![why]),
            Judged::Now => used(loaded),
        });
    }
    Ok(used(loaded))
}

fn used(loaded: Loaded) -> Chosen {
    warn(&loaded.report);
    Chosen { files: loaded.bundle.files.clone(), bundle: loaded.bundle, rejected: None, pending: None }
}

/// What the generation that was active says of files that are others; nothing where there is none that can say it.
fn judged(
    files: &GenerationId,
    journal: &Journal,
    before: &State,
) -> Result<Option<(Bundle, Judged)>, JournalError> {
    if journal.generation()?.is_none_or(|(active, _)| active == *files) {
        return Ok(None);
    }
    let Some(active) = newest(journal)? else { return Ok(None) };
    if !conflicts(&active, before).is_empty() {
        return Ok(None);
    }
    // The way out for whoever stops her, mends the files and starts her again: they own all of it anyway.
    if let Some(why) = locked_out(&active, before) {
        tracing::warn!("the active generation judges no other files: {why}");
        return Ok(None);
    }
    let judged = judge(&active, before, files, before.now);
    Ok(Some((active, judged)))
}

/// The newest generation, where the journal has one that can still be read.
pub(super) fn newest(journal: &Journal) -> Result<Option<Bundle>, JournalError> {
    let newest = journal.generation()?;
    Ok(newest.and_then(|(_, files)| Folder::of(&files).compile(None).ok()).map(|loaded| loaded.bundle))
}

/// This generation, if it can still be read and fits the state.
fn earlier(
    journal: &Journal,
    generation: &GenerationId,
    before: &State,
) -> Result<Option<Bundle>, JournalError> {
    let loaded = Folder::of(&journal.files_of(generation)?).compile(None);
    Ok(loaded.and_then(|loaded| fits(loaded, before)).ok().map(|loaded| loaded.bundle))
}

/// A generation that cannot take over the state is as bad as one that is not valid.
fn fits(loaded: Loaded, before: &State) -> Result<Loaded, Box<Report>> {
    let error = crate::say::Diagnostic::error;
    let clash = conflicts(&loaded.bundle, before).into_iter();
    let mut found: Vec<_> = clash.map(|why| error(crate::say::Code::UnknownMode, why)).collect();
    found.extend(locked_out(&loaded.bundle, before).map(|why| error(crate::say::Code::NobodyDecides, why)));
    if found.is_empty() {
        return Ok(loaded);
    }
    Err(Box::new(Report { diagnostics: found, ..Report::default() }))
}

/// Half of a promotion is as bad as a set that is not valid.
fn whole(
    (loaded, dir): (Loaded, &Path),
    of: Option<(GenerationText, &Candidate)>,
) -> Result<Loaded, Box<Report>> {
    let half =
        of.and_then(|((_, live), to)| half(dir, &loaded.bundle.files, &live, (&to.generation, &to.files)));
    let Some(says) = half else { return Ok(loaded) };
    let found = crate::say::Diagnostic::error(crate::say::Code::CutOff, says);
    Err(Box::new(Report { diagnostics: vec![found], ..Report::default() }))
}

fn instead(files: BTreeMap<String, String>, bundle: Bundle, problems: Vec<String>) -> Chosen {
    for line in &problems {
        tracing::error!("{line}");
    }
    tracing::error!(
        generation = bundle.generation.as_str(),
        "the files are not used: an earlier generation is"
    );
    Chosen { bundle, files, rejected: Some(problems), pending: None }
}

/// Says in the log what somebody should look at.
pub(super) fn warn(report: &Report) {
    for line in crate::say::short(report) {
        tracing::warn!("{line}");
    }
}
