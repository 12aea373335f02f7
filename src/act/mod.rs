//! The hands: they do what a committed permit says, in bounded time, and decide nothing.
//!
//! The permit names every step; the hands look for the STOP file before each effect, take the time, and
//! report. They know kinds of steps and receivers, never a component by name. What became of the patient
//! they cannot know: that is what later readings are for.

mod beat;
mod heal;
mod stop;
mod tell;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use beat::beat;

use crate::govern::Permit;
use crate::model::{Act, ActId, Effect, Performed, Proposal, Receiver, ReceiverId, StepDone};
use crate::record::Committed;
use crate::services::Controls;

/// Everything the hands reach.
#[derive(Clone)]
pub struct Hands {
    /// The controls of components.
    pub components: Arc<dyn Controls>,
    /// Who can be told something.
    pub receivers: BTreeMap<ReceiverId, Receiver>,
    /// A file of this name, which needs nothing else alive, stops every effect.
    pub stop_file: PathBuf,
    /// How long one act may take.
    pub limit: Duration,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hands")
            .field("receivers", &self.receivers)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Performs an act whose intent is durable. It always comes back, and always with a report.
pub async fn perform(permit: Committed<Permit>, hands: &Hands) -> Performed {
    let permit = permit.into_inner();
    carry_out(permit.act(), permit.proposal(), hands).await
}

async fn carry_out(act: ActId, proposal: &Proposal, hands: &Hands) -> Performed {
    let mut steps = Steps::default();
    let work = async {
        match &proposal.act {
            Act::Heal { component, steps: heal } => heal::run(hands, component, heal, &mut steps).await,
            Act::Notify { receiver, .. } => tell::run(hands, (act, proposal), receiver, &mut steps).await,
            // These are done by the engine, in the step that decides them: here they would be done twice.
            Act::SetMode { .. }
            | Act::Release { .. }
            | Act::Block { .. }
            | Act::Unblock { .. }
            | Act::Hold { .. }
            | Act::EndHold { .. }
            | Act::Silence { .. }
            | Act::EndSilence { .. }
            | Act::MakeToken(_)
            | Act::EndToken { .. }
            | Act::Activate { .. }
            | Act::Event { .. }
            | Act::Task { .. }
            | Act::Recommend { .. } => {
                let why = format!(
                    "`{}` is not for the hands: it is done when it is recorded",
                    proposal.act.label()
                );
                Effect::Failed { why }
            }
        }
    };
    let effect = tokio::time::timeout(hands.limit, work).await;
    let effect = effect.unwrap_or_else(|_| {
        steps.cut_off(hands.limit);
        Effect::TimedOut
    });
    tracing::info!(act = act.0, label = proposal.act.label(), ?effect, "performed");
    Performed { act, effect, steps: steps.done }
}

/// The steps so far, kept outside of the work so that they survive when it is cut off.
#[derive(Debug, Default)]
struct Steps {
    done: Vec<StepDone>,
    begun: Option<(String, tokio::time::Instant)>,
}

impl Steps {
    fn begin(&mut self, step: &str) {
        self.begun = Some((step.into(), tokio::time::Instant::now()));
    }

    fn end(&mut self, ok: bool, detail: &str) {
        if let Some((step, since)) = self.begun.take() {
            let detail = detail.chars().take(LONGEST_DETAIL).collect();
            self.done.push(StepDone { step, ok, took: since.elapsed().into(), detail });
        }
    }

    /// The step that was begun is none worth telling.
    fn forget(&mut self) {
        self.begun = None;
    }

    fn cut_off(&mut self, limit: Duration) {
        self.end(false, &format!("did not come back; the act may take {} s", limit.as_secs_f64()));
    }
}

/// The longest text of a step that the journal keeps, in characters.
const LONGEST_DETAIL: usize = 500;

#[cfg(test)]
mod tests;
