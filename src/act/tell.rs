//! Telling: a text for a receiver.

use crate::act::{Hands, Steps, stop};
use crate::model::{Effect, Receiver, ReceiverId};

pub(super) async fn run(hands: &Hands, to: &ReceiverId, text: &str, steps: &mut Steps) -> Effect {
    if let Some(withheld) = stop::withholds(hands, "send").await {
        return withheld;
    }
    steps.begin("send");
    match hands.receivers.get(to) {
        Some(Receiver::Log) => {
            tracing::warn!(target: "grace::notify", receiver = to.as_str(), text, "notification");
            steps.end(true, "written to the log");
            Effect::Done
        }
        None => {
            let why = format!("there is no receiver called {to}");
            steps.end(false, &why);
            Effect::Failed { why }
        }
    }
}
