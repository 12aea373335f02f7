//! A candidate generation beside the live one: set, followed behind each tick, ended, made live.
//!
//! It lives in the journal as the newest candidate, and so it goes on after a restart, from the live state of then; what
//! is said of it says since when it counts. It is
//! followed once the live step is durable and the hands have their permits: what it costs delays no act.
//!
//! It becomes live as every generation does: its files are put where the live ones lie, and are read, validated and taken
//! over like any others. Files are several, and nobody can swap two folders at once; so whoever dies in the middle would
//! leave a set behind that nobody ever looked at, and that may be valid all the same. Therefore, as long as a candidate
//! stands, a set that is made of parts of both and is neither is refused where its promotion began, at a reload and at a
//! start: the live generation stays until the whole candidate is there ([`half`]). And so long the candidate neither
//! ends nor gives its place to another: nobody could tell then what that set is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{Bundle, Input, conflicts, locked_out};
use crate::govern::Approval;
use crate::model::{Actor, ApprovalId, GenerationId, Record, Side, Time};
use crate::record::Candidate;
use crate::replay::{Beside, Only};
use crate::supervisor::candidate::{Ask, Reply, Shadow, ShadowError, Shadowing};
use crate::supervisor::half::half;
use crate::supervisor::pulse::Pulse;

/// So many problems of a refused candidate are written down: whoever sent it was told all of them.
const PROBLEMS: usize = 20;

impl Pulse {
    /// Goes on with the candidate that stood when Grace ended.
    pub(super) fn resume(&mut self, found: Option<Candidate>) {
        let Some(found) = found else { return };
        if found.generation == self.bundle.generation {
            return self.end(&found.generation, None, "it is live", true);
        }
        let loaded = crate::config::Folder::of(&found.files).compile(None);
        let begun = loaded.map_err(|report| crate::say::reasons(&report)).and_then(|loaded| {
            Beside::begin(self.with_interval(loaded.bundle), (&self.bundle, &self.state), self.now())
        });
        match begun {
            Ok(beside) => {
                let told = self.told(&beside, &found.actor, &found.reason, (found.since, self.now()));
                self.shadow = Some(Shadow { beside, told, promoting: None, promoter: None });
            }
            Err(why) => self.end(&found.generation, None, &why.join("; "), false),
        }
    }

    pub(super) fn ask_shadow(&mut self, asked: (Actor, String), ask: Ask, reply: Reply) {
        let answer = match ask {
            Ask::Set(found) => {
                let set = found.map_err(ShadowError::Invalid);
                let set = set.and_then(|bundle| self.set_candidate(*bundle, asked.clone()));
                set.inspect_err(|why| self.rejected(asked, why))
            }
            Ask::End => self.end_candidate(asked),
            Ask::Promote { person } => self.may_promote(asked, person),
        };
        self.publish();
        // Who asked may have gone; the journal has the answer.
        let _ = reply.send(answer);
    }

    fn set_candidate(
        &mut self,
        bundle: Bundle,
        (actor, reason): (Actor, String),
    ) -> Result<String, ShadowError> {
        if bundle.generation == self.bundle.generation {
            return Err(ShadowError::Invalid(vec!["these files are the live generation".into()]));
        }
        let now = self.now();
        let (generation, files) = (bundle.generation.clone(), bundle.files.clone());
        let bundle = self.with_interval(bundle);
        let beside = Beside::begin(bundle, (&self.bundle, &self.state), now).map_err(ShadowError::Invalid)?;
        let told = self.told(&beside, &actor, &reason, (now, now));
        let before = self.shadow.as_ref().map(|shadow| Record::CandidateEnded {
            generation: shadow.told.generation.clone(),
            actor: Some(actor.clone()),
            reason: "another candidate was set".into(),
            promoted: false,
        });
        let record = Record::Candidate { generation: generation.clone(), files, actor, reason, now };
        let records: Vec<Record> = before.into_iter().chain([record]).collect();
        self.write_down(&records)?;
        let lacks = lacks(&told);
        self.shadow = Some(Shadow { beside, told, promoting: None, promoter: None });
        self.world.files.mean(&BTreeMap::new());
        self.look_at_torn();
        Ok(format!("candidate {} runs beside the live generation{lacks}", short(&generation)))
    }

    /// A candidate that is refused is written down, as rejected files are.
    fn rejected(&mut self, (actor, reason): (Actor, String), why: &ShadowError) {
        let ShadowError::Invalid(all) = why else { return };
        let mut problems: Vec<String> = all.iter().take(PROBLEMS).cloned().collect();
        if all.len() > PROBLEMS {
            problems.push(format!("and {} more", all.len() - PROBLEMS));
        }
        tracing::warn!(problems = all.len(), "the candidate is refused");
        // It is refused whether that can be written or not; the log says why it could not.
        let _ = self.write_down(&[Record::CandidateRejected { actor, reason, problems }]);
    }

    fn end_candidate(&mut self, (actor, reason): (Actor, String)) -> Result<String, ShadowError> {
        let shadow = self.shadow.as_ref().ok_or(ShadowError::Nothing)?;
        let generation = shadow.told.generation.clone();
        let says = format!("candidate {} is ended", short(&generation));
        self.write_down(&[Record::CandidateEnded {
            generation,
            actor: Some(actor),
            reason,
            promoted: false,
        }])?;
        self.shadow = None;
        self.world.files.mean(&BTreeMap::new());
        self.look_at_torn();
        Ok(says)
    }

