//! One hold of a component at a time: the longer of two stays until it is over or a person ends it, and who asked for
//! the shorter one is told so.

use crate::engine::run::Run;
use crate::engine::windows::WINDOW;
use crate::govern::Hold;
use crate::model::{Act, ComponentId, Meaning, Proposal, Time, expiry};

impl Run<'_> {
    /// What a person who asks for a hold is told where a longer one of a person stands, which stays. A window's is none:
    /// it takes the component up again behind whatever a person holds.
    pub(super) fn stays_held(&self, proposal: &Proposal) -> Option<String> {
        let Act::Hold { component, lasts } = &proposal.act else { return None };
        let hold = self.hold_of(component.as_ref()).filter(|_| self.meaning >= Meaning::VOTES)?;
        let wanted = expiry(self.desk.now, *lasts).unwrap_or(Time::NEVER);
        if hold.actor.as_str() == WINDOW || hold.end() <= wanted {
            return None;
        }
        let id = component.as_ref().map_or("all", ComponentId::as_str);
        Some(format!(
            "{id} stays held, longer than that: {}; `grace hold {id} --end` ends it first",
            told(hold)
        ))
    }

    /// The hold whose place another takes, for whoever asked for that.
    pub(super) fn replaced(&self, proposal: &Proposal) -> String {
        let Act::Hold { component, .. } = &proposal.act else { return String::new() };
        let hold = self.hold_of(component.as_ref()).filter(|hold| hold.actor.as_str() != WINDOW);
        hold.map(|hold| format!("; before, it was held {}", told(hold))).unwrap_or_default()
    }

    fn hold_of(&self, component: Option<&ComponentId>) -> Option<&Hold> {
        self.state.governed.holds.iter().find(|hold| hold.component.as_ref() == component)
    }
}

fn told(hold: &Hold) -> String {
    let until =
        hold.until.map_or("until a person ends it".to_owned(), |until| format!("until {}", until.clock()));
    format!("by {} {until}: {}", hold.actor, hold.reason)
}
