//! When the next tick comes and whom it probes. Pure, so that rule tests keep the very times of production.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ComponentId, Occasion, Span, Time};

/// Wake-ups come at least so long after the previous tick.
const APART: Span = Span::seconds(1);

/// Hands get so long for an act: a restart of a stubborn service needs its time, but not for ever. One that takes
/// longer has timed out.
pub const HANDS: Span = Span::minutes(1);

/// When the next tick comes, and why.
#[derive(Debug, Clone)]
pub struct Schedule {
    grid: Span,
    last: Option<Time>,
    woken: BTreeMap<ComponentId, Occasion>,
    asap: bool,
    urgent: bool,
    due: BTreeMap<ComponentId, Time>,
    /// Whoever is being looked at: nobody looks twice, and what is due waits for the answer.
    looking: BTreeSet<ComponentId>,
    overruns: u64,
}

/// Whom a tick probes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agenda {
    /// It is a tick of the grid: everybody is probed.
    pub grid: bool,
    /// These are probed for a reason of their own.
    pub woken: BTreeMap<ComponentId, Occasion>,
}

impl Agenda {
    /// Why this component is probed in this tick, if it is.
    #[must_use]
    pub fn occasion(&self, component: &ComponentId) -> Option<Occasion> {
        self.woken.get(component).copied().or(self.grid.then_some(Occasion::Grid))
    }
}

impl Schedule {
    /// A schedule whose first tick comes at once and probes everybody.
    #[must_use]
    pub fn new(grid: Span) -> Self {
        let (woken, due, looking) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { grid, last: None, woken, asap: false, urgent: false, due, looking, overruns: 0 }
    }

    /// Changes the grid, as a new generation may.
    pub fn regrid(&mut self, grid: Span) {
        self.grid = grid;
    }

    /// A component reported itself, or its process ended.
    pub fn wake(&mut self, component: ComponentId, occasion: Occasion) {
        self.woken.insert(component, occasion);
    }

    /// A person asked for something, or a generation is new: a tick that needs no probe.
    pub fn soon(&mut self) {
        self.asap = true;
    }

    /// The hands report: their tick is not put off, because the time of a verification counts from it.
    pub fn urgent(&mut self) {
        self.urgent = true;
    }

    /// Replaces the times at which components have to be looked at.
    pub fn due(&mut self, due: BTreeMap<ComponentId, Time>) {
        self.due = due;
    }

    /// A component is being looked at from now on; false where it is already.
    pub fn look(&mut self, component: &ComponentId) -> bool {
        self.looking.insert(component.clone())
    }

    /// A component answered, and a tick takes it in.
    pub fn answered(&mut self, component: &ComponentId) {
        self.looking.remove(component);
        self.asap = true;
    }

    /// All that came until now is in the tick that is under way: nobody needs another one for it.
    pub fn taken(&mut self) {
        self.asap = false;
        self.urgent = false;
    }

    /// Is somebody being looked at?
    #[must_use]
    pub fn is_looking(&self) -> bool {
        !self.looking.is_empty()
    }

    /// When the next tick comes.
    #[must_use]
    pub fn next(&self, now: Time) -> Time {
        let Some(last) = self.last else { return now };
        let grid = last.slot(self.grid) + self.grid;
        let wake = (self.asap || !self.woken.is_empty()).then_some(last + APART);
        let due = self.due.iter().filter(|(id, _)| !self.looking.contains(*id)).map(|(_, at)| *at).min();
        let urgent = self.urgent.then_some(now);
        [Some(grid), wake, due, urgent].into_iter().flatten().min().unwrap_or(grid).max(now)
    }

