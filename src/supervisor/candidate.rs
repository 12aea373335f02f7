//! What is asked, answered and known of a candidate generation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::Bundle;
use crate::model::{Actor, GenerationId, Time};
use crate::replay::Beside;

/// What people ask about a candidate.
#[derive(Debug)]
pub(super) enum Ask {
    /// Set this one, or write down why its files are not valid.
    Set(Result<Box<Bundle>, Vec<String>>),
    /// End it.
    End,
    /// May it become live? Who says so is remembered for when it does, with the person they are on this machine.
    Promote {
        /// Where a token names them in another way.
        person: Option<Actor>,
    },
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShadowError {
    /// The files are not valid, or cannot take over the state; every reason.
    #[error("the candidate is refused: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// Half of its promotion lies where the live files are, so it can neither end nor give way.
    #[error("the candidate stays: {0}")]
    Half(String),
    /// There is no candidate.
    #[error("there is no candidate; `grace shadow DIR --reason ...` sets one")]
    Nothing,
    /// Grace is stopping, or so busy that she takes no more.
    #[error("Grace takes no requests now: she is stopping, or too many wait")]
    Closed,
    /// The journal could not be written, so nothing was done.
    #[error("the journal cannot be written, so nothing was done")]
    NotWritten,
}

/// Who waits for what became of it: a sentence.
pub(super) type Reply = oneshot::Sender<Result<String, ShadowError>>;

/// What everybody may know of the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowing {
    /// The candidate.
    pub generation: GenerationId,
    /// Its files.
    pub files: Arc<BTreeMap<String, String>>,
    /// Since when, on Grace's own time.
    pub since: Time,
    /// Who set it.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// The mode that it would be in.
    pub mode: String,
    /// Facts that it knows and nobody probes.
    pub unprobed: Vec<String>,
    /// Probes of it that are others than the live ones, whose readings it gets.
    pub other_probes: Vec<String>,
    /// Since when it lives by itself and its acts are counted: since it was set, or Grace started. There it began with
    /// the live state.
    pub counted: Time,
    /// So many acts only it, and only the live generation made since then.
    pub only: (u64, u64),
    /// What following the last tick took.
    pub took: Duration,
}

/// The candidate of a pulse.
pub(super) struct Shadow {
    pub(super) beside: Beside,
    pub(super) told: Shadowing,
    /// Who wants it live, and why.
    pub(super) promoting: Option<(Actor, String)>,
    /// Whom this machine says that is, where their token says it in another way.
    pub(super) promoter: Option<Actor>,
}
