//! What files cannot show: is the program there, is the user, does the port answer? It looks and never acts:
//! nothing is started, nothing is said to a port, no secret is shown.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::net::TcpStream;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::evaluate::Component;
use crate::model::{ControlKind, Heartbeat, HttpProbe, ProbeKind, Receiver, Setting, Surroundings, Whose};
use crate::say::{Code, Diagnostic, Place};
use crate::services::able;
use crate::services::find::{by_name, by_pid_file};
use crate::services::ready::{self, Lack, Need};
use crate::services::seal::Seal;
use crate::services::table::Table;

/// So long a port has to accept.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tries what the components of these files need; `texts` are the files, for the places.
#[must_use]
pub fn check<'b>(
    components: impl Iterator<Item = &'b Component>,
    texts: &BTreeMap<Arc<str>, Arc<str>>,
    data: &Path,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    writable(data, &mut found);
    for component in components {
        let name = format!("rules/{}.toml", component.id);
        let mut look = Look { file: texts.get_key_value(name.as_str()), found: &mut found };
        match &component.control {
            Some(ControlKind::Process(control)) => look.launch(&control.launch.argv, &control.launch.around),
            Some(ControlKind::Command(control)) => {
                let all = [
                    Some(&control.start),
                    Some(&control.stop),
                    control.restart.as_ref(),
                    control.status.as_ref(),
                ];
                all.into_iter().flatten().for_each(|argv| look.launch(argv, &control.around));
            }
            None => {}
        }
        component.probes.iter().for_each(|probe| look.probe(&probe.kind));
    }
    found
}

/// Tries what the receivers and the heartbeat of these files need; nobody is told anything.
#[must_use]
pub fn receivers<'b>(
    receivers: impl Iterator<Item = &'b Receiver>,
    heartbeat: Option<&Heartbeat>,
    texts: &BTreeMap<Arc<str>, Arc<str>>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut look = Look { file: texts.get_key_value("policies/notify.toml"), found: &mut found };
    for receiver in receivers {
        match receiver {
            Receiver::Log => {}
            Receiver::Webhook(hook) => look.setting(&hook.secret),
            Receiver::Command { launch, .. } => look.launch(&launch.argv, &launch.around),
        }
    }
    if let Some(heartbeat) = heartbeat {
        look.setting(&heartbeat.url);
    }
    found
}

/// Can Grace keep anything there?
fn writable(data: &Path, found: &mut Vec<Diagnostic>) {
    let nearest = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    if !able::own(nearest, able::WRITE | able::ENTER) {
        let message = format!("the data directory {} cannot be written", data.display());
        found.push(
            Diagnostic::error(Code::LiveDirectory, message)
                .help("name another with `--data`, or give Grace's user the right to it"),
        );
    }
}

/// What that is which is no regular file.
fn kind(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Looks at one component.
struct Look<'l> {
    file: Option<(&'l Arc<str>, &'l Arc<str>)>,
    found: &'l mut Vec<Diagnostic>,
}

