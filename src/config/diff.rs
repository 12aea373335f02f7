//! What two sets of files say differently. Comments, the order of tables and the way a value is written are no
//! difference; each key that has another worth is one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use crate::condition::canonical;
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
type Outline = BTreeMap<(String, String), Worth>;

/// A value: what it is worth in one spelling, and how the file says it.
#[derive(Debug, Clone)]
struct Worth {
    is: String,
    says: String,
}

impl Worth {
    /// A value that has one spelling.
    fn plain(is: String) -> Self {
        Self { says: is.clone(), is }
    }

    /// Several values as one.
    fn joined(parts: &[Self], (open, between, close): (&str, &str, &str)) -> Self {
        let all = |part: fn(&Self) -> &str| {
            let parts: Vec<&str> = parts.iter().map(part).collect();
            format!("{open}{}{close}", parts.join(between))
        };
        Self { is: all(|part| &part.is), says: all(|part| &part.says) }
    }
}

/// What is different in the second set.
///
/// # Errors
/// Files that are no TOML, with their places.
pub fn diff(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Result<Vec<Change>, Box<Report>> {
    let (a, b) = (outline(a)?, outline(b)?);
    let keys: BTreeSet<&(String, String)> = a.keys().chain(b.keys()).collect();
    let is = |outline: &Outline, key: &(String, String)| outline.get(key).map(|worth| worth.is.clone());
    let says = |outline: &Outline, key: &(String, String)| outline.get(key).map(|worth| worth.says.clone());
    let changed = keys.into_iter().filter(|key| is(&a, key) != is(&b, key));
    let change = |key: &(String, String)| Change {
        subject: key.0.clone(),
        key: key.1.clone(),
        before: says(&a, key),
        after: says(&b, key),
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
    let there = (if folder == "rules" { stem.into() } else { name.into() }, String::new());
    outline.insert(there, Worth::plain("there".into()));
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
            // What programs and servers are told is theirs to read: to Grace it is a text.
            let foreign = way.iter().any(|key| key == "env" || key == "headers");
            let key = way.last().map(String::as_str).filter(|_| !foreign);
            outline.insert((subject.to_owned(), way.join(".")), worth(value, key));
        }
    }
}

/// Lists whose order says nothing.
const SETS: [&str; 5] = ["permits", "rule", "person", "action", "depends_on"];

/// Conditions: what they say counts, and not their white space.
const CONDITIONS: [&str; 4] = ["when", "until", "critical", "warn"];

/// Texts for people and programs: what looks like a duration is none.
const TEXTS: [&str; 9] = ["why", "label", "text", "task", "recommend", "notify", "event", "user", "dir"];

/// What a value is worth, however it is written. What stands alone in a list is a word: an argument, a mode.
fn worth(value: &DeValue, key: Option<&str>) -> Worth {
    match value {
        DeValue::String(text) => Worth { is: text_worth(text, key), says: format!("{:?}", text.as_ref()) },
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            Worth::plain(
                i64::from_str_radix(&digits, number.radix()).map_or(digits, |number| number.to_string()),
            )
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            Worth::plain(digits.parse::<f64>().map_or(digits, |number| number.to_string()))
        }
        DeValue::Boolean(value) => Worth::plain(value.to_string()),
        DeValue::Datetime(time) => Worth::plain(time.to_string()),
        DeValue::Array(items) => {
            let mut items: Vec<Worth> = items.iter().map(|item| worth(item.get_ref(), None)).collect();
            if key.is_some_and(|key| SETS.contains(&key)) {
                items.sort_unstable_by(|a, b| a.is.cmp(&b.is));
            }
            Worth::joined(&items, ("[", ", ", "]"))
        }
        DeValue::Table(table) if table.is_empty() => Worth::plain("{}".into()),
        DeValue::Table(table) => {
            let mut entries: Vec<Worth> = table
                .iter()
                .map(|(key, value)| {
                    let name = Worth::plain(key.get_ref().to_string());
                    Worth::joined(&[name, worth(value.get_ref(), Some(key.get_ref()))], ("", " = ", ""))
                })
                .collect();
            entries.sort_unstable_by(|a, b| a.is.cmp(&b.is));
            Worth::joined(&entries, ("{ ", ", ", " }"))
        }
    }
}

/// A text in the one spelling of what it means.
fn text_worth(text: &str, key: Option<&str>) -> String {
    match key {
        Some(key) if CONDITIONS.contains(&key) => canonical(text).unwrap_or_else(|| text.trim().to_owned()),
        Some(key) if !TEXTS.contains(&key) => {
            quantity::duration(text).map_or_else(|| format!("{text:?}"), |length| format!("{length:?}"))
        }
        _ => format!("{text:?}"),
    }
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
                "rule restart of web verify.within: Some(\"\\\"60s\\\"\") Some(\"\\\"61s\\\"\")",
            ]
        );
        assert!(diff(&set("a ="), &set("")).is_err());
    }

    #[test]
    fn conditions_are_held_together_by_what_they_say_and_arguments_by_the_letter() {
        let set_of = |when: &str, argv: &str, long: &str| {
            set(&format!(
                "[control]\nargv = {argv}\n[rule.restart]\nwhen = '{when}'\nverify = {{ within = '{long}' }}\n"
            ))
        };
        let one = set_of("!a.b||c.d>5", "['x', '60s']", "90days");
        let changes = |other| diff(&one, &other).expect("TOML").len();
        assert_eq!(changes(set_of(" ! a.b || ( c.d > 5 ) ", "['x', '60s']", "2160h")), 0);
        assert_eq!(changes(set_of("!a.b || c.d >= 5", "['x', '1m']", "91days")), 3);
        let shown = diff(&one, &set_of("!a.b||c.d>5", "['x', '60s']", "13weeks")).expect("TOML");
        assert_eq!(shown[0].before.as_deref(), Some("\"90days\""), "as the file says it");
    }
}
