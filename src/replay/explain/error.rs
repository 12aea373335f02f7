//! What can be asked and has no answer.

use crate::model::{ActId, GenerationId, Time};
use crate::replay::source::HistoryError;

/// Why a tick cannot be found.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum FindError {
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// There is no tick in it.
    #[error("the history holds no tick yet")]
    Empty,
    /// It does not reach there.
    #[error("{at} lies outside of the history, which goes from {from} to {to}")]
    Outside { at: Time, from: Time, to: Time },
    /// What was read then is no longer kept.
    #[error("the readings of {at} have expired; the oldest that are kept are of {kept}")]
    Expired { at: Time, kept: Time },
    /// What was read then was taken out of the record.
    #[error(
        "the record has a hole at {at} or before it: readings or states are gone that have not expired, and what was decided \
         then cannot be decided again; the next state that is kept is of {kept}; run `grace prove`"
    )]
    Lost { at: Time, kept: Time },
    /// No act has this number.
    #[error("there is no act {act} in the history; the newest is act {newest}")]
    NoAct { act: ActId, newest: ActId },
    /// The act was made, and what was read then is no longer kept.
    #[error("act {act} was made before the readings that are kept")]
    ActExpired { act: ActId },
    /// What was read when the act was made, or before it, was taken out of the record.
    #[error(
        "act {act} was made where the record has a hole: readings or states are gone that have not expired; run `grace prove`"
    )]
    ActLost { act: ActId },
    /// The record says that the act was made, and its own inputs do not give it.
    #[error(
        "the record contradicts itself: act {act} is written down at {at}, and does not come out of the recorded inputs \
         under the recorded rules; run `grace prove`"
    )]
    Contradicted { act: ActId, at: Time },
    /// The rules of then are not valid for this version.
    #[error("the rules of then (generation {generation}) cannot be read by this version of Grace")]
    Rules { generation: GenerationId },
}

/// Why nothing can be said of a rule or an act.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum NameError {
    /// There is no such rule.
    #[error("there is no rule `{word}`: {help}")]
    Unknown { word: String, help: String },
    /// There is more than one.
    #[error("`{word}` can be one of {choices}")]
    Several { word: String, choices: String },
    /// The tick did not make it.
    #[error("this tick did not make act {act}")]
    NotMade { act: ActId },
}
