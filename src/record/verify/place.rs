//! Where along the chain a walk is, and which entries may stand there.
//!
//! A step is written at one go: its tick, and behind it what was decided. So is a start or a reload: the start, the
//! generation that was taken over, and what came of that. Whatever a rule or a person decided stands in one of the two,
//! where it is derived again by `grace prove`; what the shell writes stands between them, and decides nothing.

use crate::model::{GenerationId, Origin, Record};
use crate::record::verify::Damage;

/// Behind which entry a walk is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// In the middle of a journal: nobody knows yet.
    #[default]
    Anywhere,
    /// Behind something whole.
    Between,
    /// In the step of the tick with this number.
    Step(i64),
    /// Behind a start, which names the generation that has to follow.
    Start(GenerationId),
    /// Behind the generation of a start or a reload.
    Adoption {
        /// Only a start says what it makes of a journal that was replaced, and of a crash loop.
        start: bool,
    },
}

impl Place {
    /// Where a tick leads to.
    pub(super) fn tick(&self, number: Option<i64>) -> Result<Self, Damage> {
        self.whole()?;
        Ok(number.map_or(Self::Anywhere, Self::Step))
    }

    /// Where an entry leads to that is no tick, or why it may not stand here.
    pub(super) fn entry(&self, record: &Record, tick: Option<i64>) -> Result<Self, Damage> {
        let origin = record.origin();
        if let Some(tick) = tick {
            let fits = matches!(self, Self::Anywhere) || *self == Self::Step(tick);
            return if fits && origin.is_step() { Ok(self.clone()) } else { Err(Damage::Place) };
        }
        match (self, record) {
            (Self::Start(named), Record::Generation { generation, .. }) if named == generation => {
                Ok(Self::Adoption { start: true })
            }
            (Self::Start(_), _) => Err(Damage::Start),
            (_, Record::Started { generation, .. }) => Ok(Self::Start(generation.clone())),
            (_, Record::Generation { .. }) => Ok(Self::Adoption { start: false }),
            (_, _) if origin == Origin::Shell => Ok(Self::Between),
            (Self::Adoption { start: false }, _) if origin == Origin::Adoption => Err(Damage::Place),
            (Self::Adoption { .. } | Self::Anywhere, _) if origin.is_adoption() => Ok(self.clone()),
            (..) => Err(Damage::Place),
        }
    }

    /// Where a state leads to that is kept here: the one of a start or a reload, or else of a step.
    pub(super) fn kept(&self, adopted: bool) -> Result<Self, Damage> {
        let fits = match self {
            Self::Adoption { .. } => adopted,
            Self::Step(_) => !adopted,
            Self::Anywhere => true,
            Self::Between | Self::Start(_) => false,
        };
        if fits { Ok(Self::Between) } else { Err(Damage::State) }
    }

    /// Nothing may end while something is missing.
    pub(super) fn whole(&self) -> Result<(), Damage> {
        if matches!(self, Self::Start(_)) { Err(Damage::Start) } else { Ok(()) }
    }
}
