//! What happened in an incident: facts, decisions, acts, people and modes in their order, why each act was made, and what
//! else was considered.
//!
//! The timeline is what the journal holds of the component, and of what concerns every component (`tell` puts each entry
//! into words), and in the end what had been healed and did not last. Why an act was made is [`crate::replay::explain`]'s answer; where its readings have expired, that is said.

mod tell;

use serde::Serialize;

use crate::figures::Measures;
use crate::model::{ActId, Record, Time};
use crate::record::{Entry, FiguresError, JournalError, Place, Reader, Since};
use crate::replay::History;
use crate::replay::explain::{Explanation, Question, end_of, explain, tick_of};

/// So many entries are read in one go.
const BATCH: usize = 500;

/// An incident that is open for months is told so far.
const MOST: usize = 200_000;

/// So many things of the timeline are told.
const EVENTS: usize = 1_000;

/// So many acts are explained.
const ACTS: usize = 20;

/// What happened in an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aftermath {
    /// Its number.
    pub incident: u64,
    /// Of which component.
    pub component: String,
    /// When it began, on Grace's own time.
    pub began: String,
    /// When it ended; none while it is open.
    pub ended: Option<String>,
    /// The component's figures from its begin to its end, where there are any.
    pub figures: Option<Measures>,
    /// What happened, in order.
    pub timeline: Vec<Event>,
    /// Why each act was made.
    pub acts: Vec<Explained>,
    /// What was wanted and not done, and why.
    pub considered: Vec<Considered>,
    /// There is more than is told here.
    pub cut: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The entry.
    pub seq: i64,
    /// The time of its tick, or of the tick before it.
    pub at: String,
    /// What happened.
    pub what: String,
    /// Whose doing it was.
    pub by: Option<String>,
    /// Why, or how: whatever others wrote.
    pub detail: String,
}

/// Why an act was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The act.
    pub act: ActId,
    /// The explanation.
    pub explanation: Option<Box<Explanation>>,
    /// Why there is none.
    pub lacks: Option<String>,
}

/// Something that was wanted and not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// The entry.
    pub seq: i64,
    /// When.
    pub at: String,
    /// What.
    pub what: String,
    /// Who wanted it.
    pub by: String,
    /// What governance said: `wait`, `review`, `deny`.
    pub verdict: String,
    /// Why.
    pub because: String,
}

/// Why nothing can be told of an incident.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum IncidentError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No incident has this number.
    #[error("there is no incident {incident}{}", newest.map_or_else(|| ": the journal holds none".to_owned(), |newest| format!("; the newest is {newest}")))]
    Unknown { incident: u64, newest: Option<u64> },
    /// Its entries cannot be read.
    #[error("entry {seq} is nothing that this version of Grace understands: {why}")]
    Entry { seq: i64, why: serde_json::Error },
}

/// Tells what happened in an incident.
pub fn aftermath(reader: Reader, incident: u64) -> Result<Aftermath, IncidentError> {
    let Some(place) = reader.incident(incident)? else {
        return Err(IncidentError::Unknown { incident, newest: reader.newest_incident()? });
    };
    let mut read = Reading::new(&place);
    read.all(&reader)?;
    read.relapses(&reader)?;
    let figures = figures(&reader, &read)?;
    let history = History::Journal(reader);
    let acts = read.acts.iter().take(ACTS).map(|act| explained(&history, *act)).collect();
    Ok(Aftermath {
        incident,
        component: place.component.clone(),
        began: read.began.to_string(),
        ended: read.ended.map(|ended| ended.to_string()),
        figures,
        cut: read.cut || read.acts.len() > ACTS,
        acts,
        timeline: read.timeline,
        considered: read.considered,
    })
}

/// The figures of its time; an incident that began and ended in one tick took none.
fn figures(reader: &Reader, read: &Reading<'_>) -> Result<Option<Measures>, IncidentError> {
    // A window holds what is behind its begin, and the incident's own begin belongs to it.
    let since = Since::At(Time(read.began.0 - 1));
    match reader.figures(Some(since), read.ended, Some(&read.place.component)) {
        Ok(found) => Ok(found.components.into_iter().next().map(|one| one.measures)),
        Err(FiguresError::None(_)) => Ok(None),
        Err(FiguresError::Journal(why)) => Err(why.into()),
    }
}

