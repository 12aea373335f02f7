//! The daemon's log: `tracing` on stderr, for people or as JSON.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts the log. `GRACE_LOG` says what is logged: `debug`, `grace::probe=trace,info`.
pub(super) fn start(log: Log) {
    let info = LevelFilter::INFO.into();
    let filter = EnvFilter::builder().with_default_directive(info).with_env_var("GRACE_LOG").from_env_lossy();
    // A line that cannot be written, because the disk of the log is full, is lost; to complain of that on the same
    // stderr would end Grace.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .log_internal_errors(false);
    // There is a log already only where a test made one.
    let _ = match log {
        Log::Human => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        Log::Json => builder.json().flatten_event(true).try_init(),
    };
}
