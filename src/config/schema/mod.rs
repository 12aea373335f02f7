//! What editors and people want to know before they write: JSON Schemas of all kinds of file, and the table of facts,
//! names and functions that conditions see. All of it is made from `grammar`, `model` and `condition`.
//!
//! The schemas are of draft 7, which both taplo and tombi read. They find unknown keys, wrong types and words, and
//! durations that are none; what a schema cannot say (references, conditions, units) `grace validate` finds.

pub mod facts;

use serde_json::{Map, Value, json};

use crate::config::grammar::{FileKind, Form, Key, Names, Shape, Table};

const NAME: &str = "^[a-z][a-z0-9_]{0,63}$";
const FACT: &str = "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$";

/// As `humantime` reads it.
const DURATION: &str = "^(0|\\s*([0-9]+(\\.[0-9]+)?\\s*\
    (nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds|second|secs|sec|s|minutes|minute|mins|min|m|hours|hour|hrs|hr|h|\
    days|day|d|weeks|week|wks|wk|w|months|month|M|years|year|yrs|yr|y)\\s*)+)$";

const SIZE: &str = "^([0-9]+\\.?[0-9]*|\\.[0-9]+)\\s*(B|kB|MB|GB|KiB|MiB|GiB)?\\s*$";

/// A condition is not read beyond this.
const LONGEST_CONDITION: usize = 4096;

/// The JSON Schema of a kind of file.
#[must_use]
pub fn of(kind: FileKind) -> Value {
    let mut schema = file(&kind.table());
    let files = FileKind::ALL.iter().find(|(known, ..)| *known == kind).map_or("", |(_, _, files)| files);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
        schema.insert("title".into(), json!(format!("Grace: {files}")));
    }
    schema
}

/// The root of a file is one object, whatever forms it has: editors mark the whole of a `oneOf` where one word in it
/// is wrong, and tombi takes none of its keys for known.
fn file(root: &Table) -> Value {
    let [usual, others @ ..] = root.forms.as_slice() else { return table(root) };
    if others.is_empty() {
        return table(root);
    }
    let keys: Vec<&Key> = root.forms.iter().flat_map(|form| &form.keys).collect();
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "dependencies": together(usual, others, &keys),
    });
    describe(&mut schema, root.says);
    schema
}

/// What has to be beside what. Each key of the usual form asks for the next that the form needs, in a ring, so that
/// what is missing is told once. A key of another form shuts out what that form lacks, and each of these is marked. The
/// last key that all forms have asks for one of the forms, whichever.
fn together(usual: &Form, others: &[Form], keys: &[&Key]) -> Map<String, Value> {
    let needed: Vec<&str> = usual.keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let own = usual.keys.iter().filter(|key| others.iter().all(|form| !form.has(key.name)));
    let asks = own.filter_map(|key| {
        let next = needed.iter().position(|name| *name == key.name).map_or(0, |at| at + 1);
        let next = needed.get(next).or_else(|| needed.first()).filter(|next| **next != key.name)?;
        Some((key.name.to_owned(), json!([next])))
    });
    let shuts = others.iter().flat_map(|form| {
        let foreign = keys.iter().filter(|key| !form.has(key.name));
        let shut: Map<String, Value> = foreign.map(|key| (key.name.to_owned(), json!(false))).collect();
        let other = form.keys.iter().filter(|key| !usual.has(key.name));
        other.map(move |key| {
            (key.name.to_owned(), json!({ "properties": shut, "additionalProperties": true }))
        })
    });
    let first =
        |form: &Form| form.keys.iter().find(|key| key.needed).map(|key| json!({ "required": [key.name] }));
    let shared = usual.keys.iter().rfind(|key| others.iter().all(|form| form.has(key.name)));
    let some: Vec<Value> = std::iter::once(usual).chain(others).filter_map(first).collect();
    let one_of_them = shared.map(|key| (key.name.to_owned(), json!({ "anyOf": some })));
    asks.chain(shuts).chain(one_of_them).collect()
}

