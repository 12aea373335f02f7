//! The figures of a window as a page.

use crate::cli::rehearsing::report::page::{Block, Page};
use crate::figures::{Component, Figures, Healing, Lengths, Measures, Percent};
use crate::model::{Outcome, Span};

/// Outcomes as a table tells them: those that count, and behind them those that do not.
const OUTCOMES: [Outcome; 8] = [
    Outcome::Healed,
    Outcome::Relapsed,
    Outcome::NoEffect,
    Outcome::Worse,
    Outcome::Failed,
    Outcome::TimedOut,
    Outcome::HealedByItself,
    Outcome::Unknown,
];

/// There is no figure.
const NONE: &str = "-";

pub(super) fn page(found: &Figures) -> Page {
    Page {
        title: format!("Figures from {} to {}", found.since, found.until),
        lines: covered(found),
        blocks: vec![
            availability(found),
            incidents(found),
            healing(found),
            rules(found),
            modes(found),
            recommendations(found),
        ],
    }
}

/// The figures that people ask for first, a line for each component.
pub(super) fn short(found: &Figures) -> String {
    let line = |(name, one): (&str, &Measures)| {
        let (uptime, recovery) = (percent(one.uptime_percent), length(one.recovery.mean_s));
        format!("{name} uptime {uptime}, recovery {recovery}, success {}", percent(one.success_percent))
    };
    all(found).map(line).collect::<Vec<_>>().join("\n")
}

/// Every component, and at the end all of them together.
fn all(found: &Figures) -> impl Iterator<Item = (&str, &Measures)> {
    let each = found.components.iter().map(|one| (one.component.as_str(), &one.measures));
    each.chain([("all", &found.overall)])
}

/// What of the window is known at all.
fn covered(found: &Figures) -> Vec<String> {
    let mut lines =
        vec![format!("Grace looked for {}, and did not for {}.", found.observed_s, found.unobserved_s)];
    if let Some(begins) = &found.begins {
        lines.push(format!("The journal begins at {begins}: nothing before that is covered."));
    }
    if found.clock_steps > 0 {
        let (by, word) =
            (found.clock_stepped_s.0, if found.clock_stepped_s.0 < 0 { "back" } else { "forward" });
        let (steps, by) = (found.clock_steps, Span(by.saturating_abs()));
        lines.push(format!(
            "The wall clock was stepped {steps} times, by {by} {word} in all; these times are Grace's own, which were not."
        ));
    }
    let gone = found.components.iter().filter_map(|one| Some((&one.component, one.ended.as_ref()?)));
    lines.extend(gone.map(|(name, ended)| format!("{name} is no longer declared since {ended}.")));
    if found.left_out > 0 {
        lines.push(format!("{} more that are no longer declared are left out.", found.left_out));
    }
    lines
}

fn availability(found: &Figures) -> Block {
    let row = |(name, one): (&str, &Measures)| {
        let now = one.failures_now.map_or_else(|| NONE.to_owned(), |now| now.to_string());
        vec![
            name.to_owned(),
            percent(one.uptime_percent),
            one.up_s.to_string(),
            one.warn_s.to_string(),
            one.down_s.to_string(),
            one.planned_s.to_string(),
            one.unknown_s.to_string(),
            one.unobserved_s.to_string(),
            format!("{now}, worst {}", one.failures_worst),
        ]
    };
    Block {
        title: "Availability".into(),
        head: vec![
            "component",
            "uptime",
            "up",
            "of it warn",
            "down",
            "planned",
            "unknown",
            "unobserved",
            "failures in a row",
        ],
        rows: all(found).map(row).collect(),
        lines: Vec::new(),
    }
}

