//! The daemon's log: `tracing` on stderr, for people, for systemd's journal, or as JSON.

use std::fmt;
use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{Compact, Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// `journald` where stderr is systemd's journal, else `human`.
    Auto,
    /// For people.
    Human,
    /// For systemd's journal: each line begins with its priority, and the journal knows when it came.
    Journald,
    /// One JSON object a line.
    Json,
}

impl Log {
    /// Which it is in the end.
    pub(super) fn chosen(self) -> Self {
        match self {
            Self::Auto if is_journal(std::env::var("JOURNAL_STREAM").ok().as_deref()) => Self::Journald,
            Self::Auto => Self::Human,
            chosen => chosen,
        }
    }
}

/// Is stderr the stream to the journal that systemd named? Whoever redirects it elsewhere inherits the name.
fn is_journal(named: Option<&str>) -> bool {
    let Some((device, inode)) = named.and_then(|named| named.split_once(':')) else { return false };
    let own = rustix::fs::fstat(io::stderr());
    own.is_ok_and(|own| own.st_dev.to_string() == device && own.st_ino.to_string() == inode)
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
    let _ = match log.chosen() {
        Log::Auto | Log::Human => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        Log::Journald => {
            let plain = tracing_subscriber::fmt::format().with_target(false).without_time().with_level(false);
            builder.with_ansi(false).event_format(Prioritised(plain.compact())).try_init()
        }
        Log::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// A line with its priority before it, as sd-daemon(3) says.
struct Prioritised(Format<Compact, ()>);

impl<S, N> FormatEvent<S, N> for Prioritised
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}

/// The priority of syslog(3).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}