impl Look<'_> {
    /// Says something about a text that stands in the file.
    fn say(&mut self, warning: bool, code: Code, about: &str, message: String, help: &str) {
        let found =
            if warning { Diagnostic::warning(code, message) } else { Diagnostic::error(code, message) };
        let place = self.file.map(|(name, text)| {
            // The whole text in its quotes; a longer one may only begin so.
            let quoted =
                ['"', '\''].into_iter().find_map(|quote| text.find(&format!("{quote}{about}{quote}")));
            match quoted.map(|at| at + 1).or_else(|| text.find(about)) {
                Some(at) => Place::new(name, at..at + about.len()),
                None => Place::new(name, 0..0),
            }
        });
        let found = place.into_iter().fold(found, Diagnostic::at);
        self.found.push(found.help(help));
    }

    /// What `services::ready` says of it, as problems of the file.
    fn lack(&mut self, lack: &Lack) {
        let (code, help) = match lack.need {
            Need::User => (Code::LiveUser, "make the user, or name another"),
            Need::Become => (Code::LiveUser, "run Grace as root or as that user"),
            Need::Program => (Code::LiveProgram, "install it, or write its whole path"),
            Need::Run => (Code::LiveProgram, "is it a program, and may that user run it?"),
            Need::Folder => (Code::LiveDirectory, "make it, or let that user in"),
            Need::Setting(_) => {
                (Code::LiveSetting, "a setting is read when it is needed; then this would fail")
            }
            Need::Limit => (Code::LiveUser, "only root can raise a limit"),
        };
        self.say(!lack.certain, code, &lack.about, lack.why.clone(), help);
    }

    fn launch(&mut self, argv: &[String], around: &Surroundings) {
        for lack in ready::lacks(argv, around) {
            self.lack(&lack);
        }
    }

    fn setting(&mut self, setting: &Setting) {
        if let Some(lack) = ready::unreadable("", setting) {
            self.lack(&lack);
        }
    }

    fn probe(&mut self, kind: &ProbeKind) {
        match kind {
            ProbeKind::Builtin | ProbeKind::Guard | ProbeKind::Process(Whose::Own) => {}
            ProbeKind::Process(Whose::PidFile { path, name }) => self.pid_file(path, name.as_deref()),
            ProbeKind::Process(Whose::Name { name, user }) => {
                let uid = match ready::who(user.as_deref()) {
                    Ok(who) => user.as_ref().map(|_| who.uid),
                    Err(lack) => return self.lack(&lack),
                };
                if by_name(&Table::read(), name, uid).is_empty() {
                    let message = format!("no process is called {name} now");
                    self.say(
                        true,
                        Code::LivePort,
                        name,
                        message,
                        "is it the program's name, without its path?",
                    );
                }
            }
            ProbeKind::Tcp(tcp) => {
                tcp.send.iter().for_each(|setting| self.setting(setting));
                self.port(&tcp.address, &tcp.address);
            }
            ProbeKind::Http(http) => self.http(http),
            ProbeKind::File(file) => self.file(&file.path),
            ProbeKind::Command(command) => self.launch(&command.launch.argv, &command.launch.around),
        }
    }

    /// Can the probe see all of it? Nothing is opened: a pipe would wait for whoever writes into it.
    fn file(&mut self, path: &str) {
        let found = match std::fs::metadata(path) {
            Ok(found) => found,
            Err(error) => {
                let message = format!("{path}: {error}");
                return self.say(true, Code::LivePort, path, message, "is the path right?");
            }
        };
        if !found.is_file() {
            let message = format!("{path} is {}, and a `file` probe looks at a regular file", kind(&found));
            return self.say(true, Code::LivePort, path, message, "all its facts are unknown: name a file");
        }
        if found.len() > Seal::LARGEST {
            let largest = Seal::LARGEST / (1024 * 1024);
            let message = format!("{path} is larger than {largest} MiB, and its content is not compared");
            let help = "`file_changed` is unknown as long as it is so large; the other facts are told";
            self.say(true, Code::LivePort, path, message, help);
        }
    }

    fn pid_file(&mut self, path: &str, name: Option<&str>) {
        match by_pid_file(Path::new(path), name, None) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let message = format!("{path} names no process that runs now");
                self.say(
                    true,
                    Code::LivePort,
                    path,
                    message,
                    "does the service run, and does it write this file?",
                );
            }
            Err(why) => {
                self.say(
                    false,
                    Code::LivePort,
                    path,
                    why,
                    "Grace believes only a file that nobody else could have made",
                );
            }
        }
    }

    fn http(&mut self, http: &HttpProbe) {
        http.headers.values().for_each(|setting| self.setting(setting));
        let secure = http.url.starts_with("https:");
        let rest = http.url.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let usual = if secure { 443 } else { 80 };
        let address = if has_port { host.to_owned() } else { format!("{host}:{usual}") };
        self.port(&address, &http.url);
    }

    /// Does the port accept? Nothing is said to it.
    fn port(&mut self, address: &str, about: &str) {
        let found = std::net::ToSocketAddrs::to_socket_addrs(address);
        let why = match found.map(Iterator::collect::<Vec<_>>) {
            Err(why) => why.to_string(),
            Ok(all) => {
                let mut last = "the name has no address".to_owned();
                for one in all {
                    match TcpStream::connect_timeout(&one, PATIENCE) {
                        Ok(_) => return,
                        Err(why) => last = why.to_string(),
                    }
                }
                last
            }
        };
        let message = format!("{address} does not accept: {why}");
        self.say(
            true,
            Code::LivePort,
            about,
            message,
            "if the service does not run now, that is no mistake of the file",
        );
    }
}
