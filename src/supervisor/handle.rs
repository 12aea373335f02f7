//! How everybody else reaches the supervisor: what it last published, and a way to ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tokio::sync::{oneshot, watch};

use crate::components::Components;
use crate::config::Folder;
use crate::config::watch::Hints;
use crate::engine::{Bundle, Input, conflicts};
use crate::model::{Actor, Answer, Asked, Time};
use crate::probe::Guard;
use crate::record::Clock;
use crate::say::reasons;
use crate::supervisor::ShadowError;
use crate::supervisor::candidate::Ask;
use crate::supervisor::half::half;
use crate::supervisor::published::Published;
use crate::supervisor::signal::Signal;
use crate::supervisor::stop;

/// A way to the running supervisor; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) signals: SyncSender<Signal>,
    pub(super) files: Hints,
    pub(super) published: watch::Receiver<Arc<Published>>,
    pub(super) components: Arc<Components>,
    pub(super) clock: Clock,
    pub(super) tail: watch::Receiver<i64>,
    pub(super) data: PathBuf,
    pub(super) config: PathBuf,
    pub(super) allow_faults: bool,
    pub(super) guard: Arc<Guard>,
}

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Grace is stopping, or so busy that she takes no more.
    #[error("Grace takes no requests now: {0}")]
    Closed(&'static str),
    /// The journal could not be written, so nothing was done.
    #[error("the journal cannot be written, so nothing was done")]
    NotWritten,
}

impl Handle {
    /// Who notes what could show that somebody works against Grace.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Asks for something in somebody's name. The answer comes after the step that decided is durable.
    ///
    /// # Errors
    /// The request was not taken, or could not be recorded; in both cases nothing was done.
    pub async fn ask(&self, asked: Asked) -> Result<Answer, AskError> {
        let (reply, answer) = oneshot::channel();
        let signal = Signal::Asked { asked: Box::new(asked), reply };
        self.signals.try_send(signal).map_err(|_| AskError::Closed("it is stopping, or too many wait"))?;
        answer.await.map_err(|_| AskError::Closed("it is stopping"))?
    }

    /// What would become of a request, were it asked now: the same step on the state as it is known, and nothing comes
    /// of it.
    #[must_use]
    pub fn would(&self, asked: Asked) -> Option<Answer> {
        let known = self.published();
        let (tick, now) = (known.state.tick + 1, self.clock.now().max(known.state.now));
        let asked = vec![asked];
        let input = Input { tick, now, asked, stop: self.stop().0, ..Input::default() };
        let step = crate::engine::step(&known.bundle, &known.state, &input);
        step.answers.into_iter().next().map(|answered| answered.answer)
    }

    /// Has the rule and policy files read now, also when nothing changed, and waits until the supervisor has
    /// dealt with them. Answers whether they are what is active now; if not, what is known says why.
    ///
    /// # Errors
    /// Grace is stopping.
    pub async fn reread(&self) -> Result<bool, AskError> {
        let (reply, answer) = oneshot::channel();
        let (files, signals) = (self.files.clone(), self.signals.clone());
        let then = move || {
            // A supervisor that has ended drops the reply, and with it ends the waiting.
            let _ = signals.send(Signal::Reread { reply });
        };
        // Asking may block for as long as another look takes.
        tokio::task::spawn_blocking(move || files.look(then));
        answer.await.map_err(|_| AskError::Closed("it is stopping"))
    }

    /// Sets a candidate beside the live generation, once its files are found valid as saved ones would be.
    ///
    /// # Errors
    /// They are not valid, it cannot take over the state, half of another is promoted, or Grace takes no requests; then
    /// nothing was done.
    pub async fn set_candidate(
        &self,
        actor: Actor,
        reason: String,
        files: BTreeMap<String, String>,
    ) -> Result<String, ShadowError> {
        self.not_half().await?;
        // What is refused is written down as well.
        let loaded = self.compile(files).await?.map(Box::new);
        self.ask_shadow((actor, reason), Ask::Set(loaded)).await
    }