    /// What was refused as half of a promotion is looked at anew: of another candidate, or of none, it may be no half.
    fn look_at_torn(&mut self) {
        if std::mem::take(&mut self.torn) {
            let files = self.world.files.hints();
            // To ask may block for as long as another look takes, and that look may wait for this thread.
            self.world.runtime.spawn_blocking(move || files.look(|| {}));
        }
    }

    fn may_promote(&mut self, asked: (Actor, String), person: Option<Actor>) -> Result<String, ShadowError> {
        let shadow = self.shadow.as_mut().ok_or(ShadowError::Nothing)?;
        let mut clash = conflicts(shadow.beside.bundle(), &self.state);
        clash.extend(locked_out(shadow.beside.bundle(), &self.state));
        if !clash.is_empty() {
            return Err(ShadowError::Invalid(clash));
        }
        shadow.promoting = Some(asked);
        shadow.promoter = person;
        // Who put these files together meant them whole, also where one of them is the beginning of the live one.
        self.world.files.mean(&shadow.beside.bundle().files);
        Ok(format!("candidate {} becomes live with its files", short(&shadow.told.generation)))
    }

    /// Lets the candidate live through a step that is durable, and notes what only one of both did.
    pub(super) fn beside(
        &mut self,
        waiting: &BTreeMap<ApprovalId, Approval>,
        input: &Input,
        records: &[Record],
    ) {
        let Some(shadow) = &mut self.shadow else { return };
        let began = Instant::now();
        let only = shadow.beside.follow(waiting, input, records);
        shadow.told.took = began.elapsed();
        shadow.told.mode = shadow.beside.state().governed.mode.to_string();
        let generation = shadow.told.generation.clone();
        for Only { side, .. } in &only {
            match side {
                Side::Candidate => shadow.told.only.0 += 1,
                Side::Live => shadow.told.only.1 += 1,
            }
        }
        for Only { side, proposal } in only {
            let generation = generation.clone();
            self.note(Record::CandidateDiffers { generation, tick: input.tick, only: side, proposal });
        }
    }

    /// Is this set half of a promotion?
    pub(super) fn half(&self, files: &BTreeMap<String, String>) -> Option<String> {
        let candidate = self.shadow.as_ref()?.beside.bundle();
        half(&self.world.config, files, &self.bundle.files, (&candidate.generation, &candidate.files))
    }

    /// A generation is live; if it was the candidate, it is one no more, and else it may lack other facts.
    pub(super) fn promoted(&mut self) {
        if let Some(shadow) = &mut self.shadow {
            shadow.told.unprobed = shadow.beside.unprobed(&self.bundle);
            shadow.told.other_probes = shadow.beside.other_probes(&self.bundle);
        }
        let Some(shadow) = self.shadow.take_if(|shadow| shadow.told.generation == self.bundle.generation)
        else {
            return;
        };
        self.world.files.mean(&BTreeMap::new());
        let (actor, reason) = shadow.promoting.unzip();
        self.end(&shadow.told.generation, actor, reason.as_deref().unwrap_or("its files are live"), true);
    }

    fn end(&mut self, generation: &GenerationId, actor: Option<Actor>, reason: &str, promoted: bool) {
        let (generation, reason) = (generation.clone(), reason.to_owned());
        if !promoted {
            tracing::warn!(generation = generation.as_str(), %reason, "the candidate is ended");
        }
        self.note(Record::CandidateEnded { generation, actor, reason, promoted });
    }

    fn told(
        &self,
        beside: &Beside,
        actor: &Actor,
        reason: &str,
        (since, counted): (Time, Time),
    ) -> Shadowing {
        Shadowing {
            generation: beside.bundle().generation.clone(),
            files: Arc::new(beside.bundle().files.clone()),
            since,
            actor: actor.clone(),
            reason: reason.to_owned(),
            mode: beside.state().governed.mode.to_string(),
            unprobed: beside.unprobed(&self.bundle),
            other_probes: beside.other_probes(&self.bundle),
            counted,
            only: (0, 0),
            took: Duration::ZERO,
        }
    }

    fn with_interval(&self, mut bundle: Bundle) -> Bundle {
        bundle.system.interval = self.interval.unwrap_or(bundle.system.interval);
        bundle
    }

    fn write_down(&self, records: &[Record]) -> Result<(), ShadowError> {
        self.world.journal.append(self.world.clock.wall(), records).map(|_| ()).map_err(|error| {
            tracing::error!(%error, "what was asked of the candidate could not be recorded");
            ShadowError::NotWritten
        })
    }
}

/// What of the candidate's own looks nobody takes.
fn lacks(told: &Shadowing) -> String {
    let unprobed = told.unprobed.len();
    let lacks = (unprobed > 0).then(|| format!("; {unprobed} of its facts nobody probes"));
    let others = (!told.other_probes.is_empty()).then(|| {
        let all = told.other_probes.join("; ");
        format!("; what its own probes would read is not known, it gets the live readings: {all}")
    });
    lacks.into_iter().chain(others).collect()
}

fn short(generation: &GenerationId) -> String {
    generation.as_str().chars().take(12).collect()
}
