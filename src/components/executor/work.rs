//! The work itself: summing up an incident from the journal, delivering what is not urgent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::components::history::{History, HistoryError};
use crate::model::{Job, Span};
use crate::record::Event;

/// Entries before an incident's end in which its story is looked for: more than a day of ticks.
const LOOK_BACK: i64 = 5_000;

/// Events read at a time.
const PORTION: usize = 256;

/// The kinds of event a summary lists; there are not many more.
const KINDS: usize = 32;

/// Does a job and says what came of it.
pub(super) async fn perform(history: &History, job: &Job) -> String {
    match job {
        Job::SumUp { component, seq } => match read_incident(history, component, *seq).await {
            Ok(story) => story.tell(component),
            Err(error) => format!("not summed up: {error}"),
        },
        Job::Deliver { receiver, text } => {
            tracing::info!(target: "grace::notify", receiver, text, "notification");
            "delivered".into()
        }
    }
}

/// What is worth knowing of one incident.
#[derive(Debug, Default)]
struct Story {
    kinds: BTreeMap<String, u32>,
    tries: BTreeMap<String, u32>,
    lasted: Option<Span>,
}

/// Reads the incident that ended with this entry.
async fn read_incident(history: &History, component: &str, end: i64) -> Result<Story, HistoryError> {
    let mut story = Story::default();
    let mut from = (end - LOOK_BACK).max(0);
    while from < end {
        let events = history.events_after(from, PORTION).await?;
        let Some(last) = events.last().map(Event::seq) else { break };
        for event in events.iter().filter(|event| event.seq() <= end) {
            story.hear(event, component);
        }
        from = last;
    }
    Ok(story)
}

impl Story {
    fn hear(&mut self, event: &Event, component: &str) {
        let changes_mode = event.kind == "health.mode_changed";
        if event.subject.as_deref() != Some(component) && !changes_mode {
            return;
        }
        match event.kind.as_str() {
            // What was before belongs to an earlier incident.
            "health.incident_begun" => *self = Self::default(),
            "health.incident_ended" => self.lasted = lasted(event),
            "health.healing_finished" => {
                let outcome = event.data.get("outcome").and_then(Value::as_str).unwrap_or("unknown");
                *self.tries.entry(outcome.into()).or_default() += 1;
            }
            kind if self.kinds.len() < KINDS || self.kinds.contains_key(kind) => {
                *self.kinds.entry(kind.into()).or_default() += 1;
            }
            _ => {}
        }
    }

    fn tell(&self, component: &str) -> String {
        let mut text = format!("{component} failed and is well again");
        if let Some(lasted) = self.lasted {
            let _ = write!(text, " after {lasted}");
        }
        let _ = match self.tries.values().sum::<u32>() {
            0 => write!(text, ", without a try to heal it"),
            tries => write!(text, ", {tries} tries: {}", list(&self.tries)),
        };
        if !self.kinds.is_empty() {
            let _ = write!(text, ". Meanwhile: {}", list(&self.kinds));
        }
        text
    }
}

fn list(counted: &BTreeMap<String, u32>) -> String {
    counted.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}

fn lasted(event: &Event) -> Option<Span> {
    let began = event.data.get("began").and_then(Value::as_i64)?;
    let ended = humantime::parse_rfc3339(&event.time).ok()?.duration_since(UNIX_EPOCH).ok()?;
    // The one is Grace's time and the other the wall's: a stepped clock must not make it negative.
    let lasted = Span::from(ended).0.saturating_sub(began).max(0);
    Some(Span(lasted - lasted % 1000))
}
