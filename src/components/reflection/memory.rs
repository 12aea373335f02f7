//! What the reflection service remembers, and how it becomes a text: what happened, what keeps failing,
//! what changed since the last time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use serde_json::Value;

use crate::record::Event;

/// Happenings that are remembered: some hours of trouble, weeks of calm.
const REMEMBERED: usize = 1_000;

/// From so many failures on something "keeps failing".
const KEEPS_FAILING: u32 = 2;

/// Items a list names before it says how many more there are.
const NAMED: usize = 12;

/// One remembered event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happening {
    kind: String,
    subject: String,
    /// What changed, where something did.
    change: Option<String>,
    failed: bool,
}

/// The remembered past.
#[derive(Debug, Default)]
pub(super) struct Memory {
    past: VecDeque<Happening>,
    /// Those of them that came since the last reflection.
    fresh: usize,
}

impl Memory {
    /// Hears of an event. Writes that wait or are done say nothing of health, and reflections are writes.
    pub(super) fn hear(&mut self, event: &Event) {
        if event.kind.starts_with("write.") {
            return;
        }
        self.remember(Happening {
            kind: event.kind.clone(),
            subject: event.subject.clone().unwrap_or_else(|| "grace".into()),
            change: change(&event.kind, &event.data),
            failed: failed(&event.kind, &event.data),
        });
    }

    fn remember(&mut self, happening: Happening) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(happening);
        self.fresh = (self.fresh + 1).min(self.past.len());
    }

    /// The reflection of this moment.
    pub(super) fn reflect(&self) -> String {
        let fresh = || self.past.iter().skip(self.past.len() - self.fresh);
        let mut happened = BTreeMap::new();
        for one in fresh() {
            *happened.entry(format!("{} {}", one.kind, one.subject)).or_insert(0) += 1;
        }
        let mut failing = BTreeMap::new();
        for one in self.past.iter().filter(|one| one.failed) {
            *failing.entry(one.subject.clone()).or_insert(0) += 1;
        }
        failing.retain(|_, count| *count >= KEEPS_FAILING);
        let changes: Vec<String> = fresh().filter_map(|one| one.change.clone()).collect();
        let mut text = String::new();
        say(&mut text, "Happened", "nothing", &counted(&happened));
        say(&mut text, "Keeps failing", "nothing", &counted(&failing));
        say(&mut text, "Changed", "nothing", &changes);
        text
    }

    /// The reflection was accepted: what it told is no longer fresh.
    pub(super) fn told(&mut self) {
        self.fresh = 0;
    }
}

fn counted(counts: &BTreeMap<String, u32>) -> Vec<String> {
    counts
        .iter()
        .map(|(what, n)| if *n == 1 { what.clone() } else { format!("{what} ({n} times)") })
        .collect()
}

fn say(text: &mut String, what: &str, none: &str, items: &[String]) {
    let gap = if text.is_empty() { "" } else { " " };
    let named: Vec<&str> = items.iter().take(NAMED).map(String::as_str).collect();
    let _ = match (named.is_empty(), items.len().saturating_sub(NAMED)) {
        (true, _) => write!(text, "{gap}{what}: {none}."),
        (false, 0) => write!(text, "{gap}{what}: {}.", named.join(", ")),
        (false, more) => write!(text, "{gap}{what}: {}, and {more} more.", named.join(", ")),
    };
}

fn change(kind: &str, data: &Value) -> Option<String> {
    let word = |name: &str| data.get(name).and_then(Value::as_str);
    match kind {
        "health.mode_changed" => Some(format!("mode {} to {}", word("from")?, word("to")?)),
        "health.component_failed" | "health.component_recovered" | "health.status_changed" => {
            Some(format!("{} {} to {}", word("component")?, word("from")?, word("to")?))
        }
        "config.generation_activated" => Some("the rules".into()),
        _ => None,
    }
}

fn failed(kind: &str, data: &Value) -> bool {
    match kind {
        "health.component_failed" | "health.healing_relapsed" => true,
        "health.healing_finished" => data.get("result").and_then(Value::as_str) == Some("failed"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happening(kind: &str, subject: &str, data: &Value) -> Happening {
        let (change, failed) = (change(kind, data), failed(kind, data));
        Happening { kind: kind.into(), subject: subject.into(), change, failed }
    }

    fn failure(component: &str) -> Happening {
        let data = serde_json::json!({ "component": component, "from": "ok", "to": "critical" });
        happening("health.component_failed", component, &data)
    }

    #[test]
    fn calm_is_told_in_a_line() {
        assert_eq!(
            Memory::default().reflect(),
            "Happened: nothing. Keeps failing: nothing. Changed: nothing."
        );
    }

    #[test]
    fn what_is_told_is_told_once_and_what_keeps_failing_stays_known() {
        let mut memory = Memory::default();
        memory.remember(failure("database"));
        memory.remember(failure("database"));
        assert_eq!(
            memory.reflect(),
            "Happened: health.component_failed database (2 times). Keeps failing: database (2 times). \
             Changed: database ok to critical, database ok to critical."
        );
        memory.told();
        assert_eq!(
            memory.reflect(),
            "Happened: nothing. Keeps failing: database (2 times). Changed: nothing."
        );
    }

    #[test]
    fn a_storm_neither_fills_the_memory_nor_the_text() {
        let mut memory = Memory::default();
        for number in 0..REMEMBERED * 2 {
            memory.remember(failure(&format!("part{number}")));
        }
        assert_eq!(memory.past.len(), REMEMBERED);
        let text = memory.reflect();
        assert!(text.len() < 4_096 && text.contains("and 988 more"), "{text}");
    }
}
