//! Holes in a record: readings that are gone and have not expired, ticks that are left out, states that were kept and are
//! gone. What lies in them, and behind them up to the next state that is kept, nobody can play again.

use serde::Serialize;

use crate::record::Recorded;

/// What is missing in a record that should be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Holes {
    /// The first tick of the first hole.
    pub first: u64,
    /// Ticks whose readings are gone and have not expired.
    pub readings: u64,
    /// Ticks whose numbers are left out.
    pub missing: u64,
    /// Starts and reloads whose state is gone.
    pub states: u64,
    /// Ticks whose readings are there, and that were not played: they lie behind a hole, before the next kept state.
    pub unplayed: u64,
}

impl Holes {
    /// They in one sentence.
    #[must_use]
    pub fn says(&self) -> String {
        let all = [
            (
                self.readings,
                "tick has no readings though they have not expired",
                "ticks have no readings though they have not expired",
            ),
            (self.missing, "tick is left out", "ticks are left out"),
            (self.states, "start or reload has lost its state", "starts and reloads have lost their states"),
            (self.unplayed, "tick behind that was not played", "ticks behind that were not played"),
        ];
        let all = all.iter().filter(|(count, ..)| *count > 0);
        let all: Vec<String> = all
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        format!(
            "the record has holes, the first at tick {}: {}; run `grace prove`",
            self.first,
            all.join(", ")
        )
    }
}

/// Looks for them while a record is gone through in order.
#[derive(Debug, Default)]
pub struct Finder {
    holes: Holes,
    /// The number of the last tick.
    number: Option<u64>,
    /// A generation was named, and the state with which it was taken over has not come yet.
    named: bool,
    /// The first tick of all came before any state: it may be the one that left the first state behind.
    leads: bool,
    /// Behind a hole no state came yet.
    open: bool,
}

impl Finder {
    /// Takes the next thing; says whether nobody knows the state any more from here on.
    pub fn take(&mut self, recorded: &Recorded) -> bool {
        match recorded {
            Recorded::Started { .. } => false,
            Recorded::Generation { .. } => {
                self.named = true;
                false
            }
            Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } => {
                (self.named, self.leads, self.open) = (false, false, false);
                self.count(state.tick.saturating_add(1));
                self.number = Some(state.tick);
                false
            }
            Recorded::Expired { tick, lost, .. } => {
                self.count(*tick);
                self.number = Some(*tick);
                (self.named, self.leads) = (false, false);
                if *lost {
                    self.note(*tick, |holes| &mut holes.readings, 1);
                    self.open = true;
                }
                *lost
            }
            Recorded::Tick { input, .. } => self.tick(input.tick),
        }
    }

    /// A tick that counts was not played.
    pub fn pass_by(&mut self) -> bool {
        self.holes.unplayed += u64::from(self.open);
        self.open
    }

    /// What was found.
    #[must_use]
    pub fn found(self) -> Option<Holes> {
        self.is_open().then_some(self.holes)
    }

    /// Ticks so far that nobody can read: their readings are gone and have not expired, or they are left out.
    #[must_use]
    pub fn gone(&self) -> u64 {
        self.holes.readings + self.holes.missing
    }

    /// What was found so far: such ticks, and states that are gone.
    #[must_use]
    pub fn so_far(&self) -> u64 {
        self.gone() + self.holes.states
    }

    /// Was anything found so far?
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.so_far() > 0
    }

    fn tick(&mut self, tick: u64) -> bool {
        let first = self.number.is_none();
        self.count(tick);
        self.number = Some(tick);
        if first && self.named {
            self.leads = true;
            return false;
        }
        let lost = self.named;
        if lost {
            self.named = false;
            // What led up to a state would have come right before it.
            let place = if std::mem::take(&mut self.leads) { tick.saturating_sub(1) } else { tick };
            self.note(place, |holes| &mut holes.states, 1);
            self.open = true;
        }
        lost
    }

    /// What comes has this number; those in between are left out.
    fn count(&mut self, tick: u64) {
        let next = self.number.map_or(tick, |last| last.saturating_add(1));
        let missing = tick.saturating_sub(next);
        if missing > 0 {
            self.note(next, |holes| &mut holes.missing, missing);
        }
    }

    fn note(&mut self, tick: u64, what: fn(&mut Holes) -> &mut u64, count: u64) {
        if self.holes == Holes::default() {
            self.holes.first = tick;
        }
        *what(&mut self.holes) += count;
    }
}
