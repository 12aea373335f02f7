//! The kind `command`: runs a program and reads facts from what it says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use crate::model::{CommandProbe, ComponentId, FactSpec, Format, Reading, Shape, Value};
use crate::probe::{Found, plugin};
use crate::services::{Controls, Ran, run};

/// A text that is a fact stands in the journal with every tick.
const LONGEST_TEXT: usize = 200;

pub(super) async fn look(
    controls: &dyn Controls,
    component: &ComponentId,
    probe: &CommandProbe,
    within: Duration,
) -> Found {
    let ran = if probe.launch.argv.is_empty() {
        let control = controls.control(component);
        let asked = control.as_ref().and_then(|control| control.status());
        asked.ok_or_else(|| format!("{component} has no status command"))?.await?
    } else {
        run(component, &probe.launch, within).await?
    };
    Ok(facts(probe, &ran))
}

/// Finds in an output what belongs to a fact.
type Read = Box<dyn Fn(&str, &FactSpec) -> Reading>;

/// What the end and the output of a command say.
fn facts(probe: &CommandProbe, ran: &Ran) -> BTreeMap<String, Reading> {
    let mut facts = BTreeMap::from([
        ("answered".to_owned(), Reading::from(ran.code.is_some())),
        ("exit_code".to_owned(), ran.code.map_or(Reading::Missing, |code| i64::from(code).into())),
        ("latency_ms".to_owned(), Reading::float(ran.took.as_secs_f64() * 1000.0)),
    ]);
    let Some(code) = ran.code else { return facts };
    let read: Read = match probe.format {
        Format::Exit => return facts,
        Format::Json => {
            let said = serde_json::from_str::<Json>(&ran.output).unwrap_or_default();
            Box::new(move |from, fact| json(&said, from, fact.shape))
        }
        Format::Pairs => {
            let said = pairs(&ran.output);
            Box::new(move |from, fact| said.get(from).map_or(Reading::Missing, |text| word(text, fact.shape)))
        }
        Format::Nagios => {
            let said = plugin::read(&ran.output);
            facts.insert("state".into(), Reading::Value(Value::text(plugin::state(code))));
            facts.insert("message".into(), text(&said.message));
            Box::new(move |from, fact| said.datum(from, fact))
        }
    };
    facts.extend(probe.facts.iter().map(|(from, fact)| (fact.name.to_string(), read(from, fact))));
    facts
}

fn text(text: &str) -> Reading {
    Reading::Value(Value::text(&text.chars().take(LONGEST_TEXT).collect::<String>()))
}

/// The value under this name, or under names with dots between them; of another type it is missing.
fn json(said: &Json, from: &str, shape: Shape) -> Reading {
    let found = said.get(from).or_else(|| from.split('.').try_fold(said, |at, name| at.get(name)));
    match (found, shape) {
        (Some(Json::Bool(value)), Shape::Bool(_)) => (*value).into(),
        (Some(Json::Number(value)), Shape::Count(_)) => {
            value.as_i64().map_or(Reading::Missing, Reading::from)
        }
        (Some(Json::Number(value)), Shape::Measure(_)) => {
            value.as_f64().map_or(Reading::Missing, Reading::float)
        }
        (Some(Json::String(value)), Shape::Text | Shape::Word(_)) => text(value),
        _ => Reading::Missing,
    }
}

/// Lines of `key=value`; of a key that comes twice the last counts.
fn pairs(output: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.trim().into(), value.trim().into()));
    output.lines().filter_map(pair).collect()
}

/// A word as a value of this type, or nothing where it is none.
fn word(said: &str, shape: Shape) -> Reading {
    match shape {
        Shape::Bool(_) => said.parse::<bool>().map_or(Reading::Missing, Reading::from),
        Shape::Count(_) => said.parse::<i64>().map_or(Reading::Missing, Reading::from),
        Shape::Measure(_) => said.parse::<f64>().map_or(Reading::Missing, Reading::float),
        Shape::Text | Shape::Word(_) => text(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Launch;

    fn looked(format: Format, output: &str, declared: &[(&str, &str, &str)]) -> BTreeMap<String, Reading> {
        let fact = |(name, from, kind): &(&str, &str, &str)| {
            ((*from).to_owned(), CommandProbe::declared(name, kind).expect("a type"))
        };
        let probe =
            CommandProbe { launch: Launch::default(), format, facts: declared.iter().map(fact).collect() };
        let took = Duration::from_millis(3);
        facts(&probe, &Ran { code: Some(1), output: output.into(), errors: String::new(), took })
    }

    #[test]
    fn json_and_pairs_give_typed_facts_and_nonsense_gives_missing_ones() {
        let declared = [
            ("queue", "queue", "count"),
            ("lag_s", "replica.lag", "measure"),
            ("primary", "primary", "bool"),
            ("role", "role", "text"),
        ];
        let all = ["queue", "lag_s", "primary", "role"];
        let values = [Reading::from(3), Reading::float(0.5), true.into(), Reading::Value(Value::text("a"))];
        let said = looked(
            Format::Json,
            r#"{"queue": 3, "replica": {"lag": 0.5}, "primary": true, "role": "a"}"#,
            &declared,
        );
        assert_eq!(all.map(|name| said[name].clone()), values);
        let said = looked(Format::Pairs, "queue=3\nreplica.lag = 0.5\nprimary=true\nrole=a\n#x", &declared);
        assert_eq!(all.map(|name| said[name].clone()), values);
        for (format, output) in [
            (Format::Json, r#"{"queue": "3", "replica": 1, "primary": 1, "role": null}"#),
            (Format::Json, "not json"),
            (Format::Pairs, "queue=3.5\nreplica.lag=inf\nprimary=yes"),
        ] {
            let said = looked(format, output, &declared);
            assert!(all.iter().all(|name| said[*name] == Reading::Missing), "{output}: {said:?}");
            assert_eq!((&said["answered"], &said["exit_code"]), (&true.into(), &Reading::from(1)));
        }
    }
}
