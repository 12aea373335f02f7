//! The end in good order: acts in flight are awaited and recorded, services end where that is wanted.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::engine::step;
use crate::model::Span;
use crate::supervisor::ExitReason;
use crate::supervisor::pulse::Pulse;
use crate::supervisor::signal::Signal;

/// When Grace stops she waits so long for acts in flight.
const FAREWELL: Span = Span::seconds(10);

/// When Grace stops and takes the services along, they have so long.
const SERVICES: Duration = Duration::from_secs(50);

impl Pulse {
    /// Waits for the acts in flight, records what became of them, and says goodbye.
    pub(super) fn farewell(&mut self, inbox: &Receiver<Signal>) -> ExitReason {
        if let Some(fatal) = self.fatal.take() {
            return ExitReason::Journal(fatal);
        }
        let reason = self.stopping.clone().unwrap_or_default();
        let until = self.now() + FAREWELL;
        while !self.state.in_flight().is_empty() && self.now() < until {
            let left = until - self.now();
            self.listen(inbox, left);
            if !self.performed.is_empty() {
                self.last_tick();
            }
        }
        if self.world.stop_services {
            tracing::info!("stopping the services as well");
            self.world.runtime.block_on(self.world.reach.services.end_all(SERVICES));
        }
        while let Ok(signal) = inbox.try_recv() {
            if let Signal::Noted(record) = signal {
                self.note(*record);
            }
        }
        self.write_notes();
        let well = self.state.health.components.values().all(|own| own.status.works());
        let stopped = crate::model::Record::Stopped { reason };
        if let Err(error) = self.world.journal.append(self.world.clock.wall(), &[stopped]) {
            tracing::error!(%error, "the end could not be recorded");
        }
        self.world.sealer.finish();
        ExitReason::Stopped { well }
    }

    /// A tick on the way out: it takes in what the hands report, and lets nothing new begin.
    fn last_tick(&mut self) {
        let mut input = self.input(self.now());
        input.stop = true;
        let step = step(&self.bundle, &self.state, &input);
        match self.world.journal.commit(self.world.clock.wall(), &input, step) {
            Ok(done) => self.state = done.state,
            Err(error) => {
                tracing::error!(%error, "what the hands report could not be recorded");
                self.performed.clear();
            }
        }
    }
}
