//! What a walk along the chain finds, and what can be wrong with an entry.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a walk along the chain found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// So many entries hold, up to the first that does not.
    pub entries: u64,
    /// So many of them are ticks whose readings are there and hold.
    pub readings: u64,
    /// So many of them are ticks whose readings have expired.
    pub expired: u64,
    /// So many of them are ticks that do not say which state came of them. Only the first versions wrote such, and nothing
    /// shows that it was one of them.
    #[serde(default)]
    pub unsaid: u64,
    /// The hash of the last entry that holds, in hex. Kept elsewhere, it proves that what came before is
    /// still the same.
    pub head: String,
    /// The first entry that does not hold.
    pub broken: Option<Broken>,
    /// What around the entries is not as Grace makes it, a sentence each: views that show something else, triggers that
    /// are gone, indexes that leave entries out, rows that belong to none. The entries may hold all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<String>,
}

impl Verified {
    /// Do all entries hold?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.broken.is_none()
    }
}

/// The first entry that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "damage", rename_all = "snake_case")]
pub enum Damage {
    /// It is not there, and a later one is.
    Missing,
    /// It does not carry the hash of the entry before.
    Link,
    /// Its hash is not the hash of what it says.
    Hash,
    /// The readings of this tick are not those that were recorded.
    Readings,
    /// The readings of this tick are gone and have not expired.
    ReadingsMissing,
    /// The state kept with it, or its digest, is not that of what came of it.
    State,
    /// A state was kept with it, or with the entries that belong to it, and is gone though its readings are there.
    StateMissing,
    /// It names an earlier meaning of the rules than the ticks before it, or than the version of Grace knows.
    Meaning,
    /// It is the newest, and readings are said to have expired that the files of their time keep.
    Retention,
    /// It was the last, and the journal ends before it.
    End,
    /// The first line of an export, which says what it is, was changed.
    First,
    /// The last line of an export, which says how many entries there are, does not fit.
    Last,
    /// Its columns say something else than its record.
    Columns,
    /// It stands where nothing of its kind is written: what is decided stands with its tick, or with the start or
    /// the reload that it came of.
    Place,
    /// It is a start, and no generation follows it, or another one than it names.
    Start,
    /// Its record cannot be read.
    Record,
    /// A signed checkpoint says that it was another.
    Signed,
    /// It is the newest, and the moment of its commit, from which Grace's time goes on, was changed.
    Moment,
    /// There are no entries to walk along: a table or a part of one is gone.
    Tables,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is missing",
            Self::Link => "it does not carry the hash of the entry before",
            Self::Hash => "its text or its hash was changed",
            Self::Readings => "its readings were changed",
            Self::ReadingsMissing => "its readings are gone and have not expired",
            Self::State => "the state kept with it was changed, or is not the one that came of it",
            Self::StateMissing => "the state that was kept with it is gone, and has not expired",
            Self::Meaning => {
                "it says that it was decided by an earlier meaning of the rules than the version that ran had: what \
                 shows which state came of it was taken away"
            }
            Self::Retention => {
                "it is the newest, and readings are marked as expired that `retention` still keeps: the mark was changed"
            }
            Self::End => "the journal ends before it",
            Self::First => "the first line, which says what the file is, is not as it was written",
            Self::Last => {
                "the last line, which says how many entries there are, does not fit what is before it"
            }
            Self::Columns => {
                "what stands beside its record (kind, event, component, act or tick) does not follow from it"
            }
            Self::Place => {
                "nothing of its kind is written there: it belongs to no step, start or reload that decided it"
            }
            Self::Start => "it is a start, and the generation that it names does not follow it",
            Self::Record => "its record is none that Grace writes",
            Self::Signed => "it is not the entry that was signed",
            Self::Moment => "the moment at which it was written, from which Grace's time goes on, was changed",
            Self::Tables => "the tables that hold it are gone, or are others",
        })
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.seq, self.damage)
    }
}
