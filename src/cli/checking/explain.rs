//! `grace explain`

use serde_json::json;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::say::Code;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace explain GR2103\n  grace explain            all codes\n  \
                        grace explain GR2103 --output json | jq -r .page")]
pub(in crate::cli) struct Args {
    /// A code, such as GR2103; without one, all of them are listed
    code: Option<String>,
}

pub(in crate::cli) fn run(args: &Args, out: Out) -> Result<Exit, Failure> {
    let Some(word) = &args.code else {
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
