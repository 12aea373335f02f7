//! Programs as rule files describe them: words, surroundings, settings that may be secret.

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::config::quantity;
use crate::config::reader::{Item, Table};
use crate::model::{Limit, Setting, Surroundings};
use crate::say::Code;

/// The words of a program and its arguments.
pub(super) fn argv(item: &Item) -> Option<Vec<String>> {
    let help = "write each word by itself: `[\"/usr/bin/redis-server\", \"--port\", \"6379\"]`";
    if item.value.as_str().is_some() {
        item.error(
            Code::WrongType,
            format!("`{}` wants a list of words; there is no shell", item.name),
            help,
        );
        return None;
    }
    let words = item.texts();
    if item.value.as_array()?.len() != words.len() {
        return None;
    }
    let Some((first, program)) = words.first() else {
        item.error(Code::BadValue, format!("`{}` holds no program", item.name), help);
        return None;
    };
    if program.is_empty() {
        first.error(Code::BadValue, "a program has a name", help);
    }
    // From where would it be looked for? Nobody could say.
    if program.contains('/') && !program.starts_with('/') {
        let help = "write its whole path, or its name alone to have it looked for in PATH";
        first.error(Code::BadValue, format!("`{program}` is half a path"), help);
    }
    for (item, word) in &words {
        if word.contains('\0') {
            item.error(Code::BadValue, "a word cannot hold a zero byte", "leave it out");
        }
    }
    Some(words.into_iter().map(|(_, word)| word.to_owned()).collect())
}

/// Where, as whom and within which bounds.
pub(super) fn surroundings(table: &Table) -> Surroundings {
    Surroundings {
        dir: table.get("dir").and_then(|item| whole_path(&item)),
        user: table.get("user").and_then(|item| item.text().map(str::to_owned)),
        env: table.get("env").map(|item| settings(&item)).unwrap_or_default(),
        limits: table.get("limits").map(|item| limits(&item)).unwrap_or_default(),
    }
}

/// A path from the root: from where else, a running daemon could not say.
pub(super) fn whole_path(item: &Item) -> Option<String> {
    let text = item.text()?;
    if text.starts_with('/') && !text.contains('\0') {
        return Some(text.to_owned());
    }
    item.error(Code::BadValue, format!("`{text}` is no whole path"), "begin it with `/`");
    None
}

/// Named settings, such as an environment or headers.
pub(super) fn settings(item: &Item) -> BTreeMap<String, Setting> {
    let entries = item.table().map(|table| table.named()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for (name, span, value) in entries {
        if name.is_empty() || name.contains(['=', '\0']) {
            let help = "a name has letters, digits, `_` and `-`";
            item.file.error(Code::BadName, span, format!("`{name}` cannot be a name here"), help);
        } else if let Some(setting) = setting(&value) {
            found.insert(name.to_owned(), setting);
        }
    }
    found
}

/// A text, or where it stands.
pub(super) fn setting(item: &Item) -> Option<Setting> {
    let help = "write a text, `{ file = \"/path\" }` or `{ env = \"NAME\" }`";
    if let DeValue::Table(_) = item.value {
        let table = item.table()?;
        let (file, env) = (table.get("file"), table.get("env"));
        table.finish();
        return match (file, env) {
            (Some(file), None) => whole_path(&file).map(Setting::File),
            (None, Some(env)) => env.text().map(|name| Setting::Env(name.to_owned())),
            _ => {
                item.error(Code::BadValue, format!("`{}` needs one place to read it from", item.name), help);
                None
            }
        };
    }
    if item.value.as_str().is_none() {
        item.error(Code::WrongType, format!("`{}` wants a text", item.name), help);
        return None;
    }
    item.text().map(|text| Setting::Plain(text.to_owned()))
}

fn limits(item: &Item) -> BTreeMap<Limit, u64> {
    let entries = item.table().map(|table| table.named()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for (name, span, value) in entries {
        let Some((limit, _)) = Limit::ALL.into_iter().find(|(_, word)| *word == name) else {
            let known = (name, Limit::ALL.map(|(_, word)| word));
            item.file.unknown(Code::UnknownKey, span, format!("there is no limit `{name}`"), known);
            continue;
        };
        if let Some(most) = if name.ends_with("_bytes") { size(&value) } else { number(&value) } {
            found.insert(limit, most);
        }
    }
    found
}

fn number(item: &Item) -> Option<u64> {
    item.whole(0..1 << 40).and_then(|number| u64::try_from(number).ok())
}

/// A size: a number of bytes, or as people write it.
pub(super) fn size(item: &Item) -> Option<u64> {
    let Some(text) = item.value.as_str() else { return number(item) };
    let bytes = quantity::bytes(text);
    if bytes.is_none() {
        let help = quantity::example(crate::model::Unit::Bytes);
        item.error(Code::BadValue, format!("`{}` cannot be `{text}`", item.name), help);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are checked to be finite and not below 0"
    )]
    bytes.map(|bytes| bytes as u64)
}
