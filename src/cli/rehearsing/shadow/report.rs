//! `grace shadow report`: what the candidate would have done since it was set, by the recorded history and by what was
//! written down while it ran.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::cli::rehearsing::confine::confined;
use crate::cli::rehearsing::shadow::CAN;
use crate::cli::rehearsing::simulate::{Told, escaped, play};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Out, Output};
use crate::cli::terminal::outputs;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::text::cleaned;
use crate::config::Folder;
use crate::model::{Record, Side, Time};
use crate::record::{Candidate, Reader};
use crate::replay::simulate::{Plan, Rehearsal};
use crate::replay::{History, other_probes};
use crate::say::reasons;

/// How often something of one kind was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Line {
    says: &'static str,
    act: String,
    component: String,
    by: String,
    times: u64,
}

const CANDIDATE: &str = "only the candidate";
const LIVE: &str = "only the live generation";
const RULE: &str = "a shadow rule would have";

pub(super) fn run(since: Option<&str>, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let stdout = outputs::on_stdout(&shared.output, &CAN)?;
    let since = since.and_then(crate::config::duration);
    let (candidate, (lines, starts, probes), found) = confined(|| {
        let reader = Reader::open(&shared.data)?;
        let candidate = reader.candidate()?.ok_or_else(|| {
            Failure::Usage("there is no candidate; `grace shadow DIR --reason ...` sets one".into())
        })?;
        let lines = written(&reader, &candidate)?;
        let live = reader.generation()?.and_then(|(_, files)| Folder::of(&files).compile(None).ok());
        let starts = reader.starts(candidate.seq)?;
        let loaded = Folder::of(&candidate.files).compile(None).map_err(|report| {
            Failure::Usage(format!("this Grace cannot read the candidate: {}", reasons(&report).join("; ")))
        })?;
        let probes = live.map(|live| other_probes(&loaded.bundle, &live.bundle)).unwrap_or_default();
        let plan = Plan { since: Some(candidate.since), ..Plan::default() };
        let found = play(&History::Journal(reader), (&loaded.bundle, None), plan, since, out)?;
        Ok((candidate, (lines, starts, probes), (loaded.bundle, found)))
    })?;
    let (rules, found) = found;
    let told = Told { found: &found, broken: &[], rules: &rules, compared: "running", all: false };
    let report = Report { told, candidate: &candidate, lines: &lines, starts: &starts, probes: &probes };
    outputs::write_files(&shared.output, |format| report.text(format, None))?;
    if let Some(format) = stdout {
        outputs::write_stdout(out, &report.text(format, Some(out))?)?;
    }
    Ok(if is_same(&found, &lines) { Exit::Clean } else { Exit::Findings })
}

fn is_same(found: &Rehearsal, lines: &[Line]) -> bool {
    found.is_same() && !found.is_doubtful() && lines.iter().all(|line| line.says == RULE)
}

/// What was written down while the candidate ran, counted: so it needs room for kinds, not for entries.
fn written(reader: &Reader, candidate: &Candidate) -> Result<Vec<Line>, Failure> {
    let mut counts: BTreeMap<(&'static str, String, String, String), u64> = BTreeMap::new();
    reader.shadows(candidate.seq, |record| {
        let (says, proposal) = match record {
            Record::CandidateDiffers { generation, only, proposal, .. }
                if generation == candidate.generation =>
            {
                (if only == Side::Candidate { CANDIDATE } else { LIVE }, proposal)
            }
            Record::Shadowed { proposal, .. } => (RULE, proposal),
            _ => return,
        };
        let component = proposal.component.as_ref().map(ToString::to_string).unwrap_or_default();
        *counts.entry((says, proposal.act.label(), component, proposal.by.to_string())).or_default() += 1;
    })?;
    let line = |((says, act, component, by), times)| Line { says, act, component, by, times };
    Ok(counts.into_iter().map(line).collect())
}

struct Report<'r> {
    told: Told<'r>,
    candidate: &'r Candidate,
    lines: &'r [Line],
    /// When Grace started since the candidate was set.
    starts: &'r [Time],
    /// Its probes that are others than the live ones.
    probes: &'r [String],
}

impl Report<'_> {
    fn text(&self, format: Output, out: Option<Out>) -> Result<String, Failure> {
        let mut text = self.told.text(format, out)?;
        match format {
            Output::Json => return self.json(&text),
            Output::Markdown => {
                text.push_str("\n### Written down while the candidate ran\n\n| | act | by | times |\n|---|---|---|--:|\n");
                for line in self.lines {
                    // Writing to a string cannot fail, here and below.
                    let (act, by) = (escaped(&act(line)), escaped(&by(line)));
                    let _ = writeln!(text, "| {} | {act} | {by} | {} |", line.says, line.times);
                }
                for says in self.anew().into_iter().chain(self.blind()) {
                    let _ = writeln!(text, "\n{}.", escaped(&says));
                }
            }
            Output::Short => {
                for line in self.lines {
                    let _ = write!(text, "\n{} {} by {} x{}", line.says, act(line), by(line), line.times);
                }
                if let Some(says) = self.blind() {
                    let _ = write!(text, "\n{says}");
                }
            }
            _ => {
                let since = self.candidate.since;
                let (who, why) = (cleaned(self.candidate.actor.as_str()), cleaned(&self.candidate.reason));
                let _ = write!(text, "\n\nwritten down since {since}, when {who} set the candidate ({why}):");
                if self.lines.is_empty() {
                    text.push_str("\n  nothing");
                }
                for line in self.lines {
                    let _ = write!(text, "\n  {}: {} by {} x{}", line.says, act(line), by(line), line.times);
                }
                for says in self.anew().into_iter().chain(self.blind()) {
                    let _ = write!(text, "\n  {says}");
                }
            }
        }
        Ok(text)
    }

    /// What is written down is the candidate's own life, and that began anew with each start.
    fn anew(&self) -> Option<String> {
        let last = self.starts.last()?;
        let times =
            if self.starts.len() == 1 { "once".into() } else { format!("{} times", self.starts.len()) };
        Some(format!(
            "Grace started {times} since, the last time at {last}: there the candidate began anew with the live state, and \
             what was written down before and after is not of one life"
        ))
    }

    /// What its own probes would have read nobody knows.
    fn blind(&self) -> Option<String> {
        let all = cleaned(&self.probes.join("; "));
        (!all.is_empty())
            .then(|| format!("it got the live readings, and its own probes would have read others: {all}"))
    }

    fn json(&self, simulation: &str) -> Result<String, Failure> {
        let strange = |error: serde_json::Error| Failure::Answer(error.to_string());
        let mut all: serde_json::Value = serde_json::from_str(simulation).map_err(strange)?;
        if let Some(object) = all.as_object_mut() {
            object.insert("since".into(), self.candidate.since.to_string().into());
            let starts: Vec<String> = self.starts.iter().map(ToString::to_string).collect();
            object.insert("began_anew".into(), starts.into());
            object.insert("other_probes".into(), self.probes.into());
            object.insert("written_down".into(), serde_json::to_value(self.lines).map_err(strange)?);
        }
        serde_json::to_string_pretty(&all).map_err(strange)
    }
}

fn act(line: &Line) -> String {
    cleaned(&format!("{} {}", line.act, line.component)).trim_end().to_owned()
}

fn by(line: &Line) -> String {
    cleaned(&line.by)
}
