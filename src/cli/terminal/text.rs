//! Texts of others on our terminal: a reason or a fact must not move the cursor or hide what is there.

use serde_json::Value;

/// Every text in the value without control characters, on one line.
pub(in crate::cli) fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.chars().any(is_unsafe) {
                *text = cleaned(text);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(map) => map.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text without control characters, on one line.
pub(in crate::cli) fn cleaned(text: &str) -> String {
    let safe = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_unsafe(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(safe).collect()
}

/// Control characters, and those that turn the direction of what follows.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_that_moves_the_cursor_is_left() {
        let mut value = json!({ "a": ["x\u{1b}[2Jy", "one\ntwo"], "b": 3 });
        clean(&mut value);
        assert_eq!(value, json!({ "a": ["x\u{fffd}[2Jy", "one two"], "b": 3 }));
    }
}
