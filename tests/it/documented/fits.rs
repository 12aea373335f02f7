//! Does a value have the shape that a schema of the document says, and nothing besides?

use std::collections::BTreeSet;

use serde_json::Value;

/// What says nothing about a value.
const SAYS_NOTHING: [&str; 5] = ["description", "format", "title", "example", "default"];

/// What is wrong with a value: it has another shape, or members that nobody announced.
pub(super) fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let told = told(document, schema, value)?;
    let (Some(members), Some(told)) = (value.as_object(), told) else { return Ok(()) };
    match members.keys().find(|name| !told.contains(*name)) {
        Some(name) => Err(format!("`{name}` is not announced")),
        None => Ok(()),
    }
}

/// The members of which the schema says something, where it does not leave all of them open.
fn told(document: &Value, schema: &Value, value: &Value) -> Result<Option<BTreeSet<String>>, String> {
    let says = schema.as_object().ok_or_else(|| format!("{schema} is no schema"))?;
    let mut all = BTreeSet::new();
    let mut open =
        !says.keys().any(|key| matches!(&**key, "properties" | "allOf" | "oneOf" | "anyOf" | "$ref"));
    let mut add = |more: Option<BTreeSet<String>>| match more {
        Some(more) => all.extend(more),
        None => open = true,
    };
    for (key, says) in says {
        let whether = match key.as_str() {
            "$ref" => {
                let place =
                    says.as_str().and_then(|place| place.strip_prefix('#')).ok_or("a foreign `$ref`")?;
                let found =
                    document.pointer(place).ok_or_else(|| format!("{place} is not in the document"))?;
                add(told(document, found, value)?);
                true
            }
            "type" => texts(says).iter().any(|kind| is(value, kind)),
            "enum" => texts(says).contains(&value),
            "properties" => {
                add(Some(members(document, says, value)?));
                true
            }
            "required" => {
                texts(says).iter().all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
            }
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|one| fits(document, says, one))?;
                true
            }
            "additionalProperties" => {
                if !says.is_boolean() {
                    let mut all = value.as_object().into_iter().flatten();
                    all.try_for_each(|(_, one)| fits(document, says, one))?;
                }
                if says != &Value::Bool(false) {
                    add(None);
                }
                true
            }
            "propertyNames" => true,
            "allOf" => {
                for one in says.as_array().ok_or("no list")? {
                    add(told(document, one, value)?);
                }
                true
            }
            "oneOf" => {
                let one = says.as_array().ok_or("no list")?.iter().map(|one| told(document, one, value));
                let (good, bad): (Vec<_>, Vec<_>) = one.partition(Result::is_ok);
                if good.len() != 1 {
                    return Err(format!("{} of `oneOf` fit; of the others: {bad:?}", good.len()));
                }
                add(good.into_iter().next().and_then(Result::ok).flatten());
                true
            }
            "minimum" => value.as_f64().is_none_or(|number| Some(number) >= says.as_f64()),
            "maximum" => value.as_f64().is_none_or(|number| Some(number) <= says.as_f64()),
            nothing if SAYS_NOTHING.contains(&nothing) => true,
            other => return Err(format!("nobody looks at `{other}`")),
        };
        if !whether {
            return Err(format!("{value} is not as `{key}` says: {says}"));
        }
    }
    Ok((!open).then_some(all))
}

/// Looks at each member that is there; answers all names there may be.
fn members(document: &Value, says: &Value, value: &Value) -> Result<BTreeSet<String>, String> {
    let known = says.as_object().ok_or("no members")?;
    for (name, schema) in known {
        if let Some(value) = value.get(name) {
            fits(document, schema, value).map_err(|why| format!("`{name}`: {why}"))?;
        }
    }
    Ok(known.keys().cloned().collect())
}

/// One or several.
fn texts(says: &Value) -> Vec<&Value> {
    says.as_array().map_or_else(|| vec![says], |all| all.iter().collect())
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

#[test]
fn what_does_not_fit_is_told() {
    use serde_json::json;
    let document =
        json!({ "a": { "type": "object", "required": ["x"], "properties": { "x": { "type": "integer" } } } });
    let a = json!({ "$ref": "#/a" });
    let both = json!({ "allOf": [a, { "type": "object", "properties": { "y": { "enum": ["z"] } } }] });
    let one = json!({ "oneOf": [a, { "type": "null" }] });
    for (schema, value, good) in [
        (&a, json!({ "x": 1 }), true),
        (&a, json!({ "x": "1" }), false),
        (&a, json!({}), false),
        (&a, json!({ "x": 1, "y": 1 }), false),
        (&both, json!({ "x": 1, "y": "z" }), true),
        (&both, json!({ "x": 1, "y": "w" }), false),
        (&both, json!({ "x": 1, "z": 1 }), false),
        (&one, json!(null), true),
        (&one, json!([]), false),
        (&json!({ "oneOf": [{}, { "type": "null" }] }), json!(null), false),
        (&json!({ "type": "object", "additionalProperties": a }), json!({ "k": { "x": 1 } }), true),
        (&json!({ "type": "object", "additionalProperties": a }), json!({ "k": 1 }), false),
        (&json!({ "type": "array", "items": a }), json!([{ "x": 1 }, {}]), false),
        (&json!({ "strange": 1 }), json!(1), false),
    ] {
        assert_eq!(fits(&document, schema, &value).is_ok(), good, "{schema} {value}");
    }
}
