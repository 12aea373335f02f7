//! One event as one line for people.

use serde_json::{Map, Value};

use crate::record::Event;

/// `12  12:01:05  health.mode_changed  normal -> read_only ...`
pub(super) fn line(event: &Event) -> String {
    let time: String = event.time.chars().skip(11).take(8).collect();
    let day: String = event.time.chars().take(10).collect();
    let subject = event.subject.as_deref().map(|subject| format!("  {subject}")).unwrap_or_default();
    let about = event.about.as_deref().map(|about| format!(" ({about})")).unwrap_or_default();
    format!("{:>6}  {day} {time}  {}{subject}  {}{about}", event.id, event.kind, sentence(&event.data))
}

/// What the event says, as far as a line can.
fn sentence(data: &Value) -> String {
    let Some(object) = data.as_object() else { return data.to_string() };
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let act = || object.get("act").map(|act| format!(" (act {act})")).unwrap_or_default();
    match text("kind") {
        "status_changed" | "mode_changed" => {
            format!("{} -> {}: {}", text("from"), text("to"), text("reason"))
        }
        "intent" => format!("{}{}", proposal(object), act()),
        "end" => format!("{} {}: {}{}", text("result"), text("outcome"), text("detail"), act()),
        "decided" => format!("{} {}", text("verdict"), proposal(object)),
        "candidate_differs" => format!("only the {}: {}", text("only"), proposal(object)),
        "candidate" | "candidate_ended" => {
            let short: String = text("generation").chars().take(12).collect();
            format!("candidate {short} by {}: {}", text("actor"), text("reason"))
        }
        "candidate_rejected" => {
            let problems = object.get("problems").and_then(Value::as_array);
            let first = problems.and_then(|all| all.first()).and_then(Value::as_str).unwrap_or_default();
            format!("a candidate by {} is refused: {first}", text("actor"))
        }
        "shadowed" => format!("would be: {} {}", text("verdict"), proposal(object)),
        "approval_asked" => format!("approval {}: {}", plain(object.get("approval")), proposal(object)),
        "approved" => {
            let glass = object.get("break_glass") == Some(&Value::Bool(true));
            let alone = if glass { ", who broke the glass" } else { "" };
            let number = plain(object.get("approval"));
            format!("approval {number} is given by {}{alone}: {}", text("actor"), text("reason"))
        }
        "approval_ended" => {
            format!("approval {} is over: {}", plain(object.get("approval")), text("reason"))
        }
        "claimed" => match object.get("claim") {
            Some(claim) => format!("{} claims {}", text("key"), plain(claim.get("mode"))),
            None => text("key").into(),
        },
        "process_exited" => exited(object),
        "generation" => format!("generation {}", text("generation").chars().take(12).collect::<String>()),
        _ => rest(object),
    }
}

/// How a process ended, with the last line it said.
fn exited(object: &Map<String, Value>) -> String {
    let how = match object.get("code").and_then(Value::as_i64) {
        Some(code @ 128..) => format!("was ended by signal {}", code - 128),
        Some(code) => format!("ended with {code}"),
        None => "ended, nobody saw how".into(),
    };
    let lasted = object.get("lasted").and_then(Value::as_i64).unwrap_or(0);
    let asked = if object.get("asked") == Some(&Value::Bool(true)) { ", as asked" } else { "" };
    let output = object.get("output").and_then(Value::as_str).unwrap_or_default();
    let last = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    format!("pid {} {how} after {}{asked}: {last}", plain(object.get("pid")), crate::model::Span(lasted))
}

/// What was proposed and why.
fn proposal(object: &Map<String, Value>) -> String {
    let Some(proposal) = object.get("proposal") else { return String::new() };
    let act = proposal.get("act");
    let steps = act.and_then(|act| act.get("steps")).and_then(Value::as_array);
    let what = match steps {
        Some(steps) => steps.iter().map(|step| plain(step.get("step"))).collect::<Vec<_>>().join(", "),
        None => plain(act.and_then(|act| act.get("act"))),
    };
    let by = proposal.get("by");
    let by = match by.and_then(|by| by.get("rule")) {
        Some(rule) => format!("rule {}", plain(Some(rule))),
        None => plain(by.and_then(|by| by.get("actor"))),
    };
    format!("{what} by {by}: {}", plain(proposal.get("reason")))
}

/// Everything short that the record holds.
fn rest(object: &Map<String, Value>) -> String {
    let shown = object.iter().filter(|(name, _)| !matches!(name.as_str(), "kind" | "component"));
    let words = shown.filter_map(|(name, value)| match value {
        Value::Null | Value::Object(_) => None,
        Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => None,
        Value::Array(values) if values.is_empty() => None,
        value => Some(format!("{name}={}", plain(Some(value)))),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => values.iter().map(|one| plain(Some(one))).collect::<Vec<_>>().join(","),
        Some(value) => value.to_string(),
    }
}
