//! An explanation for people: the sentence first, then what was read, what the conditions said, every gate, and what
//! would have led elsewhere.

use crate::cli::terminal::columns::{Cell, columns};
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::text::cleaned;
use crate::condition::{Part, PartKind};
use crate::model::{Time, Value};
use crate::replay::explain::{Asked, Explanation, Gate, GateState, Policy, Seen, shown};

/// One line.
pub(super) fn short(told: &Explanation) -> String {
    let warning = told.contradiction.as_ref().map(|found| format!(" (warning: {})", found.says()));
    let idle = told.idle.as_ref().map(|idle| format!(" ({})", idle.says()));
    let behind: String = idle.into_iter().chain(warning).collect();
    cleaned(&format!("{} {}{behind}", told.at, told.summary))
}

pub(super) fn text(told: &Explanation, pen: Out) -> String {
    let mut lines = vec![pen.paint(Look::Head, &cleaned(&told.summary))];
    let rules: String = told.generation.as_str().chars().take(12).collect();
    lines.push(
        pen.paint(
            Look::Dim,
            &format!("tick {} at {}, mode {}, rules {rules}", told.tick, told.at, told.mode),
        ),
    );
    lines.extend(told.ended.iter().map(|end| {
        let relapsed = end.relapsed_at.as_ref().map(|at| format!(", and relapsed at {at}"));
        let outcome = format!("{}{}", end.outcome, relapsed.unwrap_or_default());
        cleaned(&format!("it ended at {}: {outcome}, {}", end.at, end.detail))
    }));
    if let Some(idle) = &told.idle {
        lines.push(format!("{} {}", pen.paint(Look::Odd, "note:"), idle.says()));
    }
    if let Some(contradiction) = &told.contradiction {
        lines.push(format!("{} {}", pen.paint(Look::Bad, "warning:"), cleaned(&contradiction.says())));
    }
    if let Some(flip) = &told.flip {
        lines.push(format!("{} {}", pen.paint(Look::Head, "otherwise:"), cleaned(&flip.says(told.acted))));
    }
    lines.extend(told.why.iter().map(|why| cleaned(&format!("the rule is there because: {why}"))));
    lines.extend(told.seen.iter().flat_map(|seen| readings(seen, pen)));
    for asked in &told.conditions {
        lines.push(String::new());
        lines.extend(condition(asked, pen));
    }
    if !told.did.is_empty() {
        lines.push(String::new());
        lines.push(pen.paint(Look::Head, "done in this tick"));
        for deed in &told.did {
            let act = deed.act.map_or(String::new(), |act| format!(" (act {act})"));
            lines.push(cleaned(&format!("  {}{act}: {}", deed.what, deed.reason)));
        }
    }
    if let Some(claim) = &told.claim {
        let until = claim.until.as_ref().map(|until| format!(", until `{until}`")).unwrap_or_default();
        lines.push(String::new());
        lines.push(pen.paint(Look::Head, "its claim"));
        lines.push(cleaned(&format!(
            "  {} claims {} since {}{until}: {}",
            claim.key, claim.mode, claim.since, claim.reason
        )));
        lines.extend(claim.ends.iter().map(|ends| cleaned(&format!("  ends otherwise: {}", ends.ends()))));
    }
    lines.push(String::new());
    lines.extend(gates(told, pen));
    lines.join("\n")
}

fn readings(seen: &Seen, pen: Out) -> Vec<String> {
    let because = seen.because.map(|word| format!(", because `{word}` is true")).unwrap_or_default();
    let failures =
        if seen.failures == 0 { String::new() } else { format!(", {} failures in a row", seen.failures) };
    let old = if seen.fresh { "" } else { ", not for this tick" };
    let since = if seen.since == Time::default().to_string() {
        ", and was never anything else".to_owned()
    } else {
        format!(" since {}", seen.since)
    };
    let head = format!("{} is {}{since}{because}{failures}", seen.component, seen.status);
    let mut lines = vec![String::new(), pen.paint(Look::of(seen.status), &head)];
    let rows: Vec<Vec<Cell>> = seen
        .facts
        .iter()
        .map(|fact| {
            let value = fact.value.as_ref().map(|value| (Look::Plain, shown(value, fact.unit)));
            let lacks = || (Look::Odd, fact.lacks.clone().unwrap_or_else(|| "unknown".into()));
            let (look, value) = value.unwrap_or_else(lacks);
            vec![(Look::Plain, format!("  {}", fact.fact)), (look, cleaned(&value))]
        })
        .collect();
    lines.push(format!("  read at {}{old}", seen.taken_at));
    lines.extend(columns(pen, &rows));
    lines
}

