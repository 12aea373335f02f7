//! One hold of a component at a time, and one silence: the longer of two stays until it is over or a person ends it, and
//! who asked for the shorter one is told so. Of people there is one claim of a mode, the latest: who makes it is told which
//! claims it took the place of.

use std::collections::BTreeMap;

use crate::engine::run::Run;
use crate::engine::windows::WINDOW;
use crate::engine::{Bundle, Input, State};
use crate::govern::Hold;
use crate::model::{Act, ClaimKey, ComponentId, Meaning, Proposal, Span, Time, expiry};

/// What an act puts something in the place of, where there is one.
struct Standing<'s> {
    /// What stands.
    one: &'s Hold,
    component: &'s str,
    lasts: Option<Span>,
    /// The verb that ends it.
    verb: &'static str,
    /// What its component is.
    is: &'static str,
}

impl Run<'_> {
    /// What a person who asks for a hold, or a silence, is told where a longer one of a person stands, which stays.
    pub(super) fn stays(&self, proposal: &Proposal) -> Option<String> {
        let Standing { one, component, lasts, verb, is } = self.standing(&proposal.act)?;
        outlasts(one, (self.desk.now, lasts)).then(|| {
            format!(
                "{component} stays {is}, longer than that: {}; `grace {verb} {component} --end` ends it first",
                told(one)
            )
        })
    }

    /// The hold, or silence, whose place another takes, for whoever asked for that.
    pub(super) fn replaced(&self, proposal: &Proposal) -> String {
        let standing = self.standing(&proposal.act);
        let says = |Standing { one, is, .. }| format!("; before, it was {is} {}", told(one));
        standing.map(says).unwrap_or_default()
    }

    /// What holds all the same where a hold has ended, a sentence each: an open window, the hold of all, those of single ones.
    pub(super) fn still_held(&self, proposal: &Proposal) -> Vec<String> {
        let Act::EndHold { component } = &proposal.act else { return Vec::new() };
        let covers =
            |hold: &&Hold| component.is_none() || hold.component.is_none() || hold.component == *component;
        let says = |hold: &Hold| match &hold.component {
            Some(id) => format!("{id} stays held {}", told(hold)),
            None => format!("all is held {}", told(hold)),
        };
        let stop = self.desk.stop.then(|| "a file named STOP lies in the data directory".to_owned());
        self.state.governed.holds.iter().filter(covers).map(says).chain(stop).collect()
    }

    fn standing<'s>(&'s self, act: &'s Act) -> Option<Standing<'s>> {
        let governed = &self.state.governed;
        let (all, component, lasts, verb, is) = match act {
            Act::Hold { component, lasts } => (&governed.holds, component, *lasts, "hold", "held"),
            Act::Silence { component, lasts } => {
                (&governed.silences, component, *lasts, "silence", "silenced")
            }
            _ => return None,
        };
        let one = standing(all, component.as_ref()).filter(|_| self.meaning >= Meaning::VOTES)?;
        let component = component.as_ref().map_or("all", ComponentId::as_str);
        Some(Standing { one, component, lasts, verb, is })
    }

    /// The claims there are when a mode is asked for.
    pub(super) fn claims_before(&self, proposal: &Proposal) -> BTreeMap<ClaimKey, String> {
        let tells = matches!(proposal.act, Act::SetMode { .. }) && self.meaning >= Meaning::VOTES;
        if tells { self.state.governed.claims_now() } else { BTreeMap::new() }
    }

    /// Which of them stand no longer.
    pub(super) fn no_longer(&self, before: &BTreeMap<ClaimKey, String>) -> String {
        let now = self.state.governed.claims_now();
        let gone = before.iter().filter(|(key, claim)| now.get(*key) != Some(*claim));
        let says: Vec<String> = gone.map(|(key, claim)| format!("; before, {key} claimed {claim}")).collect();
        says.concat()
    }
}

/// What would hold all the same once a hold is ended as proposed.
#[must_use]
pub fn still_held(
    bundle: &Bundle,
    state: &State,
    (now, stop): (Time, bool),
    proposal: &Proposal,
) -> Vec<String> {
    let mode = state.governed.mode.clone();
    let input = Input { tick: state.tick, now, stop, ..Input::default() };
    let mut run = Run::new(bundle, (state.clone(), &mode), &input);
    run.note_end_of_window(proposal);
    run.desk.contain(&mut run.state.governed, proposal, &mut Vec::new());
    run.window_goes_on(proposal);
    run.still_held(proposal)
}

/// Of all holds, or all silences, the one of a component, or of all.
#[must_use]
pub fn standing<'g>(all: &'g [Hold], component: Option<&ComponentId>) -> Option<&'g Hold> {
    all.iter().find(|one| one.component.as_ref() == component)
}

/// Does it stay where somebody asks for another of the same that lasts so long from now? A window's does not: files may end
/// it at any time, and it takes the component up again behind whatever a person holds.
#[must_use]
pub fn outlasts(one: &Hold, (now, lasts): (Time, Option<Span>)) -> bool {
    one.actor.as_str() != WINDOW && one.end() > expiry(now, lasts).unwrap_or(Time::NEVER)
}

fn told(hold: &Hold) -> String {
    let until =
        hold.until.map_or("until a person ends it".to_owned(), |until| format!("until {}", until.clock()));
    format!("by {} {until}: {}", hold.actor, hold.reason)
}
