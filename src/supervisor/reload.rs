//! A new generation takes over between two ticks, or leaves everything as it is.

use std::sync::Arc;

use crate::config::Loaded;
use crate::engine::{Judged, adopt, conflicts, judge, locked_out};
use crate::model::Record;
use crate::say::{Report, reasons};
use crate::supervisor::Rejected;
use crate::supervisor::generation::warn;
use crate::supervisor::pulse::Pulse;
use crate::supervisor::reach::declared;
use crate::supervisor::tally::activated;

impl Pulse {
    pub(super) fn reload(&mut self, loaded: Result<Box<Loaded>, Box<Report>>) {
        self.torn = false;
        match loaded {
            Err(report) => self.refuse(reasons(&report)),
            Ok(loaded) => {
                let mut clash = conflicts(&loaded.bundle, &self.state);
                let half = self.half(&loaded.bundle.files);
                self.torn = half.is_some();
                clash.extend(half);
                clash.extend(locked_out(&loaded.bundle, &self.state));
                if !clash.is_empty() {
                    return self.refuse(clash);
                }
                match judge(&self.bundle, &self.state, &loaded.bundle.generation, self.now()) {
                    Judged::Now => {
                        self.forget_pending();
                        self.take_over(*loaded);
                    }
                    Judged::Waits(why) => {
                        self.reject(vec![why]);
                        self.let_wait(loaded);
                    }
                    Judged::Never(why) => self.refuse(vec![why]),
                }
            }
        }
    }

    /// These files are not for use, and those before them are not meant any more.
    fn refuse(&mut self, problems: Vec<String>) {
        self.forget_pending();
        self.reject(problems);
    }

    fn reject(&mut self, problems: Vec<String>) {
        tracing::error!(problems = problems.len(), "the new files are not used; the active generation stays");
        for line in &problems {
            tracing::error!("{line}");
        }
        let record = Record::GenerationRejected { problems: problems.clone() };
        if let Err(error) = self.world.journal.append(self.world.clock.wall(), &[record]) {
            tracing::error!(%error, "the rejected generation could not be recorded");
        }
        self.published.tally.reloads.rejected += 1;
        self.published.rejected = Some(Rejected { at: self.world.clock.now(), problems });
        self.publish();
    }

    fn take_over(&mut self, loaded: Loaded) {
        warn(&loaded.report);
        let mut bundle = loaded.bundle;
        bundle.system.interval = self.interval.unwrap_or(bundle.system.interval);
        let wall = self.world.clock.wall();
        let was_rejected = self.published.rejected.take().is_some();
        let is_new = bundle.generation != self.bundle.generation;
        if !is_new && !was_rejected {
            self.published.tally.accepted(wall);
            return self.publish();
        }
        // Files that were mended back to what is active are adopted as well: whoever was told by an event that they
        // were refused is told by another that they are in use.
        let adopted = adopt(&bundle, Some(&self.bundle), &self.state, self.world.clock.now());
        match self.world.journal.adopt(wall, &adopted.records, &adopted.state) {
            Ok(last) => self.published.tally.activated = activated(last, &adopted.records),
            Err(error) if is_new => {
                return self.reject(vec![format!("the journal cannot be written: {error}")]);
            }
            // What they say is in use all the time: only the news is missing.
            Err(error) => {
                tracing::error!(%error, "that the files are valid again could not be recorded");
                self.published.tally.accepted(wall);
                return self.publish();
            }
        }
        self.published.tally.accepted(wall);
        if is_new {
            self.world.guard.rules_are_meant();
        }
        let says = if is_new { "a new generation is active" } else { "the files are valid again" };
        tracing::info!(generation = bundle.generation.as_str(), "{says}");
        self.schedule.regrid(bundle.system.interval);
        self.world.sealer.every(bundle.system.checkpoint);
        self.world.sealer.now();
        self.state = adopted.state;
        self.bundle = Arc::new(bundle);
        // What is taken over is followed by tasks of the runtime.
        let runtime = self.world.runtime.enter();
        self.world.reach.services.declare(declared(&self.bundle));
        drop(runtime);
        self.promoted();
        self.schedule.soon();
        self.publish();
    }
}
