//! `grace unit`

mod lines;
mod quote;

use std::path::{Component, Path, PathBuf};

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::config;
use crate::model::Span;

/// Where an installed Grace has her files, and what she is called there.
const CONFIG: &str = "/etc/grace";
const DATA: &str = "/var/lib/grace";
const USER: &str = "grace";

/// The tick where nobody said another: that of the shipped files.
const TICK: Span = Span::seconds(30);

/// Older ones lack too much of what the unit asks for.
const OLDEST: u16 = 247;

#[derive(Debug, clap::Args)]
#[command(after_help = "Without --config and --data the unit is for /etc/grace and /var/lib/grace.\n\n\
                  Examples:\n  grace unit > /etc/systemd/system/grace.service\n  \
                  grace unit --systemd 253 --writable /var/lib/redis\n  \
                  grace unit --user root --stop-services --config /srv/grace --data /srv/grace/data")]
pub(in crate::cli) struct Args {
    /// The version of systemd; 253 and newer learn of a reload's end from Grace herself
    #[arg(long, value_name = "VERSION", default_value = "252", value_parser = version)]
    systemd: u16,
    /// The user that Grace and what she starts run as; root: less is locked away
    #[arg(long, value_name = "NAME", default_value = USER, value_parser = user)]
    user: String,
    /// The path of the program, from the root down; without it that of this one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// A directory that what Grace starts may write; may be given several times
    #[arg(long, value_name = "DIR")]
    writable: Vec<PathBuf>,
    /// Stopping Grace stops what she started
    #[arg(long)]
    stop_services: bool,
}

/// Everything a unit says that is not always the same.
struct Wanted {
    systemd: u16,
    user: String,
    binary: String,
    config: String,
    data: String,
    writable: Vec<String>,
    stop_services: bool,
    tick: Span,
    /// Who else may use the socket.
    socket_group: Option<String>,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let config = installed(&shared.config, ".", CONFIG);
    let data = installed(&shared.data, "./data", DATA);
    let (tick, socket_group) = system(&config, out)?;
    let wanted = Wanted {
        systemd: args.systemd,
        user: args.user.clone(),
        binary: binary(args.binary.as_deref())?,
        config: place("--config", &config)?,
        data: place("--data", &data)?,
        writable: args.writable.iter().map(|dir| place("--writable", dir)).collect::<Result<_, _>>()?,
        stop_services: args.stop_services,
        tick,
        socket_group,
    };
    out.line(lines::of(&wanted).trim_end())?;
    Ok(Exit::Clean)
}

/// The program: this one, where no other is named.
fn binary(said: Option<&Path>) -> Result<String, Failure> {
    let refuse = |why: String| Err(Failure::Usage(why));
    let path = match said {
        None => std::env::current_exe().map_err(|error| {
            Failure::Usage(format!("where this program lies is unknown ({error}); name it with --binary"))
        })?,
        Some(path) if path.is_relative() => {
            let path = path.display();
            return refuse(format!(
                "--binary {path} does not begin at the root; write /usr/bin/grace or the like"
            ));
        }
        Some(path) => path.to_owned(),
    };
    if path.as_os_str().as_encoded_bytes().contains(&b'\'') {
        return refuse(format!(
            "--binary {} has a quote in it, and systemd starts no such program",
            path.display()
        ));
    }
    place("--binary", &path)
}

/// What a service means where nobody said anything: not the directory that this verb happens to run in.
fn installed(said: &Path, unsaid: &str, installed: &str) -> PathBuf {
    if said == Path::new(unsaid) { installed.into() } else { said.to_owned() }
}

/// What the files say about Grace herself.
fn system(config: &Path, out: Out) -> Result<(Span, Option<String>), Failure> {
    if !config.join("policies").exists() {
        out.talk(format_args!(
            "{} holds no policies yet: WatchdogSec= is that of a tick of {TICK}",
            config.display()
        ));
        return Ok((TICK, None));
    }
    let loaded = config::load(config).map_err(|report| {
        let says =
            report.diagnostics.first().map_or_else(String::new, |first| format!(": {}", first.message));
        let config = config.display();
        Failure::Usage(format!(
            "the rules and policies of {config} are not valid{says}; see `grace validate {config}`"
        ))
    })?;
    Ok((loaded.bundle.system.interval, loaded.bundle.system.socket_group))
}

/// A path as a unit can hold it: from the root down, in one piece, without what systemd reads as something else.
fn place(flag: &str, path: &Path) -> Result<String, Failure> {
    let refuse = |why: &str| Failure::Usage(format!("{flag} {:?} {why}", path.display().to_string()));
    let path = std::path::absolute(path).map_err(|error| refuse(&format!("cannot be used: {error}")))?;
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(refuse("goes up with `..`; write the way from the root down"));
    }
    let text = path.to_str().ok_or_else(|| refuse("is not UTF-8, and a unit is"))?;
    if text.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
        return Err(refuse(
            "has a line end, another control character, a double quote or a backslash; rename it",
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn version(text: &str) -> Result<u16, String> {
    let version: u16 =
        text.parse().map_err(|_| "write the number that `systemctl --version` begins with, such as `252`")?;
    if version < OLDEST { Err(format!("the unit needs systemd {OLDEST} or newer")) } else { Ok(version) }
}

/// As strict as systemd is about names in a unit.
fn user(text: &str) -> Result<String, String> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.starts_with(first) && text.chars().all(rest) && text.len() < 32 {
        Ok(text.to_owned())
    } else {
        Err("a user's name has up to 31 letters, digits, `_` and `-`, and no digit at the front".into())
    }
}
