//! What a keeper is told, over a pipe that nobody else reads.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::services::identity::Identity;

/// Grace's own file, even after it was replaced on the disk.
pub(in crate::services) const GRACE: &str = "/proc/self/exe";

/// Longer than any sensible description of a program.
pub(in crate::services) const LONGEST: u64 = 1 << 20;

/// A program to be started and kept.
#[derive(Serialize, Deserialize)]
pub(in crate::services) struct Spec {
    /// For whom: names the control group and stands in the environment.
    pub component: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The working directory.
    pub dir: PathBuf,
    /// The directory is the component's own, and is made where it is missing.
    pub own_dir: bool,
    /// The user.
    pub user: Option<String>,
    /// The environment. Some of it may be secret, which is why this has no `Debug`.
    pub env: BTreeMap<String, String>,
    /// What the kernel lets it use, by the words of the files.
    pub limits: BTreeMap<String, u64>,
    /// Texts that must not be kept or shown.
    pub secrets: Vec<String>,
    /// What it finds on its standard input; else that is empty.
    #[serde(default)]
    pub input: Option<String>,
    /// What it is started for.
    pub task: Task,
}

/// What a program is started for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::services) enum Task {
    /// To run on, whatever becomes of Grace.
    Serve {
        /// The folder where it is written down.
        place: PathBuf,
        /// Which worker it is.
        worker: u32,
    },
    /// To end and say something.
    Answer {
        /// In so many milliseconds; then the whole tree is killed.
        within_ms: u64,
        /// What it leaves running when it ends well is meant to run.
        leaves: bool,
    },
}

/// What a keeper answers, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services) enum Answer {
    /// It runs.
    Started(Identity),
    /// Something of this worker lives already.
    Taken,
    /// It could not be started.
    Failed(String),
    /// It ended by itself, or was ended because its time was over.
    Ended {
        /// Its exit code, 128 and more for a signal; nothing where its time was over.
        code: Option<i32>,
        /// What it said.
        output: String,
        /// What it complained of.
        errors: String,
    },
}
