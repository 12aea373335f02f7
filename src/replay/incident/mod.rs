//! What happened in an incident: facts, decisions, acts, people and modes in their order, why each act was made, and what
//! else was considered.
//!
//! The timeline is what stood already (`stood`), what the journal holds of the component, and of what concerns every component (`belongs` knows which that
//! is, `tell` puts each entry into words), and in the end what had been healed and did not last. Why an act was made is
//! [`crate::replay::explain`]'s answer; where its readings have expired, that is said.

mod belongs;
mod middle;
mod stood;
mod tell;

use std::collections::BTreeSet;

use serde::Serialize;

use belongs::Belongings;
use middle::Ends;

use crate::figures::Measures;
use crate::model::{Act, ActId, ApprovalId, Record, Time};
use crate::record::{Entry, FiguresError, JournalError, Paging, Place, Reader, Since};
use crate::replay::History;
use crate::replay::explain::{Explanation, Question, end_of, explain, tick_of};

/// So many entries are read in one go.
const BATCH: usize = 500;

/// So many entries are read from the begin of an incident on, and as many up to its end, or up to now.
const MOST: i64 = 100_000;

/// So many things of the timeline are told from the begin on, and as many up to the end.
const EVENTS: usize = 500;

/// So many acts are explained from the first on, and as many up to the last: each is a tick that is decided again.
const ACTS: usize = 10;

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
    /// It was left open then, for its component is no longer declared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// The component's figures from its begin to its end, where there are any.
    pub figures: Option<Measures>,
    /// What happened, in order.
    pub timeline: Vec<Event>,
    /// What is left out in the middle of it.
    pub left_out: Option<LeftOut>,
    /// Why each act was made.
    pub acts: Vec<Explained>,
    /// The acts in the middle of them that are not explained.
    pub unexplained: Option<Unexplained>,
    /// What was wanted and not done, and why.
    pub considered: Vec<Considered>,
    /// What is left out in the middle of it.
    pub considered_left_out: Option<LeftOut>,
    /// There is more than is told here.
    pub cut: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The entry.
    pub seq: i64,
    /// The time of its tick, or of the tick before it; of what belongs to a start, of the first tick behind it.
    pub at: String,
    /// What happened.
    pub what: String,
    /// Whose doing it was.
    pub by: Option<String>,
    /// Why, or how: whatever others wrote.
    pub detail: String,
}

/// The middle of a long incident, which is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// So many things of the timeline stand before it.
    pub after: usize,
    /// So many things are left out, of those that were read.
    pub things: usize,
    /// So many entries were not even read.
    pub unread: i64,
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

/// Acts that are not explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unexplained {
    /// So many that are explained stand before them.
    pub after: usize,
    /// So many.
    pub acts: usize,
    /// The first of them.
    pub first: ActId,
    /// The last.
    pub last: ActId,
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
    let mut read = Reading::new(&place, asked_before(&reader, &place)?);
    read.stood(&reader)?;
    read.all(&reader)?;
    read.starts();
    read.later(&reader)?;
    let figures = figures(&reader, &read)?;
    let history = History::Journal(reader);
    let (acts, unexplained) = ends_of(&read.acts);
    let acts = acts.into_iter().map(|act| explained(&history, act)).collect();
    let (timeline, left_out) = read.told.all();
    let (considered, considered_left_out) = read.considered.all();
    Ok(Aftermath {
        incident,
        component: place.component.clone(),
        began: read.began.to_string(),
        ended: read.ended.map(|ended| ended.to_string()),
        left: read.left,
        figures,
        cut: left_out.is_some() || unexplained.is_some() || considered_left_out.is_some(),
        acts,
        unexplained,
        timeline,
        left_out,
        considered,
        considered_left_out,
    })
}

/// The first and the last acts, and what is between them.
fn ends_of(acts: &[ActId]) -> (Vec<ActId>, Option<Unexplained>) {
    let Some((head, rest)) = acts.split_at_checked(ACTS) else { return (acts.to_vec(), None) };
    let (middle, tail) = rest.split_at(rest.len().saturating_sub(ACTS));
    let unexplained = middle.first().zip(middle.last()).map(|(first, last)| Unexplained {
        after: head.len(),
        acts: middle.len(),
        first: *first,
        last: *last,
    });
    (head.iter().chain(tail).copied().collect(), unexplained)
}

