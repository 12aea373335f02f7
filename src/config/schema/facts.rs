//! The table of facts, names and functions: what a condition can speak of, with type, unit and meaning.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::condition::Vocabulary;
use crate::model::{
    BUILTINS, CommandProbe, ComponentId, FactSpec, FileProbe, Format, HttpProbe, Launch, ProbeKind, TcpProbe,
    Type, Whose,
};

/// The facts of one kind of probe.
#[derive(Debug, Clone)]
pub struct OfProbe {
    /// The kind's word.
    pub kind: &'static str,
    /// Where the facts differ within the kind: the part of Grace, or how a command's output is read.
    pub of: Option<&'static str>,
    /// What it gives.
    pub facts: Vec<FactSpec>,
}

/// A name or function that a condition sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// As it is written.
    pub name: String,
    /// What it is worth.
    pub kind: Type,
    /// What it means.
    pub says: &'static str,
}

/// Every kind of probe with its facts.
#[must_use]
pub fn probes() -> Vec<OfProbe> {
    ProbeKind::WORDS.into_iter().flat_map(of_kind).collect()
}

fn of_kind(kind: &'static str) -> Vec<OfProbe> {
    let anything = ComponentId::from("");
    let all = |of, probe: &ProbeKind| {
        let facts = probe.facts(&anything).map(std::borrow::Cow::into_owned).unwrap_or_default();
        OfProbe { kind, of, facts }
    };
    match kind {
        "builtin" => {
            let own = BUILTINS.iter();
            own.map(|part| OfProbe { kind, of: Some(part.component), facts: part.facts.to_vec() }).collect()
        }
        "guard" => vec![all(None, &ProbeKind::Guard)],
        "process" => vec![all(None, &ProbeKind::Process(Whose::Own))],
        "tcp" => {
            let probe = TcpProbe { address: String::new(), send: None, expect: None };
            vec![all(None, &ProbeKind::Tcp(probe))]
        }
        "file" => vec![all(None, &ProbeKind::File(FileProbe { path: String::new() }))],
        "http" => vec![all(None, &ProbeKind::Http(any_page()))],
        _ => Format::ALL
            .into_iter()
            .map(|(format, word)| {
                let probe = CommandProbe { launch: Launch::default(), format, facts: Vec::new() };
                all(Some(word), &ProbeKind::Command(probe))
            })
            .collect(),
    }
}

fn any_page() -> HttpProbe {
    HttpProbe {
        url: String::new(),
        method: String::new(),
        headers: std::collections::BTreeMap::new(),
        body: None,
        body_max: 0,
        redirects: 0,
    }
}

/// What each place of a condition sees besides facts and thresholds.
#[must_use]
pub fn conditions() -> Vec<(&'static str, Vec<Seen>)> {
    let others = Arc::new(std::collections::BTreeMap::new());
    vec![
        ("status: critical, warn", seen(&Vocabulary::of_status())),
        ("rule: when, until", seen(&Vocabulary::of_rule(&[], others))),
        ("rule for each healing: when", seen(&of_healing())),
        ("policy: when", seen(&Vocabulary::of_policy(&[], Some(&[])))),
    ]
}

/// What only rules see that are written for each healing.
fn of_healing() -> Vocabulary {
    let mut seen = Vocabulary::default();
    seen.healing(&"restart".into());
    seen
}

fn seen(vocabulary: &Vocabulary) -> Vec<Seen> {
    let names = vocabulary.listed().into_iter().map(|(name, kind)| Seen { says: says(&name), name, kind });
    let history = vocabulary.functions().map(|name| Seen {
        name: format!("{name}(w)"),
        kind: Type::Count,
        says: says(name),
    });
    let mut all: Vec<Seen> = names.chain(history).collect();
    if vocabulary.sees_others() {
        all.extend(
            [
                ("component(\"id\").status", Type::any_text(), "the status of another component, as a word"),
                (
                    "component(\"id\").failures",
                    Type::Count,
                    "consecutive critical readings of another component",
                ),
                (
                    "component(\"id\").probe.fact",
                    Type::any_text(),
                    "a fact of another component, of the fact's own type",
                ),
            ]
            .map(|(name, kind, says)| Seen { name: name.to_owned(), kind, says }),
        );
    }
    all
}

