//! What systemd is told: ready, reloading, stopping, one line of status, and that the ticks go on.
//!
//! Without systemd nobody listens and nothing is sent. What could not be sent changes nothing for Grace.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::model::{Span, Status};
use crate::supervisor::Published;

/// So many components that are not well are named in the line of status.
const NAMED: usize = 8;

/// Who started Grace as a service.
pub(super) struct Manager {
    /// After so long without a sign of life Grace is killed.
    watchdog: Option<Duration>,
    ready: bool,
    status: String,
    interval: Option<Span>,
}

impl Manager {
    /// As the environment says, which only the manager of services sets.
    pub(super) fn from_environment() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled(), ready: false, status: String::new(), interval: None }
    }

    /// Has Grace done her first tick?
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// A tick stands in the journal. The first one means that Grace is ready, each is a sign of life.
    pub(super) fn tick(&mut self, known: &Published) {
        self.measure(known.bundle.system.interval);
        let alive = self.watchdog.map(|_| NotifyState::Watchdog);
        if self.ready {
            return send(alive.as_slice());
        }
        self.ready = true;
        self.status = line(known);
        let mut words = vec![NotifyState::Ready, NotifyState::Status(&self.status)];
        words.extend(alive);
        send(&words);
    }

    /// Something happened: the line of status may be another.
    pub(super) fn status(&mut self, known: &Published) {
        let line = line(known);
        if self.ready && line != self.status {
            self.status = line;
            send(&[NotifyState::Status(&self.status)]);
        }
    }

    /// The files are being read.
    pub(super) fn reloading(&mut self) {
        "the files are read".clone_into(&mut self.status);
        match NotifyState::monotonic_usec_now() {
            Ok(now) => send(&[NotifyState::Reloading, now, NotifyState::Status(&self.status)]),
            // Without the time systemd takes the word for none.
            Err(error) => tracing::warn!(%error, "the steady clock cannot be read"),
        }
    }

    /// They are active, or refused.
    pub(super) fn reloaded(&mut self, known: &Published) {
        self.status = line(known);
        send(&[NotifyState::Ready, NotifyState::Status(&self.status)]);
    }

    /// Grace ends.
    pub(super) fn stopping(&mut self) {
        "stopping: what is under way is finished".clone_into(&mut self.status);
        send(&[NotifyState::Stopping, NotifyState::Status(&self.status)]);
    }

    /// A watchdog that does not even wait for two ticks kills a Grace who is well.
    fn measure(&mut self, interval: Span) {
        let before = self.interval.replace(interval);
        let Some(watchdog) = self.watchdog.filter(|_| before != Some(interval)) else { return };
        if watchdog < interval.to_std() * 2 {
            tracing::error!(
                "WatchdogSec= is {watchdog:?}, and a tick comes every {interval}: systemd will kill a Grace who \
                 is well; give it three times the tick, as `grace unit` prints it"
            );
        }
    }
}

fn send(words: &[NotifyState<'_>]) {
    if words.is_empty() {
        return;
    }
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Mode, components that are not well, and what else a person should know first.
fn line(known: &Published) -> String {
    let mut parts = vec![format!("mode {}", known.state.governed.mode)];
    let all = &known.state.health.components;
    let status = |id| all.get(id).map_or(Status::Unknown, |own| own.status);
    let ids = known.bundle.components.keys();
    let bad: Vec<_> = ids.map(|id| (id, status(id))).filter(|(_, status)| *status != Status::Ok).collect();
    if bad.is_empty() {
        parts.push(format!("{} components ok", known.bundle.components.len()));
    } else {
        let mut named: Vec<String> =
            bad.iter().take(NAMED).map(|(id, status)| format!("{id} {status}")).collect();
        if bad.len() > NAMED {
            named.push(format!("{} more", bad.len() - NAMED));
        }
        parts.push(named.join(", "));
    }
    let loud = [
        (known.unwritten.is_some(), "the journal cannot be written: nothing acts"),
        (known.admission.stop, "STOP: no healing"),
        (known.rejected.is_some(), "the files were refused: the last good generation is active"),
    ];
    parts.extend(loud.iter().filter(|(is_so, _)| *is_so).map(|(_, says)| (*says).to_owned()));
    parts.join("; ")
}
