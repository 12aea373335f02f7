//! `grace run`

use std::path::PathBuf;
use std::time::Duration;

use crate::api::{Listen, Server, Tcp, TlsFiles};
use crate::cli::asking::client::Client;
use crate::cli::asking::status;
use crate::cli::running::banner::Banner;
use crate::cli::running::log::{self, Log};
use crate::cli::running::service::{self, Service, Signals, Ticks};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::model::Span;
use crate::say;
use crate::supervisor::{self, ExitReason, Handle, Options, Running, StartError};

/// Answers under way get so long when Grace stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// Probes, acts and the API wait more than they work.
const THREADS: usize = 2;

/// What blocks (the journal, the process table, a tree that is being killed) needs no more threads than that; each
/// has a stack, and lives only while it is needed.
const BLOCKING_THREADS: usize = 64;

/// The parts' deepest calls are SQLite's.
const STACK: usize = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Signals: SIGTERM and Ctrl-C stop in good order. Files are read again whenever they are saved;\n\
                  SIGHUP has them read at once.\n\
                  GRACE_LOG says what is logged: `debug`, `grace::probe=trace,info`.\n\n\
                  Examples:\n  grace run\n  grace run --interval 2s --allow-faults     try it out\n  \
                  grace run --data /var/lib/grace --config /etc/grace --log json\n  \
                  grace run --once --output short              one look, for a script"
)]
pub(in crate::cli) struct Args {
    /// Where HTTP is answered: an address of loopback, with TLS any, or `off`
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7171", env = "GRACE_LISTEN")]
    listen: Listen,
    /// The certificate for TLS, as PEM; it is read anew when it is replaced
    #[arg(long, value_name = "FILE", env = "GRACE_TLS_CERTIFICATE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", env = "GRACE_TLS_KEY", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// How often everything is looked at, instead of what policies/system.toml says
    #[arg(long, value_name = "DURATION", value_parser = interval, env = "GRACE_INTERVAL")]
    interval: Option<Span>,
    /// Faults may be injected
    #[arg(long, env = "GRACE_ALLOW_FAULTS", value_parser = clap::builder::FalseyValueParser::new())]
    allow_faults: bool,
    /// Look once, do what follows from it, show how everything is, then stop; exits 1 when a component does not work
    #[arg(long)]
    once: bool,
    /// When Grace stops, the processes that she started stop as well
    #[arg(long, env = "GRACE_STOP_SERVICES", value_parser = clap::builder::FalseyValueParser::new())]
    stop_services: bool,
    /// Where signed checkpoints of the journal go, for a log forwarder; else `checkpoints` in the data directory
    #[arg(long, value_name = "FILE", env = "GRACE_CHECKPOINTS")]
    checkpoints: Option<PathBuf>,
    /// How the log is written
    #[arg(long, value_name = "FORMAT", default_value = "auto", env = "GRACE_LOG_FORMAT")]
    log: Log,
}

/// The shortest grid: below it probes would overtake each other.
const SHORTEST: Span = Span(100);

fn interval(text: &str) -> Result<Span, String> {
    let span = crate::config::duration(text).ok_or("write a duration such as `2s` or `30s`")?;
    if span < SHORTEST { Err(format!("an interval has at least {SHORTEST}")) } else { Ok(span) }
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    log::start(args.log);
    let (on_tick, ticks) = service::ticks();
    let options = Options {
        config: shared.config.clone(),
        data: shared.data.clone(),
        interval: args.interval,
        allow_faults: args.allow_faults,
        once: args.once,
        checkpoints: args.checkpoints.clone(),
        stop_services: args.stop_services,
        on_tick,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_stack_size(STACK)
        .thread_name("grace")
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let ended = runtime.block_on(serve(args, shared, &options, ticks, out));
    // Whatever still blocks (a probe that hangs) must not keep us.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(
    args: &Args,
    shared: &Shared,
    options: &Options,
    ticks: Ticks,
    out: Out,
) -> Result<Exit, Failure> {
    let signals = Signals::new()?;
    let tcp = listen(args, options)?;
    let running = supervisor::start(options).await.map_err(|error| told(error, out))?;
    let handle = running.handle();
    let server = match Server::start(&handle, tcp) {
        Ok(server) => server,
        Err(error) => {
            running.stop("the socket cannot be made");
            running.ended().await;
            return Err(error.into());
        }
    };
    greet(args, options, &handle, &server, out);
    let reason = Service::new(handle, ticks, signals).until_end().await;
    if args.once && reason.is_none() {
        // A verdict without its grounds helps nobody; who only wants the verdict has the exit code.
        let told = async { status::tell(&Client::new(shared)?, out).await };
        if let Err(error) = told.await {
            tracing::warn!(%error, "what the one tick found cannot be shown");
        }
    }
    finish(running, server, reason).await
}

/// What cannot work must fail before anything acts.
fn listen(args: &Args, options: &Options) -> Result<Option<Tcp>, Failure> {
    if args.once {
        return Ok(None);
    }
    let files = args.tls_certificate.clone().zip(args.tls_key.clone());
    let tls = files.map(|(certificate, key)| TlsFiles { certificate, key });
    Tcp::bind(args.listen, tls).map_err(|error| {
        // A Grace on the same data is the better explanation for a port in use.
        let socket = crate::api::find_socket(&options.data);
        let taken = std::os::unix::net::UnixStream::connect(socket).is_ok();
        if taken { StartError::AlreadyRunning { path: options.data.clone() }.into() } else { error.into() }
    })
}

/// The problems of the files are shown as `validate` shows them.
fn told(error: StartError, out: Out) -> Failure {
    if let StartError::Config(report) = &error {
        out.talk(say::human(report, false));
    }
    error.into()
}

fn greet(args: &Args, options: &Options, handle: &Handle, server: &Server, out: Out) {
    let bundle = &handle.published().bundle;
    let (socket, address) = (server.socket(), server.address());
    let lines = Banner { options, bundle, socket, url: server.url() }.lines();
    match args.log.chosen() {
        Log::Auto | Log::Human => lines.iter().for_each(|line| out.talk(line)),
        Log::Journald | Log::Json => tracing::info!(
            components = bundle.components.len(),
            generation = bundle.generation.as_str(),
            data = %options.data.display(),
            socket = %socket.display(),
            listen = address.map(tracing::field::display),
            "Grace is running"
        ),
    }
}

async fn finish(running: Running, server: Server, reason: Option<&str>) -> Result<Exit, Failure> {
    if let Some(reason) = reason {
        tracing::info!(reason, "stopping");
        running.stop(reason);
    }
    let (ended, ()) = tokio::join!(running.ended(), server.stop(FAREWELL));
    match ended {
        // Who stopped Grace wants no verdict; her one tick gives one.
        ExitReason::Stopped { well } if well || reason.is_some() => Ok(Exit::Clean),
        ExitReason::Stopped { .. } => Ok(Exit::Findings),
        ExitReason::Journal(why) => Err(Failure::JournalLost(why)),
        ExitReason::Lost => Err(Failure::Lost),
    }
}
