//! Everything that can reach the supervisor, as one closed enum.

use tokio::sync::oneshot;

use crate::config::Loaded;
use crate::model::{Actor, Answer, Asked, ComponentId, Occasion, Performed, Readings, Record};
use crate::say::Report;
use crate::supervisor::{AskError, candidate};

/// More signals than this waiting means that something floods Grace; further ones are refused or dropped.
pub(super) const SIGNALS: usize = 4096;

/// What can reach the supervisor.
#[derive(Debug)]
pub(super) enum Signal {
    /// A probe's answer.
    Looked { component: ComponentId, readings: Readings },
    /// A component reported itself, or its process ended.
    Woke { component: ComponentId, occasion: Occasion },
    /// Something that the journal should hold.
    Noted(Box<Record>),
    /// The hands report.
    Performed(Performed),
    /// A person asks.
    Asked { asked: Box<Asked>, reply: oneshot::Sender<Result<Answer, AskError>> },
    /// A person asks about the candidate.
    Shadow { asked: (Actor, String), ask: candidate::Ask, reply: candidate::Reply },
    /// The files changed.
    Files(Result<Box<Loaded>, Box<Report>>),
    /// Somebody had the files read; what they are was delivered before this.
    Reread { reply: oneshot::Sender<bool> },
    /// Grace is to stop.
    Stop { reason: String },
}
