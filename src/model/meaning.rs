//! Which meaning of the rules decided a tick: Grace learns, and what was decided before can still be decided again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A meaning of rules and policies. It goes into a tick with everything else, and so stands in the journal: a replay
/// decides each tick as it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Meaning(u32);

impl Meaning {
    /// The one of journals that name none.
    pub const FIRST: Self = Self(0);

    /// Requests for approval keep what was known when they were asked, and are void when the component is well again
    /// or a mode forbids the act.
    pub const EVIDENCE: Self = Self(1);

    /// Tasks of rules have numbers, and are remembered until somebody closes them.
    pub const TASKS: Self = Self(2);

    /// Requests for approval keep which person asked, and glass is only broken where nobody else may decide.
    pub const PEOPLE: Self = Self(3);

    /// Signals of an attack are remembered, what was known is frozen with security events, and blocks have bounds.
    pub const SIGNALS: Self = Self(4);

    /// How the tries of each rule end is counted, and recommendations are remembered until they are reviewed.
    pub const RECOMMENDATIONS: Self = Self(5);

    /// What waits for approval when an emergency begins is void.
    pub const VOID: Self = Self(6);

    /// People: a vote for a request stands as long as the token it was given with, no token decides what was asked before it
    /// was made, and one that has ended asks nothing, nor what still waits. What waits ends no other claim than there was, a
    /// revision of the mode is never there again, who else may decide is told by names, too, and one person in two
    /// spellings is one. Of two holds, or silences, the longer stays, and who takes the place of one, or of a claim, is told so.
    /// Of what a rule does by hand all is done or nothing. An act that ends a claim is stricter only where another forbids as
    /// much for as long, and what ends a hold, a silence or a block is not.
    ///
    /// History: what begins in planned downtime, or stands at the first look of all or behind a start, is no failure that
    /// counts. What a recommendation is reviewed by counts from when it is accepted.
    ///
    /// Telling: what failed together is not told as failing at once again. What is told about several is kept back where each of
    /// them is silenced; which failures nobody wanted to hear of is remembered, and what a silence keeps back of tasks,
    /// approvals and broken glass is told when it ends. Nobody looked at a task: that is said where it is told.
    ///
    /// Healing: it ends once, and is over where its reason is gone, its rule is another one, or no try can claim what became
    /// well. Nothing is tried while its condition is unknown, and where nobody saw a try fail, or looked in time, it has not
    /// failed; what an edited rule says of it, or one that cannot be read, is no outcome. What healed may relapse behind other
    /// tries, and what a rule healed on what works where it fires again. An act ends when the hands say so, whatever files say
    /// meanwhile. Of many that want it the critical ones come first, and then whoever waited longest. How many acts are in
    /// flight is asked behind what a component has spent.
    pub const VOTES: Self = Self(7);

    /// For journals that name none.
    #[must_use]
    pub fn first() -> Self {
        Self::FIRST
    }

    /// Journals of the first one do not name it.
    #[must_use]
    pub fn is_first(&self) -> bool {
        *self == Self::FIRST
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for Meaning {
    /// The newest.
    fn default() -> Self {
        Self::VOTES
    }
}
