//! What the words of a test mean: components and modes of the generation, times of day.

use crate::config::reader::Item;
use crate::engine::Bundle;
use crate::model::{ComponentId, Span, Time};
use crate::replay::moment::Stamp;
use crate::say::{Code, suggest};

/// A day that tests lie in; only the time of day is ever written.
pub(super) const DAY: Time = Time(20_000 * 86_400_000);

/// What the names in a test can stand for.
pub(super) struct Names<'b> {
    pub(super) bundle: &'b Bundle,
    /// The component that is meant where none is named.
    pub(super) own: Option<ComponentId>,
}

impl Names<'_> {
    pub(super) fn component(&self, item: &Item) -> Option<ComponentId> {
        let word = item.text()?;
        let id = ComponentId::from(word);
        if self.bundle.components.contains_key(&id) {
            return Some(id);
        }
        let help = suggest(word, self.bundle.components.keys().map(ComponentId::as_str));
        item.error(Code::UnknownComponent, format!("there is no component `{word}`"), help);
        None
    }

    pub(super) fn mode(&self, item: &Item) -> Option<String> {
        let modes = &self.bundle.policies.modes.modes;
        let words: Vec<&str> = modes.keys().map(crate::model::ModeId::as_str).collect();
        item.one_of(&words)
    }
}

/// A time of day that an expectation names.
pub(super) fn stamp(item: &Item) -> Option<Stamp> {
    let at = time(item)?;
    // Ticks have whole milliseconds.
    Some(Stamp { at, fine: item.text()?.contains('.') })
}

/// A time of day, to the second or finer: `12:00:30`, `12:00:30.250`.
pub(super) fn time(item: &Item) -> Option<Time> {
    let text = item.text()?;
    let parsed = humantime::parse_rfc3339(&format!("1970-01-01T{text}Z")).ok();
    let since = parsed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    if since.is_none() {
        item.error(
            Code::BadValue,
            format!("`{text}` is no time of day"),
            "write hours, minutes and seconds: \"12:00:30\"",
        );
    }
    since.map(|since| DAY + Span::from(since))
}