fn table(table: &Table) -> Value {
    let mut forms: Vec<Value> = table.forms.iter().map(form).collect();
    let mut schema = match (forms.pop(), forms.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            forms.extend(last);
            json!({ "type": "object", "oneOf": forms })
        }
    };
    describe(&mut schema, table.says);
    schema
}

fn form(form: &Form) -> Value {
    let properties: Map<String, Value> =
        form.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = form.keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (Some(schema), false) = (schema.as_object_mut(), required.is_empty()) {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = value(&key.shape);
    let sees = match key.shape {
        Shape::Condition(sees) => format!("{}. Sees: {sees}", key.says),
        _ => key.says.to_owned(),
    };
    describe(&mut schema, &sees);
    schema
}

fn describe(schema: &mut Value, says: &str) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".into(), json!(says));
    }
}

fn value(shape: &Shape) -> Value {
    match shape {
        Shape::Text(example) => json!({ "type": "string", "examples": [example] }),
        Shape::Pattern(pattern, example) => {
            json!({ "type": "string", "pattern": pattern, "examples": [example] })
        }
        Shape::Words(words) => match words.as_slice() {
            [word] => json!({ "type": "string", "const": word }),
            words => json!({ "type": "string", "enum": words }),
        },
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Shape::Number(from, to) => json!({ "type": "number", "minimum": from, "maximum": to }),
        Shape::Duration(example) => duration(example),
        Shape::Size(example) => size(example),
        Shape::Condition(_) => json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_CONDITION }),
        Shape::Reading => reading(),
        Shape::Threshold => json!({ "type": ["boolean", "number", "string"] }),
        Shape::List(item, least) => json!({ "type": "array", "items": value(item), "minItems": least }),
        Shape::Table(inside) => table(inside),
        Shape::Named(names, inside) => named(*names, inside),
        Shape::Any(shapes) => json!({ "anyOf": shapes.iter().map(value).collect::<Vec<_>>() }),
    }
}

/// A value, or `{ text = "failed" }` for a text that would be taken for a word.
fn reading() -> Value {
    let text = json!({
        "type": "object",
        "properties": { "text": { "type": "string", "description": "What it reads, though that is a word" } },
        "required": ["text"],
        "additionalProperties": false,
    });
    json!({ "anyOf": [{ "type": ["boolean", "number", "string"] }, text] })
}

fn duration(example: &str) -> Value {
    json!({ "type": "string", "pattern": DURATION, "examples": [example] })
}

fn size(example: &str) -> Value {
    let text = json!({ "type": "string", "pattern": SIZE, "examples": [example] });
    json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, text] })
}

fn named(names: Names, inside: &Shape) -> Value {
    let matching = |pattern: &str| json!({ "type": "object", "patternProperties": { pattern: value(inside) }, "additionalProperties": false });
    match names {
        Names::Plain => matching(NAME),
        Names::Facts => matching(FACT),
        Names::Any => json!({ "type": "object", "additionalProperties": value(inside) }),
        Names::Units => thresholds(inside),
    }
}

/// A threshold's name ends in its unit, and the unit says how it is written.
fn thresholds(plain: &Shape) -> Value {
    let ratio = json!({ "type": "string", "pattern": "^[0-9.]+\\s*%$", "examples": ["50%"] });
    let bytes = json!({ "type": "string", "pattern": SIZE, "examples": ["64MiB"] });
    json!({
        "type": "object",
        "propertyNames": { "pattern": NAME },
        "patternProperties": {
            "^[a-z][a-z0-9_]*_(s|ms)$": duration("2m"),
            "^[a-z][a-z0-9_]*_bytes$": { "anyOf": [{ "type": "number" }, bytes] },
            "^[a-z][a-z0-9_]*_ratio$": { "anyOf": [{ "type": "number" }, ratio] },
        },
        "additionalProperties": value(plain),
    })
}
