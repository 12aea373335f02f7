//! How a program is started: everything the rule file says of it, as plain data.

use std::collections::BTreeMap;

use crate::model::Span;

/// A program and its surroundings. No shell ever sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    /// The program and its arguments, word by word.
    pub argv: Vec<String>,
    /// Where it and its surroundings are said.
    pub around: Surroundings,
}

/// Where, as whom and within which bounds a program runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Its working directory; none means one of its own in the data directory.
    pub dir: Option<String>,
    /// The user it runs as; none means Grace's own.
    pub user: Option<String>,
    /// Its environment, besides the few names that every program needs.
    pub env: BTreeMap<String, Setting>,
    /// What the kernel lets it use.
    pub limits: BTreeMap<Limit, u64>,
}

/// A text that may be secret: written out, or named by where it stands.
///
/// What stands in a file or in Grace's environment is read when it is used, and is never kept or shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Written in the rule file.
    Plain(String),
    /// The text of this file, without the line break at its end.
    File(String),
    /// The value of this name in Grace's own environment.
    Env(String),
}

/// A bound that the kernel keeps for one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Open files and sockets.
    OpenFiles,
    /// Processes of its user.
    Processes,
    /// Address space, in bytes.
    MemoryBytes,
    /// The size of a core dump, in bytes.
    CoreBytes,
    /// The size of a file it writes, in bytes.
    FileBytes,
}

impl Limit {
    /// All of them, with the word files use.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::OpenFiles, "open_files"),
        (Self::Processes, "processes"),
        (Self::MemoryBytes, "memory_bytes"),
        (Self::CoreBytes, "core_bytes"),
        (Self::FileBytes, "file_bytes"),
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(limit, _)| *limit == self).map_or("", |(_, word)| word)
    }
}

/// How a component is started and stopped, where it is none of Grace's own parts.
///
/// A new kind is one variant here, one file in `services`, and what the compiler then asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlKind {
    /// Grace starts the processes herself and keeps them.
    Process(ProcessControl),
    /// Commands of somebody else start and stop it.
    Command(CommandControl),
}

/// Processes that Grace starts and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessControl {
    /// What is started.
    pub launch: Launch,
    /// The signal that asks it to end.
    pub stop_signal: StopSignal,
    /// So long it has to end by itself; then the whole tree is killed.
    pub stop_within: Span,
}

/// Commands that start and stop something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandControl {
    /// Starts it.
    pub start: Vec<String>,
    /// Stops it.
    pub stop: Vec<String>,
    /// Does both at once, where that is another command.
    pub restart: Option<Vec<String>>,
    /// Exits 0 where it runs.
    pub status: Option<Vec<String>>,
    /// What all of them run in.
    pub around: Surroundings,
    /// How long each may take.
    pub within: Span,
}

/// A signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopSignal {
    /// SIGTERM
    #[default]
    Term,
    /// SIGINT
    Int,
    /// SIGQUIT
    Quit,
    /// SIGHUP
    Hup,
}

impl StopSignal {
    /// All of them, with the word files use.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Term, "TERM"), (Self::Int, "INT"), (Self::Quit, "QUIT"), (Self::Hup, "HUP")];
}

impl ProcessControl {
    /// How processes are stopped of which nobody says any more what they are.
    #[must_use]
    pub fn unknown() -> Self {
        Self { launch: Launch::default(), stop_signal: StopSignal::Term, stop_within: Span::seconds(10) }
    }
}

impl ControlKind {
    /// The words files use for the kinds.
    pub const WORDS: [&'static str; 2] = ["process", "command"];

    /// Has it a number of workers that can be changed?
    #[must_use]
    pub fn has_workers(&self) -> bool {
        matches!(self, Self::Process(_))
    }
}