fn incidents(found: &Figures) -> Block {
    let row = |(name, one): (&str, &Measures)| {
        let left =
            if one.incidents_left > 0 { format!(", {} left", one.incidents_left) } else { String::new() };
        vec![
            name.to_owned(),
            one.incidents_begun.to_string(),
            format!("{}{left}", one.incidents_ended),
            one.incidents_open.to_string(),
            length(one.recovery.mean_s),
            length(one.recovery.p50_s),
            length(one.recovery.p95_s),
            mean(&one.detection),
            mean(&one.reaction),
            mean(&one.healing),
        ]
    };
    Block {
        title: "Incidents".into(),
        head: vec![
            "component",
            "begun",
            "ended",
            "open",
            "recovery",
            "p50",
            "p95",
            "detection at most",
            "reaction",
            "healing",
        ],
        rows: all(found).map(row).collect(),
        lines: Vec::new(),
    }
}

fn healing(found: &Figures) -> Block {
    let row = |(name, one): (&str, &Measures)| {
        let mut row = vec![name.to_owned(), percent(one.success_percent), one.tries_counted.to_string()];
        let count = |outcome: Outcome| one.tries.get(outcome.word()).copied().unwrap_or(0).to_string();
        row.extend(OUTCOMES.map(count));
        row.extend([one.downtime_caused_s, one.downtime_ended_s].map(|length| length.to_string()));
        row
    };
    Block {
        title: "Healing".into(),
        head: vec![
            "component",
            "success",
            "tries",
            "healed",
            "relapsed",
            "no effect",
            "worse",
            "failed",
            "timed out",
            "by itself",
            "unknown",
            "downtime caused",
            "ended",
        ],
        rows: all(found).map(row).collect(),
        lines: Vec::new(),
    }
}

/// How well each healing rule heals.
fn rules(found: &Figures) -> Block {
    let of = |one: &Component| {
        let name = one.component.clone();
        let row = move |healing: &Healing| {
            let between = healing.success_between_percent;
            vec![
                name.clone(),
                healing.rule.clone(),
                healing.action.clone(),
                percent(healing.success_percent),
                between.map_or_else(|| NONE.to_owned(), |[low, high]| format!("{low} to {high}")),
                healing.healed.to_string(),
                healing.tries_counted.to_string(),
            ]
        };
        one.healings.iter().map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = found.components.iter().flat_map(of).collect();
    let lines =
        if rows.is_empty() { vec!["No try of a rule ended that counts.".to_owned()] } else { Vec::new() };
    Block {
        title: "Healing rules".into(),
        head: vec!["component", "rule", "action", "success", "with 95 % between", "healed", "tries"],
        rows,
        lines,
    }
}

/// What came of what was recommended.
fn recommendations(found: &Figures) -> Block {
    let of = &found.recommendations;
    let row =
        [of.helped, of.did_not_help, of.made_it_worse, of.not_enough_data].map(|count| count.to_string());
    let rows = vec![row.into_iter().chain([percent(of.hit_percent)]).collect()];
    Block {
        title: "Recommendations accepted and reviewed".into(),
        head: vec!["helped", "did not help", "made it worse", "not enough data", "hit rate"],
        rows,
        lines: Vec::new(),
    }
}

fn modes(found: &Figures) -> Block {
    let modes = &found.modes;
    let times = modes.times.iter().map(|one| vec![one.mode.clone(), one.time_s.to_string()]);
    let per_day = modes.per_day.map_or_else(|| NONE.to_owned(), |number| number.to_string());
    let mut lines = vec![format!("{} transitions, {per_day} a day.", modes.count)];
    lines.extend(modes.transitions.iter().map(|one| format!("{} to {}: {}", one.from, one.to, one.count)));
    Block { title: "Modes".into(), head: vec!["mode", "time"], rows: times.collect(), lines }
}

fn percent(share: Option<Percent>) -> String {
    share.map_or_else(|| NONE.to_owned(), |share| share.to_string())
}

fn length(span: Option<Span>) -> String {
    span.map_or_else(|| NONE.to_owned(), |span| span.to_string())
}

fn mean(lengths: &Lengths) -> String {
    length(lengths.mean_s)
}
