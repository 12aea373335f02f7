//! `[probe.NAME]`: how facts are obtained, kind by kind.

use crate::config::launches::{argv, setting, settings, size, surroundings, whole_path};
use crate::config::names::check_name;
use crate::config::reader::{Item, Table};
use crate::model::{
    BUILTINS, CommandProbe, ComponentId, ControlKind, FactSpec, FileProbe, Format, HttpProbe, Launch,
    ProbeKind, ProbeSpec, Span, TcpProbe, Whose, builtin,
};
use crate::say::{Code, suggest};

/// Probes that say nothing of their time have this much: half of a usual tick would delay its neighbours.
const TIMEOUT: Span = Span::seconds(2);

/// A command starts a program first.
const COMMAND_TIMEOUT: Span = Span::seconds(10);

/// So much of a body is read, where nobody says otherwise.
const BODY_BYTES: u64 = 64 * 1024;

/// No body is read further: it is held in memory.
const MOST_BODY_BYTES: u64 = 4 * 1024 * 1024;

/// Where a password belongs.
const HEADER: &str = "write it as a header from a file: `headers = { authorization = { file = \"...\" } }`";

/// Whose probe it is.
pub(super) struct Owner<'d> {
    pub(super) id: &'d ComponentId,
    pub(super) control: Option<&'d ControlKind>,
    /// A control is declared, whether or not it can be read.
    pub(super) controlled: bool,
}

/// Reads one probe; nothing where it cannot be understood, and then a problem says why.
pub(super) fn read(name: &str, table: &Table, owner: &Owner) -> Option<ProbeSpec> {
    let kinds: Vec<String> = ProbeKind::WORDS.iter().map(|word| format!("`{word}`")).collect();
    let item = table.need("kind", &format!("the kinds are: {}", kinds.join(", ")))?;
    let timeout = table.get("timeout").and_then(|item| item.length());
    let kind = match item.text()? {
        "builtin" => own_part(&item, owner),
        "guard" => Some(ProbeKind::Guard),
        "process" => process(table, &item, owner),
        "tcp" => tcp(table),
        "http" => http(table),
        "file" => file(table),
        "command" => command(table, &item, owner),
        other => {
            let message = format!("there is no probe kind `{other}`");
            item.file.unknown(Code::UnknownKind, item.span.clone(), message, (other, ProbeKind::WORDS));
            return None;
        }
    };
    table.finish();
    let usual = if matches!(kind, Some(ProbeKind::Command(_))) { COMMAND_TIMEOUT } else { TIMEOUT };
    Some(ProbeSpec { name: name.to_owned(), timeout: timeout.unwrap_or(usual), kind: kind? })
}

fn own_part(item: &Item, owner: &Owner) -> Option<ProbeKind> {
    if builtin(owner.id.as_str()).is_some() {
        return Some(ProbeKind::Builtin);
    }
    let message = format!("`{}` is none of Grace's own parts, which `builtin` asks", owner.id);
    let help = suggest(owner.id.as_str(), BUILTINS.iter().map(|known| known.component));
    item.error(Code::UnknownComponent, message, help);
    None
}

fn process(table: &Table, item: &Item, owner: &Owner) -> Option<ProbeKind> {
    let file = table.get("pid_file");
    let named = table.get("name");
    let name = named.as_ref().and_then(program);
    if named.is_some() && name.is_none() {
        // It belongs to the name, and is no mistake besides.
        let _ = table.get("user");
        return None;
    }
    Some(ProbeKind::Process(match (file, name) {
        (Some(file), name) => Whose::PidFile { path: whole_path(&file)?, name },
        (None, Some(name)) => {
            Whose::Name { name, user: table.get("user").and_then(|item| item.text().map(str::to_owned)) }
        }
        (None, None) if owner.control.is_some_and(ControlKind::has_workers) => Whose::Own,
        // Why the control cannot be read is told already.
        (None, None) if owner.controlled && owner.control.is_none() => return None,
        (None, None) => {
            let help = "name it: `pid_file = \"/run/web.pid\"` or `name = \"web\"`; or let Grace start it: `[control]` with `kind = \"process\"`";
            item.error(Code::MissingKey, "which process? Grace does not start this component", help);
            return None;
        }
    }))
}

fn program(item: &Item) -> Option<String> {
    let name = item.text()?;
    if !name.is_empty() && !name.contains('/') {
        return Some(name.to_owned());
    }
    item.error(Code::BadValue, format!("`{name}` is no name of a program"), "write it without its path");
    None
}

fn tcp(table: &Table) -> Option<ProbeKind> {
    let address = table.need("address", "say where: `address = \"127.0.0.1:6379\"`");
    let address = address.and_then(|item| address_of(&item));
    let send = table.get("send").and_then(|item| setting(&item));
    let expect = table.get("expect").and_then(|item| text(&item));
    Some(ProbeKind::Tcp(TcpProbe { address: address?, send, expect }))
}

/// `host:port`, and `[::1]:port`.
fn address_of(item: &Item) -> Option<String> {
    let text = item.text()?;
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains([' ', '/']));
    if port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Some(text.to_owned());
    }
    let help = "write host and port: `127.0.0.1:6379` or `[::1]:6379`";
    item.error(Code::BadValue, format!("`{text}` is no address"), help);
    None
}

