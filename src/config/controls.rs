//! `[control]`: how a component is started and stopped.

use crate::config::launches::{argv, surroundings};
use crate::config::reader::{Item, Table};
use crate::model::{CommandControl, ControlKind, Launch, ProcessControl, Span, StopSignal};
use crate::say::Code;

/// So long a process has to end by itself, where nobody says otherwise.
const STOP_WITHIN: Span = Span::seconds(10);

/// So long a command may take, where nobody says otherwise.
const WITHIN: Span = Span::seconds(20);

/// One act has a minute in all; a stop and a start have to fit in.
const LONGEST: Span = Span::seconds(45);

/// Reads the control of a component.
pub(super) fn read(table: &Table) -> Option<ControlKind> {
    let kind = table.need("kind", "the kinds are `process` (Grace starts it) and `command` (commands do)");
    let word = kind.as_ref().and_then(Item::text);
    let control = match (word, kind) {
        (Some("process"), _) => process(table).map(ControlKind::Process),
        (Some("command"), _) => command(table).map(ControlKind::Command),
        (Some(other), Some(item)) => {
            let message = format!("there is no control kind `{other}`");
            item.file.unknown(Code::UnknownKind, item.span.clone(), message, (other, ControlKind::WORDS));
            return None;
        }
        _ => return None,
    };
    table.finish();
    control
}

fn process(table: &Table) -> Option<ProcessControl> {
    let words = table.need("argv", "say what is started: `argv = [\"/usr/bin/redis-server\"]`");
    let argv = words.and_then(|item| argv(&item));
    let around = surroundings(table);
    let stop = table.table("stop");
    let signal = stop.as_ref().and_then(|stop| stop.get("signal")).and_then(|item| {
        let word = item.one_of(&StopSignal::ALL.map(|(_, word)| word))?;
        StopSignal::ALL.into_iter().find(|(_, known)| *known == word).map(|(signal, _)| signal)
    });
    let within = stop.as_ref().and_then(|stop| time(stop, "within"));
    if let Some(stop) = &stop {
        stop.finish();
    }
    Some(ProcessControl {
        launch: Launch { argv: argv?, around },
        stop_signal: signal.unwrap_or_default(),
        stop_within: within.unwrap_or(STOP_WITHIN),
    })
}

fn command(table: &Table) -> Option<CommandControl> {
    let start = table.need("start", "say how it is started: `start = [\"systemctl\", \"start\", \"web\"]`");
    let stop = table.need("stop", "say how it is stopped: `stop = [\"systemctl\", \"stop\", \"web\"]`");
    let (start, stop) = (start.and_then(|item| argv(&item)), stop.and_then(|item| argv(&item)));
    let restart = table.get("restart").and_then(|item| argv(&item));
    let status = table.get("status").and_then(|item| argv(&item));
    let around = surroundings(table);
    let within = time(table, "within").unwrap_or(WITHIN);
    Some(CommandControl { start: start?, stop: stop?, restart, status, around, within })
}

fn time(table: &Table, key: &'static str) -> Option<Span> {
    let item = table.get(key)?;
    let time = item.length()?;
    if time > LONGEST {
        let message = format!("`{key}` is longer than {LONGEST}");
        item.error(Code::BadValue, message, "an act has a minute in all, and a restart has two halves");
        return None;
    }
    Some(time)
}
