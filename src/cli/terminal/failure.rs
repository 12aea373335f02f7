//! Why a verb did not do its work: the sentence, the hint and the exit code of each reason.

use std::io;
use std::path::PathBuf;

use crate::api::{ListenError, Problem, SocketError, code};
use crate::cli::terminal::exit::Exit;
use crate::record::{ExportedError, FiguresError, JournalError};
use crate::replay::HistoryError;
use crate::replay::incident::IncidentError;
use crate::store::ArchiveError;
use crate::supervisor::{BackupError, StartError};

/// Why a verb did not do its work.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Failure {
    #[error("Grace cannot be reached at {}: {why}", socket.display())]
    Unreachable { socket: PathBuf, why: String },
    #[error("{}", .0.detail)]
    Problem(Problem),
    #[error("Grace did not answer in time")]
    TimedOut,
    #[error("the answer is not what this version understands: {0}")]
    Answer(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Figures(#[from] FiguresError),
    #[error(transparent)]
    Exported(#[from] ExportedError),
    #[error(transparent)]
    Incident(#[from] IncidentError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("{0}")]
    Usage(String),
    /// What was looked at is not as it should be.
    #[error("{0}")]
    Finding(String),
    #[error("cannot read {}: {why}", path.display())]
    Unread { path: PathBuf, why: io::Error },
    #[error("cannot write {}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    #[error("the journal failed ({0}): start Grace again, she will look at it anew")]
    JournalLost(String),
    #[error("the supervisor ended in a way it never should; the log above says more")]
    Lost,
    #[error("cannot start a runtime: {0}")]
    Runtime(io::Error),
    #[error("cannot write: {0}")]
    Output(io::Error),
    /// Whoever read our output has seen enough.
    #[error("nobody reads on")]
    Closed,
}

impl Failure {
    /// The exit code.
    pub(in crate::cli) fn exit(&self) -> Exit {
        match self {
            Self::Closed => Exit::Clean,
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::TimedOut => Exit::TimedOut,
            Self::Problem(problem) => of_code(&problem.code),
            Self::Backup(
                BackupError::Broken { .. }
                | BackupError::Differs { .. }
                | BackupError::Archive(ArchiveError::Invalid { .. }),
            )
            | Self::Finding(_)
            | Self::Answer(_)
            | Self::JournalLost(_)
            | Self::Lost => Exit::Findings,
            Self::Journal(_)
            | Self::Figures(_)
            | Self::Exported(_)
            | Self::Incident(_)
            | Self::History(_)
            | Self::Backup(_)
            | Self::Start(_)
            | Self::Listen(_)
            | Self::Socket(_)
            | Self::Usage(_)
            | Self::Unread { .. }
            | Self::File { .. }
            | Self::Output(_)
            | Self::Runtime(_) => Exit::Usage,
        }
    }

    /// What to do about it, where that is known.
    pub(in crate::cli) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { why, .. } if why.contains("denied") => {
                Some("the socket is for the user and the group that Grace runs as")
            }
            Self::Unreachable { .. } => {
                Some("start it with `grace run`, or name its directory with `--data`")
            }
            _ => None,
        }
    }
}

fn of_code(word: &str) -> Exit {
    match word {
        code::REFUSED
        | code::OVER
        | code::REFUSED_BY_MODE
        | code::FAULTS_NOT_ALLOWED
        | code::UNKNOWN_CALLER
        | code::FORBIDDEN
        | code::TOO_FAST => Exit::Refused,
        code::INVALID | code::NOT_FOUND | code::FOREIGN_HOST => Exit::Usage,
        code::STOPPING => Exit::Unreachable,
        code::TIMED_OUT => Exit::TimedOut,
        _ => Exit::Findings,
    }
}
