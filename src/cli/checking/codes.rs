//! The page of a code: a part of `grace explain`.

use serde_json::json;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::say::Code;

/// Is this word a code, or meant as one?
pub(in crate::cli) fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix("GR").or_else(|| word.strip_prefix("gr"));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The page of a code; without one, the list of all.
pub(in crate::cli) fn run(word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let Some(word) = word else {
        list(out)?;
        return Ok(Exit::Clean);
    };
    let code: Code = word.parse().map_err(|help| {
        Failure::Usage(format!("there is no code `{word}`: {help} (`grace explain` lists all)"))
    })?;
    if out.is_json() {
        out.json(&object(code))?;
    } else {
        code.page().trim_end().lines().try_for_each(|line| {
            let heading = line.starts_with("# ") || line.starts_with("**");
            out.line(if heading { out.paint(Look::Head, line) } else { line.to_owned() })
        })?;
    }
    Ok(Exit::Clean)
}

fn list(out: Out) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(&Code::ALL.iter().copied().map(object).collect::<Vec<_>>());
    }
    Code::ALL.iter().try_for_each(|code| out.line(format_args!("{code}  {}", code.title())))
}

fn object(code: Code) -> serde_json::Value {
    json!({ "code": code.to_string(), "title": code.title(), "page": code.page() })
}
