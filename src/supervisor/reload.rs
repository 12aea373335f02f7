//! A new generation takes over between two ticks, or leaves everything as it is.

use std::sync::Arc;

use crate::config::Loaded;
use crate::engine::{adopt, conflicts};
use crate::model::Record;
use crate::say::{Report, short};
use crate::supervisor::Rejected;
use crate::supervisor::generation::warn;
use crate::supervisor::pulse::Pulse;
use crate::supervisor::reach::declared;

impl Pulse {
    pub(super) fn reload(&mut self, loaded: Result<Box<Loaded>, Box<Report>>) {
        match loaded {
            Err(report) => self.reject(short(&report)),
            Ok(loaded) => {
                let clash = conflicts(&loaded.bundle, &self.state);
                if clash.is_empty() { self.take_over(*loaded) } else { self.reject(clash) }
            }
        }
    }

    fn reject(&mut self, problems: Vec<String>) {
        tracing::error!(
            problems = problems.len(),
            "the new files are not valid; the active generation stays"
        );
        for line in &problems {
            tracing::error!("{line}");
        }
        let record = Record::GenerationRejected { problems: problems.clone() };
        if let Err(error) = self.world.journal.append(self.world.clock.wall(), &[record]) {
            tracing::error!(%error, "the rejected generation could not be recorded");
        }
        self.published.rejected = Some(Rejected { at: self.world.clock.now(), problems });
        self.publish();
    }

    fn take_over(&mut self, loaded: Loaded) {
        warn(&loaded.report);
        let mut bundle = loaded.bundle;
        bundle.system.interval = self.interval.unwrap_or(bundle.system.interval);
        self.published.rejected = None;
        if bundle.generation == self.bundle.generation {
            // Mended back to what is active.
            return self.publish();
        }
        let adopted = adopt(&bundle, Some(&self.bundle), &self.state, self.world.clock.now());
        if let Err(error) =
            self.world.journal.adopt(self.world.clock.wall(), &adopted.records, &adopted.state)
        {
            return self.reject(vec![format!("the journal cannot be written: {error}")]);
        }
        tracing::info!(generation = bundle.generation.as_str(), "a new generation is active");
        self.schedule.regrid(bundle.system.interval);
        self.state = adopted.state;
        self.bundle = Arc::new(bundle);
        // What is taken over is followed by tasks of the runtime.
        let runtime = self.world.runtime.enter();
        self.world.reach.services.declare(declared(&self.bundle));
        drop(runtime);
        self.schedule.soon();
        self.publish();
    }
}
