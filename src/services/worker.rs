//! One worker of a service, as Grace sees it. The truth is what its keeper wrote down and what the kernel
//! says of it; Grace remembers nothing of her own, so that another Grace finds the same.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use crate::model::{ProcessControl, StopSignal};
use crate::services::hire;
use crate::services::keeper::spec::{Answer, Task};
use crate::services::place::{End, Place, Slot};
use crate::services::setting;
use crate::services::tree::Tree;
use crate::services::watch::ended;

/// So long a keeper may take to start a program.
const STARTING: Duration = Duration::from_secs(10);

/// So long a keeper is waited for that may have nothing to keep any more.
const LEAVING: Duration = Duration::from_millis(50);

/// So long a keeper may take to end after the last of its tree.
const CLOSING: Duration = Duration::from_secs(2);

/// One worker.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub place: Place,
    pub number: u32,
}

impl Worker {
    /// What is known of it.
    pub(super) fn slot(&self) -> Option<Slot> {
        self.place.read(self.number)
    }

    /// What is known of it, where it is alive.
    pub(super) fn living(&self) -> Option<Slot> {
        self.slot().filter(Slot::lives)
    }

    /// Starts it. What runs already runs on; what an ended one left behind is killed first.
    pub(super) async fn start(&self, component: &str, control: &ProcessControl) -> Result<Slot, String> {
        if let Some(slot) = self.living() {
            return Ok(slot);
        }
        self.clear().await?;
        let task = Task::Serve { place: PathBuf::from(self.place.dir()), worker: self.number };
        let spec = setting::spec(component, &control.launch, self.place.work(), task)?;
        match hire::ask(&spec, STARTING).await? {
            Answer::Started(_) => self.slot().ok_or_else(|| "it was not written down".into()),
            // Somebody was faster, perhaps a Grace that was killed since: then it runs, or is about to.
            Answer::Taken => self.appears().await.ok_or_else(|| "another keeper has it in hand".into()),
            Answer::Failed(why) => Err(why),
            Answer::Ended { .. } => Err("the keeper answered something else".into()),
        }
    }

    /// Waits for what another keeper is about to start.
    async fn appears(&self) -> Option<Slot> {
        for _ in 0..100 {
            if let Some(slot) = self.living() {
                return Some(slot);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// Asks it to end, and then kills whatever is left of its tree.
    pub(super) async fn stop(&self, control: &ProcessControl) -> Result<bool, String> {
        let Some(slot) = self.slot() else { return Ok(false) };
        let lived = slot.lives();
        if lived {
            let to = slot.main;
            to.signal(signal(control.stop_signal))
                .map_err(|why| format!("pid {} cannot be signalled: {why}", to.pid))?;
            // Who was stopped can only obey when it goes on; and its children, when it waits for them.
            let tree = Tree::of(&slot);
            let _ = tokio::task::spawn_blocking(move || tree.go_on()).await;
            // It may not want to; what follows does not ask.
            let _ = tokio::time::timeout(control.stop_within.to_std(), ended(to)).await;
        }
        self.clear().await?;
        Ok(lived)
    }

    /// Kills what is left of the tree, and waits until its keeper has gone.
    async fn clear(&self) -> Result<(), String> {
        let Some(slot) = self.slot().filter(|slot| !slot.closed || slot.keeper.is_alive()) else {
            return Ok(());
        };
        // Most often nothing is left, and the keeper is just about to see that.
        let closing = tokio::time::timeout(LEAVING, ended(slot.keeper)).await;
        if closing.is_ok() && self.slot().is_none_or(|now| now.closed) {
            return Ok(());
        }
        let tree = Tree::of(&slot);
        let gone = tokio::task::spawn_blocking(move || !tree.lives() || tree.kill()).await;
        if !gone.unwrap_or(false) {
            return Err(format!("the tree of pid {} cannot be killed", slot.main.pid));
        }
        if tokio::time::timeout(CLOSING, ended(slot.keeper)).await.is_err() {
            return Err(format!("the keeper of pid {} does not end", slot.main.pid));
        }
        Ok(())
    }

    /// Has its end been told?
    pub(super) fn is_told(&self, slot: &Slot) -> bool {
        self.place.told(self.number) == Some(slot.main)
    }

    /// Its end is told: nobody has to tell it again.
    pub(super) fn told(&self, slot: &Slot) {
        // Told twice is better than not at all.
        let _ = self.place.tell(self.number, slot.main);
    }

    /// How it ended; its keeper may need a moment to write that down.
    pub(super) async fn end_of(&self, slot: &Slot) -> Option<End> {
        for _ in 0..50 {
            let now = self.slot().filter(|now| now.main == slot.main)?;
            if let Some(end) = now.end.filter(|_| !now.keeper.is_alive()) {
                return Some(end);
            }
            if !slot.keeper.is_alive() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.slot().filter(|now| now.main == slot.main)?.end
    }
}

fn signal(word: StopSignal) -> Signal {
    match word {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Hup => Signal::HUP,
    }
}
