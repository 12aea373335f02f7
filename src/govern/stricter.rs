//! Is no more permitted after an act than before it? Policies that let loosening wait for a second person ask that, and two
//! acts that are each stricter must not loosen anything together: what an act ends has to be covered by a claim that stands
//! at least as long.

use crate::govern::desk::{Desk, moves_mode};
use crate::govern::state::Governed;
use crate::model::{Act, Claim, ClaimKey, Meaning, ModeId, Proposal, Time};

/// A claim with its key.
type Keyed<'c> = (&'c ClaimKey, &'c Claim);

impl Desk<'_> {
    /// Is everything that is permitted after the act permitted before it, at once and later on?
    pub(super) fn is_stricter(&self, state: &Governed, proposal: &Proposal, meaning: Meaning) -> bool {
        if !moves_mode(&proposal.act) {
            return meaning < Meaning::VOTES || !loosens(&proposal.act);
        }
        let after = self.what_if(state, proposal);
        if !self.permitted(&after).within(self.permitted(state)) {
            return false;
        }
        if meaning < Meaning::VOTES {
            return true;
        }
        // What time ends by now is not ended by the act.
        let mut before = state.clone();
        self.settle(&mut before, None, |_| false, &mut Vec::new());
        let mut gone = before.claims.iter().filter(|(key, claim)| after.claims.get(*key) != Some(*claim));
        gone.all(|gone| {
            let covers = |cover| self.covers(cover, gone, &after.mode);
            self.forbids_nothing(&gone.1.mode) || after.claims.iter().any(covers)
        })
    }

    /// Does a claim forbid all that another forbids, for as long as that one would?
    fn covers(&self, cover: Keyed<'_>, gone: Keyed<'_>, mode: &ModeId) -> bool {
        let modes = &self.policies.modes;
        modes.permits(&cover.1.mode).within(modes.permits(&gone.1.mode)) && self.outlasts(cover, gone, mode)
    }

    /// A claim that only a person ends outlasts all others. One that a condition ends, or that is over and only kept, may be
    /// gone at any moment, and outlasts nothing but itself; one with a time outlasts what is over by then.
    fn outlasts(&self, (key, cover): Keyed<'_>, (own, gone): Keyed<'_>, mode: &ModeId) -> bool {
        let endless = cover.spot.is_none() && cover.expires.is_none();
        if endless && !cover.over || self.is_left_by_people_alone(&cover.mode, mode) {
            return true;
        }
        if cover.over || gone.over || cover.spot.is_some() && (key, cover.spot) != (own, gone.spot) {
            return false;
        }
        let end = |claim: &Claim| claim.expires.unwrap_or(Time::NEVER);
        let alike = cover.mode == gone.mode || self.falls_anywhere(&gone.mode);
        alike && end(cover) >= end(gone)
    }

    /// Does a claim of it stand until a person ends it, where the mode is this one now? Its time may be over, but from it, and
    /// from what ranks as high, no rule leads below it; and where a higher one stands in its place, that forbids as much.
    fn is_left_by_people_alone(&self, claimed: &ModeId, mode: &ModeId) -> bool {
        let modes = &self.policies.modes;
        let (rank, permits) = (modes.rank(claimed), modes.permits(claimed));
        let mut above = modes.modes.iter().filter(|(_, mode)| mode.rank >= rank);
        modes.rank(mode) >= rank
            && above.all(|(from, declared)| {
                let mut below = modes.modes.iter().filter(|(_, mode)| mode.rank < rank).map(|(to, _)| to);
                declared.permits.within(permits) && !below.any(|to| modes.may_move_itself(from, to))
            })
    }

    /// May it fall to every lower mode without a person? Where it may not, a claim of it can outlast its own end.
    fn falls_anywhere(&self, mode: &ModeId) -> bool {
        let modes = &self.policies.modes;
        let mut below = modes.modes.keys().filter(|to| modes.rank(to) < modes.rank(mode));
        below.all(|to| modes.may_move_itself(mode, to))
    }

    /// Is all that any mode permits permitted by it, so that nothing comes of its end?
    fn forbids_nothing(&self, mode: &ModeId) -> bool {
        let modes = &self.policies.modes;
        modes.modes.values().all(|other| other.permits.within(modes.permits(mode)))
    }
}

/// Is more possible after it, whatever the mode? Nobody knows what other files permit. The end of a hold is asked about as a
/// hold besides, see [`Desk::questions`]: as a release it ends no claim.
fn loosens(act: &Act) -> bool {
    matches!(act, Act::Unblock { .. } | Act::EndSilence { .. } | Act::MakeToken(_) | Act::Activate { .. })
}
