//! One hold of a component at a time: the longer of two stays until it is over or a person ends it, and who asked for
//! the shorter one is told so.

use crate::engine::run::Run;
use crate::engine::windows::WINDOW;
use crate::govern::{Governed, Hold};
use crate::model::{Act, ComponentId, Meaning, Proposal, Span, Time, expiry};

impl Run<'_> {
    /// What a person who asks for a hold is told where a longer one of a person stands, which stays. A window's is none:
    /// it takes the component up again behind whatever a person holds.
    pub(super) fn stays_held(&self, proposal: &Proposal) -> Option<String> {
        let Act::Hold { component, lasts } = &proposal.act else { return None };
        let governed = &self.state.governed;
        let hold = held_longer(governed, component.as_ref(), (self.desk.now, *lasts))
            .filter(|_| self.meaning >= Meaning::VOTES)?;
        let id = component.as_ref().map_or("all", ComponentId::as_str);
        Some(format!(
            "{id} stays held, longer than that: {}; `grace hold {id} --end` ends it first",
            told(hold)
        ))
    }

    /// The hold whose place another takes, for whoever asked for that.
    pub(super) fn replaced(&self, proposal: &Proposal) -> String {
        let Act::Hold { component, .. } = &proposal.act else { return String::new() };
        let hold = persons_hold(&self.state.governed, component.as_ref());
        hold.map(|hold| format!("; before, it was held {}", told(hold))).unwrap_or_default()
    }
}

/// A person's hold that stays where somebody asks for one of the same that lasts so long from now.
#[must_use]
pub fn held_longer<'g>(
    governed: &'g Governed,
    component: Option<&ComponentId>,
    (now, lasts): (Time, Option<Span>),
) -> Option<&'g Hold> {
    let wanted = expiry(now, lasts).unwrap_or(Time::NEVER);
    persons_hold(governed, component).filter(|hold| hold.end() > wanted)
}

/// The hold of a component, or of all, that a person set.
#[must_use]
pub fn persons_hold<'g>(governed: &'g Governed, component: Option<&ComponentId>) -> Option<&'g Hold> {
    let hold = governed.holds.iter().find(|hold| hold.component.as_ref() == component);
    hold.filter(|hold| hold.actor.as_str() != WINDOW)
}

fn told(hold: &Hold) -> String {
    let until =
        hold.until.map_or("until a person ends it".to_owned(), |until| format!("until {}", until.clock()));
    format!("by {} {until}: {}", hold.actor, hold.reason)
}