    /// Begins the tick of this time: whom it probes. What woke or was due is taken off the list.
    pub fn begin(&mut self, now: Time) -> Agenda {
        let slot = now.slot(self.grid);
        let passed = self.last.map(|last| (slot - last.slot(self.grid)).0 / self.grid.0.max(1));
        self.overruns += passed.and_then(|slots| u64::try_from(slots - 1).ok()).unwrap_or(0);
        let apart = self.last.is_none_or(|last| last + APART <= now);
        self.last = Some(now);
        self.urgent = false;
        let mut agenda = Agenda { grid: passed.is_none_or(|slots| slots > 0), woken: BTreeMap::new() };
        if apart || agenda.grid {
            self.asap = false;
            agenda.woken = std::mem::take(&mut self.woken);
        }
        let is_due = |id: &ComponentId, at: Time| at <= now && !self.looking.contains(id);
        let due: Vec<ComponentId> =
            self.due.iter().filter(|(id, at)| is_due(id, **at)).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.due.remove(&id);
            agenda.woken.entry(id).or_insert(Occasion::Verification);
        }
        agenda
    }

    /// How many ticks of the grid were missed because others took too long.
    #[must_use]
    pub fn overruns(&self) -> u64 {
        self.overruns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Span = Span::seconds(30);

    #[test]
    fn the_grid_never_moves() {
        let mut schedule = Schedule::new(GRID);
        assert_eq!(schedule.next(Time(17_000)), Time(17_000), "the first tick comes at once");
        assert!(schedule.begin(Time(17_000)).grid);
        assert_eq!(schedule.next(Time(17_100)), Time(30_000));
        assert!(schedule.begin(Time(30_004)).grid);
        assert_eq!(schedule.next(Time(30_100)), Time(60_000));
    }

    #[test]
    fn a_wake_up_comes_a_second_after_the_last_tick_and_probes_only_who_woke() {
        let mut schedule = Schedule::new(GRID);
        schedule.begin(Time(30_000));
        schedule.wake("a".into(), Occasion::SelfReport);
        assert_eq!(schedule.next(Time(30_010)), Time(31_000));
        let agenda = schedule.begin(Time(31_000));
        assert!(!agenda.grid);
        assert_eq!(agenda.occasion(&"a".into()), Some(Occasion::SelfReport));
        assert_eq!(agenda.occasion(&"b".into()), None);
        assert_eq!(schedule.next(Time(31_000)), Time(60_000));
    }

    #[test]
    fn a_due_verification_and_a_report_of_the_hands_are_not_put_off() {
        let mut schedule = Schedule::new(GRID);
        schedule.begin(Time(30_000));
        schedule.due(BTreeMap::from([("a".into(), Time(30_200))]));
        schedule.wake("b".into(), Occasion::Exit);
        assert_eq!(schedule.next(Time(30_100)), Time(30_200));
        let agenda = schedule.begin(Time(30_200));
        assert_eq!(agenda.occasion(&"a".into()), Some(Occasion::Verification));
        assert_eq!(agenda.occasion(&"b".into()), None, "a wake-up still waits for its second");
        schedule.urgent();
        assert_eq!(schedule.next(Time(30_300)), Time(30_300));
    }

    #[test]
    fn what_a_tick_waited_for_needs_no_other_and_what_comes_behind_it_does() {
        let mut schedule = Schedule::new(GRID);
        schedule.begin(Time(30_000));
        assert!(schedule.look(&"a".into()) && !schedule.look(&"a".into()), "nobody looks twice");
        schedule.answered(&"a".into());
        schedule.urgent();
        schedule.taken();
        assert_eq!(schedule.next(Time(30_100)), Time(60_000));
        schedule.answered(&"b".into());
        assert_eq!(schedule.next(Time(30_100)), Time(31_000));
    }

    #[test]
    fn what_is_due_waits_for_a_look_that_is_under_way() {
        let mut schedule = Schedule::new(GRID);
        schedule.begin(Time(30_000));
        schedule.look(&"a".into());
        let due = || BTreeMap::from([("a".into(), Time(30_200))]);
        schedule.due(due());
        assert_eq!(schedule.next(Time(30_200)), Time(60_000));
        schedule.begin(Time(60_000));
        schedule.due(due());
        schedule.answered(&"a".into());
        assert_eq!(schedule.next(Time(60_100)), Time(60_100));
        assert_eq!(schedule.begin(Time(60_100)).occasion(&"a".into()), Some(Occasion::Verification));
    }

    #[test]
    fn an_overrun_is_counted_and_not_caught_up() {
        let mut schedule = Schedule::new(GRID);
        schedule.begin(Time(30_000));
        assert_eq!(schedule.next(Time(130_000)), Time(130_000));
        assert!(schedule.begin(Time(130_000)).grid);
        assert_eq!(schedule.overruns(), 2);
        assert_eq!(schedule.next(Time(130_000)), Time(150_000));
    }
}
