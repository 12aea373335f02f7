//! Healing: the steps of the permit one after the other; the first that fails ends the try.

use std::sync::Arc;

use crate::act::{Hands, Steps, stop};
use crate::model::{ComponentId, Effect, HealStep};
use crate::services::{Control, Controls};

/// One single effect on a component.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// Nothing yet: could it be started again?
    Check,
    /// Both at once, where the control knows how to.
    Restart,
    Stop,
    Start(Option<u32>),
    Scale(u32),
}

impl Move {
    fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start(_) => "start",
            Self::Scale(_) => "scale",
        }
    }
}

/// A restart is two effects, and STOP may come between them, unless the control has one of its own.
fn moves(step: &HealStep, at_once: bool) -> Vec<Move> {
    match step {
        HealStep::Restart { .. } if at_once => vec![Move::Check, Move::Restart],
        HealStep::Restart { workers } => vec![Move::Check, Move::Stop, Move::Start(*workers)],
        HealStep::Scale { workers } => vec![Move::Scale(*workers)],
    }
}

pub(super) async fn run(
    hands: &Hands,
    component: &ComponentId,
    heal: &[HealStep],
    steps: &mut Steps,
) -> Effect {
    let at_once = hands.components.control(component).is_some_and(|control| control.restart().is_some());
    for one in heal.iter().flat_map(|step| moves(step, at_once)) {
        if let Some(withheld) = stop::withholds(hands, one.word()).await {
            return withheld;
        }
        steps.begin(one.word());
        match isolated(Arc::clone(&hands.components), component.clone(), one).await {
            // A check that went well is no effect.
            Ok(_) if matches!(one, Move::Check) => steps.forget(),
            Ok(detail) => steps.end(true, &detail),
            Err(why) => {
                steps.end(false, &why);
                return Effect::Failed { why: format!("{} failed: {why}", one.word()) };
            }
        }
    }
    Effect::Done
}

/// In a task of its own: a control that panics, or blocks its thread, takes nothing else along.
async fn isolated(controls: Arc<dyn Controls>, component: ComponentId, one: Move) -> Result<String, String> {
    let mut task = Aborted(tokio::spawn(async move {
        let control =
            controls.control(&component).ok_or_else(|| format!("there is no control of {component}"))?;
        do_move(control.as_ref(), one).await
    }));
    match (&mut task.0).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => Err("the control panicked".into()),
        Err(_) => Err("Grace is ending".into()),
    }
}

async fn do_move(control: &dyn Control, one: Move) -> Result<String, String> {
    let done = match one {
        Move::Check => control.check().await.map(|()| String::new()),
        Move::Restart => match control.restart() {
            Some(restart) => restart.await,
            None => return Err("it is no longer restarted in one go".into()),
        },
        Move::Stop => control.stop().await,
        Move::Start(workers) => control.start(workers).await,
        Move::Scale(workers) => control.scale(workers).await,
    };
    done.map_err(|error| error.to_string())
}

/// A step whose act ran out of time goes no further.
struct Aborted<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