fn explained(history: &History, act: ActId) -> Explained {
    let told = tick_of(history, act).map_err(|why| why.to_string()).and_then(|tick| {
        let told = explain(&tick, &Question::Act(act)).map_err(|why| why.to_string())?;
        let end = end_of(history, act, tick.input.now).map_err(|why| why.to_string())?;
        Ok(told.with_end(end))
    });
    match told {
        Ok(explanation) => Explained { act, explanation: Some(Box::new(explanation)), lacks: None },
        Err(why) => Explained { act, explanation: None, lacks: Some(why) },
    }
}

/// The time of the tick that an entry belongs to: it stands shortly before it.
fn time_of(reader: &Reader, seq: i64) -> Result<Option<Time>, IncidentError> {
    let near = i64::try_from(BATCH).unwrap_or(0);
    let ticks = reader.entries(seq.saturating_sub(near).max(0), BATCH, (Some("tick"), None))?;
    let tick = ticks.into_iter().take_while(|tick| tick.seq < seq).last();
    let now = |tick: Entry| serde_json::from_value(tick.body.get("now").cloned().unwrap_or_default()).ok();
    Ok(tick.and_then(now))
}

/// The entries of an incident, as they are read.
struct Reading<'p> {
    place: &'p Place,
    now: Time,
    began: Time,
    ended: Option<Time>,
    timeline: Vec<Event>,
    acts: Vec<ActId>,
    considered: Vec<Considered>,
    cut: bool,
}

impl<'p> Reading<'p> {
    fn new(place: &'p Place) -> Self {
        Self {
            place,
            now: Time::default(),
            began: Time::default(),
            ended: None,
            timeline: Vec::new(),
            acts: Vec::new(),
            considered: Vec::new(),
            cut: false,
        }
    }

    fn all(&mut self, reader: &Reader) -> Result<(), IncidentError> {
        let (mut after, mut read) = (self.place.tick - 1, 0);
        loop {
            let batch = reader.entries(after, BATCH, (None, None))?;
            let Some(last) = batch.last().map(|entry| entry.seq) else { return Ok(()) };
            for entry in batch {
                if !self.entry(entry)? {
                    return Ok(());
                }
            }
            (after, read) = (last, read + BATCH);
            if read >= MOST {
                self.cut = true;
                return Ok(());
            }
        }
    }

    /// What was healed here and did not last is told here as well: it counts as a relapse, and comes after the end.
    fn relapses(&mut self, reader: &Reader) -> Result<(), IncidentError> {
        let Some(ended) = self.place.ended else { return Ok(()) };
        let later = reader.entries(ended, BATCH, (Some("relapsed"), Some(&self.place.component)))?;
        for entry in later {
            let seq = entry.seq;
            let record: Record =
                serde_json::from_value(entry.body).map_err(|why| IncidentError::Entry { seq, why })?;
            let Record::Relapsed { act, .. } = &record else { continue };
            if self.acts.contains(act) {
                self.now = time_of(reader, seq)?.unwrap_or(self.now);
                self.take(seq, &record);
            }
        }
        Ok(())
    }

    /// Takes an entry; answers whether it is not over yet.
    fn entry(&mut self, entry: Entry) -> Result<bool, IncidentError> {
        let seq = entry.seq;
        let is_over = self.place.ended.is_some_and(|ended| seq > ended);
        if is_over && entry.kind == "tick" {
            return Ok(false);
        }
        let record: Record =
            serde_json::from_value(entry.body).map_err(|why| IncidentError::Entry { seq, why })?;
        if let Record::Tick { now, .. } = &record {
            self.now = *now;
        }
        if seq == self.place.begun {
            self.began = self.now;
        }
        if Some(seq) == self.place.ended {
            self.ended = Some(self.now);
        }
        self.take(seq, &record);
        Ok(true)
    }

    fn take(&mut self, seq: i64, record: &Record) {
        let at = self.now.to_string();
        let concerns = record.component().is_none_or(|id| id.as_str() == self.place.component);
        if !concerns {
            return;
        }
        if let Record::Decided { proposal, verdict, gate, .. } = record {
            let because = gate.as_ref().map(ToString::to_string).unwrap_or_default();
            let (what, by) = (proposal.act.label(), proposal.by.to_string());
            self.considered.push(Considered { seq, at, what, by, verdict: verdict.to_string(), because });
            return;
        }
        if let Record::Intent { act, proposal, .. } = record
            && matches!(proposal.act, crate::model::Act::Heal { .. })
        {
            self.acts.push(*act);
        }
        let Some((what, by, detail)) = tell::event(record) else { return };
        if self.timeline.len() >= EVENTS {
            self.cut = true;
            return;
        }
        self.timeline.push(Event { seq, at, what, by, detail });
    }
}
