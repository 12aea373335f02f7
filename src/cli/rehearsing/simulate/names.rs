//! What patterns over acts can name: everything that can happen under a set of rules. A pattern that meets nothing of it is a
//! slip, and would never do what it is there for.

use crate::cli::terminal::failure::Failure;
use crate::engine::Bundle;
use crate::evaluate::Component;
use crate::replay::Pattern;
use crate::say::suggest;

/// Requests of people whose names hold what only their author knows.
const FREE: [&str; 7] =
    ["release ", "hold ", "end hold ", "silence ", "end silence ", "make token ", "revoke token "];

/// Refuses a pattern that can mean none of these names; `what` says where it stands.
pub(super) fn check(
    pattern: &Pattern,
    what: &str,
    possible: &[String],
    means: impl Fn(&Pattern, &str) -> bool,
) -> Result<(), Failure> {
    let text = pattern.text();
    let is_slip = text.trim().is_empty() || !possible.iter().any(|name| means(pattern, name));
    if !is_slip {
        return Ok(());
    }
    let help = suggest(text, possible.iter().map(String::as_str));
    Err(Failure::Usage(format!("{what} could never meet anything; {help}")))
}

/// Everything that can be done under these rules, as a report names it.
pub(super) fn deeds(rules: &Bundle, pattern: &Pattern) -> Vec<String> {
    let modes: Vec<String> = rules.policies.modes.modes.keys().map(|mode| format!("mode {mode}")).collect();
    let of = |component: &Component| {
        let all = own(component).chain(people(pattern)).chain(modes.iter().cloned());
        all.map(|action| format!("{action} {}", component.id)).collect::<Vec<_>>()
    };
    // What people change of the mode, and what it falls back to by itself, is Grace's.
    let hers = modes.iter().map(|mode| format!("{mode} grace"));
    let told = rules.notify.receivers.keys().map(|receiver| format!("notify {receiver} grace"));
    rules.components.values().flat_map(of).chain(hers).chain(told).collect()
}

/// Everything that can wait for approval under these rules.
pub(super) fn requests(rules: &Bundle, pattern: &Pattern) -> Vec<String> {
    let modes = rules.policies.modes.modes.keys();
    let modes: Vec<String> = modes.map(|mode| format!("set_mode {mode}")).collect();
    let of = |component: &Component| {
        let wanted = own(component).map(|action| match action.strip_prefix("mode ") {
            Some(mode) => format!("set_mode {mode}"),
            None => action,
        });
        let all = wanted.chain(people(pattern)).chain(["unblock".to_owned()]).chain(modes.iter().cloned());
        all.map(|action| format!("{action} {}", component.id)).collect::<Vec<_>>()
    };
    let free = FREE.iter().filter(|words| pattern.text().starts_with(**words));
    let free = free.map(|_| pattern.text().to_owned());
    rules.components.values().flat_map(of).chain(modes.iter().cloned()).chain(free).collect()
}

/// What a component's rules do; the steps of one try are one act.
fn own(component: &Component) -> impl Iterator<Item = String> {
    let rules = component.rules.iter();
    rules.flat_map(|rule| {
        let single = rule.acts.iter().chain(&rule.on_failure).map(|item| item.what.label());
        let steps: Vec<String> = rule
            .acts
            .iter()
            .filter(|item| matches!(item.what, crate::evaluate::What::Heal(_)))
            .map(|item| item.what.label())
            .collect();
        single.chain([steps.join(", ")]).filter(|label| !label.is_empty()).collect::<Vec<_>>()
    })
}

/// What people can do to any component: restart it, and scale it to whatever number the pattern names.
fn people(pattern: &Pattern) -> impl Iterator<Item = String> {
    let numbers = pattern.text().split(|letter: char| !letter.is_ascii_digit());
    let numbers: Vec<String> = numbers.filter(|number| !number.is_empty()).map(str::to_owned).collect();
    let scaled = numbers.into_iter().chain(["1".to_owned()]).map(|number| format!("scale {number}"));
    ["restart".to_owned()].into_iter().chain(scaled)
}