/// What the names mean; a test asks this of every name there is.
fn says(name: &str) -> &'static str {
    match name {
        "ok" => "neither critical nor warn is true",
        "warn" => "warn is true, and critical is not",
        "critical" => "critical is true",
        "unknown" => "how it is cannot be told",
        "failures" => "consecutive critical readings",
        "tier" => "the component's tier; 1 is critical",
        "closed" => "how many of the healing rule's last tries ended and count, at most 20",
        "success_ratio" => "the share of them that healed and lasted; unknown where none is counted",
        "relapse_ratio" => "the share of them that healed and did not last",
        "component" => "the component's id",
        "mode" => "the mode, as a word",
        "by" => "who proposes: rule or person",
        "actor" => "the rule or person that proposes",
        "action.kind" => "the kind of the proposed act, as a word",
        "action.stricter" => "no more is permitted after the act than before, nor later on",
        "incidents" => "incidents begun in the last w, the open one included; planned downtime is none",
        "heals" => "tries that ended in the last w",
        "failed_heals" => "of those, the tries that did not help",
        "relapses" => "of those, the tries that healed and did not last",
        "signals" => "kinds of `security.signal.*` announced in the last w about it, or about Grace herself",
        "spread" => "other components with an incident that began in the last w",
        "spread_before" => {
            "those of them whose incident began before its own (of one tick, those whose ids come first), and that had none in as long before, nor one together with it in the half hour before"
        }
        "unheard" => {
            "those that `spread_before` counts, where each of them was silenced when it failed and this one was not: nobody was told of them; else 0"
        }
        "critical_now" => "components that are critical by their last known status, it included",
        "changed" => {
            "a fact `binary_changed` or `file_changed` of it is true; without such facts always false"
        }
        _ => "",
    }
}

/// The type in one word, and the unit where it has one.
#[must_use]
pub fn words(kind: &Type) -> (&'static str, Option<&'static str>) {
    match kind {
        Type::Bool => ("bool", None),
        Type::Count => ("count", None),
        Type::Measure(unit) => ("measure", unit.map(crate::model::Unit::word)),
        Type::Text { .. } => ("text", None),
    }
}

/// All of it as one JSON object.
#[must_use]
pub fn to_json() -> Value {
    let fact = |fact: &FactSpec| {
        let mut value = typed(&fact.name, &fact.kind(), fact.says);
        if let Some(object) = value.as_object_mut() {
            object.insert("healthy".into(), json!(fact.healthy_value()));
        }
        value
    };
    let probes = probes().into_iter().map(|probe| {
        let facts: Vec<Value> = probe.facts.iter().map(fact).collect();
        json!({ "kind": probe.kind, "of": probe.of, "facts": facts })
    });
    let conditions = conditions().into_iter().map(|(place, seen)| {
        let names: Vec<Value> = seen.iter().map(|seen| typed(&seen.name, &seen.kind, seen.says)).collect();
        json!({ "where": place, "names": names })
    });
    json!({
        "format_version": 1,
        "probes": probes.collect::<Vec<_>>(),
        "conditions": conditions.collect::<Vec<_>>(),
    })
}

fn typed(name: &str, kind: &Type, says: &str) -> Value {
    let (word, unit) = words(kind);
    let one_of: &[Arc<str>] = if let Type::Text { one_of } = kind { one_of } else { &[] };
    json!({ "name": name, "type": word, "unit": unit, "one_of": one_of, "says": says })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_condition_sees_has_a_meaning() {
        let all: Vec<Seen> = conditions().into_iter().flat_map(|(_, seen)| seen).collect();
        assert!(all.len() > 15, "{all:?}");
        for seen in all {
            assert!(!seen.says.is_empty(), "{}", seen.name);
        }
    }

    #[test]
    fn every_kind_of_probe_has_facts() {
        for word in ProbeKind::WORDS {
            let of_kind = probes().into_iter().filter(|probe| probe.kind == word);
            assert!(of_kind.flat_map(|probe| probe.facts).count() >= 3, "{word}");
        }
    }
}