fn file(table: &Table) -> Option<ProbeKind> {
    let path = table.need("path", "say which: `path = \"/etc/systemd/system/web.service\"`");
    path.and_then(|item| whole_path(&item)).map(|path| ProbeKind::File(FileProbe { path }))
}

fn text(item: &Item) -> Option<String> {
    let text = item.text()?;
    if text.is_empty() {
        item.error(
            Code::BadValue,
            format!("`{}` is empty, and everything holds that", item.name),
            "leave it out",
        );
        return None;
    }
    Some(text.to_owned())
}

fn http(table: &Table) -> Option<ProbeKind> {
    let url = table.need("url", "say what is asked: `url = \"http://127.0.0.1:8080/health\"`");
    let url = url.and_then(|item| url_of(&item, HEADER));
    let method = table.get("method").and_then(|item| item.one_of(&["GET", "HEAD", "OPTIONS"]));
    let headers = table.get("headers").map(|item| settings(&item)).unwrap_or_default();
    let body = table.get("body").and_then(|item| text(&item));
    let body_max = table.get("body_max");
    let most = body_max.as_ref().and_then(size);
    if let (Some(item), Some(most)) = (&body_max, most)
        && most > MOST_BODY_BYTES
    {
        let help = format!("at most {MOST_BODY_BYTES} bytes are read");
        item.error(Code::BadValue, "so much of a body is not read", help);
    }
    let redirects = table.get("redirects").and_then(|item| item.whole(0..11));
    Some(ProbeKind::Http(HttpProbe {
        url: url?,
        method: method.unwrap_or_else(|| "GET".into()),
        headers,
        body,
        body_max: most.unwrap_or(BODY_BYTES),
        redirects: redirects.and_then(|most| u32::try_from(most).ok()).unwrap_or(0),
    }))
}

/// An address of a web server, without a password in it.
pub(super) fn url_of(item: &Item, instead: &str) -> Option<String> {
    let text = item.text()?;
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    match host {
        Some(host) if host.contains('@') => {
            item.error(Code::BadValue, "a URL is shown to everybody, and no place for a password", instead);
            None
        }
        Some(host) if !host.is_empty() && !text.contains([' ', '\n']) => Some(text.to_owned()),
        _ => {
            let help = "write it whole: `http://127.0.0.1:8080/health`";
            item.error(Code::BadValue, format!("`{text}` is no URL of a web server"), help);
            None
        }
    }
}

fn command(table: &Table, item: &Item, owner: &Owner) -> Option<ProbeKind> {
    let words = table.get("argv");
    let own = matches!(owner.control, Some(ControlKind::Command(control)) if control.status.is_some());
    if words.is_none() && !own {
        let help = "`argv = [\"/usr/lib/nagios/plugins/check_load\"]`, or `status = [...]` in `[control]`";
        item.error(Code::MissingKey, "what is run?", help);
    }
    let argv = words.as_ref().and_then(argv);
    let format = table.get("format").and_then(|item| {
        let word = item.one_of(&Format::ALL.map(|(_, word)| word))?;
        Format::ALL.into_iter().find(|(_, known)| *known == word).map(|(format, _)| format)
    });
    let format = format.unwrap_or_default();
    let facts = table.get("facts").map(|item| declared(&item, format)).unwrap_or_default();
    let around = surroundings(table);
    if words.is_some() && argv.is_none() {
        return None;
    }
    let launch = Launch { argv: argv.unwrap_or_default(), around };
    Some(ProbeKind::Command(CommandProbe { launch, format, facts }))
}

/// The facts in a command's output: `facts = { queue = "count" }`, or `{ free_bytes = { from = "/", type = "measure" } }`.
fn declared(item: &Item, format: Format) -> Vec<(String, FactSpec)> {
    if format == Format::Exit {
        let help = "say how the output is read: `format = \"json\"`, \"pairs\" or \"nagios\"";
        item.error(
            Code::BadValue,
            "a command that only ends says nothing that facts could be read from",
            help,
        );
    }
    let entries = item.table().map(|table| table.named()).unwrap_or_default();
    let mut found = Vec::new();
    for (name, span, value) in entries {
        let taken = CommandProbe::taken(format);
        if taken.contains(&name) {
            let message = format!("every command says `{name}` already");
            item.file.error(
                Code::Duplicate,
                span,
                message,
                "take another name, with `from` to say what it is",
            );
        } else if check_name("a fact", name, item.file, span) {
            found.extend(fact(name, &value));
        }
    }
    found
}

fn fact(name: &str, item: &Item) -> Option<(String, FactSpec)> {
    let (word, from) = if item.value.as_table().is_some() {
        let table = item.table()?;
        let help = "say its type: `type = \"measure\"`";
        let word = table.need("type", help).and_then(|item| item.one_of(&CommandProbe::TYPES));
        let from = table.get("from").and_then(|item| item.text().map(str::to_owned));
        table.finish();
        (word?, from)
    } else {
        (item.one_of(&CommandProbe::TYPES)?, None)
    };
    let spec = CommandProbe::declared(name, &word)?;
    Some((from.unwrap_or_else(|| name.to_owned()), spec))
}