/// The newest requests for approval from before the incident that are about its component, or about none.
fn asked_before(reader: &Reader, place: &Place) -> Result<BTreeSet<ApprovalId>, JournalError> {
    let page = Paging { before: Some(place.tick), limit: BATCH, component: None };
    let asked = reader.approvals_page(&page, None)?;
    let ours = asked
        .into_iter()
        .filter(|one| one.component.as_ref().is_none_or(|component| *component == place.component));
    Ok(ours.map(|one| ApprovalId(one.approval)).collect())
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
    left: bool,
    ours: Belongings<'p>,
    /// What belongs to a start whose first tick is still to come.
    start: Option<Vec<Event>>,
    told: Ends<Event>,
    acts: Vec<ActId>,
    considered: Ends<Considered>,
}

impl<'p> Reading<'p> {
    fn new(place: &'p Place, approvals: BTreeSet<ApprovalId>) -> Self {
        Self {
            place,
            now: Time::default(),
            began: Time::default(),
            ended: None,
            left: false,
            start: None,
            ours: Belongings::of(&place.component, approvals),
            told: Ends::new(EVENTS),
            acts: Vec::new(),
            considered: Ends::new(EVENTS),
        }
    }

    /// What stands since before, at the time when it came to be.
    fn stood(&mut self, reader: &Reader) -> Result<(), IncidentError> {
        for (seq, record) in stood::stood(reader, self.place)? {
            self.now = time_of(reader, seq)?.unwrap_or(self.now);
            self.take(seq, &record);
        }
        Ok(())
    }

    fn all(&mut self, reader: &Reader) -> Result<(), IncidentError> {
        let begin = self.place.tick - 1;
        let end = self.place.ended.map_or_else(|| reader.last_seq(), Ok)?;
        let (middle, late) = (begin + MOST, end - MOST);
        let mut after = begin;
        loop {
            let batch = reader.entries(after, BATCH, (None, None))?;
            let Some(last) = batch.last().map(|entry| entry.seq) else { return Ok(()) };
            for entry in batch {
                if !self.entry(entry)? {
                    return Ok(());
                }
            }
            after = last;
            if (middle..late).contains(&after) {
                self.told.unread = late - after;
                after = late;
                self.now = time_of(reader, after)?.unwrap_or(self.now);
            }
        }
    }

    /// What comes behind the end and belongs to it: what was healed here and did not last, which counts as a relapse, and what
    /// became of the notifications that were being sent.
    fn later(&mut self, reader: &Reader) -> Result<(), IncidentError> {
        let Some(ended) = self.place.ended else { return Ok(()) };
        let mut later = reader.entries(ended, BATCH, (Some("relapsed"), Some(&self.place.component)))?;
        later.extend(reader.entries(ended, BATCH, (Some("end"), None))?);
        later.sort_by_key(|entry| entry.seq);
        for entry in later {
            let seq = entry.seq;
            let record: Record =
                serde_json::from_value(entry.body).map_err(|why| IncidentError::Entry { seq, why })?;
            let is_ours = match &record {
                Record::Relapsed { act, .. } => self.acts.contains(act),
                // Of those whose end was told already none is awaited.
                Record::End { act, component: None, .. } => self.ours.awaits(*act),
                _ => false,
            };
            if is_ours {
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
        if let Record::Tick { now, statuses, .. } = &record {
            self.now = *now;
            self.starts();
            let known = statuses.keys().any(|id| id.as_str() == self.place.component);
            if seq > self.place.begun && self.place.ended.is_none() && !known {
                (self.ended, self.left) = (Some(*now), true);
                let what = format!("{} is no longer declared: incident left open", self.place.component);
                let at = now.to_string();
                self.told.push(Event { seq, at, what, by: None, detail: String::new() });
                return Ok(false);
            }
        }
        if matches!(record, Record::Started { .. }) {
            self.start = Some(Vec::new());
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
        if !self.ours.take(record) {
            return;
        }
        if let Record::Decided { proposal, verdict, gate, .. } = record {
            let because = gate.as_ref().map(ToString::to_string).unwrap_or_default();
            let (what, by) = (proposal.act.label(), proposal.by.to_string());
            self.considered.push(Considered { seq, at, what, by, verdict: verdict.to_string(), because });
            return;
        }
        if let Record::Intent { act, proposal, .. } = record
            && matches!(proposal.act, Act::Heal { .. })
        {
            self.acts.push(*act);
        }
        let Some((what, by, detail)) = tell::event(record) else { return };
        let event = Event { seq, at, what, by, detail };
        match &mut self.start {
            Some(start) => start.push(event),
            None => self.told.push(event),
        }
    }

    /// Nobody was there between the last tick and a start: it is told at the time of its first tick.
    fn starts(&mut self) {
        let at = self.now.to_string();
        for event in self.start.take().into_iter().flatten() {
            self.told.push(Event { at: at.clone(), ..event });
        }
    }
}