fn condition(asked: &Asked, pen: Out) -> Vec<String> {
    let mut lines = vec![pen.paint(Look::Head, &asked.condition)];
    let mut rows = Vec::new();
    tree(&asked.tree, 1, &mut rows);
    lines.extend(columns(pen, &rows));
    lines
}

/// Every part on a line of its own, further in than the part that it belongs to.
fn tree(part: &Part, depth: usize, rows: &mut Vec<Vec<Cell>>) {
    // A number that stands in the text needs no line.
    if part.kind == PartKind::Literal && depth > 1 {
        return;
    }
    let (look, value) = match &part.value {
        Some(Value::Bool(true)) => (Look::Good, "true".to_owned()),
        Some(Value::Bool(false)) => (Look::Plain, "false".to_owned()),
        Some(value) => (Look::Plain, shown(value, part.unit)),
        None => (Look::Odd, "unknown".to_owned()),
    };
    rows.push(vec![
        (Look::Plain, format!("{}{}", "  ".repeat(depth), cleaned(&part.text))),
        (look, cleaned(&value)),
    ]);
    part.parts.iter().for_each(|part| tree(part, depth + 1, rows));
}

fn gates(told: &Explanation, pen: Out) -> Vec<String> {
    let about = told.about.as_ref().map(|about| format!(" for {about}")).unwrap_or_default();
    let mut lines = vec![pen.paint(Look::Head, &cleaned(&format!("gates{about}")))];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    // Gates in a row that nobody asked, for the same reason, are one line.
    for same in told.gates.chunk_by(|one, next| is_spared(one) && is_spared(next) && one.says == next.says) {
        let Some(gate) = same.first() else { continue };
        let mut names: Vec<&str> = same.iter().map(|gate| gate.gate.as_str()).collect();
        names.dedup();
        let (look, word) = stands(gate);
        rows.push(vec![
            (Look::Plain, format!("  {}", names.join(", "))),
            (look, word),
            (Look::Plain, says(gate)),
        ]);
        let policy = |policy| {
            vec![(Look::Plain, String::new()), (Look::Dim, String::new()), (Look::Dim, said(policy))]
        };
        rows.extend(gate.policies.iter().map(policy));
    }
    lines.extend(columns(pen, &rows));
    lines
}

fn is_spared(gate: &Gate) -> bool {
    gate.state == GateState::NotAsked && gate.would.is_none()
}

fn says(gate: &Gate) -> String {
    match &gate.opens {
        // The gate's own sentence says the time already.
        Some(opens) if gate.stops() && !opens.starts_with("by itself at") => {
            cleaned(&format!("{}; opens {opens}", gate.says))
        }
        _ => cleaned(&gate.says),
    }
}

fn stands(gate: &Gate) -> (Look, String) {
    match (gate.state, gate.would) {
        (GateState::Open, _) => (Look::Good, "open".into()),
        (GateState::Closed, _) => (Look::Bad, "closed".into()),
        (GateState::NotAsked, Some(GateState::Closed)) => (Look::Odd, "not asked, would be closed".into()),
        (GateState::NotAsked, Some(_)) => (Look::Dim, "not asked, would be open".into()),
        (GateState::NotAsked, None) => (Look::Dim, "not asked".into()),
    }
}

/// One policy: what it says of which act, and whether it applies.
fn said(policy: &Policy) -> String {
    let when = policy.tree.as_ref().map(|tree| format!(" when `{}`: {}", tree.text, policy.applies));
    let decided = if policy.decided { ", decided" } else { "" };
    cleaned(&format!(
        "{} {}s {}{}{decided}",
        policy.policy,
        policy.effect,
        policy.action,
        when.unwrap_or_else(|| ", always".into())
    ))
    .replace("denys", "denies")
}
