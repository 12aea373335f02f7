//! The figures of entries that were exported, which are checked on the way.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::config;
use crate::figures::{Figures, NoFigures, Terms};
use crate::model::{GenerationId, Record, Time};
use crate::record::figures::follow;
use crate::record::figures::found::Found;
use crate::record::figures::window::Since;
use crate::record::ledger::{self, LedgerError};

/// Why there are no figures of exported entries.
#[derive(Debug, thiserror::Error)]
pub enum ExportedError {
    /// The entries cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There are none of such a window or component.
    #[error(transparent)]
    None(#[from] NoFigures),
}

/// The figures of exported entries (`grace audit export --entries`). They are read twice: the first time for their ends.
pub fn figures_of(
    path: &Path,
    since: Option<Since>,
    until: Option<Time>,
    only: Option<&str>,
) -> Result<Figures, ExportedError> {
    let (first, last) = ends(path)?.ok_or(NoFigures::NoTicks)?;
    let asked = Since::asked(since, until, last);
    let mut found = Found::new(asked.within(first, last)?);
    let mut known = BTreeMap::new();
    ledger::entries(path, |seq, kind, body| {
        found.take(|fold| follow::take(fold, seq, (kind, body), |record| Ok(terms(&mut known, record))))
    })?;
    Ok(found.finish(asked.since, only)?)
}

/// What a generation says; only its first entry holds its text.
fn terms(known: &mut BTreeMap<GenerationId, Terms>, record: &Record) -> Option<Terms> {
    let Record::Generation { generation, files, .. } = record else { return None };
    if !files.is_empty() {
        known.insert(generation.clone(), config::terms(files));
    }
    known.get(generation).cloned()
}

/// The first tick of exported entries, and the last.
fn ends(path: &Path) -> Result<Option<(Time, Time)>, LedgerError> {
    #[derive(Deserialize)]
    struct Tick {
        now: Time,
    }
    let mut ends = None;
    ledger::entries(path, |_, kind, body| {
        if kind == "tick" {
            let Tick { now } = serde_json::from_str(body)?;
            ends = Some((ends.map_or(now, |(first, _)| first), now));
        }
        Ok(())
    })?;
    Ok(ends)
}
