//! Writes to Grace's working database. All of them pass the write gate.

use serde::{Deserialize, Serialize};

use crate::model::{TaskDeed, Time};

/// One write, complete: it can wait in the journal and be done later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum Write {
    /// A task for people.
    Task {
        /// What to do.
        text: String,
        /// Who asks.
        by: String,
        /// When it was asked.
        at: Time,
    },
    /// Somebody did something about a task of a person.
    TaskChanged {
        /// Which.
        seq: i64,
        /// What.
        what: TaskDeed,
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: Time,
    },
    /// What the reflection service found.
    Reflection {
        /// The finding.
        text: String,
        /// When it was made.
        at: Time,
    },
    /// A job for the executor.
    Job {
        /// The job.
        job: Job,
        /// When it was given.
        at: Time,
    },
    /// A job is done, well or not.
    JobDone {
        /// The job's key.
        key: String,
        /// What came of it.
        result: String,
        /// When it ended.
        at: Time,
    },
}

/// Work for the executor's workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Sum up an incident that ended, from the journal.
    SumUp {
        /// The component.
        component: String,
        /// The journal's sequence number of the incident's end.
        seq: i64,
    },
    /// Deliver a notification that is not urgent, or whose urgent delivery failed.
    Deliver {
        /// The receiver.
        receiver: String,
        /// The text.
        text: String,
    },
}
