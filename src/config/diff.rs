//! What two sets of files say differently. Comments, the order of tables and the way a value is written are no
//! difference; each key that has another worth is one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use crate::config::quantity;
use crate::config::reader::{File, Problems, parse};
use crate::say::Report;

/// One key that is not worth the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it belongs to: `rule restart of web`, `mode emergency`, `policy manual_restart`.
    pub subject: String,
    /// The key: `after`, `to.person`.
    pub key: String,
    /// What it was; nothing where it was not there.
    pub before: Option<String>,
    /// What it is; nothing where it is not there any more.
    pub after: Option<String>,
}

/// Every key by what it belongs to, with its worth.
type Outline = BTreeMap<(String, String), String>;

/// What is different in the second set.
///
/// # Errors
/// Files that are no TOML, with their places.
pub fn diff(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Result<Vec<Change>, Box<Report>> {
    let (a, b) = (outline(a)?, outline(b)?);
    let keys: BTreeSet<&(String, String)> = a.keys().chain(b.keys()).collect();
    let changed = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    let change = |key: &(String, String)| Change {
        subject: key.0.clone(),
        key: key.1.clone(),
        before: a.get(key).cloned(),
        after: b.get(key).cloned(),
    };
    Ok(changed.map(change).collect())
}

fn outline(files: &BTreeMap<String, String>) -> Result<Outline, Box<Report>> {
    let problems = Problems::default();
    let mut outline = Outline::new();
    for (name, text) in files {
        let known: Arc<str> = name.as_str().into();
        if let Some(table) = parse(File { name: &known, text, problems: &problems }) {
            file(name, table.get_ref(), &mut outline);
        }
    }
    let diagnostics = problems.take();
    if diagnostics.is_empty() {
        return Ok(outline);
    }
    let texts = files.iter().map(|(name, text)| (name.as_str().into(), text.as_str().into())).collect();
    Err(Box::new(Report { diagnostics, texts }))
}

fn file(name: &str, table: &DeTable, outline: &mut Outline) {
    let (folder, stem) = name.trim_end_matches(".toml").split_once('/').unwrap_or(("", name));
    // That a file is there is worth something, even when it is empty.
    outline
        .insert((if folder == "rules" { stem.into() } else { name.into() }, String::new()), "there".into());
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let of = if folder == "rules" { format!(" of {stem}") } else { String::new() };
        match (key, value.get_ref()) {
            ("probe" | "rule" | "mode" | "policy" | "receiver", DeValue::Table(named)) => {
                for (name, value) in named {
                    let subject = format!("{key} {}{of}", name.get_ref());
                    keys(&subject, &mut Vec::new(), value.get_ref(), outline);
                }
            }
            (_, value @ DeValue::Table(_)) => keys(&format!("{key}{of}"), &mut Vec::new(), value, outline),
            (_, value) => {
                let subject = if folder == "rules" { stem.to_owned() } else { stem.replace('_', " ") };
                keys(&subject, &mut vec![key.to_owned()], value, outline);
            }
        }
    }
}

/// Every key below a table, with the way to it.
fn keys(subject: &str, way: &mut Vec<String>, value: &DeValue, outline: &mut Outline) {
    match value {
        DeValue::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                way.push(key.get_ref().to_string());
                keys(subject, way, value.get_ref(), outline);
                way.pop();
            }
        }
        value => {
            outline.insert((subject.to_owned(), way.join(".")), worth(value, way.last().map(String::as_str)));
        }
    }
}

/// Lists whose order says nothing.
const SETS: [&str; 5] = ["permits", "rule", "person", "action", "depends_on"];

/// Conditions: white space between their words says nothing.
const CONDITIONS: [&str; 4] = ["when", "until", "critical", "warn"];

/// What a value is worth, however it is written.
fn worth(value: &DeValue, key: Option<&str>) -> String {
    match value {
        DeValue::String(text) if key.is_some_and(|key| CONDITIONS.contains(&key)) => spaced(text),
        DeValue::String(text) => match quantity::duration(text) {
            Some(length) => format!("{:?}", length.to_string()),
            None => format!("{:?}", text.as_ref()),
        },
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or(digits, |number| number.to_string())
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            digits.parse::<f64>().map_or(digits, |number| number.to_string())
        }
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => {
            let mut items: Vec<String> = items.iter().map(|item| worth(item.get_ref(), None)).collect();
            if key.is_some_and(|key| SETS.contains(&key)) {
                items.sort_unstable();
            }
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&toml::Spanned<std::borrow::Cow<str>>, &toml::Spanned<DeValue>)| {
                format!("{} = {}", key.get_ref(), worth(value.get_ref(), Some(key.get_ref())))
            };
            let mut entries: Vec<String> = table.iter().map(entry).collect();
            entries.sort_unstable();
            if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
        }
    }
}

/// A condition with one blank between its words; what stands in quotes stays as it is.
fn spaced(text: &str) -> String {
    let (mut found, mut quoted) = (String::new(), false);
    for c in text.trim().chars() {
        quoted ^= c == '"';
        match c {
            c if quoted || !c.is_whitespace() => found.push(c),
            _ if found.ends_with(' ') => {}
            _ => found.push(' '),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("rules/web.toml".to_owned(), text.to_owned())])
    }

    #[test]
    fn only_what_is_worth_something_else_is_a_difference() {
        let one = "# a\n[component]\ntier = 1\n[rule.restart]\nwhen = 'critical'\nverify = { within = \"60s\", delay = \"5s\" }\n";
        let same = "rule.restart = { verify = { delay = '5s', within = '1m' }, when = \"critical\" }\r\n\r\n[component] # b\r\ntier = 0x1\r\n";
        assert_eq!(diff(&set(one), &set(same)).expect("TOML"), []);
        let other = one.replace("60s", "61s").replace("tier = 1\n", "");
        let says: Vec<String> = diff(&set(one), &set(&other))
            .expect("TOML")
            .into_iter()
            .map(|change| {
                format!("{} {}: {:?} {:?}", change.subject, change.key, change.before, change.after)
            })
            .collect();
        assert_eq!(
            says,
            [
                "component of web : None Some(\"{}\")",
                "component of web tier: Some(\"1\") None",
                "rule restart of web verify.within: Some(\"\\\"1m\\\"\") Some(\"\\\"1m 1s\\\"\")",
            ]
        );
        assert!(diff(&set("a ="), &set("")).is_err());
    }
}
