//! Modes as `policies/modes.toml` declares them: ranked, each with what it permits and where it may go.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{By, ModeId, Writes};

/// The declared modes.
#[derive(Debug, Clone)]
pub struct Modes {
    /// The mode Grace begins with.
    pub initial: ModeId,
    /// Each mode.
    pub modes: BTreeMap<ModeId, Mode>,
}

/// One mode.
#[derive(Debug, Clone)]
pub struct Mode {
    /// The highest-ranked claim is the mode.
    pub rank: i64,
    /// What it permits.
    pub permits: Permitted,
    /// Where rules may move it.
    pub to_rule: Edges,
    /// Where people may move it.
    pub to_person: Edges,
}

/// Where a mode may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edges {
    /// Anywhere: `["*"]`.
    Any,
    /// To these.
    To(BTreeSet<ModeId>),
}

/// What is permitted; with several claims, what every claimed mode permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permitted {
    /// Heal acts by rules.
    pub heal: bool,
    /// Heal acts by people.
    pub control: bool,
    /// What happens to writes.
    pub writes: Writes,
}

impl Permitted {
    /// The words that files use.
    pub const WORDS: [&'static str; 3] = ["heal", "control", "write"];

    /// What both permit; of writes reject beats queue beats allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            heal: self.heal && other.heal,
            control: self.control && other.control,
            writes: self.writes.max(other.writes),
        }
    }

    /// Is everything that this permits permitted by the other as well?
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        self.and(other) == self
    }

    /// The words for what is permitted.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let write = self.writes == Writes::Allow;
        let all = [(self.heal, "heal"), (self.control, "control"), (write, "write")];
        all.into_iter().filter(|(permitted, _)| *permitted).map(|(_, word)| word).collect()
    }
}

impl Modes {
    /// The mode that no claim is needed for: the lowest.
    #[must_use]
    pub fn lowest(&self) -> &ModeId {
        self.modes.iter().min_by_key(|(_, mode)| mode.rank).map_or(&self.initial, |(id, _)| id)
    }

    /// The mode for a Grace who must not act by herself: `observation_only` where it is declared and heals nothing,
    /// else the lowest that heals nothing, else the highest.
    #[must_use]
    pub fn watchful(&self) -> &ModeId {
        let still = |(_, mode): &(&ModeId, &Mode)| !mode.permits.heal;
        let named = self.modes.get_key_value("observation_only").filter(still);
        let lowest = || self.modes.iter().filter(still).min_by_key(|(_, mode)| mode.rank);
        let highest = || self.modes.iter().max_by_key(|(_, mode)| mode.rank);
        named.or_else(lowest).or_else(highest).map_or(&self.initial, |(id, _)| id)
    }

    /// Is it a mode for an emergency: one in which rules heal nothing, and that no rule leaves?
    #[must_use]
    pub fn is_emergency(&self, id: &ModeId) -> bool {
        let shut = |mode: &Mode| !mode.permits.heal && mode.to_rule == Edges::To(BTreeSet::new());
        self.modes.get(id).is_some_and(shut)
    }

    /// The rank of a mode; one that is not declared ranks above all, for it must never loosen anything.
    #[must_use]
    pub fn rank(&self, id: &ModeId) -> i64 {
        self.modes.get(id).map_or(i64::MAX, |mode| mode.rank)
    }

    /// What a mode permits; one that is not declared permits nothing.
    #[must_use]
    pub fn permits(&self, id: &ModeId) -> Permitted {
        let nothing = Permitted { heal: false, control: false, writes: Writes::Reject };
        self.modes.get(id).map_or(nothing, |mode| mode.permits)
    }

    /// May this one move the mode so?
    #[must_use]
    pub fn may_move(&self, by: &By, from: &ModeId, to: &ModeId) -> bool {
        match by {
            By::Rule { .. } => self.may_move_itself(from, to),
            By::Person { .. } => self.modes.get(from).is_none_or(|mode| mode.to_person.lead(to)),
        }
    }

    /// May the mode move so without a person, by a rule's claim or because one ended?
    #[must_use]
    pub fn may_move_itself(&self, from: &ModeId, to: &ModeId) -> bool {
        self.modes.get(from).is_none_or(|mode| mode.to_rule.lead(to))
    }
}

impl Edges {
    fn lead(&self, to: &ModeId) -> bool {
        match self {
            Self::Any => true,
            Self::To(modes) => modes.contains(to),
        }
    }
}
