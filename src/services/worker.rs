//! One worker of a service, as Grace sees it. The truth is what its keeper wrote down and what the kernel
//! says of it; Grace remembers nothing of her own, so that another Grace finds the same.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::Semaphore;

use crate::model::{ProcessControl, StopSignal};
use crate::services::cgroup;
use crate::services::hire;
use crate::services::identity::Identity;
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
const CLOSING: Duration = Duration::from_secs(1);

/// So many trees are killed at the same time. Each reads the whole table of processes again and again; fifty at once
/// would slow each other down until the time of all of them is over.
static KILLING: Semaphore = Semaphore::const_new(4);

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
        let spec = setting::spec(component, &control.launch, self.place.work(), task).await?;
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
        // It is never closed.
        let turn = KILLING.acquire().await;
        let gone = tokio::task::spawn_blocking(move || !tree.lives() || tree.kill()).await;
        drop(turn);
        if !gone.unwrap_or(false) {
            return Err(format!("the tree of pid {} cannot be killed", slot.main.pid));
        }
        self.dismiss(slot.keeper).await?;
        if let Some(group) = &slot.group {
            cgroup::remove(group);
        }
        Ok(())
    }

    /// Waits until the keeper of nothing has gone. One that was stopped or hangs is ended: it holds the lock.
    async fn dismiss(&self, keeper: Identity) -> Result<(), String> {
        for last in [Signal::CONT, Signal::KILL] {
            if tokio::time::timeout(CLOSING, ended(keeper)).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(pid = keeper.pid, "a keeper with nothing to keep does not end");
            // That it is still there is seen below.
            let _ = keeper.signal(last);
        }
        let gone = tokio::time::timeout(CLOSING, ended(keeper)).await;
        gone.map_err(|_| format!("the keeper {} of an ended tree does not end", keeper.pid))
    }

    /// Has its end been told?
    pub(super) fn is_told(&self, slot: &Slot) -> bool {
        self.place.told(self.number) == Some(slot.main)
    }

    /// The journal holds the end of this process: no Grace has to tell it again.
    pub(super) fn written(&self, main: Identity) {
        // What cannot be written here is seen in the journal by the next Grace.
        let _ = self.place.tell(self.number, main);
    }

    /// The processes before the present one whose end no journal holds yet.
    pub(super) fn untold(&self) -> Vec<Identity> {
        let (present, told) = (self.slot().map(|slot| slot.main), self.place.told(self.number));
        let ends = self.place.ends(self.number).into_iter();
        ends.filter(|main| Some(*main) != present && Some(*main) != told).collect()
    }

    /// How it ended; its keeper may need a moment to write that down.
    pub(super) async fn end_of(&self, main: Identity) -> Option<End> {
        for _ in 0..50 {
            let present = self.slot().filter(|slot| slot.main == main);
            // Its keeper adds the last that was said before it goes.
            if present.is_none_or(|slot| !slot.keeper.is_alive()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.place.end(self.number, main)
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
