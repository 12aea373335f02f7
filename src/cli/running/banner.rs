//! What `grace run` says at start: what is watched, what is armed, where data lies, how to stop.

use std::collections::BTreeMap;
use std::path::Path;

use crate::engine::Bundle;
use crate::evaluate::{Component, Rule};
use crate::supervisor::Options;

/// Everything there is to say.
pub(super) struct Banner<'a> {
    /// How Grace was started.
    pub(super) options: &'a Options,
    /// The active generation.
    pub(super) bundle: &'a Bundle,
    /// Where the socket lies.
    pub(super) socket: &'a Path,
    /// Where TCP is listened on.
    pub(super) url: Option<&'a str>,
}

impl Banner<'_> {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let generation: String = self.bundle.generation.as_str().chars().take(12).collect();
        let mut lines = vec![format!(
            "Grace {} watches {} components every {}; rules and policies of {} (generation {generation})",
            env!("CARGO_PKG_VERSION"),
            self.bundle.components.len(),
            self.bundle.system.interval,
            self.options.config.display(),
        )];
        lines.extend(self.armed());
        lines.push(format!("data    {}", self.options.data.display()));
        lines.push(format!("socket  {}", self.socket.display()));
        if let Some(url) = self.url {
            lines.push(format!("listens {url} (changes need a token: `grace token create`)"));
        }
        if self.options.allow_faults {
            lines.push("faults  can be injected: this is no way to run in production".into());
        }
        let stop = self.options.data.join("STOP");
        lines.push(format!("stop    Ctrl-C or SIGTERM; `touch {}` stops all healing", stop.display()));
        lines
    }

    /// What is armed: each component's own rules, and those that are written once for all.
    fn armed(&self) -> Vec<String> {
        const EACH: &str = "(each)";
        let components = &self.bundle.components;
        let wide = components.keys().map(|id| id.as_str().len()).chain([EACH.len()]).max().unwrap_or(0);
        let line = |name: &str, says: String| format!("  {name:wide$}  {says}");
        let mut lines: Vec<String> = components
            .values()
            .map(|one| line(one.id.as_str(), rules(one.rules.iter().filter(|rule| !is_shared(one, rule)))))
            .collect();
        let shared = components.values().flat_map(|one| one.rules.iter().filter(|rule| is_shared(one, rule)));
        let shared: BTreeMap<&str, &Rule> = shared.map(|rule| (rule.table(), rule)).collect();
        if !shared.is_empty() {
            lines.push(line(EACH, rules(shared.into_values())));
        }
        lines
    }
}

/// A rule that was written once for each component.
fn is_shared(component: &Component, rule: &Rule) -> bool {
    rule.file != format!("rules/{}.toml", component.id)
}

/// The rules with what each may do.
fn rules<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let rules: Vec<String> = rules.map(rule).collect();
    if rules.is_empty() { "is only watched".into() } else { rules.join("; ") }
}

fn rule(rule: &Rule) -> String {
    let acts: Vec<String> = rule.acts.iter().map(|item| item.what.label()).collect();
    format!("{}: {}", rule.table(), acts.join(", "))
}