    /// Could these files be set beside the live generation now? Nothing is set.
    ///
    /// # Errors
    /// They are not valid, cannot take over the state, or half of another is promoted.
    pub async fn would_set_candidate(&self, files: BTreeMap<String, String>) -> Result<String, ShadowError> {
        self.not_half().await?;
        let bundle = self.compile(files).await?.map_err(ShadowError::Invalid)?;
        let clash = conflicts(&bundle, &self.published().state);
        if clash.is_empty() {
            return Ok(format!("candidate {} could run beside the live generation", bundle.generation));
        }
        Err(ShadowError::Invalid(clash))
    }

    /// The bundle of these files, or every problem in them.
    async fn compile(
        &self,
        files: BTreeMap<String, String>,
    ) -> Result<Result<Bundle, Vec<String>>, ShadowError> {
        // To read a large set takes a while. What is sent is whole, also where a file is the beginning of the live one.
        let loaded = tokio::task::spawn_blocking(move || Folder::sent(&files).compile(None));
        let loaded = loaded.await.map_err(|_| ShadowError::Closed)?;
        Ok(loaded.map(|loaded| loaded.bundle).map_err(|report| reasons(&report)))
    }

    /// Half of the candidate's promotion would go live without it. The folder is read and not remembered: whoever promoted it
    /// may have died just now.
    async fn not_half(&self) -> Result<(), ShadowError> {
        let known = self.published();
        let Some(shadow) = known.shadow.clone() else { return Ok(()) };
        let dir = self.config.clone();
        let found = tokio::task::spawn_blocking(move || {
            let there = Folder::read(&dir).into_files();
            half(&dir, &there, &known.bundle.files, (&shadow.generation, &shadow.files))
        });
        found.await.map_err(|_| ShadowError::Closed)?.map_or(Ok(()), |says| Err(ShadowError::Half(says)))
    }

    /// Could the candidate be ended now? Nothing is done.
    ///
    /// # Errors
    /// There is none, or half of it is promoted.
    pub async fn would_end_candidate(&self) -> Result<String, ShadowError> {
        self.published().shadow.as_ref().ok_or(ShadowError::Nothing)?;
        self.not_half().await.map(|()| "the candidate would be one no more".into())
    }

    /// Ends the candidate.
    ///
    /// # Errors
    /// There is none, half of it is promoted, or Grace takes no requests.
    pub async fn end_candidate(&self, actor: Actor, reason: String) -> Result<String, ShadowError> {
        self.not_half().await?;
        self.ask_shadow((actor, reason), Ask::End).await
    }

    /// Asks whether the candidate may become live; whose wish it is is remembered for when its files are.
    ///
    /// # Errors
    /// There is none, it cannot take over the state as it is now, or Grace takes no requests.
    pub async fn may_promote(
        &self,
        (actor, person): (Actor, Option<Actor>),
        reason: String,
    ) -> Result<String, ShadowError> {
        self.ask_shadow((actor, reason), Ask::Promote { person }).await
    }

    async fn ask_shadow(&self, asked: (Actor, String), ask: Ask) -> Result<String, ShadowError> {
        let (reply, answer) = oneshot::channel();
        let signal = Signal::Shadow { asked, ask, reply };
        self.signals.try_send(signal).map_err(|_| ShadowError::Closed)?;
        answer.await.map_err(|_| ShadowError::Closed)?
    }

    /// What is known as of the last step.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published.borrow())
    }

    /// Follows the number of the journal's last entry.
    #[must_use]
    pub fn tail(&self) -> watch::Receiver<i64> {
        self.tail.clone()
    }

    /// Follows what is known, step by step.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Published>> {
        self.published.clone()
    }

    /// Does a file named STOP lie in the data directory now, and since when? What a step knew of it is as old as the step.
    #[must_use]
    pub fn stop(&self) -> (bool, Option<Time>) {
        let file = stop::file(&self.data);
        (stop::is_set(&file), stop::since(&file))
    }

    /// Grace's own four parts.
    #[must_use]
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// Grace's time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The data directory, for readers of the journal.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// May faults be injected?
    #[must_use]
    pub fn allows_faults(&self) -> bool {
        self.allow_faults
    }
}
