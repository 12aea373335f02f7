//! Grace while she runs: the signals that reach her, and what whoever started her as a service is told.

use std::future::pending;
use std::pin::Pin;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::cli::running::systemd::Manager;
use crate::cli::terminal::failure::Failure;
use crate::supervisor::{AskError, Handle, OnTick};

/// Sees the ticks that stand in the journal.
pub(super) struct Ticks(watch::Receiver<()>);

/// A hook for the supervisor, and who sees what it is called for.
pub(super) fn ticks() -> (OnTick, Ticks) {
    let (seen, ticks) = watch::channel(());
    (OnTick::new(move || seen.send_replace(())), Ticks(ticks))
}

/// The signals that mean something.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(Failure::Runtime);
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }
}

/// A reading of the files that somebody asked for, and that is under way.
type Reading = Pin<Box<dyn Future<Output = Result<bool, AskError>> + Send>>;

/// Grace while she runs.
pub(super) struct Service {
    handle: Handle,
    ticks: Ticks,
    signals: Signals,
    manager: Manager,
    reading: Option<Reading>,
}

impl Service {
    pub(super) fn new(handle: Handle, ticks: Ticks, signals: Signals) -> Self {
        Self { handle, ticks, signals, manager: Manager::from_environment(), reading: None }
    }

    /// Waits until somebody wants the end, and says why; nothing where the supervisor ended by itself.
    pub(super) async fn until_end(mut self) -> Option<&'static str> {
        let mut steps = self.handle.watch();
        let reason = loop {
            // A SIGHUP that comes while files are read, or before Grace is ready, is kept and then served.
            let may_read = self.manager.is_ready() && self.reading.is_none();
            tokio::select! {
                _ = self.signals.terminate.recv() => break Some("SIGTERM"),
                _ = self.signals.interrupt.recv() => break Some("Ctrl-C"),
                _ = self.signals.hang_up.recv(), if may_read => self.reread(),
                read = finished(&mut self.reading) => self.has_read(&read),
                tick = self.ticks.0.changed() => match tick {
                    Ok(()) => self.manager.tick(&self.handle.published()),
                    Err(_) => break None,
                },
                step = steps.changed() => match step {
                    Ok(()) => self.manager.status(&self.handle.published()),
                    Err(_) => break None,
                },
            }
        };
        self.manager.stopping();
        reason
    }

    fn reread(&mut self) {
        tracing::info!("SIGHUP: the files are read");
        self.manager.reloading();
        let handle = self.handle.clone();
        self.reading = Some(Box::pin(async move { handle.reread().await }));
    }

    fn has_read(&mut self, read: &Result<bool, AskError>) {
        match read {
            Ok(true) => tracing::info!("SIGHUP: what the files say is active"),
            // Every problem stands above, where the supervisor refused them.
            Ok(false) => tracing::error!("SIGHUP: the files were refused; the active generation stays"),
            // Then Grace ends, and that is what everybody is told.
            Err(_) => return,
        }
        self.manager.reloaded(&self.handle.published());
    }
}

/// Waits for what is under way; where nothing is, for ever.
async fn finished(reading: &mut Option<Reading>) -> Result<bool, AskError> {
    let Some(under_way) = reading else { return pending().await };
    let read = under_way.await;
    *reading = None;
    read
}
