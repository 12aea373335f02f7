//! `policies/notify.toml`: who is told when a person should know, and who hears of approvals.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::config::launches::{argv, surroundings, whole_path};
use crate::config::names::check_name;
use crate::config::probes::url_of;
use crate::config::reader::{Item, Table};
use crate::engine::{Notify, TaskNotices};
use crate::model::{Heartbeat, Launch, Receiver, ReceiverId, Setting, Span, Webhook};
use crate::say::Code;

/// So long a receiver may take, where nobody says otherwise.
const WITHIN: Span = Span::seconds(10);

/// One act has a minute in all, and three tries of a webhook have to fit in.
const LONGEST_TRY: Span = Span::seconds(15);

/// A command is tried once, and its keeper has a tree to kill.
const LONGEST_COMMAND: Span = Span::seconds(45);

/// What a password would be for.
const SIGNED: &str = "leave it out: the signature says who tells";

/// Where a heartbeat's secret can stand.
const FILED: &str = "let it stand elsewhere: `url_file = \"/etc/grace/heartbeat\"`";

pub(super) fn notify(root: &Table) -> Notify {
    let declared = root.table("receiver");
    let mut receivers = BTreeMap::new();
    let mut names = Vec::new();
    for (name, span, item) in declared.iter().flat_map(Table::named) {
        check_name("a receiver", name, root.file, span);
        names.push(name);
        let Some(table) = item.table() else { continue };
        let kind = table.need("kind", "the kinds are: `log`, `webhook`, `command`");
        let receiver = kind.and_then(|kind| receiver(&kind, &table));
        // One that cannot be understood stands here all the same: that rules name it is no mistake.
        receivers.insert(ReceiverId::from(name), receiver.unwrap_or(Receiver::Log));
    }
    let approvals = root.get("approvals").and_then(|item| named(&item, &names));
    let tasks = root.table("tasks").map(|table| tasks(&table, &names)).unwrap_or_default();
    let heartbeat = root.table("heartbeat").and_then(|table| heartbeat(&table));
    root.finish();
    Notify { receivers, approvals, tasks, heartbeat }
}

/// A heartbeat is sent this often, where nobody says otherwise.
const BEAT: Span = Span::minutes(1);

/// Who hears that Grace does her work.
fn heartbeat(table: &Table) -> Option<Heartbeat> {
    let written = table.get("url").and_then(|item| url_of(&item, FILED).filter(|url| is_private(&item, url)));
    let file = table.get("url_file").and_then(|item| whole_path(&item)).map(Setting::File);
    let name = table.get("url_env").and_then(|item| variable(&item)).map(Setting::Env);
    let found: Vec<Setting> = written.map(Setting::Plain).into_iter().chain(file).chain(name).collect();
    let said = ["url", "url_file", "url_env"].iter().filter(|key| table.get(key).is_some()).count();
    if said != 1 {
        let message = "a heartbeat is sent to one place";
        table.file.error(
            Code::MissingKey,
            table.head(),
            message,
            "write one of `url`, `url_file` and `url_env`",
        );
    }
    let every = table.get("every").and_then(|item| item.length()).unwrap_or(BEAT);
    let within = within(table, LONGEST_TRY, "whoever waits for it should hear of it soon");
    table.finish();
    Some(Heartbeat { url: found.into_iter().next()?, every, within })
}

/// A task is escalated after this, where nobody says otherwise.
const LOOKED_AT_WITHIN: Span = Span::minutes(60);

/// Who hears of tasks: of each, and of those that nobody looks at.
fn tasks(table: &Table, names: &[&str]) -> TaskNotices {
    let receiver = table.get("receiver").and_then(|item| named(&item, names));
    let after = table.get("after");
    let escalate = table.get("escalate").and_then(|item| named(&item, names));
    if let (Some(after), None) = (&after, &escalate) {
        let help = "say who is told then: `escalate = \"oncall\"`";
        after.error(Code::MissingKey, "`after` says when a task is escalated, and nobody is told", help);
    }
    let after = after.and_then(|item| item.length()).unwrap_or(LOOKED_AT_WITHIN);
    table.finish();
    TaskNotices { receiver, escalate: escalate.map(|receiver| (receiver, after)) }
}

/// Which receiver hears of requests for approval.
fn named(item: &Item, names: &[&str]) -> Option<ReceiverId> {
    let word = item.text()?;
    if !names.contains(&word) {
        let (message, known) = (format!("there is no receiver `{word}`"), (word, names.iter().copied()));
        item.file.unknown(Code::UnknownReceiver, item.span.clone(), message, known);
        return None;
    }
    Some(ReceiverId::from(word))
}

fn receiver(kind: &Item, table: &Table) -> Option<Receiver> {
    let found = match kind.one_of(&Receiver::WORDS)?.as_str() {
        "webhook" => webhook(table),
        "command" => command(table),
        _ => Some(Receiver::Log),
    };
    table.finish();
    found
}

fn webhook(table: &Table) -> Option<Receiver> {
    let url = table.need("url", "say where to: `url = \"https://example.org/grace\"`");
    let url = url.and_then(|item| url_of(&item, SIGNED).filter(|url| is_private(&item, url)));
    let help = "say what signs it: `secret_file = \"/etc/grace/webhook\"` or `secret_env = \"NAME\"`";
    let secret = match (table.get("secret_file"), table.get("secret_env")) {
        (Some(file), None) => whole_path(&file).map(Setting::File),
        (None, Some(name)) => variable(&name).map(Setting::Env),
        (None, None) => {
            let message = "a webhook needs a secret, or nobody could know that it is from Grace";
            table.file.error(Code::MissingKey, table.head(), message, help);
            None
        }
        (Some(_), Some(second)) => {
            second.error(Code::BadValue, "the secret stands in one place", "leave one of the two out");
            None
        }
    };
    let within = within(table, LONGEST_TRY, "an act has a minute in all, and there are three tries");
    Some(Receiver::Webhook(Webhook { url: url?, secret: secret?, within }))
}

fn variable(item: &Item) -> Option<String> {
    let name = item.text()?;
    if !name.is_empty() && !name.contains(['=', '\0']) {
        return Some(name.to_owned());
    }
    item.error(Code::BadName, format!("`{name}` cannot be a name here"), "write the name of a variable");
    None
}

/// What is told is not for everybody on the way: in clear it goes no further than this machine.
fn is_private(item: &Item, url: &str) -> bool {
    let here = is_private_url(url);
    if !here {
        let help =
            "write `https://`; plain `http://` is only for this machine: `http://127.0.0.1:8080/grace`";
        item.error(Code::BadValue, format!("`{}` would be told in clear", host(url)), help);
    }
    here
}

/// Is what is told there for nobody on the way: `https`, or in clear on this machine alone?
#[must_use]
pub fn is_private_url(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn host(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or(url)
}

fn command(table: &Table) -> Option<Receiver> {
    let words = table.need("argv", "say what is run: `argv = [\"/usr/local/bin/page-me\"]`");
    let argv = words.and_then(|item| argv(&item));
    let around = surroundings(table);
    let within = within(table, LONGEST_COMMAND, "an act has a minute in all");
    Some(Receiver::Command { launch: Launch { argv: argv?, around }, within })
}

fn within(table: &Table, longest: Span, why: &str) -> Span {
    let Some(item) = table.get("timeout") else { return WITHIN };
    let time = item.length().unwrap_or(WITHIN);
    if time > longest {
        item.error(Code::BadValue, format!("`timeout` is longer than {longest}"), why);
    }
    time
}
